package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestTheHistoryOfAGistListsEachAttempt(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		u := track(t, s, "octocat", 1)
		one := gists("a", 1)
		if _, err := s.SaveGists(t.Context(), 1, one, gistdeal.Noticing{First: true}, noon); err != nil {
			t.Fatal(err)
		}
		c, _, err := s.Reclaim(t.Context(), claim(t, s, "me"), 3, "you", noon.Add(time.Hour), noon.Add(2*time.Hour))
		testenv.Must(t, err)
		if ok, err := s.AdoptUnknown(t.Context(), c, 7, []int64{8}, 2, noon.Add(3*time.Hour)); !ok || err != nil {
			t.Fatalf("adopt: %v, error %v", ok, err)
		}
		got, err := s.Explain(t.Context(), "a0001")
		testenv.Must(t, err)
		one[0].UserID, one[0].Seq = 1, 1
		want := gistdeal.Story{
			Deal: gistdeal.Deal{GistID: "a0001", State: "made", DealID: 7}, Gist: one[0], User: u,
			NoticedAt: noon, NoticedBy: gistdeal.NoticedByFirstScan,
			Attempts: []gistdeal.Attempt{
				{N: 1, Owner: "me", SentAt: noon, RemoteAt: noon, EndedAt: noon.Add(time.Hour), Outcome: "absent", Looks: 3},
				{N: 2, Owner: "you", SentAt: noon.Add(time.Hour), RemoteAt: noon.Add(2 * time.Hour), EndedAt: noon.Add(3 * time.Hour), Outcome: "adopted", DealID: 7, Looks: 2},
			},
			Surplus: []gistdeal.Surplus{{DealID: 8, NoticedAt: noon.Add(3 * time.Hour)}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAHistoryMayHaveADealWithoutAGist(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		if _, err := s.Adopt(t.Context(), map[string]int64{"b": 9}, nil, noon); err != nil {
			t.Fatal(err)
		}
		history, err := s.Explain(t.Context(), "b")
		if err != nil || history.Deal.DealID != 9 || history.Gist.Seq != 0 || history.User.ID != 0 {
			t.Errorf("the history is %+v, error %v; want deal 9 only", history, err)
		}
		if _, err := s.Explain(t.Context(), "c"); gistdeal.KindOf(err) != gistdeal.NotFound {
			t.Errorf("an unknown gist: %v, want not found", err)
		}
	})
}

func TestADatabaseOfTheFirstSchemaKeepsItsDeals(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "old.db")
	schema, err := os.ReadFile("schema/sqlite/0001_init.sql")
	testenv.Must(t, err)
	db, err := sql.Open("sqlite", "file:"+path)
	testenv.Must(t, err)
	_, err = db.ExecContext(t.Context(), string(schema)+`
		CREATE TABLE migrations (version BIGINT PRIMARY KEY);
		INSERT INTO migrations VALUES (1);
		INSERT INTO users (id, login, login_key, state, first_scan, tracked_at, next_scan_at) VALUES (1, 'a', 'a', 'active', 'all', 1, 1);
		INSERT INTO gists VALUES ('g1', 1, 1, '', '[]', 1, 1), ('g2', 1, 2, '', '[]', 1, 1);
		INSERT INTO deals VALUES ('g1', 'made', 5, 1, 'me', 1, 1, ''), ('g2', 'sending', NULL, 3, 'me', 1, 1, 'words');`)
	testenv.Must(t, err)
	testenv.Must(t, db.Close())
	s := open(t, path)
	before, err := s.View(t.Context(), "", "a")
	testenv.Must(t, err)
	want := []gistdeal.ListedDeal{
		{Deal: gistdeal.Deal{GistID: "g1", State: "made", DealID: 5}, UserID: 1, Login: "a", Attempts: 1},
		{Deal: gistdeal.Deal{GistID: "g2", State: "sending", Problem: "words"}, UserID: 1, Login: "a", Attempts: 3},
	}
	got, err := s.Deals(t.Context(), gistdeal.DealFilter{}, "", 10)
	testenv.Must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	testenv.Must(t, s.Refuse(t.Context(), gistdeal.Claim{Draft: gistdeal.Draft{GistID: "g2"}, Attempt: 3, Owner: "me"}, "bad", noon))
	if after, err := s.View(t.Context(), "", "a"); after.Version == before.Version || err != nil {
		t.Errorf("no new version after a change of a deal, error %v", err)
	}
}
