package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gistdeal"
)

// settingEraseKey is the name of the setting with the key of the erased hashes:
// without a key anybody could hash all logins and compare.
const settingEraseKey = "erase_key"

// Erase deletes the data of a removed user. It keeps the ids of gists with a deal, and
// the deals' ids, so that no deal is created again. It is Invalid while a deal of the
// user is being sent. It returns the deals that remain in Pipedrive.
func (s *Store) Erase(ctx context.Context, u gistdeal.User, now time.Time) (deals []int64, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var sending int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM users u LEFT JOIN gists g ON g.user_id = u.id LEFT JOIN deals d ON d.gist_id = g.id
			WHERE u.id = $1 AND (u.state <> 'removed' OR d.state = 'sending')`, u.ID).Scan(&sending); err != nil {
			return err
		}
		if sending > 0 {
			return gistdeal.Errorf(gistdeal.Invalid, "a deal of %q is being sent, or it is tracked again: erase it again in a minute", u.Login)
		}
		rows, err := queryIn(ctx, tx, `SELECT d.deal_id FROM gists g JOIN deals d ON d.gist_id = g.id WHERE g.user_id = $1 AND d.deal_id IS NOT NULL
			UNION SELECT s.deal_id FROM gists g JOIN duplicate_deals s ON s.gist_id = g.id WHERE g.user_id = $1 ORDER BY 1`, u.ID)
		if deals, err = collect(rows, err, func(row *sql.Rows) (id int64, err error) { return id, row.Scan(&id) }); err != nil {
			return err
		}
		for _, name := range []string{gistdeal.LoginKey(u.Login), strconv.FormatInt(u.ID, 10)} {
			if err := markErased(ctx, tx, name, now); err != nil {
				return err
			}
		}
		key, err := eraseKey(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM erased WHERE login_hash = $1`, erasedHash(key, again(u.Login))); err != nil {
			return err
		}
		return forget(ctx, tx, u)
	})
	if err != nil {
		return nil, fmt.Errorf("erase user %d: %w", u.ID, err)
	}
	return deals, nil
}

// forget deletes everything about a user.
func forget(ctx context.Context, tx *sql.Tx, u gistdeal.User) error {
	for _, statement := range []string{
		`DELETE FROM attempts WHERE gist_id IN (SELECT id FROM gists WHERE user_id = $1)`,
		`DELETE FROM deals WHERE state <> 'created' AND gist_id IN (SELECT id FROM gists WHERE user_id = $1)`,
		`UPDATE deals SET problem = '', owner = '' WHERE gist_id IN (SELECT id FROM gists WHERE user_id = $1)`,
		`DELETE FROM gists WHERE user_id = $1`,
		`DELETE FROM visits WHERE user_id = $1`,
		`DELETE FROM runs WHERE user_id = $1`,
		`DELETE FROM users WHERE id = $1`,
	} {
		if _, err := tx.ExecContext(ctx, statement, u.ID); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM scan_requests WHERE login_key = $1`, gistdeal.LoginKey(u.Login)); err != nil {
		return err
	}
	// A report names the users of gists with discrepancies.
	_, err := tx.ExecContext(ctx, `DELETE FROM audits WHERE ended_at <> 0 AND lower(report) LIKE $1 ESCAPE '\'`,
		`%"login":"`+likePattern.Replace(gistdeal.LoginKey(u.Login))+`"%`)
	return err
}

// markErased keeps a name by its hash among those that are erased.
func markErased(ctx context.Context, tx *sql.Tx, name string, now time.Time) error {
	key, err := eraseKey(ctx, tx)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO erased (login_hash, at) VALUES ($1, $2) ON CONFLICT (login_hash) DO NOTHING`, erasedHash(key, name), millis(now))
	return err
}

// eraseKey returns the key of the hashes, which is made with the first.
func eraseKey(ctx context.Context, tx *sql.Tx) (key string, err error) {
	if _, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, settingEraseKey, rand.Text()); err != nil {
		return "", err
	}
	err = tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, settingEraseKey).Scan(&key)
	return key, err
}

func erasedHash(key, name string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(name))
	return hex.EncodeToString(h.Sum(nil))
}

// again is how a login is known that may be tracked though it was erased.
func again(login string) string { return "again " + gistdeal.LoginKey(login) }

// refuseErased returns an Invalid error if the account, or an earlier owner of its
// login, was erased and AllowAgain was not called for the login since.
func refuseErased(ctx context.Context, tx *sql.Tx, a gistdeal.Account) error {
	var key string
	err := tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, settingEraseKey).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	var erased bool
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM erased WHERE login_hash IN ($1, $2)) AND NOT EXISTS (SELECT 1 FROM erased WHERE login_hash = $3)`,
		erasedHash(key, gistdeal.LoginKey(a.Login)), erasedHash(key, strconv.FormatInt(a.ID, 10)), erasedHash(key, again(a.Login))).Scan(&erased)
	if err == nil && erased {
		err = gistdeal.Errorf(gistdeal.Invalid, "%q was erased: it is tracked again only if the one who adds it asks for that (again)", a.Login)
	}
	return err
}

// AllowAgain lets the erased user with that login be tracked again.
func (s *Store) AllowAgain(ctx context.Context, login string, now time.Time) error {
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error { return markErased(ctx, tx, again(login), now) })
	if err != nil {
		return fmt.Errorf("allow %q again: %w", login, err)
	}
	return nil
}

// KnownUser returns the user with that login, removed or not; NotFound if there is none.
func (s *Store) KnownUser(ctx context.Context, login string) (gistdeal.User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE login_key = $1`, gistdeal.LoginKey(login)))
	if err != nil {
		return u, notFound(err, "nothing is known of %q", login)
	}
	return u, nil
}
