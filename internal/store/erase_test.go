package store_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// wantText reports whether the files of a SQLite database contain each of the texts in
// any case, as stated.
func wantText(t *testing.T, path string, present bool, texts ...string) {
	t.Helper()
	all := []byte{}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, bytes.ToLower(content)...)
	}
	for _, text := range texts {
		if bytes.Contains(all, []byte(strings.ToLower(text))) != present {
			t.Errorf("the database files contain %q: %v, want %v", text, !present, present)
		}
	}
}

// person tracks mallory with gists, deals, an attempt, a visit, a scan request and
// an audit report, and returns texts about her.
func person(t *testing.T, s *store.Store) (gistdeal.User, []string) {
	t.Helper()
	u := track(t, s, "Mallory-M", 4711)
	all := gists("c0ffee", 300)
	for i := range all {
		all[i].Description = "her diary " + strings.Repeat("of secrets ", i%40)
		all[i].Files = []gistdeal.File{{Name: "diary.md", RawURL: "https://gist.example/mallory-m/raw/diary.md"}}
	}
	all[0].Description = "before she changed it"
	save(t, s, u.ID, all)
	all[0].Description = "after she changed it"
	save(t, s, u.ID, all)
	recordCreated(t, s, claim(t, s, "me"), 70)
	s.Exec(t, `INSERT INTO amendments (gist_id, edited, intended) SELECT id, 5, '{"title":"a note to her diary"}' FROM gists WHERE user_id = 4711 AND id < 'c0ffee0010'`)
	testenv.Must(t, s.Refuse(t.Context(), claim(t, s, "me"), "the title of mallory-m is bad", noon))
	testenv.Must(t, s.RecordVisit(t.Context(), gistdeal.Visit{Visitor: "ann", UserID: u.ID, Seq: 3}, noon))
	_, err := s.RequestScan(t.Context(), noon, gistdeal.ScanRequest{Login: "mallory-m"})
	testenv.Must(t, err)
	testenv.Must(t, s.AddOperation(t.Context(), gistdeal.Operation{ID: "op", Kind: gistdeal.OperationSkipDeals, Note: "her gists are spam", CreatedAt: noon}, []gistdeal.OperationItem{
		{N: 1, Input: "https://github.com/Mallory-M", Key: "mallory-m", Result: "refused", Reason: "the login mallory-m is odd"},
		{N: 2, Input: "https://gist.github.com/mallory-m/" + all[0].ID, Key: all[0].ID},
		{N: 3, Input: "Mallory-M;", Result: "invalid", Reason: `"Mallory-M;" cannot be a GitHub login`, Problem: true},
	}))
	key := gistdeal.IdempotencyKey{Caller: "ann", Key: "key", Request: "hash"}
	_, _, err = s.ClaimKey(t.Context(), key, "claim", noon)
	testenv.Must(t, err)
	testenv.Must(t, s.EndKey(t.Context(), key, "claim", gistdeal.IdempotentAnswer{Status: 200, Body: `{"input":"mallory-m"}`}))
	_, err = s.RemoveUsers(t.Context(), time.Now(), u.ID)
	testenv.Must(t, err)
	return u, []string{"mallory-m", "her diary", "before she changed it", "after she changed it", "gist.example", "diary.md", "her gists are spam"}
}

func TestNoTextOfAnErasedUserRemainsInTheDatabaseFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	s := open(t, path)
	u, texts := person(t, s)
	other := track(t, s, "bob", 2)
	save(t, s, other.ID, gists("b0b", 50))
	// A deletion by a program without secure_delete leaves free pages with text.
	s.Exec(t, `PRAGMA secure_delete = 0`)
	s.Exec(t, `DELETE FROM gists WHERE user_id = 4711 AND id > 'c0ffee0100'`)
	s.Exec(t, `PRAGMA secure_delete = 1`)
	wantText(t, path, true, texts...)

	deals, err := s.Erase(t.Context(), u, noon)
	if err != nil || len(deals) != 1 {
		t.Fatalf("%v, %v; want the deal that remains in Pipedrive", deals, err)
	}
	testenv.Must(t, s.Scrub(t.Context()))
	wantText(t, path, false, texts...)
	wantText(t, path, true, "bob")
	if all, err := s.GistsOf(t.Context(), other.ID); err != nil || len(all) != 50 {
		t.Errorf("another user has %d gists, %v; want 50", len(all), err)
	}
}

func TestAMessageThatIsSentDuringAnErasureBringsNoTextBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		s, err := store.Open(t.Context(), database, store.Options{EraseKey: eraseKey})
		testenv.Must(t, err)
		defer s.Close()
		u, _ := person(t, s)
		bob := track(t, s, "bob", 2)
		hook := gistdeal.Webhook{ID: "x", Name: "sales", Kind: gistdeal.WebhookSlack, CreatedAt: noon}
		testenv.Must(t, s.AddWebhook(t.Context(), hook, gistdeal.WebhookKeys{URL: "https://hooks.example"}))
		events, err := s.Events(t.Context(), gistdeal.EventQuery{UserID: u.ID, Limit: 40})
		testenv.Must(t, err)
		others, err := s.Events(t.Context(), gistdeal.EventQuery{UserID: bob.ID, Limit: 1})
		testenv.Must(t, err)
		w, err := s.KeyedWebhook(t.Context(), "x")
		testenv.Must(t, err)
		w.Told = map[string]time.Time{"approval:mallory-m": noon}
		record := func(e gistdeal.Event) {
			t.Helper()
			testenv.Must(t, s.RecordDelivery(t.Context(), w.Webhook, gistdeal.Delivery{
				ID: e.ID, Type: e.Type, Order: gistdeal.DeliveryOrder(e), State: gistdeal.DeliveryPending, CreatedAt: noon, Problem: "mallory-m is unknown",
				Deferred: &gistdeal.DeferredMail{To: []string{"ann@example.com"}, Text: "mallory-m has a new gist"},
			}))
		}
		notice := gistdeal.Event{ID: others[0].ID + 1, Type: gistdeal.EventNotice}
		record(notice)
		_, err = s.Erase(t.Context(), u, noon)
		testenv.Must(t, err)
		w.Reason = "mallory-m is unknown"
		for _, e := range append(events, others[0]) {
			record(e)
		}
		kept, err := s.Deliveries(t.Context(), "x", nil, 0, 1000)
		testenv.Must(t, err)
		for _, d := range kept {
			// The events of gists with a deal keep the id.
			if strings.Contains(d.Problem+d.Order, "mallory") || d.Deferred != nil || strings.Contains(d.Order, "4711") {
				t.Errorf("%+v is kept", d)
			}
		}
		if len(events) < 40 || len(kept) > 10 || len(kept) < 2 {
			t.Errorf("%d messages of %d events are kept, want those about the other user and the created deal", len(kept), len(events))
		}
		if w, err := s.Webhook(t.Context(), "sales"); err != nil || len(w.Told) > 0 || strings.Contains(w.Reason, "mallory") {
			t.Errorf("%+v, %v: want nothing about the user", w, err)
		}
	})
}

func TestAFileThatCouldNotBeScrubbedIsScrubbedAtTheNextStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := store.Open(t.Context(), path, store.Options{})
	testenv.Must(t, err)
	u, texts := person(t, s)
	_, err = s.Erase(t.Context(), u, noon)
	testenv.Must(t, err)
	s.Exec(t, `PRAGMA busy_timeout = 50`)
	reader := s.LongRead(t) // A backup, for example.
	if err := s.Scrub(t.Context()); err == nil || !strings.Contains(err.Error(), "next start") {
		t.Errorf("%v, want an error that says when the text goes", err)
	}
	reader()
	testenv.Must(t, s.Close())
	open(t, path)
	wantText(t, path, false, texts...)
}

func TestPostgreSQLRemovesTheDeadRowsOfAnErasedUser(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), pgtest.URL(t), store.Options{EraseKey: eraseKey})
	testenv.Must(t, err)
	defer s.Close()
	u, _ := person(t, s)
	_, err = s.Erase(t.Context(), u, noon)
	testenv.Must(t, err)
	if s.TableSize(t, "gists") == 0 {
		t.Error("the table has no dead rows")
	}
	testenv.Must(t, s.Scrub(t.Context()))
	for _, table := range []string{"users", "gists", "attempts", "visits", "scan_requests"} {
		if n := s.TableSize(t, table); n != 0 {
			t.Errorf("the empty table %s has %d bytes of dead rows", table, n)
		}
	}
}

const eraseKey = "0123456789abcdef0123456789abcdef"

func TestTheKeyOfErasedUsersIsNotInTheDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	s := open(t, path)
	u, _ := person(t, s)
	_, err := s.Erase(t.Context(), u, noon)
	testenv.Must(t, err)
	file := path + ".erase-key"
	key, err := os.ReadFile(file)
	testenv.Must(t, err)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || len(bytes.TrimSpace(key)) < 20 {
		t.Errorf("%v, %v: want a file with a long key that only its user reads", info.Mode(), err)
	}
	wantText(t, path, false, string(bytes.TrimSpace(key)))

	refused := func(kind gistdeal.Kind, text string) {
		t.Helper()
		_, err := s.Track(t.Context(), gistdeal.Account{ID: 4711, Login: "mallory-m"}, gistdeal.BackfillAll, noon)
		if gistdeal.KindOf(err) != kind || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %q", err, text)
		}
	}
	refused(gistdeal.Invalid, "was erased")
	testenv.Must(t, s.CheckEraseKey(t.Context()))
	// Without the key an erased person could be tracked by accident.
	testenv.Must(t, os.Rename(file, file+".away"))
	refused(gistdeal.Temporary, "put the file")
	if err := s.CheckEraseKey(t.Context()); err == nil {
		t.Error("a lost key is not noticed")
	}
	testenv.Must(t, os.WriteFile(file, []byte("another key, which is long enough\n"), 0o600))
	refused(gistdeal.Temporary, "put the file")
	testenv.Must(t, os.Rename(file+".away", file))
	refused(gistdeal.Invalid, "was erased")
}

func TestErasingInPostgreSQLNeedsAConfiguredKey(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	s := open(t, database)
	u, _ := person(t, s)
	testenv.Must(t, s.CheckEraseKey(t.Context()))
	if _, err := s.Erase(t.Context(), u, noon); gistdeal.KindOf(err) != gistdeal.Temporary || !strings.Contains(err.Error(), "GISTDEAL_ERASE_KEY") {
		t.Errorf("%v, want an error that names the variable", err)
	}
	if _, err := s.KnownUser(t.Context(), "mallory-m"); err != nil {
		t.Errorf("the user is gone: %v", err)
	}
	keyed, err := store.Open(t.Context(), database, store.Options{EraseKey: eraseKey})
	testenv.Must(t, err)
	defer keyed.Close()
	_, err = keyed.Erase(t.Context(), u, noon)
	testenv.Must(t, err)
	if err := s.CheckEraseKey(t.Context()); err == nil {
		t.Error("an instance without the key starts")
	}
}

func TestTheDealsOfAnErasedUserAreStillOurs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, database string) {
		s, err := store.Open(t.Context(), database, store.Options{EraseKey: eraseKey})
		testenv.Must(t, err)
		t.Cleanup(func() { s.Close() })
		u := track(t, s, "octocat", 1)
		save(t, s, 1, gists("a", 1))
		recordCreated(t, s, claim(t, s, "me"), 71)
		_, err = s.RemoveUsers(t.Context(), noon, 1)
		testenv.Must(t, err)
		_, err = s.Erase(t.Context(), u, noon)
		testenv.Must(t, err)
		if foreign, err := s.ForeignDeals(t.Context(), map[string]int64{"a0001": 71}); err != nil || len(foreign) != 0 {
			t.Errorf("another database made the deals of %v, %v", foreign, err)
		}
	})
}
