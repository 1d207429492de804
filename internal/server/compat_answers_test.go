package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

func TestAnAnswerIsNeverOlderThanTheDatabase(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	fill(t, db, 2, 10)
	w := newWorldOver(t, db, answering{errNobody}, server.Options{}, nil)
	show := func(old, fresh int) gist {
		t.Helper()
		l := w.shows(w.ask("GET", "/user/alice"), 200, old, fresh)
		return slices.Concat(l.New, l.Old)[0]
	}
	show(0, 2)
	if g := show(2, 0); g.Deal.State != "queued" {
		t.Errorf("the deal is %+v, want found", g.Deal)
	}
	post(t, db, 0, 2, 11)
	if g := show(2, 0); len(g.Description) != 11 {
		t.Errorf("after an edit the description is %q", g.Description)
	}
	for deal := range int64(2) {
		c, ok, err := db.Claim(t.Context(), "me", time.Now(), time.Now())
		if err != nil || !ok {
			t.Fatalf("claim: %v, error %v", ok, err)
		}
		if known, err := db.RecordCreated(t.Context(), c, 70+deal, time.Now()); !known || err != nil {
			t.Fatalf("created: recorded %v, error %v", known, err)
		}
	}
	if g := show(2, 0); g.Deal.State != "created" || g.Deal.URL != "" {
		t.Errorf("the deal is %+v, want it created and without a URL", g.Deal)
	}
	testenv.Must(t, db.Set(t.Context(), gistdeal.KeyDealURL, "https://example.test/deal/"))
	if g := show(2, 0); g.Deal.URL != fmt.Sprintf("https://example.test/deal/%d", g.Deal.ID) {
		t.Errorf("the deal is %+v, want it with its URL", g.Deal)
	}
	testenv.Must(t, db.Rename(t.Context(), gistdeal.Account{ID: 1, Login: "ALICE"}, time.Now()))
	if g := show(2, 0); g.Username != "ALICE" {
		t.Errorf("after a rename the username is %q", g.Username)
	}
	post(t, db, 2, 3, 10)
	show(2, 1)
	if counted, kept := w.Reserved(); counted != kept {
		t.Errorf("%d bytes are counted and %d stored", counted, kept)
	}
}

func TestGistsAreReadOnceUntilTheyChange(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	fill(t, db, 2, 10)
	reads := counting{Store: db, gists: new(atomic.Int32)}
	w := newWorldOver(t, reads, answering{errNobody}, server.Options{}, nil)
	for range 3 {
		w.ask("GET", "/user/alice")
	}
	if got := reads.gists.Load(); got != 1 {
		t.Errorf("three requests caused %d reads of the gists", got)
	}
	post(t, db, 2, 3, 10)
	w.shows(w.ask("GET", "/user/alice"), 200, 2, 1)
	if got := reads.gists.Load(); got != 2 {
		t.Errorf("%d reads after a new gist, want 2", got)
	}
}

// counting counts the reads of gists.
type counting struct {
	*store.Store
	gists *atomic.Int32
}

func (c counting) GistsOf(ctx context.Context, userID int64) ([]gistdeal.GistDeal, error) {
	c.gists.Add(1)
	return c.Store.GistsOf(ctx, userID)
}

func TestEachGistIsNewOnceWhileOthersAreAdded(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	fill(t, db, 1, 10)
	w := newWorldOver(t, db, answering{errNobody}, server.Options{}, nil)
	const all = 60
	var posting sync.WaitGroup
	posting.Go(func() {
		for i := 1; i < all; i++ {
			post(t, db, i, i+1, 10)
		}
	})
	news := map[string]int{}
	testenv.Eventually(t, "all gists are shown", func() bool {
		var l lists
		testenv.Must(t, json.Unmarshal([]byte(w.ask("GET", "/user/alice").body), &l))
		if len(l.Old) != len(news) {
			t.Errorf("%d gists are old, want %d", len(l.Old), len(news))
		}
		for _, g := range l.New {
			news[g.ID]++
		}
		return len(news) == all
	})
	posting.Wait()
	for id, n := range news {
		if n != 1 {
			t.Errorf("gist %s was new %d times", id, n)
		}
	}
}

func TestTheSizeOfStoredAnswersIsLimited(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	for id := range int64(20) {
		_, err := db.Track(t.Context(), gistdeal.Account{ID: id + 1, Login: fmt.Sprintf("user-%d", id)}, gistdeal.BackfillAll, time.Now())
		testenv.Must(t, err)
		g := gistdeal.Gist{ID: strconv.FormatInt(id, 10), Description: strings.Repeat("d", int(1000+100*id))}
		_, err = db.SaveGists(t.Context(), id+1, []gistdeal.Gist{g}, gistdeal.NewGistPolicy{}, time.Now())
		testenv.Must(t, err)
		testenv.Must(t, db.Scanned(t.Context(), id+1, gistdeal.Listing{}, time.Now(), time.Now()))
	}
	for _, limit := range []int{0, 500, 5000, 1 << 20} {
		w := newWorldOver(t, db, answering{errNobody}, server.Options{}, nil)
		w.KeepAnswers(limit)
		for range 2 {
			for id := range 20 {
				w.shows(w.ask("GET", fmt.Sprintf("/user/user-%d?peek=true", id)), 200, 0, 1)
				if counted, kept := w.Reserved(); counted != kept || kept > limit {
					t.Fatalf("limit %d: %d bytes are counted and %d stored", limit, counted, kept)
				}
			}
		}
		if _, kept := w.Reserved(); limit >= 5000 && kept < limit/3 && kept < 20_000 {
			t.Errorf("limit %d: only %d bytes are stored", limit, kept)
		}
	}
}
