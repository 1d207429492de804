package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

// deals adds the conditions of f except its states. The table alias is d.
func (w *where) deals(f gistdeal.DealFilter) error {
	if f.UserID != 0 {
		w.add("d.gist_id IN (SELECT id FROM gists WHERE user_id = ?)", f.UserID)
	}
	if len(f.GistIDs) > 0 {
		object, err := keys(f.GistIDs)
		if err != nil {
			return err
		}
		w.add("d.gist_id IN (SELECT key FROM json_each(?))", object)
	}
	if f.Problem != "" {
		w.add("d.problem = ?", f.Problem)
	}
	return nil
}

// searchDeals adds the condition that a deal matches f.Search. The aliases are d, g and u.
func (w *where) searchDeals(text string) {
	text = gistdeal.LoginKey(text)
	if text == "" {
		return
	}
	if len(text) >= 20 && gistdeal.IsGistID(text) { // Without reading all texts.
		w.add("d.gist_id = ?", text)
		return
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(text, "#"), 10, 64)
	if err != nil {
		id = 0
	}
	exact := "d.gist_id = " + w.arg(text) + " OR d.deal_id = " + w.arg(id)
	like := " LIKE " + w.arg("%"+likePattern.Replace(text)+"%") + ` ESCAPE '\'`
	w.conditions = append(w.conditions, "("+exact+" OR lower(u.login)"+like+" OR lower(g.description)"+like+")")
}

// orderDeals adds the condition that a deal comes after the place, and returns the ORDER BY
// clause.
func (w *where) orderDeals(o gistdeal.DealOrder, after gistdeal.DealPlace) string {
	name, reversed := strings.CutPrefix(string(o), "-")
	column := map[string]string{string(gistdeal.DealsByCreated): "d.created_at", string(gistdeal.DealsByUpdated): "d.updated_at"}[name]
	direction, compare := "", " > "
	if reversed {
		direction, compare = " DESC", " < "
	}
	if column == "" {
		if after.GistID != "" {
			w.conditions = append(w.conditions, "d.gist_id"+compare+w.arg(after.GistID))
		}
		return " ORDER BY d.gist_id" + direction
	}
	if after.GistID != "" {
		w.conditions = append(w.conditions, "("+column+", d.gist_id)"+compare+"("+w.arg(millis(after.At))+", "+w.arg(after.GistID)+")")
	}
	return " ORDER BY " + column + direction + ", d.gist_id" + direction
}

// Deals returns up to limit deals that match f, in the order o, starting after the place.
func (s *Store) Deals(ctx context.Context, f gistdeal.DealFilter, o gistdeal.DealOrder, after gistdeal.DealPlace, limit int) ([]gistdeal.DealSummary, error) {
	w := where{}
	order := w.orderDeals(o, after)
	if len(f.States) > 0 {
		w.in("d.state", stringsOf(f.States))
	}
	if !f.UpdatedSince.IsZero() {
		w.add("d.updated_at >= ?", millis(f.UpdatedSince))
	}
	if f.Rule != "" { // The constant text lets the databases use the index of decided deals.
		w.add("d.rule <> '' AND d.rule = ?", f.Rule)
	}
	w.searchDeals(f.Search)
	if err := w.deals(f); err != nil {
		return nil, err
	}
	clauses := w.sql() + order + " LIMIT " + w.arg(limit)
	rows, err := s.read.QueryContext(ctx, `SELECT d.gist_id, d.state, coalesce(d.deal_id, 0), d.problem, d.rule, d.rules_version, d.attempts, d.created_at, d.updated_at,
		coalesce(u.id, 0), coalesce(u.login, ''), coalesce(g.description, '')
		FROM deals d LEFT JOIN gists g ON g.id = d.gist_id LEFT JOIN users u ON u.id = g.user_id`+clauses, w.args...)
	return collect(rows, err, func(row *sql.Rows) (d gistdeal.DealSummary, err error) {
		var created, updated int64
		err = row.Scan(&d.GistID, &d.State, &d.DealID, &d.Problem, &d.Rule, &d.RulesVersion, &d.Attempts, &created, &updated, &d.UserID, &d.Login, &d.Description)
		d.CreatedAt, d.UpdatedAt = fromMillis(created), fromMillis(updated)
		return d, err
	})
}

// CountDeals returns the number of deals that match f.
func (s *Store) CountDeals(ctx context.Context, f gistdeal.DealFilter) (n int, err error) {
	w := where{}
	if len(f.States) > 0 {
		w.in("d.state", stringsOf(f.States))
	}
	if err := w.deals(f); err != nil {
		return 0, err
	}
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM deals d`+w.sql(), w.args...).Scan(&n)
	return n, err
}

// Retry queues the deals that match f and are failed, skipped or awaiting approval, as
// if they were new. It keeps their attempts.
func (s *Store) Retry(ctx context.Context, f gistdeal.DealFilter, now time.Time) (gistdeal.Changed, error) {
	from := []gistdeal.DealState{gistdeal.DealFailed, gistdeal.DealSkipped, gistdeal.DealAwaitingApproval}
	return s.change(ctx, f, dealChange{action: gistdeal.ActionRetryDeals, from: from, to: gistdeal.DealQueued}, now)
}

// Skip skips the deals that match f and are queued, failed or awaiting approval. The note
// is the reason.
func (s *Store) Skip(ctx context.Context, f gistdeal.DealFilter, note string, now time.Time) (gistdeal.Changed, error) {
	from := []gistdeal.DealState{gistdeal.DealQueued, gistdeal.DealFailed, gistdeal.DealAwaitingApproval}
	return s.change(ctx, f, dealChange{action: gistdeal.ActionSkipDeals, from: from, to: gistdeal.DealSkipped, problem: gistdeal.StorableText(note)}, now)
}

// Approve queues the deals of a user that are awaiting approval, and returns their
// number.
func (s *Store) Approve(ctx context.Context, userID int64, now time.Time) (int, error) {
	from := []gistdeal.DealState{gistdeal.DealAwaitingApproval}
	result, err := s.change(ctx, gistdeal.DealFilter{UserID: userID, States: from}, dealChange{action: gistdeal.ActionApproveDeals, from: from, to: gistdeal.DealQueued}, now)
	return result.Deals, err
}

// dealChange is a change of deals from one of the states from to the state to.
type dealChange struct {
	action  gistdeal.Action
	from    []gistdeal.DealState
	to      gistdeal.DealState
	problem string
}

// change changes the deals that match f. It counts the remaining deals by state, ignoring the
// states and the problem in f.
func (s *Store) change(ctx context.Context, f gistdeal.DealFilter, c dealChange, now time.Time) (result gistdeal.Changed, err error) {
	if len(f.States) > 0 {
		c.from = slices.DeleteFunc(c.from, func(state gistdeal.DealState) bool { return !slices.Contains(f.States, state) })
	}
	err = s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) (entries []gistdeal.AuditEntry, err error) {
		if len(c.from) > 0 {
			if result.Deals, err = c.apply(ctx, tx, f, now); err != nil {
				return nil, err
			}
		}
		if err := countOrder(ctx, tx); err != nil {
			return nil, err
		}
		if result.Deals > 0 {
			if entries, err = c.entry(ctx, tx, f, result.Deals); err != nil {
				return nil, err
			}
		}
		f := f
		f.Problem = "" // The changed deals no longer have this problem.
		w := where{}
		if err := w.deals(f); err != nil {
			return nil, err
		}
		rows, err := queryIn(ctx, tx, `SELECT d.state, count(*) FROM deals d`+w.sql()+` GROUP BY d.state`, w.args...)
		result.Left, err = countStates(rows, err)
		return entries, err
	})
	if err != nil {
		return result, fmt.Errorf("change deals to %s: %w", c.to, err)
	}
	if result.Left[c.to] -= result.Deals; result.Left[c.to] == 0 {
		delete(result.Left, c.to)
	}
	return result, nil
}

// entry returns the entry of the audit log for a change of n deals that match f.
func (c dealChange) entry(ctx context.Context, tx *sql.Tx, f gistdeal.DealFilter, n int) ([]gistdeal.AuditEntry, error) {
	e := gistdeal.AuditEntry{Action: c.action, UserID: f.UserID, After: string(c.to), Reason: c.problem, Count: n}
	e.Before = strings.Join(stringsOf(c.from), ", ")
	var target []string
	if f.UserID != 0 {
		var login string
		if err := tx.QueryRowContext(ctx, `SELECT login FROM users WHERE id = $1`, f.UserID).Scan(&login); err != nil {
			return nil, err
		}
		target = append(target, login)
	}
	if len(f.GistIDs) > 0 {
		target = append(target, f.GistIDs...)
	}
	if f.Problem != "" {
		target = append(target, f.Problem)
	}
	e.Target = strings.Join(target, ", ")
	return []gistdeal.AuditEntry{e}, nil
}

// apply changes the deals, and returns their number.
func (c dealChange) apply(ctx context.Context, tx *sql.Tx, f gistdeal.DealFilter, now time.Time) (int, error) {
	h, err := heads(ctx, tx)
	if err != nil {
		return 0, err
	}
	w := where{}
	set := `UPDATE deals AS d SET state = ` + w.arg(c.to) + `, problem = ` + w.arg(c.problem) + `, queued_at = ` + w.arg(millis(now)) + `, updated_at = ` + w.arg(millis(now)) + `, ` + h.again() + `, catch_up = 1, by_rule = 0`
	w.in("d.state", stringsOf(c.from))
	if err := w.deals(f); err != nil {
		return 0, err
	}
	r, err := tx.ExecContext(ctx, set+w.sql(), w.args...)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}
