package store

import (
	"context"
	"database/sql"
	"fmt"
)

// giveWay is by how much the turn of a deal moves so that other users come first: more
// than the distance between two deals of one user (gistdeal.NewGistPolicy.Place).
const giveWay = 11

// queueHead is the head of the queue of new gists, and of that of backfills, in which
// a deal's turn is the head plus its place. So the deals of users take turns, whatever
// the length of their queues and the time when they were queued.
type queueHead struct{ fresh, backfill int64 }

// head returns the present head of the queue.
func head(ctx context.Context, tx *sql.Tx) (h queueHead, err error) {
	err = tx.QueryRowContext(ctx, `SELECT
		coalesce((SELECT min(turn) FROM deals WHERE state = 'queued' AND backfill = 0), 0),
		coalesce((SELECT min(turn) FROM deals WHERE state = 'queued' AND backfill = 1), 0)`).Scan(&h.fresh, &h.backfill)
	return h, err
}

// turn returns the SQL expression for the turn of a row of deals that is queued now.
func (h queueHead) turn() string {
	return fmt.Sprintf(`place + CASE backfill WHEN 1 THEN %d ELSE %d END`, h.backfill, h.fresh)
}

// again returns the assignments for a row of deals that a person queues again. A failed
// deal comes first, because its place may be far from the head.
func (h queueHead) again() string {
	return fmt.Sprintf(`turn = CASE state WHEN 'failed' THEN %d ELSE %s END, backfill = CASE state WHEN 'failed' THEN 0 ELSE backfill END`, h.fresh, h.turn())
}

// behind returns the assignments for a row of deals that waits behind others, new gists
// included.
func (h queueHead) behind() string {
	return fmt.Sprintf(`turn = CASE backfill WHEN 1 THEN turn ELSE %d END + %d, backfill = 1`, h.backfill, giveWay)
}
