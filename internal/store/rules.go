package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"gistdeal"
)

// decide sets the columns of the gist's deal that rules decide.
func (r *gistRow) decide(d gistdeal.Decision) (err error) {
	r.Action, r.Reason, r.Rule, r.Version = cmp.Or(d.Action, gistdeal.RuleCreate), clean(d.Reason), clean(d.Rule), d.Version
	r.Content, err = contentText(d.Content)
	return err
}

// contentText returns the content of a deal in its column.
func contentText(c *gistdeal.Content) (string, error) {
	if c == nil {
		return "", nil
	}
	text, err := json.Marshal(c)
	return string(text), err
}

// contentOf is the inverse of contentText.
func contentOf(text string) (*gistdeal.Content, error) {
	if text == "" {
		return nil, nil
	}
	c := &gistdeal.Content{}
	return c, json.Unmarshal([]byte(text), c)
}

// withinLimits returns the decisions about gists of a user, in which the new deals that are
// over a limit of their rule wait for approval.
func withinLimits(ctx context.Context, tx *sql.Tx, userID int64, gists []gistdeal.Gist, decisions map[string]gistdeal.Decision, now time.Time) (map[string]gistdeal.Decision, error) {
	limited := func(d gistdeal.Decision) bool {
		return d.Action == gistdeal.RuleCreate && (d.UserDay > 0 || d.RuleDay > 0)
	}
	within, counts := maps.Clone(decisions), map[string]ruleCount{}
	for i := len(gists) - 1; i >= 0; i-- { // The oldest first.
		id := gists[i].ID
		d := decisions[id]
		if !limited(d) {
			continue
		}
		known, err := hasDeal(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if known {
			continue
		}
		if d, err = limitOf(ctx, tx, userID, d, counts, now); err != nil {
			return nil, err
		}
		within[id] = d
	}
	return within, nil
}

func hasDeal(ctx context.Context, tx *sql.Tx, gistID string) (has bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deals WHERE gist_id = $1)`, gistID).Scan(&has)
	return has, err
}

// ruleCount is the number of deals that a rule queued within 24 hours.
type ruleCount struct{ user, all int }

// limitOf returns the decision d about a new gist, or that it waits because its rule has
// reached a limit. counts has the deals of each rule so far.
func limitOf(ctx context.Context, tx *sql.Tx, userID int64, d gistdeal.Decision, counts map[string]ruleCount, now time.Time) (gistdeal.Decision, error) {
	n, known := counts[d.Rule]
	if !known {
		if err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(CASE g.user_id WHEN $3 THEN 1 ELSE 0 END), 0) FROM deals d JOIN gists g ON g.id = d.gist_id
			WHERE d.rule <> '' AND d.rule = $1 AND d.queued_at > $2 AND d.state <> 'skipped' AND (d.state <> 'awaiting_approval' OR d.problem = '`+waitingForScan+`')`,
			d.Rule, millis(now.Add(-24*time.Hour)), userID).Scan(&n.all, &n.user); err != nil {
			return d, err
		}
	}
	const over = "awaiting approval: the rule %q had %d deals of %s within 24 hours, its limit"
	switch {
	case d.UserDay > 0 && n.user >= d.UserDay:
		d.Action, d.Reason = gistdeal.RuleHold, fmt.Sprintf(over, d.Rule, n.user, "the user")
	case d.RuleDay > 0 && n.all >= d.RuleDay:
		d.Action, d.Reason = gistdeal.RuleHold, fmt.Sprintf(over, d.Rule, n.all, "all users")
	default:
		n.user, n.all = n.user+1, n.all+1
	}
	counts[d.Rule] = n
	return d, nil
}

// HoldRule lets the queued deals of a rule wait for approval, because it is paused. It
// returns their number.
func (s *Store) HoldRule(ctx context.Context, rule, reason string, now time.Time) (int64, error) {
	r, err := s.db.ExecContext(ctx, `UPDATE deals SET state = 'awaiting_approval', problem = $1, updated_at = $3 WHERE state = 'queued' AND rule <> '' AND rule = $2 AND content <> ''`,
		clean(reason), rule, millis(now))
	if err != nil {
		return 0, fmt.Errorf("hold the deals of the rule %q: %w", rule, err)
	}
	return r.RowsAffected()
}
