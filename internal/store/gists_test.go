package store_test

import (
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"

	"github.com/google/go-cmp/cmp"
)

func TestSavingTheSameGistsAgainChangesNothing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "Octocat", 1)
		if got := save(t, s, 1, gists("a", 3)); got != 3 {
			t.Errorf("the first save queued %d deals, want 3", got)
		}
		before, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		if got := save(t, s, 1, gists("a", 3)); got != 0 {
			t.Errorf("the second save queued %d deals, want 0", got)
		}
		after, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Error(diff)
		}
		if before[0].ID != "a0003" || before[2].ID != "a0001" {
			t.Errorf("the order is %s ... %s, want the newest first", before[0].ID, before[2].ID)
		}
	})
}

func TestGistsAreOrderedByCreationTime(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		all := gists("a", 4)
		save(t, s, 1, all[:2])
		save(t, s, 1, all[2:]) // the next page: older gists, saved later
		got, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		for i, g := range got {
			if g.ID != all[i].ID {
				t.Errorf("gist %d is %s, want %s", i, g.ID, all[i].ID)
			}
		}
	})
}

func TestAnEditedGistKeepsItsPlaceAndItsDeal(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		one := gists("a", 1)
		save(t, s, 1, one)
		c := claim(t, s, "me")
		recordCreated(t, s, c, 77)
		one[0].Description = "edited"
		if got := save(t, s, 1, one); got != 0 {
			t.Errorf("an edit queued %d deals, want 0", got)
		}
		all, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		if all[0].Description != "edited" || all[0].Seq != 1 || all[0].DealID != 77 {
			t.Errorf("got %+v, want the new text, seq 1 and deal 77", all[0])
		}
	})
}

func TestTextThatPostgreSQLRefusesIsCleaned(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		one := gists("a", 1)
		one[0].Description = "a\x00b\xff'; DROP TABLE gists; -- 🦑"
		save(t, s, 1, one)
		all, err := s.GistsOf(t.Context(), 1)
		testenv.Must(t, err)
		if want := "ab\uFFFD'; DROP TABLE gists; -- 🦑"; all[0].Description != want {
			t.Errorf("description is %q, want %q", all[0].Description, want)
		}
	})
}

func TestTheFirstScanWithoutBackfillSkipsOlderGists(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		all := gists("a", 3)
		all[0].CreatedAt = noon.Add(time.Minute)
		queued, err := s.SaveGists(t.Context(), 1, all, gistdeal.NewGistPolicy{First: true, SkipBefore: noon}, noon)
		if err != nil || queued != 1 {
			t.Fatalf("queued %d, error %v; want 1", queued, err)
		}
		counts, err := s.Counts(t.Context())
		testenv.Must(t, err)
		if counts.Deals[gistdeal.DealSkipped] != 2 || counts.Deals[gistdeal.DealQueued] != 1 {
			t.Errorf("deals are %v, want 2 skipped and 1 queued", counts.Deals)
		}
	})
}

// aGist returns a gist with all facts.
func aGist() gistdeal.Gist {
	g := gists("a", 1)[0]
	g.Comments, g.Fork = new(0), new(false)
	g.Files = []gistdeal.File{
		{Name: "a.go", RawURL: "https://example.test/a.go", Type: "text/plain", Language: "Go", Size: 70},
		{Name: "b", RawURL: "https://example.test/b", Type: "text/plain"},
	}
	return g
}

// stored returns the only gist of user 1, as a list and as its history have it.
func stored(t *testing.T, s *store.Store) gistdeal.Gist {
	t.Helper()
	all, err := s.GistsOf(t.Context(), 1)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d gists, %v, want 1", len(all), err)
	}
	h, err := s.Explain(t.Context(), all[0].ID)
	testenv.Must(t, err)
	if diff := cmp.Diff(all[0].Gist, h.Gist); diff != "" {
		t.Errorf("the history differs from the list: %s", diff)
	}
	g := h.Gist
	g.UserID, g.Seq = 0, 0
	return g
}

func TestTheFactsOfAGistAreStoredAndFollowItsChanges(t *testing.T) {
	t.Parallel()
	later := noon.Add(time.Minute)
	for name, change := range map[string]func(g *gistdeal.Gist){
		"nothing":                      func(*gistdeal.Gist) {},
		"the description":              func(g *gistdeal.Gist) { g.Description, g.UpdatedAt = "edited", later },
		"a star":                       func(g *gistdeal.Gist) { g.UpdatedAt = later },
		"a comment":                    func(g *gistdeal.Gist) { g.Comments = new(1) },
		"a file":                       func(g *gistdeal.Gist) { g.Files[1].Name, g.Files[1].Size, g.UpdatedAt = "c", 9, later },
		"the language that GitHub saw": func(g *gistdeal.Gist) { g.Files[1].Language = "Text" },
		"what is known of forks":       func(g *gistdeal.Gist) { g.Fork = new(true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, s *store.Store) {
				track(t, s, "octocat", 1)
				g := aGist()
				save(t, s, 1, []gistdeal.Gist{g})
				if diff := cmp.Diff(g, stored(t, s)); diff != "" {
					t.Error(diff)
				}
				before, err := s.View(t.Context(), "", "octocat")
				testenv.Must(t, err)
				change(&g)
				if n := save(t, s, 1, []gistdeal.Gist{g}); n != 0 {
					t.Errorf("the change queued %d deals, want none", n)
				}
				if diff := cmp.Diff(g, stored(t, s)); diff != "" {
					t.Error(diff)
				}
				after, err := s.View(t.Context(), "", "octocat")
				testenv.Must(t, err)
				if (after.Version != before.Version) != (name != "nothing") {
					t.Errorf("the version was %d and is %d", before.Version, after.Version)
				}
			})
		})
	}
}

func TestFactsThatAnAnswerLacksStayAsTheyWere(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		g := aGist()
		save(t, s, 1, []gistdeal.Gist{g})
		without := g
		without.Comments, without.Fork = nil, nil
		save(t, s, 1, []gistdeal.Gist{without})
		if diff := cmp.Diff(g, stored(t, s)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestALateAnswerDoesNotReplaceNewerFacts(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		late := aGist()
		g := late
		g.Description, g.UpdatedAt = "edited", noon.Add(time.Minute)
		save(t, s, 1, []gistdeal.Gist{g})
		save(t, s, 1, []gistdeal.Gist{late})
		if diff := cmp.Diff(g, stored(t, s)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUnknownFactsAreNotZero(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		g := gists("a", 1)[0]
		g.UpdatedAt = time.Time{}
		save(t, s, 1, []gistdeal.Gist{g})
		if got := stored(t, s); got.FactsKnown() || got.Comments != nil || got.Fork != nil {
			t.Errorf("%+v, want unknown facts", got)
		}
		g = aGist()
		save(t, s, 1, []gistdeal.Gist{g})
		if got := stored(t, s); !got.FactsKnown() || *got.Comments != 0 || *got.Fork || got.Size() != 70 {
			t.Errorf("%+v, want facts: no comments, no fork, 70 bytes", got)
		}
	})
}

func TestUsersWithoutTheFactsOfAGistAreReadWithoutAnETagOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		scannedUser(t, s, "alice", 1, 2)
		scannedUser(t, s, "bob", 2, 2)
		s.Exec(t, `UPDATE gists SET updated_at = 0 WHERE user_id = 1`)
		etags := func() (tags []string) {
			due, err := s.DueUsers(t.Context(), noon.Add(time.Hour), noon.Add(time.Hour), 10)
			testenv.Must(t, err)
			for _, u := range due {
				tags = append(tags, u.ETag)
			}
			return tags
		}
		if diff := cmp.Diff([]string{"", "e"}, etags()); diff != "" {
			t.Error(diff)
		}
		save(t, s, 1, gists("alice-", 2))
		if diff := cmp.Diff([]string{"e", "e"}, etags()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFirstLinesStayUntilTheGistChanges(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		g := aGist()
		g.FirstLines = map[string]string{"a\x00": "text"}
		lines := func() map[string]string {
			all, err := s.LatestGists(t.Context(), 1<<60, 10)
			testenv.Must(t, err)
			return all[0].FirstLines
		}
		save(t, s, 1, []gistdeal.Gist{g})
		g.FirstLines, g.Comments = nil, new(9)
		save(t, s, 1, []gistdeal.Gist{g})
		if diff := cmp.Diff(map[string]string{"a": "text"}, lines()); diff != "" {
			t.Error(diff)
		}
		g.UpdatedAt = g.UpdatedAt.Add(time.Second)
		save(t, s, 1, []gistdeal.Gist{g})
		if got := lines(); got != nil {
			t.Errorf("after a change: %v", got)
		}
		late := g
		late.UpdatedAt, late.FirstLines = g.UpdatedAt.Add(-time.Second), map[string]string{"a": "old"}
		testenv.Must(t, s.SaveDetails(t.Context(), late, noon))
		g.FirstLines, g.Fork = map[string]string{}, new(true)
		if got := lines(); got != nil {
			t.Errorf("after a late answer: %v", got)
		}
		testenv.Must(t, s.SaveDetails(t.Context(), g, noon))
		if got := lines(); got == nil || len(got) != 0 || !*stored(t, s).Fork {
			t.Errorf("after an answer without lines: %v, fork: %v", got, *stored(t, s).Fork)
		}
	})
}
