package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"gistdeal"
)

// Erase deletes the data of a removed user. It keeps the ids of gists with a deal and of
// their deals, so that no deal is created twice. It returns the deals that remain in
// Pipedrive. The error is Invalid while a deal of the user is sending, or if the user is
// tracked again. Scrub removes the text from the files.
func (s *Store) Erase(ctx context.Context, u gistdeal.User, now time.Time) (deals []int64, err error) {
	err = s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		var sending int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM users u LEFT JOIN gists g ON g.user_id = u.id LEFT JOIN deals d ON d.gist_id = g.id
			WHERE u.id = $1 AND (u.state <> 'removed' OR d.state = 'sending')`, u.ID).Scan(&sending); err != nil {
			return nil, err
		}
		if sending > 0 {
			return nil, gistdeal.Errorf(gistdeal.Invalid, "a deal of %q is being sent, or the user is tracked again: try again in a minute", u.Login)
		}
		rows, err := queryIn(ctx, tx, `SELECT d.deal_id FROM gists g JOIN deals d ON d.gist_id = g.id WHERE g.user_id = $1 AND d.deal_id IS NOT NULL
			UNION SELECT s.deal_id FROM gists g JOIN duplicate_deals s ON s.gist_id = g.id WHERE g.user_id = $1 ORDER BY 1`, u.ID)
		if deals, err = collect(rows, err, func(row *sql.Rows) (id int64, err error) { return id, row.Scan(&id) }); err != nil {
			return nil, err
		}
		if err := s.rememberErased(ctx, tx, u, now); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, setSetting, settingScrub, "due"); err != nil {
			return nil, err
		}
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionEraseUser, Count: len(deals)}}, deleteUser(ctx, tx, u)
	})
	if err != nil {
		return nil, fmt.Errorf("erase user %d: %w", u.ID, err)
	}
	return deals, nil
}

// rememberErased stores the hashes of the user's number and login, and deletes the requests
// for the login.
func (s *Store) rememberErased(ctx context.Context, tx *sql.Tx, u gistdeal.User, now time.Time) error {
	key, err := s.newEraseKey(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := markErased(ctx, tx, key, strconv.FormatInt(u.ID, 10), now); err != nil || u.LoginStale {
		return err // A stale login is another person's.
	}
	if _, err := markErased(ctx, tx, key, gistdeal.LoginKey(u.Login), now); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM erased WHERE login_hash = $1`, erasedHash(key, allowedName(u.Login))); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM scan_requests WHERE login_key = $1`, gistdeal.LoginKey(u.Login))
	return err
}

// deleteUser deletes all rows about a user, and empties the columns of deals that stay.
func deleteUser(ctx context.Context, tx *sql.Tx, u gistdeal.User) error {
	if err := eraseItems(ctx, tx, u); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM deliveries WHERE event_id IN (SELECT id FROM events WHERE user_id = $1)`, // Problems may repeat a message.
		`UPDATE webhooks SET user_id = -1, state = 'disabled', reason = 'its user was erased' WHERE user_id = $1`,
		`UPDATE deliveries SET problem = '', deferred = '' WHERE type = 'notice' AND (problem <> '' OR deferred <> '') AND CAST($1 AS BIGINT) <> 0`,
		// Causes may name the user. An attempt that has begun must not store them again.
		`UPDATE webhooks SET told = '{}', changes = changes + 1 WHERE CAST($1 AS BIGINT) <> 0`,
		// Before their attempts, so that no claim adds an attempt that stays.
		`DELETE FROM deals WHERE state <> 'created' AND gist_id IN (SELECT id FROM gists WHERE user_id = $1)`,
		`UPDATE deals SET problem = '', owner = '', rule = '', content = '' WHERE gist_id IN (SELECT id FROM gists WHERE user_id = $1)`,
		`INSERT INTO own_deals (deal_id) SELECT DISTINCT deal_id FROM attempts WHERE outcome IN ('created', 'adopted') AND deal_id IS NOT NULL
			AND gist_id IN (SELECT id FROM gists WHERE user_id = $1) ON CONFLICT (deal_id) DO NOTHING`,
		`DELETE FROM attempts WHERE gist_id IN (SELECT id FROM gists WHERE user_id = $1)`,
		`DELETE FROM amendments WHERE gist_id IN (SELECT id FROM gists WHERE user_id = $1)`,
		`DELETE FROM gists WHERE user_id = $1`,
		`DELETE FROM visits WHERE user_id = $1`,
		`DELETE FROM runs WHERE user_id = $1`,
		`DELETE FROM users WHERE id = $1`,
		`UPDATE events SET user_id = 0, login = '', gist_id = CASE deal_id WHEN 0 THEN '' ELSE gist_id END, data = '{}' WHERE user_id = $1`,
	} {
		if _, err := tx.ExecContext(ctx, statement, u.ID); err != nil {
			return err
		}
	}
	login := likePattern.Replace(gistdeal.LoginKey(u.Login))
	if _, err := tx.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE lower(answer) LIKE $1 ESCAPE '\'`, "%"+login+"%"); err != nil {
		return err
	}
	if !u.LoginStale {
		if err := linkEntries(ctx, tx, u); err != nil {
			return err
		}
	}
	if err := forgetEntries(ctx, tx, u); err != nil {
		return err
	}
	// A report names the users of gists with discrepancies.
	_, err := tx.ExecContext(ctx, `DELETE FROM audits WHERE ended_at <> 0 AND lower(report) LIKE $1 ESCAPE '\'`, `%"login":"`+login+`"%`)
	return err
}

// markErased adds the hash of a name to the erased ones, and reports whether it is new.
func markErased(ctx context.Context, tx *sql.Tx, key, name string, now time.Time) (bool, error) {
	return changed(tx.ExecContext(ctx, `INSERT INTO erased (login_hash, at) VALUES ($1, $2) ON CONFLICT (login_hash) DO NOTHING`, erasedHash(key, name), millis(now)))
}

func erasedHash(key, name string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(name))
	return hex.EncodeToString(h.Sum(nil))
}

// allowedName returns the name under which an erased login is marked as allowed again.
func allowedName(login string) string { return "again " + gistdeal.LoginKey(login) }

// refuseErased returns an Invalid error if the account or an earlier owner of its login
// was erased, unless AllowAgain was called for the login since.
func (s *Store) refuseErased(ctx context.Context, tx *sql.Tx, a gistdeal.Account) error {
	erased, err := s.erased(ctx, tx, []gistdeal.Account{a})
	if err == nil && erased[a.ID] {
		err = gistdeal.Errorf(gistdeal.Invalid, "%q was erased: to track the user again, add it with --again, or with \"again\": true in the API", a.Login)
	}
	return err
}

// erased returns the ids of the accounts that refuseErased refuses.
func (s *Store) erased(ctx context.Context, tx *sql.Tx, accounts []gistdeal.Account) (map[int64]bool, error) {
	key, err := s.eraseKey(ctx, tx)
	if err != nil || key == "" {
		return nil, err
	}
	names := func(a gistdeal.Account) []string {
		return []string{erasedHash(key, gistdeal.LoginKey(a.Login)), erasedHash(key, strconv.FormatInt(a.ID, 10)), erasedHash(key, allowedName(a.Login))}
	}
	var hashes []string
	for _, a := range accounts {
		hashes = append(hashes, names(a)...)
	}
	object, err := keys(hashes)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	rows, err := queryIn(ctx, tx, `SELECT login_hash FROM erased WHERE login_hash IN (SELECT key FROM json_each($1))`, object)
	_, err = collect(rows, err, func(row *sql.Rows) (hash string, err error) {
		err = row.Scan(&hash)
		known[hash] = true
		return hash, err
	})
	erased := map[int64]bool{}
	for _, a := range accounts {
		h := names(a)
		erased[a.ID] = (known[h[0]] || known[h[1]]) && !known[h[2]]
	}
	return erased, err
}

// AllowAgain lets the erased user with that login be tracked again.
func (s *Store) AllowAgain(ctx context.Context, login string, now time.Time) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		key, err := s.eraseKey(ctx, tx)
		if err != nil || key == "" {
			return nil, err // Without a key, nobody was erased.
		}
		allowed, err := markErased(ctx, tx, key, allowedName(login), now)
		if !allowed {
			return nil, err
		}
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionAllowAgain, Target: login}}, err
	})
	if err != nil {
		return fmt.Errorf("allow %q again: %w", login, err)
	}
	return nil
}
