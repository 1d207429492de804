package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gistdeal"
)

// Explain returns the history of a gist and its deal; NotFound if there is no deal. Gist
// and User are empty if the deal was adopted and the gist was never read.
func (s *Store) Explain(ctx context.Context, gistID string) (history gistdeal.History, err error) {
	d := &history.Deal
	var queued int64
	var content string
	var rank int
	err = s.read.QueryRowContext(ctx, `SELECT gist_id, state, coalesce(deal_id, 0), problem, queued_at, rule, rules_version, content, priority FROM deals WHERE gist_id = $1`, gistID).
		Scan(&d.GistID, &d.State, &d.DealID, &d.Problem, &queued, &d.Rule, &d.RulesVersion, &content, &rank)
	if err != nil {
		return history, notFound(err, "gist %q is unknown: it may be secret or deleted, or its user may not be tracked", gistID)
	}
	if d.State == gistdeal.DealQueued {
		history.QueuedAt, history.Priority = fromMillis(queued), priorityOf(rank)
	}
	if history.Content, err = contentOf(content); err == nil {
		err = s.addGist(ctx, &history)
	}
	if err == nil {
		history.Attempts, err = s.attempts(ctx, gistID)
	}
	if err == nil {
		history.Duplicates, err = s.duplicates(ctx, gistID)
	}
	if err != nil {
		return history, fmt.Errorf("explain gist %s: %w", gistID, err)
	}
	return history, nil
}

// addGist adds the gist and its user, if they are known.
func (s *Store) addGist(ctx context.Context, history *gistdeal.History) error {
	var noticed int64
	row := s.read.QueryRowContext(ctx, `SELECT `+gistColumns+`, g.noticed_at, g.noticed_by FROM gists g JOIN users u ON u.id = g.user_id WHERE g.id = $1`, history.GistID)
	err := scanFacts(row, &history.Gist, &noticed, &history.NoticedBy)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	history.NoticedAt = fromMillis(noticed)
	history.User, err = scanUser(s.read.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE id = $1`, history.Gist.UserID))
	return err
}

// attempts returns the attempts at a gist's deal, in order.
func (s *Store) attempts(ctx context.Context, gistID string) ([]gistdeal.Attempt, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT n, owner, sent_at, remote_at, ended_at, outcome, coalesce(deal_id, 0), lookups, reason
		FROM attempts WHERE gist_id = $1 ORDER BY n`, gistID)
	return collect(rows, err, func(row *sql.Rows) (a gistdeal.Attempt, err error) {
		var sent, remote, ended int64
		err = row.Scan(&a.N, &a.Owner, &sent, &remote, &ended, &a.Outcome, &a.DealID, &a.Lookups, &a.Reason)
		a.SentAt, a.RemoteAt, a.EndedAt = fromMillis(sent), fromMillis(remote), fromMillis(ended)
		return a, err
	})
}

// duplicates returns the duplicate deals of a gist.
func (s *Store) duplicates(ctx context.Context, gistID string) ([]gistdeal.DuplicateDeal, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT deal_id, noticed_at FROM duplicate_deals WHERE gist_id = $1 ORDER BY deal_id`, gistID)
	return collect(rows, err, func(row *sql.Rows) (d gistdeal.DuplicateDeal, err error) {
		var noticed int64
		err = row.Scan(&d.DealID, &noticed)
		d.NoticedAt = fromMillis(noticed)
		return d, err
	})
}
