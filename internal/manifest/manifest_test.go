package manifest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/admin"
	"gistdeal/internal/admin/rulesets"
	"gistdeal/internal/admin/settings"
	"gistdeal/internal/manifest"
	"gistdeal/internal/rules"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// world is the gistdeal of a database.
type world struct {
	*admin.Admin
	t        *testing.T
	db       *store.Store
	settings *settings.Settings
}

var configured = settings.Configured{
	Values: map[gistdeal.Setting]string{gistdeal.SettingBackfill: "all", gistdeal.SettingApprovalThreshold: "0", gistdeal.SettingDailyLimit: "0", gistdeal.SettingOwner: "Ann"},
	Locked: map[gistdeal.Setting]string{gistdeal.SettingOwner: "GISTDEAL_OWNER"},
}

func newWorld(t *testing.T, database string) *world {
	t.Helper()
	db := stack.OpenAt(t, database)
	return &world{Admin: admin.New(db), t: t, db: db, settings: settings.New(db, configured)}
}

func newSQLite(t *testing.T) *world {
	t.Helper()
	return newWorld(t, filepath.Join(t.TempDir(), "test.db"))
}

// lead starts a leader, with simulated remotes that know some users.
func (w *world) lead() *world {
	w.t.Helper()
	s, url := testenv.Simulate(w.t, testenv.Unlimited(sim.Options{Seed: 1}))
	for _, login := range []string{"alice", "bob", "carol", "2001-01-31"} {
		s.MakeGists(login, 1)
	}
	stack.Start(w.t, w.db, url)
	return w
}

// Settings implements manifest.Gistdeal.
func (w *world) Settings(ctx context.Context) ([]settings.Setting, error) {
	return w.settings.List(ctx)
}

// ChangeSettings implements manifest.Gistdeal.
func (w *world) ChangeSettings(ctx context.Context, values map[gistdeal.Setting]string) ([]settings.Setting, error) {
	return w.settings.Change(ctx, values)
}

// Rules implements manifest.Gistdeal.
func (w *world) Rules(ctx context.Context) (rules.Stored, error) { return rulesets.New(w.db).Get(ctx) }

// SaveRules implements manifest.Gistdeal.
func (w *world) SaveRules(ctx context.Context, set rules.Set, version int64) (rules.Stored, error) {
	return rulesets.New(w.db).Save(ctx, set, version)
}

// apply makes the world as a file says, and returns the results.
func (w *world) apply(text string, prune bool) (results string) {
	w.t.Helper()
	m, err := manifest.Read([]byte(text))
	testenv.Must(w.t, err)
	a := manifest.Applying{Gistdeal: w, Rules: m.Rules, Report: func(r admin.Result) { results += r.Input + " " + r.Result + "\n" }}
	testenv.Must(w.t, a.Apply(w.t.Context(), w.compare(text, prune)))
	return results
}

func (w *world) compare(text string, prune bool) []manifest.Difference {
	w.t.Helper()
	m, err := manifest.Read([]byte(text))
	testenv.Must(w.t, err)
	differences, err := m.Compare(w.t.Context(), w, prune)
	testenv.Must(w.t, err)
	return differences
}

func (w *world) export() string {
	w.t.Helper()
	var text strings.Builder
	testenv.Must(w.t, manifest.Export(w.t.Context(), w, &text))
	return text.String()
}

// track stores a scanned user.
func (w *world) track(id int64, login string, backfill gistdeal.Backfill) {
	w.t.Helper()
	now := time.Now()
	_, err := w.db.Track(w.t.Context(), gistdeal.Account{ID: id, Login: login}, backfill, now)
	testenv.Must(w.t, err)
	testenv.Must(w.t, w.db.Scanned(w.t.Context(), id, gistdeal.Listing{}, now, now.Add(time.Hour)))
}

const whole = `version: 1
settings: {approval_threshold: 20, backfill: "2026-01-31"}
users:
- {login: alice, backfill: all}
- {login: BOB, backfill: none, paused: true}
- {login: https://github.com/carol}
- {login: 2001-01-31, backfill: 2025-12-31}
`

func TestAnExportAppliedToAnEmptyDatabaseGivesTheSameExport(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "test.db") },
		"PostgreSQL": func(t *testing.T) string { t.Helper(); return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := newWorld(t, database(t)).lead(), newWorld(t, database(t)).lead()
			first.apply(whole, false)
			text := first.export()
			for _, want := range []string{"approval_threshold: 20\n", "owner: Ann\n", "- login: bob\n  backfill: none\n  paused: true\n", "- login: carol\n  backfill: '2026-01-31'\n", "- login: '2001-01-31'\n"} {
				if !strings.Contains(text, want) {
					t.Errorf("the export lacks %q:\n%s", want, text)
				}
			}
			second.apply(text, true)
			if again := second.export(); again != text {
				t.Errorf("exported\n%s\nafter it was applied\n%s", text, again)
			}
			if left := second.compare(text, true); len(left) != 0 {
				t.Errorf("%+v differ after it was applied", left)
			}
			if results := second.apply(text, true); results != "" {
				t.Errorf("applied again: %s", results)
			}
		})
	}
}

func TestOnlyDifferencesAreApplied(t *testing.T) {
	t.Parallel()
	w := newSQLite(t)
	for i, login := range []string{"alice", "bob", "carol", "dave", "erin"} {
		w.track(int64(i+1), login, gistdeal.BackfillAll)
	}
	_, err := w.ChangeUsers(t.Context(), []string{"bob"}, admin.Pause)
	testenv.Must(t, err)
	testenv.Must(t, w.db.Gone(t.Context(), 5, true, "its login belongs to another user", time.Now(), time.Now()))
	const text = "version: 1\nsettings: {daily_limit: 3, owner: Bob, pipeline: ''}\nusers:\n" +
		"- {login: Alice, paused: true}\n- {login: bob, backfill: none}\n- login: new\n"
	var got []string
	for _, d := range w.compare(text, true) {
		got = append(got, fmt.Sprintf("%s %s %s>%s %s", d.Action, d.Name, d.From, d.To, d.Kept))
	}
	const want = `set owner Ann>Bob GISTDEAL_OWNER decides it: change or unset that variable
set daily_limit 0>3 
pause alice active>paused 
backfill bob all>none a user keeps its backfill after its first scan
resume bob paused>active 
remove carol > 
remove dave > 
add new > `
	if got := strings.Join(got, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if n := len(w.compare(text, false)); n != 6 {
		t.Errorf("%d differences without prune, want 6", n)
	}
	const done = "daily_limit set\nalice paused\nbob resumed\ncarol removed\ndave removed\nnew waiting\n"
	if got := w.apply(text, true); got != done {
		t.Errorf("the results are\n%s\nwant\n%s", got, done)
	}
	if left := w.compare(text, true); len(left) != 3 { // Two stay, and the new user waits for a leader.
		t.Errorf("%+v differ after the work", left)
	}
	if text := w.export(); !strings.Contains(text, "# id:5 is left out: another user has its login erin now.\n") {
		t.Errorf("exported %s", text)
	}
}

func TestTheMistakesInAFileAreNamedWithTheirLines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                     "no documents in stream",
		"version: 2\n":         "the file says version 2: this gistdeal reads version 1",
		"version: 1\nuser: 1":  "line 2: field user not found",
		"version: 1\nusers: [": "did not find expected node content",
		"version: 1\nusers:\n- login: a\n  bakfill: all\n- login: b\n  paused: maybe\n": "line 4: field bakfill not found\nline 6: cannot construct !!str `maybe` into bool",
		"version: 1\nusers:\n- login: a\n- login: b\n- login: A\n- login: c/d\n":        "line 5: A is named in line 3 too\nline 6: \"c/d\" cannot be a GitHub login",
		"version: 1\nusers:\n- login: a\n  backfill: new\n- paused: true\n":             "line 3: backfill is \"new\"",
		"version: 1\nsettings:\n  backfill: new\n  daily_limit: -1\n":                   "backfill is \"new\", want all, none or a date like 2026-01-31\ndaily_limit is \"-1\"",
		"version: 1\nsettings:\n  daily_limit: many\n  Owner: a\n":                      "line 3: cannot construct !!str `many` into int\nline 4: field Owner not found",
		"version: 1\nversion: 1\n":                          "line 2: mapping key \"version\" already defined at line 1",
		"version: 1\n---\nversion: 1\n":                     "expected single document",
		"version: 1\nusers: &u\n- login: a\nsettings: *u\n": "line 2: cannot construct",
	} {
		_, err := manifest.Read([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || gistdeal.KindOf(err) != gistdeal.Invalid {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
