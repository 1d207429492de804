package rules_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/rules"
)

func TestARuleSaysWhatFollowsAnEditOrADeletion(t *testing.T) {
	t.Parallel()
	follows := rules.Rule{
		Name: "all", Action: gistdeal.RuleCreate, Title: "About {{line .Description}}", TitleOnEdit: gistdeal.EditUpdate, OnDelete: gistdeal.DeleteStage, DeletePipeline: "sales", DeleteStage: "warm",
		Fields: []rules.Field{
			{Field: "Language", Template: "{{.Language}}"},
			{Field: "Bytes", Template: "{{.Size}}", OnEdit: gistdeal.EditUpdate},
			{Field: "Topic", Template: "infra", OnEdit: gistdeal.EditNote},
			{Field: "Published", Template: "no date", OnEdit: gistdeal.EditUpdate},
			{Field: "Notes", Template: "{{if .Backfill}}old{{end}}", OnEdit: gistdeal.EditUpdate},
		},
	}
	want := rules.FollowUp{
		Title: "About How we deploy", TitleOnEdit: gistdeal.EditUpdate, OnDelete: gistdeal.DeleteStage, StageID: 2,
		Fields: []rules.FollowedField{
			{FieldValue: gistdeal.FieldValue{Code: "c2", Name: "Bytes", Type: "double", Value: 1000.0}, Text: "1000", OnEdit: gistdeal.EditUpdate},
			{FieldValue: gistdeal.FieldValue{Code: "c4", Name: "Topic", Type: "enum", Value: int64(40)}, Text: "infra", OnEdit: gistdeal.EditNote},
		},
	}
	if diff := cmp.Diff(want, rulesOf(t, follows).FollowUp("all", terraform)); diff != "" {
		t.Error(diff)
	}
	off, other := follows, rulesOf(t, follows)
	if updates, notes := other.Follows("all"); !updates || !notes {
		t.Errorf("it updates: %v, and writes notes: %v", updates, notes)
	}
	tells := rules.Rule{Name: "tells", Action: gistdeal.RuleCreate, OnDelete: gistdeal.DeleteNote}
	if updates, notes := rulesOf(t, tells).Follows("tells"); updates || !notes {
		t.Errorf("it updates: %v, and writes notes: %v", updates, notes)
	}
	if updates, notes := other.Follows(gistdeal.EverythingElse); updates || notes {
		t.Error("everything else follows changes")
	}
	off.Off = true
	for name, got := range map[string]rules.FollowUp{"off": rulesOf(t, off).FollowUp("all", terraform), "deleted": other.FollowUp("another", terraform), "everything else": other.FollowUp(gistdeal.EverythingElse, terraform)} {
		if !cmp.Equal(got, rules.FollowUp{}) {
			t.Errorf("%s: %+v, want nothing", name, got)
		}
	}
}

func TestWhatCannotFollowAnEditOrADeletionIsRefused(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]rules.Rule{
		"title_on_edit needs a title":                 {TitleOnEdit: gistdeal.EditUpdate},
		`on_edit is "always"`:                         {Fields: []rules.Field{{Field: "Language", Template: "x", OnEdit: "always"}}},
		`on_edit is "never"`:                          {Title: "x", TitleOnEdit: "never"},
		`on_delete is "delete"`:                       {OnDelete: "delete"},
		"on_delete: stage and on_delete_stage":        {OnDelete: gistdeal.DeleteStage},
		"on_delete_stage belong together":             {OnDelete: gistdeal.DeleteNote, DeleteStage: "Warm"},
		"belong together":                             {DeletePipeline: "Sales"},
		"a rule that skips gists has no on_delete":    {Action: gistdeal.RuleSkip, OnDelete: gistdeal.DeleteNote},
		`Pipedrive has no stage "Cold"`:               {OnDelete: gistdeal.DeleteStage, DeleteStage: "Cold"},
		`Pipedrive has 2 stages named "New": name`:    {OnDelete: gistdeal.DeleteStage, DeleteStage: "New"},
		`" Warm" is not a possible name in Pipedrive`: {OnDelete: gistdeal.DeleteStage, DeleteStage: " Warm"},
	} {
		r.Name = "all"
		if r.Action == "" {
			r.Action = gistdeal.RuleCreate
		}
		if _, err := (rules.Set{Rules: []rules.Rule{r}}).Resolve(account); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
