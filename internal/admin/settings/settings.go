package settings

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
)

// Setting is a value that can be changed while gistdeal runs. Values are texts, also
// those of numbers.
type Setting struct {
	Name     gistdeal.Setting
	Value    string   // the current value
	Default  string   // the value if none is set
	LockedBy string   // the environment variable that decides the value, so that it cannot be changed; else empty
	Options  []string // the possible values, as far as they are known; nil for any text or number
	Doc      string
}

// Configured is the part of the configuration that is about settings.
type Configured struct {
	Values map[gistdeal.Setting]string
	Locked map[gistdeal.Setting]string // by which variable
}

// Settings are the settings of a database.
type Settings struct {
	db         *store.Store
	configured Configured
}

// New returns the settings in the database, with the configured defaults and locks.
func New(db *store.Store, c Configured) *Settings { return &Settings{db, c} }

// docs describe the settings.
var docs = map[gistdeal.Setting]string{
	gistdeal.SettingPipeline:          "The pipeline of new deals; empty for the account's default.",
	gistdeal.SettingStage:             "The stage of new deals; empty for the first stage of the pipeline.",
	gistdeal.SettingOwner:             "The owner of new deals; empty for the owner of the API key. Another owner needs a key that sees all deals.",
	gistdeal.SettingBackfill:          "Which gists of a new user get a deal: all, none of those that exist before tracking begins, or those created on or after a date like 2026-01-31.",
	gistdeal.SettingApprovalThreshold: "If a scan or a day of one user brings more new deals than this, the new ones wait for approval; 0 for no limit.",
	gistdeal.SettingDailyLimit:        "The new deals of one user within 24 hours that need no approval; further ones wait for approval; 0 for no limit.",
}

// List returns all settings.
func (s *Settings) List(ctx context.Context) ([]Setting, error) {
	accounts, err := s.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	return s.list(ctx, accounts)
}

// ValueOf returns the value of a setting in a list of all.
func ValueOf(all []Setting, name gistdeal.Setting) string {
	for _, s := range all {
		if s.Name == name {
			return s.Value
		}
	}
	return ""
}

// Value returns the current value of a setting.
func (s *Settings) Value(ctx context.Context, name gistdeal.Setting) (string, error) {
	value := s.configured.Values[name]
	if s.configured.Locked[name] != "" {
		return value, nil
	}
	chosen, err := s.db.Setting(ctx, string(name))
	return cmp.Or(chosen, value), err
}

func (s *Settings) list(ctx context.Context, accounts gistdeal.Accounts) ([]Setting, error) {
	all := make([]Setting, len(gistdeal.Settings))
	for i, name := range gistdeal.Settings {
		value, err := s.Value(ctx, name)
		if err != nil {
			return nil, err
		}
		all[i] = Setting{Name: name, Value: value, Default: s.configured.Values[name], LockedBy: s.configured.Locked[name], Doc: docs[name]}
		all[i].Options = offered(name, all[0].Value, accounts)
	}
	return all, nil
}

// offered returns the possible values, nil if they are not known or not a list.
func offered(name gistdeal.Setting, pipeline string, a gistdeal.Accounts) (names []string) {
	switch name {
	case gistdeal.SettingBackfill:
		return []string{string(gistdeal.BackfillAll), string(gistdeal.BackfillNone)} // Or a date.
	case gistdeal.SettingPipeline:
		for _, p := range a.Pipelines {
			names = append(names, p.Name)
		}
	case gistdeal.SettingStage:
		for _, p := range a.Pipelines {
			if pipeline == "" || strings.EqualFold(p.Name, pipeline) {
				names = append(names, p.Stages...)
			}
		}
	case gistdeal.SettingOwner:
		return a.Owners
	}
	return names
}

// Change changes settings; "" restores the default. It returns an Invalid error,
// and changes nothing, if a setting is locked or a value is not possible, or if
// the stage does not belong to the new pipeline. The leader acts on the change
// within seconds.
func (s *Settings) Change(ctx context.Context, values map[gistdeal.Setting]string) ([]Setting, error) {
	return s.change(ctx, values, "")
}

// ChangeIf does the same if expected reports true for the current settings. The
// error is a Conflict if it does not, or if the settings change at the same time.
func (s *Settings) ChangeIf(ctx context.Context, expected func([]Setting) bool, values map[gistdeal.Setting]string) ([]Setting, error) {
	version, err := s.db.SettingsVersion(ctx) // Before the list, so that the list is not older.
	if err != nil {
		return nil, err
	}
	current, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	if !expected(current) {
		return nil, gistdeal.Errorf(gistdeal.Conflict, "the settings have changed since you read them: read them again")
	}
	return s.change(ctx, values, version)
}

func (s *Settings) change(ctx context.Context, values map[gistdeal.Setting]string, version string) ([]Setting, error) {
	accounts, err := s.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	current, err := s.list(ctx, accounts)
	if err != nil {
		return nil, err
	}
	if err := check(current, values, accounts); err != nil {
		return nil, err
	}
	if err := s.db.ChangeSettings(ctx, values, version, time.Now()); err != nil {
		return nil, err
	}
	return s.list(ctx, accounts)
}

// check returns an Invalid error if the settings cannot be changed to values.
func check(current []Setting, values map[gistdeal.Setting]string, accounts gistdeal.Accounts) error {
	pipeline := ""
	for _, s := range current {
		value, wanted := values[s.Name]
		switch {
		case wanted && s.LockedBy != "":
			return gistdeal.Errorf(gistdeal.Invalid, "%s is decided by %s: change or unset that variable", s.Name, s.LockedBy)
		case wanted:
			s.Value = cmp.Or(value, s.Default)
		}
		if s.Name == gistdeal.SettingPipeline {
			pipeline = s.Value // The first of all, so that the stage is checked against it.
		}
		moved := s.Name == gistdeal.SettingStage && pipeline != current[0].Value
		if !wanted && !moved {
			continue
		}
		if err := possible(s.Name, s.Value, offered(s.Name, pipeline, accounts)); err != nil {
			return err
		}
	}
	return nil
}

// possible returns an Invalid error if the setting cannot have the value.
func possible(name gistdeal.Setting, value string, known []string) error {
	if value == "" {
		return nil
	}
	if err := name.Check(value); err != nil {
		return err
	}
	if name == gistdeal.SettingBackfill {
		return nil
	}
	if len(known) > 0 && !slices.ContainsFunc(known, func(one string) bool { return strings.EqualFold(one, value) }) {
		return gistdeal.Errorf(gistdeal.Invalid, "there is no %s %q: choose one of %s", name, value, strings.Join(known, ", "))
	}
	return nil
}
