package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestWhatIsAnEditOfAGist(t *testing.T) {
	t.Parallel()
	edited := []gistdeal.EventType{gistdeal.EventGistEdited}
	cases := []struct {
		name string
		from func(*gistdeal.Gist) // before the gist is first stored
		edit func(*gistdeal.Gist)
		want []gistdeal.EventType
	}{
		{name: "nothing"},
		{name: "description", edit: func(g *gistdeal.Gist) { g.Description = "new" }, want: edited},
		{name: "files", edit: func(g *gistdeal.Gist) { g.Files, g.UpdatedAt = g.Files[:0], g.UpdatedAt.Add(time.Second) }, want: edited},
		{name: "a star", edit: func(g *gistdeal.Gist) { g.UpdatedAt = g.UpdatedAt.Add(time.Second) }},
		{name: "a comment", edit: func(g *gistdeal.Gist) { g.Comments = new(3) }},
		{name: "raw URLs after a rename", edit: func(g *gistdeal.Gist) {
			g.Files = []gistdeal.File{{Name: "a.go", RawURL: "https://example.test/new/a.go"}}
		}},
		{name: "an older answer", edit: func(g *gistdeal.Gist) { g.Description, g.UpdatedAt = "old", g.UpdatedAt.Add(-time.Second) }},
		{name: "facts that were not known", from: func(g *gistdeal.Gist) { g.UpdatedAt = time.Time{} }, edit: func(g *gistdeal.Gist) { g.Description, g.UpdatedAt = "new", noon }},
	}
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		for i, c := range cases {
			one := gists(fmt.Sprintf("%x", i), 1)
			if c.from != nil {
				c.from(&one[0])
			}
			save(t, s, 1, one)
			recordCreated(t, s, claim(t, s, "me"), int64(70+i))
			last := lastEvent(t, s)
			if c.edit != nil {
				c.edit(&one[0])
			}
			save(t, s, 1, one)
			events := eventsAfter(t, s, last)
			if got := types(events); !slices.Equal(got, c.want) {
				t.Errorf("%s: the events are %v, want %v", c.name, got, c.want)
			}
			if len(events) == 1 && (events[0].Login != "octocat" || events[0].GistID != one[0].ID || events[0].DealID != int64(70+i) || events[0].Description != one[0].Description || !events[0].At.Equal(noon)) {
				t.Errorf("%s: %+v", c.name, events[0])
			}
		}
	})
}

func TestEachGistThatIsDeletedOrRestoredHasItsEvent(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 3))
		last := lastEvent(t, s)
		for i, step := range []struct {
			listed []string
			want   []string
		}{
			{[]string{"a0001", "a0002", "a0003"}, nil},
			{[]string{"a0002"}, []string{"gist.deleted a0001", "gist.deleted a0003"}},
			{[]string{"a0002"}, nil},
			{[]string{"a0001"}, []string{"gist.restored a0001", "gist.deleted a0002"}},
		} {
			at := noon.Add(time.Duration(i) * time.Minute)
			testenv.Must(t, s.MarkGone(t.Context(), 1, step.listed, at))
			var got []string
			for _, e := range eventsAfter(t, s, last) {
				got, last = append(got, string(e.Type)+" "+e.GistID), e.ID
				if !e.At.Equal(at) || e.UserID != 1 {
					t.Errorf("%+v", e)
				}
			}
			if slices.Sort(got); !slices.Equal(slices.Sorted(slices.Values(step.want)), got) {
				t.Errorf("listed %v: the events are %v, want %v", step.listed, got, step.want)
			}
		}
	})
}
