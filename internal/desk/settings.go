package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gistdeal"
)

// Setting is something that a person may choose while gistdeal runs.
type Setting struct {
	Name     gistdeal.Choice `json:"name" enum:"pipeline,stage,owner,first_scan,first_scan_max"`
	Value    string          `json:"value" doc:"As it is now."`
	Default  string          `json:"default" doc:"As it is if nobody chooses."`
	LockedBy string          `json:"locked_by" doc:"The environment variable that decides, so that nobody can choose; else empty."`
	Choices  []string        `json:"choices" doc:"What may be chosen, as far as that is known; null for any text or number."`
	Doc      string          `json:"doc"`
}

// Configured is what the configuration says of the settings.
type Configured struct {
	Values map[gistdeal.Choice]string
	Locked map[gistdeal.Choice]string // by which variable
}

// settingDocs say what each setting means.
var settingDocs = map[gistdeal.Choice]string{
	gistdeal.ChoicePipeline:     "The pipeline for new deals; empty for the account's default.",
	gistdeal.ChoiceStage:        "The stage for new deals; empty for the pipeline's first.",
	gistdeal.ChoiceOwner:        "Whose new deals are; empty for whose the key is. Anybody else needs a key that sees all deals.",
	gistdeal.ChoiceFirstScan:    "Of users that are tracked from now on: deals for all gists that they have, or only for new ones.",
	gistdeal.ChoiceFirstScanMax: "A first scan that finds more gists waits for a person's yes; 0 for no limit.",
}

// Accounts returns what the process that works saw last of the accounts.
func (d *Desk) Accounts(ctx context.Context) (a gistdeal.Accounts, err error) {
	text, err := d.db.Setting(ctx, gistdeal.SettingAccounts)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &a)
	}
	if err != nil {
		return a, fmt.Errorf("read the accounts: %w", err)
	}
	if a.Pipelines == nil {
		a.Pipelines = []gistdeal.AccessPipeline{}
	}
	if a.Owners == nil {
		a.Owners = []string{}
	}
	if a.Pipedrive.Fields == nil {
		a.Pipedrive.Fields = []gistdeal.AccessField{}
	}
	return a, nil
}

// Settings returns how each setting is.
func (d *Desk) Settings(ctx context.Context, c Configured) ([]Setting, error) {
	accounts, err := d.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	return d.settings(ctx, c, accounts)
}

func (d *Desk) settings(ctx context.Context, c Configured, accounts gistdeal.Accounts) ([]Setting, error) {
	all := make([]Setting, len(gistdeal.Choices))
	for i, name := range gistdeal.Choices {
		s := Setting{Name: name, Value: c.Values[name], Default: c.Values[name], LockedBy: c.Locked[name], Doc: settingDocs[name]}
		if s.LockedBy == "" {
			chosen, err := d.db.Setting(ctx, string(name))
			if err != nil {
				return nil, err
			}
			if chosen != "" {
				s.Value = chosen
			}
		}
		all[i] = s
	}
	for i := range all {
		all[i].Choices = choices(all[i].Name, all[0].Value, accounts)
	}
	return all, nil
}

// choices returns what may be chosen, nil if that is not known or no list.
func choices(c gistdeal.Choice, pipeline string, a gistdeal.Accounts) (names []string) {
	switch c {
	case gistdeal.ChoiceFirstScan:
		return []string{string(gistdeal.FirstScanAll), string(gistdeal.FirstScanNew)}
	case gistdeal.ChoicePipeline:
		for _, p := range a.Pipelines {
			names = append(names, p.Name)
		}
	case gistdeal.ChoiceStage:
		for _, p := range a.Pipelines {
			if pipeline == "" || strings.EqualFold(p.Name, pipeline) {
				names = append(names, p.Stages...)
			}
		}
	case gistdeal.ChoiceOwner:
		return a.Owners
	}
	return names
}

// Choose changes settings; "" takes what is configured again. Invalid if one is
// locked or cannot be, or if the stage is not of the pipeline any more: then
// none is changed. Who works notices it within seconds.
func (d *Desk) Choose(ctx context.Context, c Configured, values map[gistdeal.Choice]string) ([]Setting, error) {
	accounts, err := d.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	settings, err := d.settings(ctx, c, accounts)
	if err != nil {
		return nil, err
	}
	pipeline := ""
	for _, s := range settings {
		value, wanted := values[s.Name]
		switch {
		case wanted && s.LockedBy != "":
			return nil, gistdeal.Errorf(gistdeal.Invalid, "%s is decided by %s: change that, or unset it and choose here", s.Name, s.LockedBy)
		case wanted:
			s.Value = cmp.Or(value, s.Default)
		}
		if s.Name == gistdeal.ChoicePipeline {
			pipeline = s.Value // The first of all, so that the stage is held against it.
		}
		moved := s.Name == gistdeal.ChoiceStage && pipeline != settings[0].Value
		if !wanted && !moved {
			continue
		}
		if err := possible(s.Name, s.Value, choices(s.Name, pipeline, accounts)); err != nil {
			return nil, err
		}
	}
	if err := d.db.Choose(ctx, values); err != nil {
		return nil, err
	}
	return d.settings(ctx, c, accounts)
}

// possible returns an Invalid error if value cannot be chosen.
func possible(c gistdeal.Choice, value string, known []string) error {
	if value == "" {
		return nil
	}
	if err := c.Check(value); err != nil {
		return err
	}
	if len(known) > 0 && !slices.ContainsFunc(known, func(name string) bool { return strings.EqualFold(name, value) }) {
		return gistdeal.Errorf(gistdeal.Invalid, "there is no %s %q: choose one of %s", c, value, strings.Join(known, ", "))
	}
	return nil
}
