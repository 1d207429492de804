package manifest

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v4"

	"gistdeal"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/rules"
)

// Version is the version of the file's form.
const Version = 1

// Manifest is the wanted users and settings of a gistdeal.
type Manifest struct {
	Settings map[gistdeal.Setting]string // those that it names; "" is the default
	Rules    *rules.Set                  // nil if it names none
	Users    []User
}

// User is a wanted user.
type User struct {
	Login    string            `yaml:"login"`
	Backfill gistdeal.Backfill `yaml:"backfill,omitempty"` // "" is any; of a new user the setting
	Paused   bool              `yaml:"paused,omitempty"`
	line     int
}

// plainUser is decoded field by field.
type plainUser User

// UnmarshalYAML implements yaml.Unmarshaler. It keeps the line for errors.
func (u *User) UnmarshalYAML(node *yaml.Node) error {
	u.line = node.Line
	return node.Load((*plainUser)(u), yaml.WithKnownFields())
}

// settingValues are the settings of a file; nil for those that it does not name.
type settingValues struct {
	Pipeline          *string `yaml:"pipeline,omitempty"`
	Stage             *string `yaml:"stage,omitempty"`
	Owner             *string `yaml:"owner,omitempty"`
	Backfill          *string `yaml:"backfill,omitempty"`
	ApprovalThreshold *int    `yaml:"approval_threshold,omitempty"`
	DailyLimit        *int    `yaml:"daily_limit,omitempty"`
}

// texts are the values that are texts, by the name of the setting.
func (v *settingValues) texts() map[gistdeal.Setting]**string {
	return map[gistdeal.Setting]**string{
		gistdeal.SettingPipeline: &v.Pipeline, gistdeal.SettingStage: &v.Stage, gistdeal.SettingOwner: &v.Owner, gistdeal.SettingBackfill: &v.Backfill,
	}
}

// numbers are the values that are numbers, by the name of the setting.
func (v *settingValues) numbers() map[gistdeal.Setting]**int {
	return map[gistdeal.Setting]**int{gistdeal.SettingApprovalThreshold: &v.ApprovalThreshold, gistdeal.SettingDailyLimit: &v.DailyLimit}
}

// valuesOf returns the settings in the form of a file.
func valuesOf(all []settings.Setting) (v settingValues, err error) {
	for _, s := range all {
		if text := v.texts()[s.Name]; text != nil {
			*text = new(s.Value)
			continue
		}
		n, err := strconv.Atoi(s.Value)
		if err != nil {
			return v, fmt.Errorf("setting %s: %w", s.Name, err)
		}
		if number := v.numbers()[s.Name]; number != nil {
			*number = new(n)
		}
	}
	return v, nil
}

// settings returns the settings that the file names.
func (v *settingValues) settings() (map[gistdeal.Setting]string, error) {
	named, mistakes := map[gistdeal.Setting]string{}, []error(nil)
	for name, text := range v.texts() {
		if *text != nil {
			named[name] = **text
		}
	}
	for name, number := range v.numbers() {
		if *number != nil {
			named[name] = strconv.Itoa(**number)
		}
	}
	for _, name := range gistdeal.Settings {
		if value := named[name]; value != "" {
			mistakes = append(mistakes, name.Check(value))
		}
	}
	return named, errors.Join(mistakes...)
}

// Read reads a file. Its error names the lines of all mistakes.
func Read(text []byte) (m Manifest, err error) {
	var file struct {
		Version  int           `yaml:"version"`
		Settings settingValues `yaml:"settings"`
		Rules    []rules.Rule  `yaml:"rules"`
		Users    []User        `yaml:"users"`

		EverythingElse rules.LastRule `yaml:"everything_else"`
	}
	if err := yaml.Load(text, &file, yaml.WithKnownFields()); err != nil {
		return m, plain(err)
	}
	if file.Version != Version {
		return m, gistdeal.Errorf(gistdeal.Invalid, "the file says version %d: this gistdeal reads version %d", file.Version, Version)
	}
	m.Settings, err = file.Settings.settings()
	mistakes := []error{err}
	if file.Rules != nil {
		m.Rules = &rules.Set{Rules: file.Rules, EverythingElse: file.EverythingElse}
		mistakes = append(mistakes, m.Rules.Check())
	} else if file.EverythingElse != (rules.LastRule{}) {
		mistakes = append(mistakes, errors.New("everything_else needs rules: they may be an empty list"))
	}
	lines := make(map[string]int, len(file.Users))
	for i, u := range file.Users {
		login, err := gistdeal.LoginFrom(u.Login)
		if err == nil && u.Backfill != "" {
			err = u.Backfill.Check()
		}
		key := gistdeal.LoginKey(login)
		if first := lines[key]; err == nil && first > 0 {
			err = fmt.Errorf("%s is named in line %d too", login, first)
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("line %d: %w", u.line, err))
			continue
		}
		file.Users[i].Login, lines[key] = login, u.line
	}
	m.Users = file.Users
	if err := errors.Join(mistakes...); err != nil {
		return m, &gistdeal.Error{Kind: gistdeal.Invalid, Err: err}
	}
	return m, nil
}

// goType is the part of an error that names a type of this program.
var goType = regexp.MustCompile(` in type .*`)

// plain returns an error of the decoder for readers of the file, one mistake a line.
func plain(err error) error {
	var all []*yaml.LoadError
	if several, ok := errors.AsType[*yaml.LoadErrors](err); ok {
		all = several.Errors
	} else if one, ok := errors.AsType[*yaml.LoadError](err); ok {
		all = append(all, one)
	}
	var mistakes []error
	for _, one := range all {
		mistake := errors.New(goType.ReplaceAllString(one.Message, ""))
		if one.Mark.Line > 0 {
			mistake = fmt.Errorf("line %d: %w", one.Mark.Line, mistake)
		}
		mistakes = append(mistakes, mistake)
	}
	if len(mistakes) == 0 {
		mistakes = append(mistakes, err)
	}
	return &gistdeal.Error{Kind: gistdeal.Invalid, Err: errors.Join(mistakes...)}
}

const head = `# Users and settings of a gistdeal. "gistdeal apply -f FILE" makes another one the same.
`

// page is how many users are written at a time.
const page = 500

// writer writes a file bit by bit.
type writer struct {
	w   io.Writer
	err error
}

// text writes a text.
func (w *writer) text(text string) {
	if w.err == nil {
		_, w.err = io.WriteString(w.w, text)
	}
}

// yaml writes a value.
func (w *writer) yaml(v any) {
	text, err := yaml.Dump(v)
	if w.err == nil {
		w.err = err
	}
	w.text(string(text))
}
