package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"gistdeal"
)

// gistRow is a gist in the JSON object of a bulk insert, keyed by gist id.
type gistRow struct {
	Seq         int64  `json:"seq"`
	Description string `json:"description"`
	Files       string `json:"files"`
	CreatedAt   int64  `json:"created_at"`
	UpdatedAt   int64  `json:"updated_at"`
	Comments    int    `json:"comments"` // -1 if not known
	Fork        int    `json:"fork"`     // -1 if not known
	FirstLines  string `json:"first_lines"`
	Place       int64  `json:"place"`

	Action  gistdeal.RuleAction `json:"action"`
	Reason  string              `json:"reason"`
	Rule    string              `json:"rule"`
	Version int64               `json:"version"`
	Content string              `json:"content"`
	Rank    int                 `json:"priority"` // of rankOf
}

// SaveGists stores gists of a user, given newest first. In the same transaction it
// inserts a deal for each gist that never had one: queued, awaiting approval or skipped,
// as the policy n says. It updates the facts of existing gists, unless they are older
// than the stored ones: an answer of GitHub may be late. It returns the number of new deals
// that are not skipped. If the user was removed meanwhile, it returns an error and stores
// nothing.
func (s *Store) SaveGists(ctx context.Context, userID int64, gists []gistdeal.Gist, n gistdeal.NewGistPolicy, now time.Time) (queued int, err error) {
	if len(gists) == 0 {
		return 0, nil
	}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		queued, err = saveGists(ctx, tx, userID, gists, n, now)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("save %d gists of user %d: %w", len(gists), userID, err)
	}
	return queued, nil
}

// saveGists is SaveGists in a transaction.
func saveGists(ctx context.Context, tx *sql.Tx, userID int64, gists []gistdeal.Gist, n gistdeal.NewGistPolicy, now time.Time) (queued int, err error) {
	object, err := gistObject(ctx, tx, userID, gists, n, now)
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO gists (id, user_id, seq, description, files, created_at, updated_at, comments, fork, noticed_at, noticed_by, changed_at, first_lines)
		SELECT key, $1, CAST(value ->> 'seq' AS BIGINT), value ->> 'description', value ->> 'files', CAST(value ->> 'created_at' AS BIGINT),
			CAST(value ->> 'updated_at' AS BIGINT), CAST(value ->> 'comments' AS BIGINT), CAST(value ->> 'fork' AS BIGINT), $2, $3, $2, value ->> 'first_lines'
		FROM json_each($4) WHERE true ORDER BY CAST(value ->> 'seq' AS BIGINT)
		ON CONFLICT (id) DO UPDATE SET description = excluded.description, files = excluded.files, updated_at = excluded.updated_at, changed_at = excluded.changed_at,
			comments = CASE excluded.comments WHEN -1 THEN gists.comments ELSE excluded.comments END,
			fork = CASE excluded.fork WHEN -1 THEN gists.fork ELSE excluded.fork END,
			first_lines = CASE WHEN excluded.first_lines = '' AND excluded.updated_at = gists.updated_at THEN gists.first_lines ELSE excluded.first_lines END
		WHERE excluded.updated_at >= gists.updated_at AND (gists.description <> excluded.description OR gists.files <> excluded.files
			OR gists.updated_at <> excluded.updated_at OR excluded.first_lines NOT IN ('', gists.first_lines) OR excluded.comments NOT IN (-1, gists.comments) OR excluded.fork NOT IN (-1, gists.fork))`,
		userID, millis(now), noticedBy(n), object); err != nil {
		return 0, err
	}
	deals := newDeals{object: object, backfill: n.First, now: now}
	if err := deals.insertNotQueued(ctx, tx, n); err != nil {
		return 0, err
	}
	state, problem := gistdeal.DealQueued, ""
	if n.Hold {
		state, problem = gistdeal.DealAwaitingApproval, waitingForScan
	}
	if queued, err = deals.insert(ctx, tx, state, problem, maxMillis, gistdeal.RuleCreate); err != nil {
		return 0, err
	}
	return queued, stillTracked(ctx, tx, userID)
}

func noticedBy(n gistdeal.NewGistPolicy) string {
	if n.First {
		return gistdeal.NoticedByFirstScan
	}
	if n.Feed {
		return gistdeal.NoticedByFeed
	}
	return gistdeal.NoticedByScan
}

// stillTracked returns an error if the user was removed. RemoveUsers has skipped the
// existing deals, so no new ones may follow.
func stillTracked(ctx context.Context, tx *sql.Tx, userID int64) error {
	var removed bool
	err := tx.QueryRowContext(ctx, `SELECT state = 'removed' FROM users WHERE id = $1`, userID).Scan(&removed)
	if err == nil && removed {
		err = gistdeal.Errorf(gistdeal.Invalid, "the user was removed during its scan")
	}
	return err
}

// maxMillis is a time later than any gist.
const maxMillis = int64(1) << 60

// newDeals are the deals of gists, as a JSON object.
type newDeals struct {
	object   string
	backfill bool
	now      time.Time
}

// insertNotQueued inserts the deals that the backfill of the user or the rules keep from
// being queued. The backfill comes first: rules never create what it skips.
func (d newDeals) insertNotQueued(ctx context.Context, tx *sql.Tx, n gistdeal.NewGistPolicy) error {
	if _, err := d.insert(ctx, tx, gistdeal.DealSkipped, "the user's backfill does not cover this gist", millis(n.SkipBefore), ""); err != nil {
		return err
	}
	if n.Decisions == nil {
		return nil
	}
	if _, err := d.insert(ctx, tx, gistdeal.DealSkipped, "", maxMillis, gistdeal.RuleSkip); err != nil {
		return err
	}
	_, err := d.insert(ctx, tx, gistdeal.DealAwaitingApproval, "", maxMillis, gistdeal.RuleHold)
	return err
}

// insert inserts a deal in the given state for each gist that was created before the time
// before, has that action by the rules ("" means any), and has no deal. It returns their
// number. A deal without the given problem gets the reason of the rules. Deals of a backfill
// wait for a catch-up.
func (d newDeals) insert(ctx context.Context, tx *sql.Tx, state gistdeal.DealState, problem string, before int64, action gistdeal.RuleAction) (int, error) {
	h, err := heads(ctx, tx)
	if err != nil {
		return 0, err
	}
	r, err := tx.ExecContext(ctx, `
		INSERT INTO deals (gist_id, state, problem, queued_at, backfill, catch_up, priority, place, turn, created_at, updated_at, rule, rules_version, content, by_rule)
		SELECT id, $1, problem, $3, backfill, backfill, priority, place, `+h.turn()+`, $3, $3, rule, version, content, CAST($8 AS BIGINT) FROM (
			SELECT key AS id, CAST($4 AS BIGINT) AS backfill, CAST(value ->> 'priority' AS BIGINT) AS priority, CAST(value ->> 'place' AS BIGINT) AS place,
				CASE WHEN CAST($2 AS TEXT) = '' THEN value ->> 'reason' ELSE CAST($2 AS TEXT) END AS problem,
				CASE WHEN CAST($7 AS TEXT) = '' THEN '' ELSE value ->> 'rule' END AS rule,
				CASE WHEN CAST($7 AS TEXT) = '' THEN 0 ELSE CAST(value ->> 'version' AS BIGINT) END AS version,
				CASE WHEN CAST($7 AS TEXT) = '' THEN '' ELSE value ->> 'content' END AS content
			FROM json_each($5) WHERE CAST(value ->> 'created_at' AS BIGINT) < $6 AND (CAST($7 AS TEXT) = '' OR value ->> 'action' = CAST($7 AS TEXT))) new WHERE true
		ON CONFLICT (gist_id) DO NOTHING`, state, problem, millis(d.now), boolean(d.backfill), d.object, before, string(action), boolean(action == gistdeal.RuleSkip))
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}

// gistObject returns the gists as a JSON object keyed by gist id. It takes their Seq from
// the counter; the first gist, the newest, gets the highest.
func gistObject(ctx context.Context, tx *sql.Tx, userID int64, gists []gistdeal.Gist, n gistdeal.NewGistPolicy, now time.Time) (string, error) {
	var last int64
	if err := tx.QueryRowContext(ctx, `UPDATE counters SET value = value + $1 WHERE name = 'gist_seq' RETURNING value`, len(gists)).Scan(&last); err != nil {
		return "", err
	}
	decisions, err := withinLimits(ctx, tx, userID, gists, n, now)
	if err != nil {
		return "", err
	}
	rows := make(map[string]gistRow, len(gists))
	for i, g := range gists {
		files := make([]gistdeal.File, len(g.Files))
		for j, f := range g.Files {
			files[j] = gistdeal.File{Name: gistdeal.StorableText(f.Name), RawURL: gistdeal.StorableText(f.RawURL), Type: gistdeal.StorableText(f.Type), Language: gistdeal.StorableText(f.Language), Size: f.Size}
		}
		text, err := json.Marshal(files)
		if err != nil {
			return "", err
		}
		lines, err := linesText(g.FirstLines)
		if err != nil {
			return "", err
		}
		row := gistRow{
			Seq: last - int64(i), Description: gistdeal.StorableText(g.Description), Files: string(text), CreatedAt: millis(g.CreatedAt),
			UpdatedAt: millis(g.UpdatedAt), Comments: unlessNil(g.Comments), Fork: forkOf(g.Fork), FirstLines: lines, Place: n.Place(i),
		}
		if err := row.decide(decisions[g.ID]); err != nil {
			return "", err
		}
		rows[g.ID] = row
	}
	object, err := json.Marshal(rows)
	return string(object), err
}

// The columns of facts are -1 if they are not known.
func unlessNil(n *int) int {
	if n == nil {
		return -1
	}
	return *n
}

func forkOf(fork *bool) int {
	if fork == nil {
		return -1
	}
	return int(boolean(*fork))
}

// linesText returns first lines of files in their column.
func linesText(lines map[string]string) (string, error) {
	if lines == nil {
		return "", nil
	}
	storable := make(map[string]string, len(lines))
	for name, text := range lines {
		storable[gistdeal.StorableText(name)] = text
	}
	text, err := json.Marshal(storable)
	return string(text), err
}

// linesOf is the inverse of linesText.
func linesOf(text string) (lines map[string]string, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &lines)
	}
	return lines, err
}

// GistsOf returns the gists of a user with their deals, newest first.
func (s *Store) GistsOf(ctx context.Context, userID int64) ([]gistdeal.GistDeal, error) {
	rows, err := s.read.QueryContext(ctx, gistDeals+` WHERE g.user_id = $1 ORDER BY g.created_at DESC, g.seq DESC`, userID)
	return collect(rows, err, scanGist)
}

// gistDeals selects rows for scanGistDeal.
const (
	gistColumns     = `u.login, g.id, g.user_id, g.seq, g.description, g.files, g.created_at, g.updated_at, g.comments, g.fork`
	gistDealColumns = gistColumns + `, d.state, coalesce(d.deal_id, 0), d.problem, d.rule, d.rules_version`
	gistDeals       = `SELECT ` + gistDealColumns + ` FROM gists g JOIN users u ON u.id = g.user_id JOIN deals d ON d.gist_id = g.id`
)

func scanGist(row *sql.Rows) (gistdeal.GistDeal, error) { return scanGistDeal(row) }

// scanGistDeal scans gistDealColumns, and further columns into more.
func scanGistDeal(row *sql.Rows, more ...any) (g gistdeal.GistDeal, err error) {
	err = scanFacts(row, &g.Gist, append([]any{&g.State, &g.DealID, &g.Problem, &g.Rule, &g.RulesVersion}, more...)...)
	g.GistID = g.ID
	return g, err
}

// scanFacts scans gistColumns, and further columns into more. A file whose raw URL is not known
// gets one with the present login.
func scanFacts(row interface{ Scan(...any) error }, g *gistdeal.Gist, more ...any) error {
	var created, updated int64
	var comments, fork int
	var login string
	var files []byte
	columns := []any{&login, &g.ID, &g.UserID, &g.Seq, &g.Description, &files, &created, &updated, &comments, &fork}
	if err := row.Scan(append(columns, more...)...); err != nil {
		return err
	}
	g.CreatedAt, g.UpdatedAt = fromMillis(created), fromMillis(updated)
	if comments >= 0 {
		g.Comments = &comments
	}
	if fork >= 0 {
		g.Fork = new(fork == 1)
	}
	if err := json.Unmarshal(files, &g.Files); err != nil {
		return err
	}
	for i := range g.Files {
		if f := &g.Files[i]; f.RawURL == "" {
			f.RawURL = gistdeal.RawURL(login, g.ID, f.Name)
		}
	}
	return nil
}

// HasGists reports whether GitHub lists a gist of the user, as far as is known.
func (s *Store) HasGists(ctx context.Context, userID int64) (has bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM gists WHERE user_id = $1 AND gone_at = 0)`, userID).Scan(&has)
	return has, err
}

const viewOf = `SELECT id, login, last_scan_at <> 0 OR state = 'paused', unlinked = 0, version,
		coalesce((SELECT seq FROM visits WHERE visitor = $1 AND user_id = users.id), 0),
		coalesce((SELECT value FROM settings WHERE name = $2), '')
	FROM users WHERE state <> 'removed' AND `

const viewQuery = viewOf + `login_key = $3`

// View returns the user with that login as the visitor sees it; NotFound if there is none
// or it was removed. Gists that are read afterwards are at least as new as its Version.
//
// Every read request runs this query. A prepared statement and a context that cannot be
// canceled make it six times as fast: database/sql starts a goroutine for a context that
// can.
func (s *Store) View(ctx context.Context, visitor, login string) (v gistdeal.View, err error) {
	row := s.read.prepared(context.WithoutCancel(ctx), s.view, visitor, gistdeal.KeyDealURL, gistdeal.LoginKey(login))
	if err := row.Scan(&v.UserID, &v.Login, &v.Scanned, &v.Linked, &v.Version, &v.Seen, &v.DealURL); err != nil {
		return v, notFound(err, "%q is not tracked", login)
	}
	return v, nil
}

// ViewByID is View for an id, but slower.
func (s *Store) ViewByID(ctx context.Context, visitor string, id int64) (v gistdeal.View, err error) {
	row := s.read.QueryRowContext(ctx, viewOf+`id = $3`, visitor, gistdeal.KeyDealURL, id)
	if err := row.Scan(&v.UserID, &v.Login, &v.Scanned, &v.Linked, &v.Version, &v.Seen, &v.DealURL); err != nil {
		return v, notFound(err, "user %d is not tracked", id)
	}
	return v, nil
}

// RecordVisit records the highest Seq that a visitor was shown. A later visit never lowers
// it.
func (s *Store) RecordVisit(ctx context.Context, v gistdeal.Visit, now time.Time) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO visits (visitor, user_id, seq, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (visitor, user_id) DO UPDATE SET seq = excluded.seq, at = excluded.at WHERE visits.seq < excluded.seq`,
		v.Visitor, v.UserID, v.Seq, millis(now))
	if err != nil {
		return fmt.Errorf("record visit of user %d: %w", v.UserID, err)
	}
	return nil
}

// TakeBackVisit records the Seq of v in place of a higher one. It reports false and changes
// nothing if the recorded one is not from.
func (s *Store) TakeBackVisit(ctx context.Context, v gistdeal.Visit, from int64, now time.Time) (bool, error) {
	ok, err := changed(s.db.ExecContext(ctx, `UPDATE visits SET seq = $1, at = $2 WHERE visitor = $3 AND user_id = $4 AND seq = $5`,
		v.Seq, millis(now), v.Visitor, v.UserID, from))
	if err != nil {
		return false, fmt.Errorf("take back visit of user %d: %w", v.UserID, err)
	}
	return ok, nil
}

// GistPage returns up to limit gists of a user with a Seq between since and before, both
// excluded, in descending order. If states is not empty, only gists with deals in these
// states count.
func (s *Store) GistPage(ctx context.Context, userID, since, before int64, states []gistdeal.DealState, limit int) ([]gistdeal.GistDeal, error) {
	w := where{}
	w.add("g.user_id = ?", userID)
	w.add("g.seq > ?", since)
	w.add("g.seq < ?", before)
	if len(states) > 0 {
		w.in("d.state", stringsOf(states))
	}
	clauses := w.sql() + " ORDER BY g.seq DESC LIMIT " + w.arg(limit)
	rows, err := s.read.QueryContext(ctx, gistDeals+clauses, w.args...)
	return collect(rows, err, scanGist)
}

// LastGists returns the gists of tracked users that q selects, in its order.
func (s *Store) LastGists(ctx context.Context, q gistdeal.GistQuery) ([]gistdeal.UserGist, error) {
	w := where{}
	from := ` FROM gists g JOIN users u ON u.id = g.user_id JOIN deals d ON d.gist_id = g.id LEFT JOIN visits v ON v.visitor = ` + w.arg(q.Visitor) + ` AND v.user_id = g.user_id`
	w.conditions = append(w.conditions, "u.state <> 'removed'")
	if q.OnlyNew {
		w.conditions = append(w.conditions, "g.seq > coalesce(v.seq, 0)")
	}
	if q.NoBackfill {
		w.conditions = append(w.conditions, "g.noticed_by <> 'first scan'") // As in the index gists_new.
	}
	bounded := q.ByChange && q.After != gistdeal.GistPlace{} // by its place in the order of changes
	if !q.ChangedSince.IsZero() && !bounded {
		w.add("g.changed_at >= ?", millis(q.ChangedSince))
	}
	if err := s.noticedSince(ctx, &w, q.Since); err != nil {
		return nil, err
	}
	clauses := w.orderGists(q)
	rows, err := s.read.QueryContext(ctx, `SELECT `+gistDealColumns+`, u.login, g.seq > coalesce(v.seq, 0), u.id, g.noticed_at, g.changed_at`+from+clauses, w.args...)
	return collect(rows, err, func(row *sql.Rows) (g gistdeal.UserGist, err error) {
		var noticed, changed int64
		g.GistDeal, err = scanGistDeal(row, &g.Login, &g.New, &g.Owner, &noticed, &changed)
		g.NoticedAt, g.ChangedAt = fromMillis(noticed), fromMillis(changed)
		return g, err
	})
}

// orderGists adds the condition that a gist comes after q.After, and returns all clauses.
func (w *where) orderGists(q gistdeal.GistQuery) string {
	order := " ORDER BY g.seq DESC"
	if q.ByChange {
		order = " ORDER BY g.changed_at, g.id"
	}
	switch {
	case q.After == gistdeal.GistPlace{}:
	case q.ByChange:
		w.conditions = append(w.conditions, "(g.changed_at, g.id) > ("+w.arg(millis(q.After.ChangedAt))+", "+w.arg(q.After.ID)+")")
	default:
		w.add("g.seq < ?", q.After.Seq)
	}
	return w.sql() + order + " LIMIT " + w.arg(q.Limit)
}

// noticedSince adds the condition that a gist was noticed since a time. The first one that
// was bounds the reading; another process may have stored one with an earlier clock before
// it, but not by more than clockSlack.
func (s *Store) noticedSince(ctx context.Context, w *where, since time.Time) error {
	if since.IsZero() {
		return nil
	}
	var first int64
	err := s.read.QueryRowContext(ctx, `SELECT coalesce((SELECT seq FROM gists WHERE noticed_at >= $1 ORDER BY noticed_at, seq LIMIT 1), (SELECT coalesce(max(seq), 0) + 1 FROM gists))`,
		millis(since)-clockSlack.Milliseconds()).Scan(&first)
	if err != nil {
		return fmt.Errorf("find the first gist since %v: %w", since, err)
	}
	w.add("g.seq >= ?", first)
	w.add("g.noticed_at >= ?", millis(since))
	return nil
}

// clockSlack is how far the clocks of two instances may differ for LastGists.
const clockSlack = time.Minute
