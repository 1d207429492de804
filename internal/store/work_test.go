package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestAGapOfMoreThanAMinuteIsAnEventOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		first, second := open(t, database), open(t, database)
		at := func(minutes float64) time.Time { return noon.Add(time.Duration(minutes * float64(time.Minute))) }
		for _, note := range []struct {
			name      string
			by        *store.Store
			at, since time.Time
		}{
			{"the first start ever", first, at(0), time.Time{}},
			{"it goes on", first, at(0.5), time.Time{}},
			{"another takes over within a minute", second, at(1.5), time.Time{}},
			{"the first one takes over after an hour", first, at(61.5), at(1.5)},
			{"and goes on", first, at(61.6), time.Time{}},
			{"the clock of the next one is behind", second, at(50), time.Time{}},
			{"more than a minute passes", second, at(51.1), at(50)},
		} {
			since, err := note.by.NoteWork(t.Context(), note.at, time.Minute)
			if testenv.Must(t, err); !since.Equal(note.since) {
				t.Errorf("%s: no leader since %v, want %v", note.name, since, note.since)
			}
		}
		want := []gistdeal.Event{
			{At: at(61.5), Type: gistdeal.EventLeaderMissed, EventFacts: gistdeal.EventFacts{Since: at(1.5)}},
			{At: at(51.1), Type: gistdeal.EventLeaderMissed, EventFacts: gistdeal.EventFacts{Since: at(50)}},
		}
		if diff := cmp.Diff(want, eventsAfter(t, second, 0), cmpopts.IgnoreFields(gistdeal.Event{}, "ID")); diff != "" {
			t.Error(diff)
		}
	})
}
