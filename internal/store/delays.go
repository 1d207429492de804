package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gistdeal"
)

// countDelay counts the time from the publication of a gist to its deal.
func countDelay(ctx context.Context, tx *sql.Tx, c gistdeal.Claim, now time.Time) error {
	if c.Published.IsZero() {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO delays (day, bucket, n) VALUES ($1, $2, 1) ON CONFLICT (day, bucket) DO UPDATE SET n = delays.n + 1`,
		millis(now)/millisPerDay, gistdeal.DelayBucket(now.Sub(c.Published)))
	return err
}

// Delays returns the days from that of since on, in order, with the times from publications to
// deals. It leaves out days without any.
func (s *Store) Delays(ctx context.Context, since time.Time) ([]gistdeal.DelayDay, error) {
	type row struct{ day, bucket, n int64 }
	rows, err := s.read.QueryContext(ctx, `SELECT day, bucket, n FROM delays WHERE day >= $1 ORDER BY day`, millis(since)/millisPerDay)
	counts, err := collect(rows, err, func(r *sql.Rows) (c row, err error) { return c, r.Scan(&c.day, &c.bucket, &c.n) })
	if err != nil {
		return nil, fmt.Errorf("read the times from publications to deals: %w", err)
	}
	days := []gistdeal.DelayDay{}
	for len(counts) > 0 {
		day, byBucket := counts[0].day, map[int]int{}
		for ; len(counts) > 0 && counts[0].day == day; counts = counts[1:] {
			byBucket[int(counts[0].bucket)] += int(counts[0].n)
		}
		days = append(days, gistdeal.NewDelayDay(time.UnixMilli(day*millisPerDay).UTC().Format(time.DateOnly), byBucket))
	}
	return days, nil
}
