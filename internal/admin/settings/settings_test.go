package settings_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"gistdeal"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/store"
)

// newSettings returns settings of which the threshold is locked, in an account
// with two pipelines.
func newSettings(t *testing.T) *settings.Settings {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	accounts, err := json.Marshal(gistdeal.Accounts{
		Pipelines: []gistdeal.AccessPipeline{{Name: "Sales", Stages: []string{"New", "Won"}}, {Name: "Gists", Stages: []string{"Seen"}}},
		Owners:    []string{"Ann"},
	})
	if err == nil {
		err = db.Set(t.Context(), gistdeal.SettingAccounts, string(accounts))
	}
	if err != nil {
		t.Fatal(err)
	}
	return settings.New(db, settings.Configured{
		Values: map[gistdeal.Choice]string{gistdeal.ChoiceFirstScan: "all", gistdeal.ChoiceFirstScanMax: "50"},
		Locked: map[gistdeal.Choice]string{gistdeal.ChoiceFirstScanMax: "GISTDEAL_APPROVAL_THRESHOLD"},
	})
}

func value(t *testing.T, s *settings.Settings, name gistdeal.Choice) string {
	t.Helper()
	v, err := s.Value(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSettingsAreChangedTogetherAndResetToTheirDefault(t *testing.T) {
	t.Parallel()
	s := newSettings(t)
	list, err := s.Change(t.Context(), map[gistdeal.Choice]string{gistdeal.ChoicePipeline: "Gists", gistdeal.ChoiceStage: "seen", gistdeal.ChoiceFirstScan: "2026-01-31"})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list {
		if one.Doc == "" {
			t.Errorf("%s is not described", one.Name)
		}
		if one.Name == gistdeal.ChoiceFirstScan && (one.Value != "2026-01-31" || one.Default != "all") {
			t.Errorf("%+v, want the date", one)
		}
		if one.Name == gistdeal.ChoiceStage && strings.Join(one.Choices, ",") != "Seen" {
			t.Errorf("%+v, want the stages of the pipeline", one)
		}
	}
	if _, err := s.Change(t.Context(), map[gistdeal.Choice]string{gistdeal.ChoiceFirstScan: ""}); err != nil || value(t, s, gistdeal.ChoiceFirstScan) != "all" {
		t.Errorf("the backfill is %q, %v; want the default", value(t, s, gistdeal.ChoiceFirstScan), err)
	}
}

func TestALockedOrImpossibleSettingChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSettings(t)
	if _, err := s.Change(t.Context(), map[gistdeal.Choice]string{gistdeal.ChoicePipeline: "Sales", gistdeal.ChoiceStage: "Won"}); err != nil {
		t.Fatal(err)
	}
	for text, values := range map[string]map[gistdeal.Choice]string{
		"decided by GISTDEAL_APPROVAL_THRESHOLD":                     {gistdeal.ChoiceFirstScanMax: "5", gistdeal.ChoiceOwner: "Ann"},
		`there is no pipeline "Nowhere": choose one of Sales, Gists`: {gistdeal.ChoicePipeline: "Nowhere", gistdeal.ChoiceOwner: "Ann"},
		`there is no stage "Won"`:                                    {gistdeal.ChoicePipeline: "Gists", gistdeal.ChoiceOwner: "Ann"},
		"want all, none or a date":                                   {gistdeal.ChoiceFirstScan: "2026-02-30", gistdeal.ChoiceOwner: "Ann"},
		`there is no owner "Bob"`:                                    {gistdeal.ChoiceOwner: "Bob"},
	} {
		if _, err := s.Change(t.Context(), values); gistdeal.KindOf(err) != gistdeal.Invalid || !strings.Contains(err.Error(), text) {
			t.Errorf("%v: %v, want %q", values, err, text)
		}
	}
	if pipeline, owner := value(t, s, gistdeal.ChoicePipeline), value(t, s, gistdeal.ChoiceOwner); pipeline != "Sales" || owner != "" {
		t.Errorf("pipeline %q, owner %q: something was changed", pipeline, owner)
	}
	if got := value(t, s, gistdeal.ChoiceFirstScanMax); got != "50" {
		t.Errorf("the locked threshold is %q", got)
	}
}
