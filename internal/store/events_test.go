package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// eventsAfter returns all events after an id.
func eventsAfter(t *testing.T, s *store.Store, after int64) []gistdeal.Event {
	t.Helper()
	events, err := s.Events(t.Context(), gistdeal.EventQuery{After: after, Limit: 10_000})
	testenv.Must(t, err)
	return events
}

// lastEvent returns the id of the last event.
func lastEvent(t *testing.T, s *store.Store) int64 {
	t.Helper()
	id, err := s.LastEvent(t.Context())
	testenv.Must(t, err)
	return id
}

// types returns the types of events in order.
func types(events []gistdeal.Event) (all []gistdeal.EventType) {
	for _, e := range events {
		all = append(all, e.Type)
	}
	return all
}

func TestEachChangeHasItsEvent(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		testenv.Must(t, s.Set(t.Context(), gistdeal.KeyDealURL, "https://crm.example/deal/"))
		last := int64(0)
		later := noon.Add(time.Hour)
		expect := func(what string, want ...gistdeal.EventType) []gistdeal.Event {
			t.Helper()
			events := eventsAfter(t, s, last)
			if got := types(events); !slices.Equal(got, want) {
				t.Errorf("%s: the events are %v, want %v", what, got, want)
			}
			for _, e := range events {
				if e.ID <= last {
					t.Errorf("%s: the id %d follows %d", what, e.ID, last)
				}
				last = e.ID
			}
			return events
		}
		track(t, s, "octocat", 1)
		expect("tracked", gistdeal.EventUserAdded)
		track(t, s, "octocat", 1)
		expect("tracked again")
		save(t, s, 1, gists("a", 1))
		events := expect("a gist", gistdeal.EventGistNoticed, gistdeal.EventDealQueued)
		want := gistdeal.Event{
			ID: last, At: noon, Type: gistdeal.EventDealQueued, UserID: 1, Login: "octocat", GistID: "a0001",
			GistURL: "https://gist.github.com/octocat/a0001", EventFacts: gistdeal.EventFacts{Description: "same for all"},
		}
		if diff := cmp.Diff(want, events[1]); diff != "" {
			t.Error(diff)
		}
		save(t, s, 1, gists("a", 1))
		expect("a known gist")
		c := claim(t, s, "me")
		expect("a claim")
		giveBack(t, s, c, "too many requests")
		if events = expect("given back", gistdeal.EventDealPostponed); events[0].Reason != "too many requests" || !events[0].At.Equal(noon.Add(time.Minute)) {
			t.Errorf("%+v", events[0])
		}
		testenv.Must(t, s.Refuse(t.Context(), claim(t, s, "me"), "title is bad", later))
		if events = expect("refused", gistdeal.EventDealFailed); events[0].Reason != "title is bad" || !events[0].At.Equal(later) {
			t.Errorf("%+v", events[0])
		}
		_, err := s.Retry(t.Context(), gistdeal.DealFilter{}, later)
		testenv.Must(t, err)
		expect("retried", gistdeal.EventDealRetried)
		catchUp(t, s)
		recordCreated(t, s, claim(t, s, "me"), 70)
		if events = expect("created", gistdeal.EventDealCreated); events[0].DealID != 70 || events[0].DealURL != "https://crm.example/deal/70" || events[0].Adopted {
			t.Errorf("%+v", events[0])
		}
		testenv.Must(t, s.ReplaceDuplicates(t.Context(), map[string][]int64{"a0001": {70, 71}}, later))
		if events = expect("a duplicate", gistdeal.EventDuplicate); events[0].DealID != 71 || events[0].Login != "octocat" {
			t.Errorf("%+v", events[0])
		}
		_, err = s.Relink(t.Context(), "a0001", 70, 72, later)
		testenv.Must(t, err)
		expect("relinked", gistdeal.EventDealRelinked)
		_, err = s.Adopt(t.Context(), map[string]int64{"f00d": 80}, nil, later)
		testenv.Must(t, err)
		if events = expect("adopted without a gist", gistdeal.EventDealCreated); !events[0].Adopted || events[0].UserID != 0 || events[0].GistURL != "" {
			t.Errorf("%+v", events[0])
		}
		_, err = s.PauseUsers(t.Context(), later, 1)
		testenv.Must(t, err)
		_, err = s.ResumeUsers(t.Context(), later, 1)
		testenv.Must(t, err)
		testenv.Must(t, s.Gone(t.Context(), 1, false, "deleted", later, later))
		testenv.Must(t, s.Gone(t.Context(), 1, false, "deleted", later, later))
		testenv.Must(t, s.Scanned(t.Context(), 1, gistdeal.Listing{}, later, later))
		testenv.Must(t, s.Rename(t.Context(), gistdeal.Account{ID: 1, Login: "hubot"}, later))
		events = expect("states of a user", gistdeal.EventUserPaused, gistdeal.EventUserResumed, gistdeal.EventUserGone, gistdeal.EventUserBack, gistdeal.EventUserRenamed)
		if events[2].Reason != "deleted" || events[4].OldLogin != "octocat" || events[4].Login != "hubot" || !events[4].At.Equal(later) {
			t.Errorf("%+v", events)
		}
		_, err = s.PausePushes(t.Context(), "holiday", later)
		testenv.Must(t, err)
		_, err = s.PausePushes(t.Context(), "again", later)
		testenv.Must(t, err)
		_, err = s.ResumePushes(t.Context(), later)
		testenv.Must(t, err)
		events = expect("a pause", gistdeal.EventPushesPaused, gistdeal.EventPushesResumed)
		if events[0].Reason != "holiday" {
			t.Errorf("%+v", events[0])
		}
		save(t, s, 1, gists("b", 1))
		_, err = s.RemoveUsers(t.Context(), later, 1)
		testenv.Must(t, err)
		expect("removed", gistdeal.EventGistNoticed, gistdeal.EventDealQueued, gistdeal.EventUserRemoved, gistdeal.EventDealSkipped)
		track(t, s, "hubot", 1)
		expect("tracked anew", gistdeal.EventUserAdded)
		testenv.Must(t, s.RequestAudit(t.Context(), gistdeal.AuditRequest{ID: "x", RequestedAt: noon}))
		for range 2 {
			testenv.Must(t, s.EndAudit(t.Context(), gistdeal.Audit{ID: "x", EndedAt: later, Counts: map[gistdeal.DiscrepancyKind]int{"missing": 3}}))
		}
		events = expect("an audit", gistdeal.EventAuditEnded)
		if events[0].Count != 3 || events[0].AuditID != "x" {
			t.Errorf("%+v", events[0])
		}
		testenv.Must(t, s.SaveQuotas(t.Context(), "{}", gistdeal.Event{Type: gistdeal.EventQuotaSpent, At: later, EventFacts: gistdeal.EventFacts{Remote: "GitHub"}}))
		expect("a quota", gistdeal.EventQuotaSpent)
	})
}

func TestDealsAwaitApprovalOnlyAfterTheirScan(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		last := lastEvent(t, s)
		policy := gistdeal.NewGistPolicy{First: true, Hold: true}
		_, err := s.SaveGists(t.Context(), 1, gists("a", 3), policy, noon)
		testenv.Must(t, err)
		noticed := eventsAfter(t, s, last)
		if want := slices.Repeat([]gistdeal.EventType{gistdeal.EventGistNoticed}, 3); !slices.Equal(types(noticed), want) || !noticed[0].Backfill {
			t.Errorf("%+v, want %v of a backfill", noticed, want)
		}
		_, _, err = s.QueueScanned(t.Context(), 1, gistdeal.ApprovalLimits{Daily: 2}, noon)
		testenv.Must(t, err)
		counts := map[gistdeal.EventType]int{}
		for _, e := range eventsAfter(t, s, noticed[2].ID) {
			counts[e.Type]++
			if !e.Backfill {
				t.Errorf("%+v is not of a backfill", e)
			}
		}
		if want := map[gistdeal.EventType]int{gistdeal.EventDealQueued: 2, gistdeal.EventDealAwaitingApproval: 1}; !cmp.Equal(counts, want) {
			t.Errorf("%v, want %v", counts, want)
		}
	})
}

func TestEventsAreFilteredAndPaged(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		for id := range int64(3) {
			track(t, s, fmt.Sprintf("user%d", id+1), id+1)
			save(t, s, id+1, gists(fmt.Sprintf("%d", id+1), 2))
		}
		events, err := s.Events(t.Context(), gistdeal.EventQuery{Types: []gistdeal.EventType{gistdeal.EventGistNoticed}, UserID: 2, Limit: 10})
		testenv.Must(t, err)
		if len(events) != 2 || events[0].GistID != "20001" || events[1].GistID != "20002" {
			t.Errorf("%+v, want the two gists of user 2, the first one first", events)
		}
		var paged []gistdeal.Event
		for after := int64(0); ; after = paged[len(paged)-1].ID {
			page, err := s.Events(t.Context(), gistdeal.EventQuery{After: after, Limit: 4})
			testenv.Must(t, err)
			if paged = append(paged, page...); len(page) < 4 {
				break
			}
		}
		if diff := cmp.Diff(eventsAfter(t, s, 0), paged); diff != "" {
			t.Error(diff)
		}
		if last := lastEvent(t, s); paged[len(paged)-1].ID != last {
			t.Errorf("the last event is %d, not %d", last, paged[len(paged)-1].ID)
		}
	})
}

func TestAReaderLearnsThatEventsWereDeleted(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 2))
		all := eventsAfter(t, s, 0)
		fresh := gistdeal.Event{Type: gistdeal.EventPushesPaused, At: noon.Add(24 * time.Hour)}
		testenv.Must(t, s.SaveQuotas(t.Context(), "{}", fresh))
		for _, n := range []int{3, 2, 0} {
			deleted, err := s.DeleteEvents(t.Context(), noon.Add(time.Hour), 3)
			if testenv.Must(t, err); deleted != n {
				t.Errorf("%d events were deleted, want %d", deleted, n)
			}
		}
		if _, err := s.Events(t.Context(), gistdeal.EventQuery{After: all[3].ID, Limit: 10}); !errors.Is(err, gistdeal.ErrEventsDeleted) {
			t.Errorf("after an event with deleted ones behind it: %v", err)
		}
		for _, after := range []int64{0, all[4].ID} {
			if events := eventsAfter(t, s, after); len(events) != 1 || events[0].Type != gistdeal.EventPushesPaused {
				t.Errorf("after %d: %+v, want the event that is kept", after, events)
			}
		}
	})
}

func TestIDsOfEventsGoOnAfterTheDatabaseCameBackOlder(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 5))
		last := lastEvent(t, s)
		s.Exec(t, `DELETE FROM events`)
		s.Exec(t, `UPDATE counters SET value = 0 WHERE name = 'event_id'`) // As in a new database.
		_, err := s.PausePushes(t.Context(), "", noon.Add(time.Second))
		testenv.Must(t, err)
		if events := eventsAfter(t, s, last); len(events) != 1 {
			t.Errorf("a reader that knows the event %d finds %+v", last, events)
		}
	})
}

func TestNoEventBecomesVisibleAfterALaterOne(t *testing.T) {
	t.Parallel()
	s := open(t, pgtest.URL(t))
	track(t, s, "octocat", 1)
	track(t, s, "hubot", 2)
	last := lastEvent(t, s)
	written, finish := make(chan struct{}), make(chan struct{})
	slow := make(chan error)
	go func() {
		slow <- s.Atomic(t.Context(), func(ctx context.Context) error {
			if err := s.Gone(ctx, 1, false, "deleted", noon, noon); err != nil {
				return err
			}
			close(written)
			<-finish
			return nil
		})
	}()
	<-written
	testenv.Must(t, s.Gone(t.Context(), 2, false, "deleted", noon, noon)) // It does not wait for the transaction that began earlier.
	seen := eventsAfter(t, s, last)
	if len(seen) != 1 || seen[0].UserID != 2 {
		t.Fatalf("%+v, want the event that was committed", seen)
	}
	close(finish)
	testenv.Must(t, <-slow)
	if later := eventsAfter(t, s, seen[0].ID); len(later) != 1 || later[0].UserID != 1 {
		t.Errorf("a reader that goes on finds %+v, want the event that was committed last", later)
	}
}

func TestConcurrentChangesAreReadOnceEachInOrder(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		const users, pages = 4, 10
		done := make(chan error)
		for id := range int64(users) {
			track(t, s, fmt.Sprintf("user%d", id+1), id+1)
		}
		last := lastEvent(t, s)
		for id := range int64(users) {
			go func() {
				var err error
				for page := 0; page < pages && err == nil; page++ {
					_, err = s.SaveGists(t.Context(), id+1, gists(fmt.Sprintf("%x%x", id+1, page), 3), gistdeal.NewGistPolicy{}, noon)
				}
				done <- err
			}()
		}
		counts := map[string]int{}
		read := func() {
			for _, e := range eventsAfter(t, s, last) {
				counts[string(e.Type)+" "+e.GistID]++
				last = e.ID
			}
		}
		for ended := 0; ended < users; {
			select {
			case err := <-done:
				testenv.Must(t, err)
				ended++
			default:
				read()
			}
		}
		read()
		if want := users * pages * 3 * 2; len(counts) != want {
			t.Errorf("%d events were read while others were written, want %d", len(counts), want)
		}
		for e, n := range counts {
			if n != 1 {
				t.Errorf("%s was read %d times", e, n)
			}
		}
	})
}

func TestErasingAUserEmptiesItsEvents(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "erase.db"), "PostgreSQL": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) { t.Parallel(); erasedEvents(t, database) })
	}
}

func erasedEvents(t *testing.T, database string) {
	t.Helper()
	s, err := store.Open(t.Context(), database, store.Options{EraseKey: eraseKey})
	testenv.Must(t, err)
	t.Cleanup(func() { testenv.Must(t, s.Close()) })
	u := track(t, s, "octocat", 1)
	save(t, s, 1, gists("a", 2))
	recordCreated(t, s, claim(t, s, "me"), 70)
	_, err = s.RemoveUsers(t.Context(), noon, 1)
	testenv.Must(t, err)
	n := len(eventsAfter(t, s, 0))
	_, err = s.Erase(t.Context(), u, noon)
	testenv.Must(t, err)
	events := eventsAfter(t, s, 0)
	if len(events) != n {
		t.Errorf("%d events are left of %d: readers notice a gap", len(events), n)
	}
	for _, e := range events {
		want := gistdeal.Event{}
		if e.Type == gistdeal.EventDealCreated {
			want.GistID, want.DealID = "a0001", 70 // Both stay in the table of deals, too.
		}
		if diff := cmp.Diff(want, e, cmpopts.IgnoreFields(gistdeal.Event{}, "ID", "At", "Type")); diff != "" {
			t.Errorf("%s has facts about an erased user: %s", e.Type, diff)
		}
	}
}

func TestEachChangeOfADealHasItsTime(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	testenv.Must(t, err)
	matched := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		testenv.Must(t, err)
		for _, line := range regexp.MustCompile(`UPDATE deals (AS d )?SET .*`).FindAllString(string(text), -1) {
			if strings.HasSuffix(file, "_test.go") || !strings.Contains(line, "SET state = ") && !strings.Contains(line, "SET deal_id = ") {
				continue
			}
			if matched++; !strings.Contains(line, "updated_at = ") {
				t.Errorf("%s: %s sets no updated_at, the time of its event", file, line)
			}
		}
	}
	if matched < 10 {
		t.Errorf("%d statements that change the state of deals were read", matched)
	}
}
