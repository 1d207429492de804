package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"gistdeal"
)

const (
	// giveWay is by how much the turn of a deal moves so that other users come first: more
	// than the distance between two deals of one user (gistdeal.NewGistPolicy.Place).
	giveWay = 11
	// triesWithPriority is how many attempts a deal makes before it loses its priority, so
	// that one which is never accepted holds up no deals of a lower priority.
	triesWithPriority = 3
)

// rankOf returns a priority as in the column, in which lower numbers come first.
func rankOf(p gistdeal.Priority) int {
	switch p {
	case gistdeal.PriorityHigh:
		return 0
	case gistdeal.PriorityLow:
		return 2
	}
	return 1
}

// priorityOf is the inverse of rankOf.
func priorityOf(rank int) gistdeal.Priority {
	return []gistdeal.Priority{gistdeal.PriorityHigh, gistdeal.PriorityNormal, gistdeal.PriorityLow}[rank]
}

// queueHeads are the heads of the queues of new gists and of backfills, one for each priority.
// A deal's turn is the head of its queue plus its place. So the deals of users take turns,
// whatever the length of their queues and the time when they were queued.
type queueHeads [2][3]int64

// heads returns the present heads of the queues.
func heads(ctx context.Context, tx *sql.Tx) (h queueHeads, err error) {
	var columns []string
	var to []any
	for backfill := range h {
		for rank := range h[backfill] {
			columns = append(columns, fmt.Sprintf(`coalesce((SELECT min(turn) FROM deals WHERE state = 'queued' AND backfill = %d AND priority = %d), 0)`, backfill, rank))
			to = append(to, &h[backfill][rank])
		}
	}
	err = tx.QueryRowContext(ctx, `SELECT `+strings.Join(columns, ", ")).Scan(to...)
	return h, err
}

// of returns the SQL expression for the head of the queue that two expressions name.
func (h queueHeads) of(backfill, priority string) string {
	var cases strings.Builder
	for i, heads := range h {
		for rank, head := range heads {
			fmt.Fprintf(&cases, ` WHEN %d THEN %d`, 3*i+rank, head)
		}
	}
	return fmt.Sprintf(`CASE 3 * %s + %s%s END`, backfill, priority, cases.String())
}

// turn returns the SQL expression for the turn of a row of deals that is queued now.
func (h queueHeads) turn() string { return `place + ` + h.of("backfill", "priority") }

// again returns the assignments for a row of deals that a person queues again. A failed
// deal comes first, because its place may be far from the head.
func (h queueHeads) again() string {
	return fmt.Sprintf(`turn = CASE state WHEN 'failed' THEN %d ELSE %s END, backfill = CASE state WHEN 'failed' THEN 0 ELSE backfill END, priority = CASE state WHEN 'failed' THEN 0 ELSE priority END`,
		h[0][0], h.turn())
}

// decided returns the assignments for a row of deals that rules decide again; queued says
// that it was queued before, and keeps its turn if its priority is the same.
func (h queueHeads) decided(p gistdeal.Priority, queued bool) string {
	rank := rankOf(p)
	turn := fmt.Sprintf(`place + %s`, h.of("backfill", fmt.Sprint(rank)))
	if queued {
		turn = fmt.Sprintf(`CASE priority WHEN %d THEN turn ELSE %s END`, rank, turn)
	}
	return fmt.Sprintf(`turn = %s, priority = %d`, turn, rank)
}

// giveWay returns the assignments for a row of deals that lets others come first; with behind
// it waits behind all new gists too, like one of a backfill. After several attempts it has the
// lowest priority.
func (h queueHeads) giveWay(behind bool) string {
	backfill, priority := "backfill", fmt.Sprintf(`CASE WHEN attempts < %d THEN priority ELSE 2 END`, triesWithPriority)
	if behind {
		backfill = "1"
	}
	return fmt.Sprintf(`turn = CASE WHEN backfill = %[1]s AND priority = %[2]s THEN turn ELSE %[3]s END + %[4]d, backfill = %[1]s, priority = %[2]s`,
		backfill, priority, h.of(backfill, priority), giveWay)
}
