package e2e_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// prepare runs statements on a new SQLite database.
func prepare(t *testing.T, database string, statements ...string) {
	t.Helper()
	s, err := store.Open(t.Context(), database, store.Options{}) // Creates the schema.
	testenv.Must(t, err)
	testenv.Must(t, s.Close())
	db, err := sql.Open("sqlite", database)
	testenv.Must(t, err)
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v: %.80s", err, statement)
		}
	}
}

// aliceWith returns statements that add alice with n gists and deals.
func aliceWith(n int) []string {
	now := time.Now().UnixMilli()
	return []string{
		fmt.Sprintf(`INSERT INTO users (id, login, login_key, state, backfill, tracked_at, last_scan_at, full_scan_at, next_scan_at) VALUES (1, 'alice', 'alice', 'paused', 'all', %d, %[1]d, %[1]d, %[1]d)`, now),
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO gists (id, user_id, seq, description, files, created_at, updated_at, noticed_at, noticed_by)
			SELECT 'g' || i, 1, i, 'notes ' || i, '[]', %d, %[2]d, %[2]d, 'first scan' FROM n`, n, now),
		`INSERT INTO deals (gist_id, state, deal_id) SELECT id, 'created', seq FROM gists`,
		fmt.Sprintf(`INSERT INTO visits (visitor, user_id, seq, at) VALUES ('', 1, %d, 0)`, n),
		fmt.Sprintf(`UPDATE counters SET value = %d WHERE name = 'gist_seq'`, n),
	}
}

// With 10,000 and 20,000 gists, a scroll over all of them in 20 steps took two to four times as
// long as one over the first hundred.
func TestALongListOfGistsIsNeitherRedrawnNorLaidOutAsAWhole(t *testing.T) {
	t.Parallel()
	const gists = 3000
	_, env := simulate(t, sim.Options{Seed: 5})
	prepare(t, env["GISTDEAL_DATABASE_URL"], aliceWith(gists)...)
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, open(p, "users/alice"), chromedp.WaitVisible("#old-gists li"))
	waitForText(t, ctx, "#old-count", "3,000")
	eval[any](t, ctx, `(document.querySelector('#old-gists li').kept = true, null)`)
	for rows := 100; rows < gists; rows = min(rows+500, gists) {
		waitFor(t, ctx, fmt.Sprintf(`document.querySelectorAll('#old-gists li').length === %d`, rows))
		click(t, ctx, ".more")
	}
	waitFor(t, ctx, fmt.Sprintf(`document.querySelectorAll('#old-gists li').length === %d && !document.querySelector('.more')`, gists))
	if !eval[bool](t, ctx, `document.querySelector('#old-gists li').kept === true`) {
		t.Error("the first gist was redrawn, want it kept")
	}
	eval[any](t, ctx, `(document.querySelector('[data-gist="g1"]').scrollIntoView(), null)`)
	waitFor(t, ctx, `document.querySelector('[data-gist="g1"] .main').checkVisibility({contentVisibilityAuto: true})`)
	laidOut := eval[int](t, ctx, `[...document.querySelectorAll('#old-gists .main')].filter((one) => one.checkVisibility({contentVisibilityAuto: true})).length`)
	if laidOut > 500 {
		t.Errorf("%d of %d gists are laid out, want only those in sight", laidOut, gists)
	}
}

// With 2,000 users, "Show more" and a scroll over all of them took longer with each 50 rows.
func TestALongListOfUsersIsNeitherRedrawnNorLaidOutAsAWhole(t *testing.T) {
	t.Parallel()
	const users = 3000
	_, env := simulate(t, sim.Options{Seed: 5})
	now := time.Now().UnixMilli()
	prepare(t, env["GISTDEAL_DATABASE_URL"], fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO users (id, login, login_key, state, backfill, tracked_at, last_scan_at, full_scan_at, next_scan_at)
		SELECT i, 'user-' || i, 'user-' || i, 'paused', 'all', %d - i * 1000, %[2]d, %[2]d, %[2]d FROM n`, users, now))
	p := start(t, env)
	ctx := browse(t)
	rows := func(n int) string {
		return fmt.Sprintf(`document.querySelectorAll('#users tr[data-login]').length === %d`, n)
	}
	do(t, ctx, p, chromedp.EmulateViewport(1280, 800), open(p, "users"), chromedp.WaitVisible(`tr[data-login="user-1"]`))
	waitFor(t, ctx, rows(50))
	eval[any](t, ctx, `(document.querySelector('tr[data-login="user-1"]').kept = true, null)`)
	for n := 50; n < users; n = min(n+500, users) {
		waitFor(t, ctx, rows(n))
		click(t, ctx, ".more")
	}
	waitFor(t, ctx, rows(users)+` && !document.querySelector('.more')`)
	if !eval[bool](t, ctx, `document.querySelector('tr[data-login="user-1"]').kept === true`) {
		t.Error("the first user was redrawn, want it kept")
	}
	click(t, ctx, "thead input")
	waitForText(t, ctx, ".bulk", "3,000 users selected")
	eval[any](t, ctx, `(document.querySelector('tr[data-login="user-3000"]').scrollIntoView(), null)`)
	waitFor(t, ctx, `document.querySelector('tr[data-login="user-3000"] a').checkVisibility({contentVisibilityAuto: true})`)
	// The first 500 are laid out always, so that Back finds the place.
	if n := eval[int](t, ctx, `[...document.querySelectorAll('#users th a')].filter((one) => one.checkVisibility({contentVisibilityAuto: true})).length`); n < 500 || n > 900 {
		t.Errorf("%d of %d users are laid out, want the first 500 and those in sight", n, users)
	}
	if columns := eval[string](t, ctx, `['thead tr', 'tr[data-login="user-1"]', 'tr[data-login="user-3000"]'].map((row) => [...document.querySelectorAll('#users ' + row + ' > *')].map((cell) => Math.round(cell.getBoundingClientRect().x)).join(' ')).filter((at, i, all) => at !== all[0]).join(' and ')`); columns != "" {
		t.Errorf("the columns of the head are not those of the rows: %s", columns)
	}
}

// broken returns what large numbers break on the page: an element that reaches beyond the
// screen, unless it is in a part that scrolls, and a number or a word on two lines.
const broken = `(() => {
	const wrong = [];
	for (const one of document.querySelectorAll('main details')) one.open = true;
	for (const one of document.querySelectorAll('header *, main *')) {
		if (one.closest('#nav, .chips, .scroll, .spoken') || !one.checkVisibility()) continue;
		if (one.getBoundingClientRect().right > innerWidth + 0.5) wrong.push(one.tagName + '.' + one.className + ' is outside: ' + one.textContent.slice(0, 40));
	}
	let numbers = 0;
	const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		for (const found of texts.currentNode.data.matchAll(/\d{1,3}(,\d{3})+|[A-Za-z]+/g)) {
			const range = document.createRange();
			range.setStart(texts.currentNode, found.index);
			range.setEnd(texts.currentNode, found.index + found[0].length);
			if (!range.getClientRects().length) continue;
			if (found[1]) numbers++;
			if (new Set([...range.getClientRects()].map(({y}) => Math.round(y))).size > 1) wrong.push(found[0] + ' is on two lines of ' + texts.currentNode.parentElement.outerHTML.slice(0, 80));
		}
	}
	if (!numbers) wrong.push('no large number');
	return wrong.join('; ');
})()`

func TestNumbersOfSixDigitsFitAPhone(t *testing.T) {
	t.Parallel()
	_, env := simulate(t, sim.Options{Seed: 5})
	prepare(t, env["GISTDEAL_DATABASE_URL"], append(aliceWith(12),
		`UPDATE deals SET deal_id = deal_id + 654000`,
		`UPDATE deals SET state = 'failed', deal_id = NULL, problem = 'no such owner' WHERE gist_id = 'g3'`,
		`UPDATE deals SET state = 'awaiting_approval', deal_id = NULL WHERE gist_id = 'g4'`,
		`REPLACE INTO deal_counts (user_id, state, n) SELECT 1, value, 654321 FROM json_each('["created", "sending", "queued", "awaiting_approval", "failed", "skipped"]')`,
		`REPLACE INTO counts (kind, state, n) SELECT 'deals', state, n FROM deal_counts`,
		`REPLACE INTO counts (kind, state, n) SELECT 'users', value, 654321 FROM json_each('["active", "paused", "gone", "removed"]')`,
		`REPLACE INTO counts (kind, state, n) VALUES ('duplicate_deals', '', 654321)`,
		fmt.Sprintf(`REPLACE INTO days (day, gists, deals, backfill) VALUES (%d, 754321, 654321, 100000)`, time.Now().UnixMilli()/(24*time.Hour).Milliseconds()))...)
	p := start(t, env)
	ctx := browse(t)
	do(t, ctx, p, chromedp.EmulateViewport(360, 800))
	for view, there := range map[string]string{"": ".numbers .stat", "users": "#users tr", "users/alice": "#old-gists li", "deals": "#deals li"} {
		do(t, ctx, p, open(p, view), chromedp.WaitVisible(there))
		if wrong := eval[string](t, ctx, broken); wrong != "" {
			t.Errorf("#/%s: %s", view, wrong)
		}
	}
}
