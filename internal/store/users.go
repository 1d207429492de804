package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gistdeal"
)

// listedColumns select rows for scanListed.
const listedColumns = `id, login, login_key IS NULL, state, backfill, tracked_at, last_scan_at, next_scan_at, failures, problem, tags`

// userColumns select rows for scanUser. The ETag is left out while GitHub has not told the
// facts of all gists, so that the next scan reads them.
const userColumns = listedColumns + `,
	CASE WHEN id IN (SELECT user_id FROM gists WHERE updated_at = 0 AND gone_at = 0) THEN '' ELSE etag END, pages,
	full_scan_at, node_id, hidden, unlinked = 1`

// scanListed scans the fields of u that lists show, and the columns after them into more.
func scanListed(row interface{ Scan(...any) error }, u *gistdeal.User, more ...any) error {
	var tracked, last, next int64
	var tags string
	err := row.Scan(append([]any{&u.ID, &u.Login, &u.LoginStale, &u.State, &u.Backfill, &tracked, &last, &next, &u.Failures, &u.Problem, &tags}, more...)...)
	if tags != "" {
		u.Tags = strings.Fields(tags)
	}
	u.TrackedAt, u.LastScanAt, u.NextScanAt = fromMillis(tracked), fromMillis(last), fromMillis(next)
	return err
}

func scanUser(row interface{ Scan(...any) error }) (u gistdeal.User, err error) {
	var full int64
	err = scanListed(row, &u, &u.ETag, &u.Pages, &full, &u.NodeID, &u.Hidden, &u.Unlinked)
	u.FullScanAt = fromMillis(full)
	return u, err
}

// Track tracks the account a and returns the user, due for a scan at now. An
// existing user keeps its history and gets a's login. It gets the policy only if its first
// scan has not ended. A gone user becomes active again; a paused one stays paused. A removed
// user keeps its gists and deals, but is tracked as a new one: its next scan is a first scan.
// The error is Invalid for an erased account until AllowAgain is called for its login.
//
// The version of a new user starts with the time, so that an erased user that is tracked
// again never repeats a version.
func (s *Store) Track(ctx context.Context, a gistdeal.Account, policy gistdeal.Backfill, now time.Time) (u gistdeal.User, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		u, err = s.track(ctx, tx, a, policy, now)
		return err
	})
	return u, trackError(a, err)
}

// track is Track in a transaction.
func (s *Store) track(ctx context.Context, tx *sql.Tx, a gistdeal.Account, policy gistdeal.Backfill, now time.Time) (u gistdeal.User, err error) {
	if err := s.refuseErased(ctx, tx, a); err != nil {
		return u, err
	}
	if err := takeLogin(ctx, tx, a); err != nil {
		return u, err
	}
	if err := forgetScans(ctx, tx, a, now); err != nil {
		return u, err
	}
	row := tx.QueryRowContext(ctx, `
		INSERT INTO users (id, login, login_key, state, backfill, tracked_at, next_scan_at, version, node_id, changed_at)
		VALUES ($1, $2, $3, 'active', $4, $5, $5, $5, $6, $5)
		ON CONFLICT (id) DO UPDATE SET login = excluded.login, login_key = excluded.login_key, changed_at = excluded.changed_at,
			node_id = CASE excluded.node_id WHEN '' THEN users.node_id ELSE excluded.node_id END,
			backfill = CASE users.last_scan_at WHEN 0 THEN excluded.backfill ELSE users.backfill END,
			state = CASE users.state WHEN 'paused' THEN 'paused' ELSE 'active' END, next_scan_at = excluded.next_scan_at
		RETURNING `+userColumns,
		a.ID, a.Login, gistdeal.LoginKey(a.Login), policy, millis(now), gistdeal.StorableText(a.NodeID))
	if u, err = scanUser(row); err != nil {
		return u, err
	}
	if err := addRequestedTags(ctx, tx, &u); err != nil {
		return u, err
	}
	return u, linkEntries(ctx, tx, u)
}

// addRequestedTags adds the tags in the pending request for the user.
func addRequestedTags(ctx context.Context, tx *sql.Tx, u *gistdeal.User) error {
	rows, err := queryIn(ctx, tx, `SELECT tags FROM scan_requests WHERE login_key = $1 AND ended_at = 0 AND tags <> ''`, gistdeal.LoginKey(u.Login))
	requested, err := collect(rows, err, func(row *sql.Rows) (tags string, err error) { return tags, row.Scan(&tags) })
	if err != nil || len(requested) == 0 {
		return err
	}
	before := len(u.Tags)
	if u.Tags, err = gistdeal.JoinTags(u.Tags, strings.Fields(requested[0])); err != nil || len(u.Tags) == before {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE users SET tags = $1, version = version + 1 WHERE id = $2`, tagText(u.Tags), u.ID)
	return err
}

// AddRequestedTags adds the tags in the pending request for a tracked user, and returns it.
func (s *Store) AddRequestedTags(ctx context.Context, u gistdeal.User) (gistdeal.User, error) {
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error { return addRequestedTags(ctx, tx, &u) })
	return u, trackError(gistdeal.Account{Login: u.Login}, err)
}

// trackError says what failed, but leaves an error for the caller of the API as it is.
func trackError(a gistdeal.Account, err error) error {
	if err == nil || gistdeal.KindOf(err) == gistdeal.Invalid {
		return err
	}
	return fmt.Errorf("track %q: %w", a.Login, err)
}

// forgetScans lets a removed user begin anew. Otherwise its next scan would create a deal
// for each gist made since it was removed, whatever its new policy says.
func forgetScans(ctx context.Context, tx *sql.Tx, a gistdeal.Account, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE users SET tracked_at = $1, etag = '', pages = 0, last_scan_at = 0, full_scan_at = 0, failures = 0, problem = '', hidden = 0, unlinked = 0
		WHERE id = $2 AND state = 'removed'`, millis(now), a.ID)
	return err
}

// takeLogin takes the login of a from any other user, because GitHub says that it is a's.
func takeLogin(ctx context.Context, tx *sql.Tx, a gistdeal.Account) error {
	_, err := tx.ExecContext(ctx, `UPDATE users SET login_key = NULL WHERE login_key = $1 AND id <> $2`, gistdeal.LoginKey(a.Login), a.ID)
	return err
}

// Rename sets the login of the user with a's id to a's login.
func (s *Store) Rename(ctx context.Context, a gistdeal.Account, now time.Time) error {
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := takeLogin(ctx, tx, a); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE users SET login = $1, login_key = $2, changed_at = $4 WHERE id = $3`, a.Login, gistdeal.LoginKey(a.Login), a.ID, millis(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("rename user %d to %q: %w", a.ID, a.Login, err)
	}
	return nil
}

// UserByLogin returns the user with that login in any case; NotFound if there is none or it
// was removed.
func (s *Store) UserByLogin(ctx context.Context, login string) (gistdeal.User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx,
		`SELECT `+userColumns+` FROM users WHERE login_key = $1 AND state <> 'removed'`, gistdeal.LoginKey(login)))
	if err != nil {
		return u, notFound(err, "%q is not tracked", login)
	}
	return u, nil
}

// UsersByLogin returns the users with those logins, in any case, by their keys. It leaves out
// removed ones.
func (s *Store) UsersByLogin(ctx context.Context, logins []string) (map[string]gistdeal.User, error) {
	names := make([]string, len(logins))
	for i, login := range logins {
		names[i] = gistdeal.LoginKey(login)
	}
	object, err := keys(names)
	if err != nil {
		return nil, err
	}
	users := make(map[string]gistdeal.User, len(logins))
	rows, err := s.db.QueryContext(ctx, `SELECT `+userColumns+` FROM users WHERE login_key IN (SELECT key FROM json_each($1)) AND state <> 'removed'`, object)
	_, err = collect(rows, err, func(row *sql.Rows) (u gistdeal.User, err error) {
		u, err = scanUser(row)
		users[gistdeal.LoginKey(u.Login)] = u
		return u, err
	})
	return users, err
}

// User returns the user with that id; NotFound if there is none or it was removed.
func (s *Store) User(ctx context.Context, id int64) (gistdeal.User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE id = $1 AND state <> 'removed'`, id))
	if err != nil {
		return u, notFound(err, "user %d is not tracked", id)
	}
	return u, nil
}

// FormerUsers returns the users, removed ones too, that had that login before another user
// got it.
func (s *Store) FormerUsers(ctx context.Context, login string) ([]gistdeal.User, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+userColumns+` FROM users WHERE lower(login) = $1 AND login_key IS NULL ORDER BY id`, gistdeal.LoginKey(login))
	return collect(rows, err, func(row *sql.Rows) (gistdeal.User, error) { return scanUser(row) })
}

// KnownUser returns the user with that login, even if it was removed; NotFound if there is
// none.
func (s *Store) KnownUser(ctx context.Context, login string) (gistdeal.User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE login_key = $1`, gistdeal.LoginKey(login)))
	if err != nil {
		return u, notFound(err, "user %q is unknown", login)
	}
	return u, nil
}

// KnownUserByID is KnownUser for an id.
func (s *Store) KnownUserByID(ctx context.Context, id int64) (gistdeal.User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE id = $1`, id))
	if err != nil {
		return u, notFound(err, "user %d is unknown", id)
	}
	return u, nil
}

// Logins returns the logins of all tracked users, ordered by the time of tracking.
func (s *Store) Logins(ctx context.Context) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT login FROM users WHERE state <> 'removed' ORDER BY tracked_at, id`)
	return collect(rows, err, func(row *sql.Rows) (login string, err error) {
		return login, row.Scan(&login)
	})
}

// DueUsers returns up to limit users that are due for a scan at now, the longest due first. A
// time past latest also counts as due: no scan is planned that far ahead, so the clock was
// wrong.
func (s *Store) DueUsers(ctx context.Context, now, latest time.Time, limit int) ([]gistdeal.User, error) {
	return s.dueUsers(ctx, `state IN ('active', 'gone')`, now, latest, limit)
}

// dueUsers returns the due users that meet a condition. It asks twice, because with an OR the
// databases read the times of all users to find that none is due.
func (s *Store) dueUsers(ctx context.Context, condition string, now, latest time.Time, limit int) ([]gistdeal.User, error) {
	query := `SELECT ` + userColumns + ` FROM users WHERE ` + condition + ` AND next_scan_at %s $1 ORDER BY next_scan_at, id LIMIT $2`
	scan := func(row *sql.Rows) (gistdeal.User, error) { return scanUser(row) }
	rows, err := s.db.QueryContext(ctx, fmt.Sprintf(query, "<="), millis(now), limit)
	due, err := collect(rows, err, scan)
	if err != nil || len(due) == limit {
		return due, err
	}
	rows, err = s.db.QueryContext(ctx, fmt.Sprintf(query, ">"), millis(latest), limit-len(due))
	late, err := collect(rows, err, scan)
	return append(due, late...), err
}

// DueCount returns how many users DueUsers would return without a limit. It reads the times
// of all of them.
func (s *Store) DueCount(ctx context.Context, now, latest time.Time) (n int, err error) {
	const due = `(SELECT count(*) FROM users WHERE state IN ('active', 'gone') AND next_scan_at `
	err = s.read.QueryRowContext(ctx, `SELECT `+due+`<= $1) + `+due+`> $2)`, millis(now), millis(latest)).Scan(&n)
	return n, err
}

// BringForward reschedules active users that were planned with a longer interval, and
// returns their number. Their next scan follows the last one after the interval less up to
// a tenth, so that users added together spread out. It skips users that are due at now and
// users after a failed scan.
func (s *Store) BringForward(ctx context.Context, interval time.Duration, now time.Time) (int64, error) {
	n, err := s.updateUsers(ctx, `UPDATE users SET next_scan_at = last_scan_at + $1 - $2 * (id % 1000) / 1000
		WHERE state = 'active' AND failures = 0 AND last_scan_at > 0 AND next_scan_at > $3 AND next_scan_at > last_scan_at + $1 + $2`,
		interval.Milliseconds(), interval.Milliseconds()/10, millis(now))
	if err != nil {
		return 0, fmt.Errorf("reschedule scans: %w", err)
	}
	return n, nil
}

// usersAtOnce is the number of users that one statement of updateUsers may change.
const usersAtOnce = 10_000

// updateUsers runs an UPDATE of any number of users in parts, so that other changes do not
// wait for a million rows. The statement ends with its WHERE clause. It returns the number
// of changed rows.
func (s *Store) updateUsers(ctx context.Context, update string, args ...any) (n int64, err error) {
	part := fmt.Sprintf(` AND id > $%d AND id <= $%d`, len(args)+1, len(args)+2)
	for from := int64(math.MinInt64); ; {
		var to int64
		err := s.read.QueryRowContext(ctx, `SELECT coalesce(max(id), $1) FROM (SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2) part`, from, usersAtOnce).Scan(&to)
		if err != nil || to == from {
			return n, err
		}
		r, err := s.db.ExecContext(ctx, update+part, append(slices.Clone(args), from, to)...)
		if err != nil {
			return n, err
		}
		changed, err := r.RowsAffected()
		if n += changed; err != nil {
			return n, err
		}
		from = to
	}
}

// Scanned records a successful scan. The caller must save the gists of the last page first.
// If the ETag of l were committed before them, a crash in between would hide them forever,
// because GitHub would reply 304.
func (s *Store) Scanned(ctx context.Context, userID int64, l gistdeal.Listing, now, next time.Time) error {
	if err := recordScan(ctx, s.db, userID, l, now, next); err != nil {
		return fmt.Errorf("record scan of user %d: %w", userID, err)
	}
	return nil
}

// execer is a database or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// recordScan records a successful scan in the row of its user.
func recordScan(ctx context.Context, db execer, userID int64, l gistdeal.Listing, now, next time.Time) (err error) {
	if l.NotModified {
		_, err = db.ExecContext(ctx, `UPDATE users SET last_scan_at = $1, full_scan_at = CASE WHEN $2 = 1 THEN $1 ELSE full_scan_at END,
			next_scan_at = $3, failures = 0, problem = '' WHERE id = $4`,
			millis(now), boolean(l.Confirmed), millis(next), userID)
	} else {
		_, err = db.ExecContext(ctx, `UPDATE users SET state = CASE state WHEN 'gone' THEN 'active' ELSE state END, changed_at = CASE state WHEN 'gone' THEN $3 ELSE changed_at END,
			etag = $1, pages = $2, unlinked = 0, last_scan_at = $3, full_scan_at = $3, next_scan_at = $4, failures = 0, problem = '' WHERE id = $5`,
			l.ETag, l.Pages, millis(now), millis(next), userID)
	}
	return err
}

// ScanFailed records a failed scan and its problem. The next scan is due at next.
func (s *Store) ScanFailed(ctx context.Context, userID int64, problem string, next time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE users SET failures = failures + 1, problem = $1, next_scan_at = $2 WHERE id = $3`,
		gistdeal.StorableText(problem), millis(next), userID)
	if err != nil {
		return fmt.Errorf("record failed scan of user %d: %w", userID, err)
	}
	return nil
}

// Gone records that GitHub no longer knows the user, with the reason in problem. The next
// scan is due at next. loginTaken reports that the login belongs to another user now.
func (s *Store) Gone(ctx context.Context, userID int64, loginTaken bool, problem string, now, next time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE users SET state = 'gone', etag = '', failures = failures + 1, next_scan_at = $1, changed_at = CASE state WHEN 'gone' THEN changed_at ELSE $5 END,
		login_key = CASE WHEN $2 THEN NULL ELSE login_key END,
		problem = $3 WHERE id = $4 AND state IN ('active', 'gone')`, millis(next), loginTaken, gistdeal.StorableText(problem), userID, millis(now))
	if err != nil {
		return fmt.Errorf("record user %d as gone: %w", userID, err)
	}
	return nil
}
