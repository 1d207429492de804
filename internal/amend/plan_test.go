package amend_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/amend"
	"gistdeal/internal/rules"
)

// stored returns content as it is read from the database.
func stored(t *testing.T, value any) (c gistdeal.Content) {
	t.Helper()
	if value != nil {
		c.Fields = []gistdeal.FieldValue{{Code: "c1", Value: value}}
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAFieldIsWrittenOnlyWhileItHasTheValueOfOurLastWrite(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		last, intended, present, next any
		writes, owns                  bool // whether it is written, and whether it is ours afterwards
	}{
		"a text":                              {last: "a", present: "a", next: "b", writes: true, owns: true},
		"a text that a person changed":        {last: "a", present: "x", next: "b"},
		"a text that a person emptied":        {last: "a", present: nil, next: "b"},
		"a person wrote the new text":         {last: "a", present: "b", next: "b"},
		"the same text":                       {last: "a", present: "a", next: "a"},
		"a text with a space at its end":      {last: "a ", present: "a", next: "b", writes: true, owns: true},
		"a field that was blank":              {present: nil, next: "b", writes: true, owns: true},
		"a blank field that a person filled":  {present: "x", next: "b"},
		"a number":                            {last: 700.0, present: 700.0, next: 800.0, writes: true, owns: true},
		"an option":                           {last: int64(40), present: 40.0, next: int64(41), writes: true, owns: true},
		"another option":                      {last: int64(40), present: 42.0, next: int64(41)},
		"options in another order":            {last: []int64{50, 51}, present: []any{51.0, 50.0}, next: []int64{50}, writes: true, owns: true},
		"a lost answer, and the new text":     {last: "a", intended: "b", present: "b", next: "b", owns: true},
		"a lost answer, and the old text":     {last: "a", intended: "b", present: "a", next: "b", writes: true, owns: true},
		"a lost answer, and another edit":     {last: "a", intended: "b", present: "b", next: "c", writes: true, owns: true},
		"a lost answer, and an edit back":     {last: "a", intended: "b", present: "b", next: "a", writes: true, owns: true},
		"a lost answer, and a person's text":  {last: "a", intended: "b", present: "x", next: "b"},
		"a lost request, and the edit undone": {last: "a", intended: "b", present: "a", next: "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			last := stored(t, tt.last)
			c := gistdeal.Amendment{Edited: true, Content: &last}
			if tt.intended != nil {
				c.Intended = &gistdeal.Intent{Content: stored(t, tt.intended)}
			}
			next := gistdeal.FieldValue{Code: "c1", Name: "Topic", Value: tt.next}
			change, content := amend.Plan(c, rules.FollowUp{Fields: []rules.FollowedField{{FieldValue: next, OnEdit: gistdeal.EditUpdate}}}, gistdeal.DealValues{Fields: map[string]any{"c1": tt.present}})
			if writes := cmp.Equal(change.Fields, []gistdeal.FieldValue{next}); writes != tt.writes || !writes && !change.Empty() {
				t.Errorf("it changes %+v, want a change: %v", change, tt.writes)
			}
			if owns := content != nil && cmp.Equal(content.Fields, []gistdeal.FieldValue{next}); owns != tt.owns {
				t.Errorf("the content is %+v, want the new value: %v", content, tt.owns)
			}
			if !cmp.Equal(last, stored(t, tt.last)) {
				t.Errorf("the stored content was changed to %+v", last)
			}
		})
	}
}

func TestOnlyOpenDealsMoveAndOnlyOnce(t *testing.T) {
	t.Parallel()
	tried := &gistdeal.Intent{Content: gistdeal.Content{StageID: 7}, FromStage: 3}
	for name, tt := range map[string]struct {
		now      gistdeal.DealValues
		intended *gistdeal.Intent
		want     int64
	}{
		"an open deal":                        {gistdeal.DealValues{Open: true, StageID: 3}, nil, 7},
		"a deal that was won":                 {gistdeal.DealValues{StageID: 3}, nil, 0},
		"a deal that is there":                {gistdeal.DealValues{Open: true, StageID: 7}, nil, 0},
		"a lost request":                      {gistdeal.DealValues{Open: true, StageID: 3}, tried, 7},
		"a lost answer":                       {gistdeal.DealValues{Open: true, StageID: 7}, tried, 0},
		"a lost answer, and a person's stage": {gistdeal.DealValues{Open: true, StageID: 4}, tried, 0},
	} {
		change, _ := amend.Plan(gistdeal.Amendment{Gone: true, Intended: tt.intended}, rules.FollowUp{OnDelete: gistdeal.DeleteStage, StageID: 7}, tt.now)
		if change.StageID != tt.want {
			t.Errorf("%s moves to the stage %d, want %d", name, change.StageID, tt.want)
		}
	}
}
