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
		err = db.Set(t.Context(), gistdeal.KeyAccounts, string(accounts))
	}
	if err != nil {
		t.Fatal(err)
	}
	return settings.New(db, settings.Configured{
		Values: map[gistdeal.Setting]string{gistdeal.SettingBackfill: "all", gistdeal.SettingApprovalThreshold: "50"},
		Locked: map[gistdeal.Setting]string{gistdeal.SettingApprovalThreshold: "GISTDEAL_APPROVAL_THRESHOLD"},
	})
}

func value(t *testing.T, s *settings.Settings, name gistdeal.Setting) string {
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
	list, err := s.Change(t.Context(), map[gistdeal.Setting]string{gistdeal.SettingPipeline: "Gists", gistdeal.SettingStage: "seen", gistdeal.SettingBackfill: "2026-01-31"})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list {
		if one.Doc == "" {
			t.Errorf("%s is not described", one.Name)
		}
		if one.Name == gistdeal.SettingBackfill && (one.Value != "2026-01-31" || one.Default != "all") {
			t.Errorf("%+v, want the date", one)
		}
		if one.Name == gistdeal.SettingStage && strings.Join(one.Options, ",") != "Seen" {
			t.Errorf("%+v, want the stages of the pipeline", one)
		}
	}
	if _, err := s.Change(t.Context(), map[gistdeal.Setting]string{gistdeal.SettingBackfill: ""}); err != nil || value(t, s, gistdeal.SettingBackfill) != "all" {
		t.Errorf("the backfill is %q, %v; want the default", value(t, s, gistdeal.SettingBackfill), err)
	}
}

func TestALockedOrImpossibleSettingChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSettings(t)
	if _, err := s.Change(t.Context(), map[gistdeal.Setting]string{gistdeal.SettingPipeline: "Sales", gistdeal.SettingStage: "Won"}); err != nil {
		t.Fatal(err)
	}
	for text, values := range map[string]map[gistdeal.Setting]string{
		"decided by GISTDEAL_APPROVAL_THRESHOLD":                     {gistdeal.SettingApprovalThreshold: "5", gistdeal.SettingOwner: "Ann"},
		`there is no pipeline "Nowhere": choose one of Sales, Gists`: {gistdeal.SettingPipeline: "Nowhere", gistdeal.SettingOwner: "Ann"},
		`there is no stage "Won"`:                                    {gistdeal.SettingPipeline: "Gists", gistdeal.SettingOwner: "Ann"},
		"want all, none or a date":                                   {gistdeal.SettingBackfill: "2026-02-30", gistdeal.SettingOwner: "Ann"},
		`there is no owner "Bob"`:                                    {gistdeal.SettingOwner: "Bob"},
	} {
		if _, err := s.Change(t.Context(), values); gistdeal.KindOf(err) != gistdeal.Invalid || !strings.Contains(err.Error(), text) {
			t.Errorf("%v: %v, want %q", values, err, text)
		}
	}
	if pipeline, owner := value(t, s, gistdeal.SettingPipeline), value(t, s, gistdeal.SettingOwner); pipeline != "Sales" || owner != "" {
		t.Errorf("pipeline %q, owner %q: something was changed", pipeline, owner)
	}
	if got := value(t, s, gistdeal.SettingApprovalThreshold); got != "50" {
		t.Errorf("the locked threshold is %q", got)
	}
}
