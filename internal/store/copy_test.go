package store_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// full returns a SQLite database with rows in every table.
func full(t *testing.T) *store.Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "full.db"))
	track(t, s, "octocat", 1)
	track(t, s, "hubot", 2)
	// More rows than fit into one statement.
	save(t, s, 1, gists("a", 400))
	save(t, s, 2, []gistdeal.Gist{{ID: "ünï", Description: "snow ☃ and \"quotes\", 'these' too\nline", CreatedAt: noon}})
	recordCreated(t, s, claim(t, s, "me"), 70)
	testenv.Must(t, s.Refuse(t.Context(), claim(t, s, "me"), "title is bad", noon))
	claim(t, s, "me")
	testenv.Must(t, s.Set(t.Context(), "a", "b"))
	testenv.Must(t, s.ReplaceDuplicates(t.Context(), map[string][]int64{"a0001": {70, 71}}, noon))
	for _, statement := range []string{
		`INSERT INTO feed_gists (id, seq) VALUES ('a0001', 1)`,
		`INSERT INTO delays (day, bucket, n) VALUES (20000, 3, 7)`,
		`INSERT INTO own_deals (deal_id) VALUES (68)`,
		`INSERT INTO replaced_deals (deal_id, gist_id, at) VALUES (69, 'a0002', 5)`,
		`INSERT INTO archived_deals (deal_id, gist_id) VALUES (70, 'a0001')`,
		`INSERT INTO amendments (gist_id, edited) VALUES ('a0001', 5)`,
		`INSERT INTO visits (visitor, user_id, seq, at) VALUES ('everybody', 1, 3, 5), ('Zed', 1, 3, 5), ('anna', 1, 3, 5)`,
		`INSERT INTO runs VALUES (1, 'scan', 1, 5, 6, 0, 1, 1, 3, 0, 0, 1, 0, '')`,
		`INSERT INTO erased (login_hash, at) VALUES ('abc', 5)`,
		`INSERT INTO tokens (name, hash, scope, created_at, last_used_at) VALUES ('ci', 'abc', 'read', 5, 6)`,
		`INSERT INTO webhooks (id, name, kind, url, headers, types, user_id, secret, state, created_at, cursor) VALUES ('x', 'n8n', 'webhook', 'https://a.example', '{}', '[]', 0, 'whsec_', 'enabled', 5, 6)`,
		`INSERT INTO deliveries (webhook_id, event_id, type, turn, state, attempts, created_at) VALUES ('x', 5, 'deal.created', 'a0001', 'pending', 1, 5)`,
		`INSERT INTO people (issuer, subject, name, signed_in_at) VALUES ('https://a.example', '1', 'ann@a.example', 5)`,
		`INSERT INTO sessions (hash, person, scope, expires_at) VALUES ('ghi', 'ann@a.example', 'read', 7)`,
		`INSERT INTO sessions (hash, token_hash, expires_at) VALUES ('def', 'abc', 7)`,
	} {
		s.Exec(t, statement)
	}
	_, err := s.RequestScan(t.Context(), noon, gistdeal.ScanRequest{Login: "someone"})
	testenv.Must(t, err)
	testenv.Must(t, s.RequestAudit(t.Context(), gistdeal.AuditRequest{ID: "x", RequestedAt: noon}))
	begin(t, s, gistdeal.OperationAddUsers, "someone", "another")
	_, _, err = s.ClaimKey(t.Context(), gistdeal.IdempotencyKey{Caller: "ann", Key: "key", Request: "hash"}, "claim", noon)
	testenv.Must(t, err)
	return s
}

func TestACopyHasEveryRowAndContinuesTheCounters(t *testing.T) {
	t.Parallel()
	from, to := full(t), open(t, pgtest.URL(t))
	copied := map[string]int{}
	var last store.CopyStep
	tables, err := store.Copy(t.Context(), from, to, func(s store.CopyStep) { last = s })
	testenv.Must(t, err)
	for _, c := range tables {
		copied[c.Name] = c.Rows
		last.Total -= c.Rows
	}
	if last.Total != 0 || !last.Compares {
		t.Errorf("the progress ends at %+v", last)
	}
	names := from.Tables(t)
	if len(copied) != len(names) {
		t.Errorf("copied %v, want all of %v", copied, names)
	}
	for _, name := range names {
		if copied[name] == 0 || copied[name] != to.CountRows(t, name) {
			t.Errorf("table %s: %d rows reported, %d copied", name, copied[name], to.CountRows(t, name))
		}
	}
	for _, login := range []string{"octocat", "hubot"} {
		want, err := from.View(t.Context(), "anna", login)
		testenv.Must(t, err)
		got, err := to.View(t.Context(), "anna", login)
		testenv.Must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	save(t, to, 2, gists("later", 3))
	to.CheckCounts(t)
	v, err := to.View(t.Context(), "anna", "hubot")
	testenv.Must(t, err)
	before, err := from.View(t.Context(), "anna", "hubot")
	testenv.Must(t, err)
	if v.Version <= before.Version {
		t.Errorf("version %d after a change, %d before: the triggers do not run", v.Version, before.Version)
	}
}

func TestACopyIsCompleteOrAbsent(t *testing.T) {
	t.Parallel()
	from, to := full(t), open(t, pgtest.URL(t))
	refused := func(want string) {
		t.Helper()
		_, err := store.Copy(t.Context(), from, to, func(store.CopyStep) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if n := to.CountRows(t, "gists"); n != 0 {
			t.Errorf("%d gists were copied", n)
		}
	}
	from.Exec(t, `UPDATE attempts SET reason = 'a' || char(0) WHERE n = 1`) // PostgreSQL refuses such text.
	refused("copy table attempts")
	from.Exec(t, `UPDATE attempts SET reason = ''`)

	to.Exec(t, `CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := 7; RETURN NEW; END $$`)
	to.Exec(t, `CREATE TRIGGER spoil BEFORE INSERT ON visits FOR EACH ROW WHEN (NEW.visitor = 'anna') EXECUTE FUNCTION spoil()`)
	refused("compare table visits: row 2 differs")
	to.Exec(t, `DROP TRIGGER spoil ON visits`)

	to.Exec(t, `INSERT INTO settings (name, value) VALUES ('a', 'b')`)
	refused("(table settings has rows)")
	to.Exec(t, `DELETE FROM settings`)

	other := open(t, from.Path(t))
	if lease, err := other.TryLease(t.Context()); lease == nil || err != nil {
		t.Fatalf("no lease: %v", err)
	}
	refused("gistdeal is running")
	testenv.Must(t, other.Release())
	_, err := store.Copy(t.Context(), from, to, func(store.CopyStep) {})
	testenv.Must(t, err)
}

func TestAllTablesButTheMigrationsAndTheLeaseAreCopied(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		want := slices.DeleteFunc(s.Tables(t), func(name string) bool { return name == "lease" })
		if diff := cmp.Diff(want, store.CopiedTables()); diff != "" {
			t.Error(diff)
		}
	})
}
