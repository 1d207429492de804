package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

// decide sets the columns of the gist's deal that rules decide.
func (r *gistRow) decide(d gistdeal.Decision) (err error) {
	r.Action, r.Reason, r.Rule, r.Version = cmp.Or(d.Action, gistdeal.RuleCreate), gistdeal.StorableText(d.Reason), gistdeal.StorableText(d.Rule), d.Version
	r.Rank = rankOf(d.Priority)
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
// over a limit of their rule wait for approval. Gists that the backfill skips take nothing
// from the limits.
func withinLimits(ctx context.Context, tx *sql.Tx, userID int64, gists []gistdeal.Gist, n gistdeal.NewGistPolicy, now time.Time) (map[string]gistdeal.Decision, error) {
	decisions := n.Decisions
	limited := func(d gistdeal.Decision) bool {
		return d.Action == gistdeal.RuleCreate && (d.UserDay > 0 || d.RuleDay > 0)
	}
	within, counts := maps.Clone(decisions), map[string]ruleCount{}
	for i := len(gists) - 1; i >= 0; i-- { // The oldest first.
		id := gists[i].ID
		d := decisions[id]
		if !limited(d) || millis(gists[i].CreatedAt) < millis(n.SkipBefore) {
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

// Tags returns the tags of a user, which it keeps while it is removed; none if the user is not
// known.
func (s *Store) Tags(ctx context.Context, userID int64) ([]string, error) {
	var tags string
	err := s.read.QueryRowContext(ctx, `SELECT tags FROM users WHERE id = $1`, userID).Scan(&tags)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return strings.Fields(tags), err
}

// HasDeal reports whether the deal of a gist was decided before.
func (s *Store) HasDeal(ctx context.Context, gistID string) (has bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deals WHERE gist_id = $1)`, gistID).Scan(&has)
	return has, err
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
		gistdeal.StorableText(reason), rule, millis(now))
	if err != nil {
		return 0, fmt.Errorf("hold the deals of the rule %q: %w", rule, err)
	}
	return r.RowsAffected()
}

// SaveRules stores the text of the rules, which has the version next, and adds it to the
// audit log. The error is a Conflict if the stored rules have another version than expected.
func (s *Store) SaveRules(ctx context.Context, text string, expected, next int64, summary string, now time.Time) error {
	err := s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) ([]gistdeal.AuditEntry, error) {
		save := `INSERT INTO settings (name, value) SELECT $1, $2 WHERE $3 = '0' ON CONFLICT (name) DO NOTHING`
		if expected > 0 {
			save = `UPDATE settings SET value = $2 WHERE name = $1 AND value = $3`
		}
		ok, err := changed(tx.ExecContext(ctx, save, gistdeal.KeyRulesVersion, strconv.FormatInt(next, 10), strconv.FormatInt(expected, 10)))
		if err == nil && !ok {
			err = gistdeal.Errorf(gistdeal.Conflict, "the rules have changed meanwhile: read them again")
		}
		if err != nil {
			return nil, err
		}
		before := ""
		if expected > 0 {
			before = fmt.Sprintf("version %d", expected)
		}
		if _, err := tx.ExecContext(ctx, setSetting, gistdeal.KeyRules, gistdeal.StorableText(text)); err != nil {
			return nil, err
		}
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionChangeRules, Before: before, After: fmt.Sprintf("version %d: %s", next, summary)}}, nil
	})
	if err != nil {
		return fmt.Errorf("save the rules: %w", err)
	}
	return nil
}

// decidedColumns select rows for scanDecided, decidedFrom is where they are.
const (
	decidedColumns = gistDealColumns + `, g.noticed_at, g.noticed_by, u.login, u.tags, g.first_lines`
	decidedFrom    = ` FROM gists g JOIN deals d ON d.gist_id = g.id JOIN users u ON u.id = g.user_id `
	// decidable is the condition for deals that rules may decide about again: they were never
	// sent, or surely created nothing, and it was neither a person nor the backfill that
	// skipped them.
	decidable = `(d.state = 'queued' OR d.state = 'awaiting_approval' AND d.problem <> '` + waitingForScan + `' OR d.state = 'skipped' AND d.by_rule = 1)
		AND u.state <> 'removed' AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.gist_id = d.gist_id AND a.outcome IN ('', 'not_found'))`
)

func scanDecided(row *sql.Rows) (g gistdeal.DecidedGist, err error) {
	var noticed int64
	var tags, lines string
	if g.GistDeal, err = scanGistDeal(row, &noticed, &g.NoticedBy, &g.Login, &tags, &lines); err != nil {
		return g, err
	}
	g.NoticedAt, g.Tags = fromMillis(noticed), strings.Fields(tags)
	g.FirstLines, err = linesOf(lines)
	return g, err
}

// LatestGists returns up to limit gists of tracked users with their deals, those that were
// noticed last first.
func (s *Store) LatestGists(ctx context.Context, before int64, limit int) ([]gistdeal.DecidedGist, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+decidedColumns+decidedFrom+`WHERE u.state <> 'removed' AND g.seq < $1 ORDER BY g.seq DESC LIMIT $2`, before, limit)
	return collect(rows, err, scanDecided)
}

// DecidableGists returns up to limit gists after the gist id after, in the order of their
// ids, with deals that rules may decide about again.
func (s *Store) DecidableGists(ctx context.Context, after string, limit int) ([]gistdeal.DecidedGist, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+decidedColumns+decidedFrom+`WHERE d.gist_id > $1 AND d.state IN ('queued', 'awaiting_approval', 'skipped') AND `+decidable+`
		ORDER BY d.gist_id LIMIT $2`, after, limit)
	return collect(rows, err, scanDecided)
}

// DecidableGist returns a gist; false if there is none, or if its deal may not be decided again.
func (s *Store) DecidableGist(ctx context.Context, gistID string) (g gistdeal.DecidedGist, ok bool, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+decidedColumns+decidedFrom+`WHERE g.id = $1 AND `+decidable, gistID)
	all, err := collect(rows, err, scanDecided)
	if err != nil || len(all) == 0 {
		return g, false, err
	}
	return all[0], true, nil
}

// SaveDetails stores the facts of a gist that lists do not have, unless the gist has changed
// since it was read.
func (s *Store) SaveDetails(ctx context.Context, g gistdeal.Gist, now time.Time) error {
	lines, err := linesText(g.FirstLines)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `UPDATE gists SET changed_at = CASE fork WHEN $3 THEN changed_at ELSE $5 END, fork = $3, first_lines = $4 WHERE id = $1 AND updated_at = $2`,
		g.ID, millis(g.UpdatedAt), forkOf(g.Fork), lines, millis(now))
	if err != nil {
		return fmt.Errorf("save the details of gist %s: %w", g.ID, err)
	}
	return nil
}

// DecideAgain decides about the deal of a gist with decide, if it may be decided again. It
// returns the state before and after; both are "" if it may not.
func (s *Store) DecideAgain(ctx context.Context, gistID string, decide func(gistdeal.DecidedGist) gistdeal.Decision, now time.Time) (before, after gistdeal.DealState, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, after = "", ""
		rows, err := queryIn(ctx, tx, `SELECT `+decidedColumns+decidedFrom+`WHERE g.id = $1 AND `+decidable, gistID)
		all, err := collect(rows, err, scanDecided)
		if err != nil || len(all) == 0 {
			return err
		}
		g := all[0]
		d := decide(g)
		state, problem := g.State, g.Problem
		byRule := g.State == gistdeal.DealSkipped || gistdeal.AwaitsByRule(g.Problem)
		switch {
		case d.Action == gistdeal.RuleSkip:
			state, problem = gistdeal.DealSkipped, d.Reason
		case d.Action == gistdeal.RuleHold:
			state, problem = gistdeal.DealAwaitingApproval, d.Reason
		case byRule:
			if d.UserDay > 0 || d.RuleDay > 0 {
				if d, err = limitOf(ctx, tx, g.UserID, d, map[string]ruleCount{}, now); err != nil {
					return err
				}
			}
			state, problem = gistdeal.DealQueued, ""
			if d.Action == gistdeal.RuleHold {
				state, problem = gistdeal.DealAwaitingApproval, d.Reason
			}
		}
		content, err := contentText(d.Content)
		if err != nil {
			return err
		}
		h, err := heads(ctx, tx)
		if err != nil {
			return err
		}
		set := h.decided(d.Priority, g.State == gistdeal.DealQueued)
		if state == gistdeal.DealQueued && g.State != gistdeal.DealQueued {
			set += fmt.Sprintf(`, queued_at = %d, catch_up = 1`, millis(now))
		}
		ok, err := changed(tx.ExecContext(ctx, `UPDATE deals SET state = $1, problem = $2, rule = $3, rules_version = $4, content = $5, updated_at = $6, by_rule = $9, `+set+` WHERE gist_id = $7 AND state = $8`,
			state, gistdeal.StorableText(problem), gistdeal.StorableText(d.Rule), d.Version, content, millis(now), gistID, g.State, boolean(state == gistdeal.DealSkipped)))
		if ok {
			before, after = g.State, state
		}
		return err
	})
	if err != nil {
		return "", "", fmt.Errorf("decide about gist %s: %w", gistID, err)
	}
	return before, after, nil
}

// NoticedSince returns how many gists were noticed since then, without those of first scans.
func (s *Store) NoticedSince(ctx context.Context, since time.Time) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM gists WHERE noticed_at >= $1 AND noticed_by <> 'first scan'`, millis(since)).Scan(&n)
	return n, err
}

// tagText returns tags in the column of a user.
func tagText(tags []string) string {
	if len(tags) == 0 {
		return ""
	}
	return " " + strings.Join(tags, " ") + " "
}

// ChangeTags adds tags to users and removes others. It returns the tags of those that it
// changed, by id.
func (s *Store) ChangeTags(ctx context.Context, userIDs []int64, add, remove []string, now time.Time) (changed map[int64][]string, err error) {
	err = s.personTx(ctx, now, func(ctx context.Context, tx *sql.Tx) (entries []gistdeal.AuditEntry, err error) {
		changed = map[int64][]string{}
		for _, id := range userIDs {
			var before, login string
			if err := tx.QueryRowContext(ctx, `SELECT tags, login FROM users WHERE id = $1 AND state <> 'removed'`, id).Scan(&before, &login); err != nil {
				return nil, notFound(err, "user %d is not tracked", id)
			}
			tags := slices.DeleteFunc(append(strings.Fields(before), add...), func(t string) bool { return slices.Contains(remove, t) })
			slices.Sort(tags)
			tags = slices.Compact(tags)
			if len(tags) > gistdeal.MaxTags {
				return nil, gistdeal.Errorf(gistdeal.Invalid, "%q would have %d tags, more than %d", login, len(tags), gistdeal.MaxTags)
			}
			after := tagText(tags)
			if after == before {
				continue
			}
			if _, err := tx.ExecContext(ctx, `UPDATE users SET tags = $1, version = version + 1 WHERE id = $2`, after, id); err != nil {
				return nil, err
			}
			changed[id] = tags
			entries = append(entries, gistdeal.AuditEntry{Action: gistdeal.ActionTagUser, Target: login, UserID: id, Before: strings.TrimSpace(before), After: strings.TrimSpace(after)})
		}
		return entries, nil
	})
	if err != nil {
		return nil, fmt.Errorf("change the tags of %d users: %w", len(userIDs), err)
	}
	return changed, nil
}

// RecordRulesApplied adds to the audit log that the rules are applied again to deals.
func (s *Store) RecordRulesApplied(ctx context.Context, deals int, now time.Time) error {
	err := s.personTx(ctx, now, func(context.Context, *sql.Tx) ([]gistdeal.AuditEntry, error) {
		return []gistdeal.AuditEntry{{Action: gistdeal.ActionDecideDeals, Count: deals}}, nil
	})
	if err != nil {
		return fmt.Errorf("record that the rules are applied: %w", err)
	}
	return nil
}
