package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"gistdeal"
)

// owedFrom are the amendments that have a turn at the time $1.
const owedFrom = ` FROM amendments a JOIN deals d ON d.gist_id = a.gist_id JOIN gists g ON g.id = a.gist_id JOIN users u ON u.id = g.user_id
	WHERE a.next_at <= $1 AND d.state = 'created' AND u.state <> 'removed'`

// AmendmentDue reports whether ClaimAmendment may find one.
func (s *Store) AmendmentDue(ctx context.Context, now time.Time) (due bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1`+owedFrom+`)`, millis(now)).Scan(&due)
	if err != nil {
		return false, fmt.Errorf("read whether a deal has to follow its gist: %w", err)
	}
	return due, nil
}

// ClaimAmendment takes the next deal of a gist that was edited or deleted, for an attempt to bring
// it up to date. Deals that were not created yet have no turn, nor have those of removed users. If
// the process dies, the next attempt is possible at next. It reports false if there is none, or
// if an operator paused pushes.
func (s *Store) ClaimAmendment(ctx context.Context, owner string, now, next time.Time) (a gistdeal.Amendment, ok bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var gistID, intended string
		var edited, gone, noted int64
		// The outer query tests the attempts too, as that of Claim does the state.
		err := tx.QueryRowContext(ctx, `UPDATE amendments SET attempts = amendments.attempts + 1, owner = $2, next_at = $3
			FROM (SELECT a.gist_id, a.attempts`+owedFrom+` ORDER BY a.next_at, a.gist_id LIMIT 1) due
			WHERE amendments.gist_id = due.gist_id AND amendments.attempts = due.attempts AND NOT `+pushesPaused+`
			RETURNING amendments.gist_id, edited, gone, amendments.attempts, intended, noted`, millis(now), owner, millis(next)).
			Scan(&gistID, &edited, &gone, &a.Attempt, &intended, &noted)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok = true
		a.Owner, a.Edited, a.Gone, a.Change = owner, edited > 0, gone > 0, max(edited, gone)
		a.MayBeNoted = noted == a.Change
		if intended != "" {
			if err := json.Unmarshal([]byte(intended), &a.Intended); err != nil {
				return err
			}
		}
		return readAmended(ctx, tx, gistID, &a)
	})
	if err != nil {
		return a, false, fmt.Errorf("claim an amendment: %w", err)
	}
	return a, ok, nil
}

// readAmended reads the gist and the deal of an amendment.
func readAmended(ctx context.Context, tx *sql.Tx, gistID string, a *gistdeal.Amendment) error {
	rows, err := queryIn(ctx, tx, `SELECT `+decidedColumns+`, d.content`+decidedFrom+`WHERE g.id = $1`, gistID)
	_, err = collect(rows, err, func(row *sql.Rows) (_ struct{}, err error) {
		var noticed int64
		var tags, lines, content string // The lines may be older than the change.
		if a.GistDeal, err = scanGistDeal(row, &noticed, &a.NoticedBy, &a.Login, &tags, &lines, &content); err != nil {
			return struct{}{}, err
		}
		a.NoticedAt, a.Tags = fromMillis(noticed), strings.Fields(tags)
		a.Content, err = contentOf(content)
		return struct{}{}, err
	})
	return err
}

// isAmendment is the SQL condition that a row of amendments belongs to the attempt in three
// arguments: gist, attempt and owner.
const isAmendment = `amendments.gist_id = $1 AND amendments.attempts = $2 AND amendments.owner = $3`

// IntendAmendment records the values that the attempt a is about to write into the deal, and whether it
// writes a note about the change. The caller must not send it before IntendAmendment returns. It
// reports false if another process has taken the amendment.
func (s *Store) IntendAmendment(ctx context.Context, a gistdeal.Amendment, i gistdeal.Intent, note bool) (ok bool, err error) {
	text, err := json.Marshal(i)
	if err != nil {
		return false, err
	}
	noted := int64(0)
	if note {
		noted = a.Change
	}
	err = s.pushTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ok, err = changed(tx.ExecContext(ctx, `UPDATE amendments SET intended = $4, noted = $5 WHERE `+isAmendment, a.ID, a.Attempt, a.Owner, string(text), noted))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("record what is written into the deal of gist %s: %w", a.ID, err)
	}
	return ok, nil
}

// EndAmendment records that the deal of the attempt a is up to date with its last change. It has
// the content now, if that is not nil, and e tells of it, if it has a type. Changes since
// then stay.
func (s *Store) EndAmendment(ctx context.Context, a gistdeal.Amendment, content *gistdeal.Content, e gistdeal.Event) error {
	text, err := contentText(content)
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		ok, err := changed(tx.ExecContext(ctx, `UPDATE amendments SET edited = CASE WHEN edited > $4 THEN edited ELSE 0 END, gone = CASE WHEN gone > $4 THEN gone ELSE 0 END,
			intended = '', noted = 0, next_at = 0, attempts = 0 WHERE `+isAmendment, a.ID, a.Attempt, a.Owner, a.Change))
		if err != nil || !ok {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM amendments WHERE gist_id = $1 AND edited = 0 AND gone = 0`, a.ID); err != nil {
			return err
		}
		if content != nil {
			if _, err := tx.ExecContext(ctx, `UPDATE deals SET content = $2 WHERE gist_id = $1 AND state = 'created' AND deal_id = $3`, a.ID, text, a.DealID); err != nil {
				return err
			}
		}
		if e.Type == "" {
			return nil
		}
		return addEvents(ctx, tx, e)
	})
	if err != nil {
		return fmt.Errorf("record that the deal of gist %s is up to date: %w", a.ID, err)
	}
	return nil
}

// PostponeAmendment records that the next attempt after a is possible at next.
func (s *Store) PostponeAmendment(ctx context.Context, a gistdeal.Amendment, next time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE amendments SET next_at = $4 WHERE `+isAmendment, a.ID, a.Attempt, a.Owner, millis(next))
	if err != nil {
		return fmt.Errorf("postpone the amendment of gist %s: %w", a.ID, err)
	}
	return nil
}
