package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"gistdeal"
)

// Counts has the numbers of users, deals and requests, and the times of the oldest.
type Counts struct {
	Users        map[gistdeal.UserState]int
	Deals        map[gistdeal.DealState]int
	Duplicates   int
	ScanRequests int // pending

	OldestQueued  time.Time // when the oldest queued deal was queued; zero if none is queued
	OldestSending time.Time // when the oldest attempt in doubt began; zero if no deal is sending
	OldestDue     time.Time // when the next scan is due; zero if none is planned
	PushesPaused  bool      // by an operator
	Feed          gistdeal.Feed

	// Days has the gists noticed and the deals created or adopted on each day, by date, without
	// days that have none. Only CountsAndDays sets it.
	Days map[string]gistdeal.Day
}

// counts selects the fields of Counts. Triggers of the schema keep the first ones, and the
// others have indexes, so the query takes no longer with more rows.
const counts = `SELECT kind, state, CAST(sum(n) AS BIGINT) FROM counts GROUP BY kind, state HAVING sum(n) <> 0
	UNION ALL SELECT 'requests', '', count(*) FROM scan_requests WHERE ended_at = 0
	UNION ALL SELECT 'oldest queued', '', coalesce(min(queued_at), 0) FROM deals WHERE state = 'queued'
	UNION ALL SELECT 'oldest sending', '', coalesce(min(a.sent_at), 0) FROM deals d
		JOIN attempts a ON a.gist_id = d.gist_id AND a.outcome IN ('', 'not_found') WHERE d.state = 'sending'
	UNION ALL SELECT 'oldest due', '', coalesce(min(next_scan_at), 0) FROM users WHERE state IN ('active', 'gone')
	UNION ALL SELECT 'paused', '', CASE WHEN ` + pushesPaused + ` THEN 1 ELSE 0 END
	UNION ALL SELECT 'feed', value, 0 FROM settings WHERE name = '` + keyFeed + `'`

// days selects the field Days.
const days = ` UNION ALL SELECT 'day gists', CAST(day AS TEXT), CAST(sum(gists) AS BIGINT) FROM days WHERE day >= $1 GROUP BY day HAVING sum(gists) <> 0
	UNION ALL SELECT 'day deals', CAST(day AS TEXT), CAST(sum(deals) AS BIGINT) FROM days WHERE day >= $1 GROUP BY day HAVING sum(deals) <> 0
	UNION ALL SELECT 'day backfill', CAST(day AS TEXT), CAST(sum(backfill) AS BIGINT) FROM days WHERE day >= $1 GROUP BY day HAVING sum(backfill) <> 0`

// Counts returns the numbers of users and deals by state, of duplicate deals and of pending
// scan requests, the times of the oldest, and the state of the feed.
func (s *Store) Counts(ctx context.Context) (c Counts, err error) {
	return s.count(ctx, counts)
}

// CountsAndDays is Counts with the field Days, from the UTC day of since on. It is one query,
// because PostgreSQL answers each query from another process.
func (s *Store) CountsAndDays(ctx context.Context, since time.Time) (Counts, error) {
	return s.count(ctx, counts+days, millis(since)/millisPerDay)
}

func (s *Store) count(ctx context.Context, query string, args ...any) (c Counts, err error) {
	c = Counts{Users: map[gistdeal.UserState]int{}, Deals: map[gistdeal.DealState]int{}}
	rows, err := s.read.QueryContext(ctx, query, args...)
	_, err = collect(rows, err, func(row *sql.Rows) (struct{}, error) {
		var kind, state string
		var n int64
		if err := row.Scan(&kind, &state, &n); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.set(kind, state, n)
	})
	if err != nil {
		return c, fmt.Errorf("count: %w", err)
	}
	return c, nil
}

// set sets the field of a row of counts.
func (c *Counts) set(kind, state string, n int64) error {
	switch kind {
	case "users":
		c.Users[gistdeal.UserState(state)] = int(n)
	case "deals":
		c.Deals[gistdeal.DealState(state)] = int(n)
	case "duplicate_deals":
		c.Duplicates = int(n)
	case "requests":
		c.ScanRequests = int(n)
	case "oldest queued":
		c.OldestQueued = fromMillis(n)
	case "oldest sending":
		c.OldestSending = fromMillis(n)
	case "oldest due":
		c.OldestDue = fromMillis(n)
	case "paused":
		c.PushesPaused = n == 1
	case "feed":
		return json.Unmarshal([]byte(state), &c.Feed)
	case "day gists", "day deals", "day backfill":
		return c.setDay(kind, state, int(n))
	}
	return nil
}

func (c *Counts) setDay(kind, day string, n int) error {
	number, err := strconv.ParseInt(day, 10, 64)
	date := time.UnixMilli(number * millisPerDay).UTC().Format(time.DateOnly)
	if c.Days == nil {
		c.Days = map[string]gistdeal.Day{}
	}
	d := c.Days[date]
	d.Date = date
	switch kind {
	case "day gists":
		d.Gists = n
	case "day deals":
		d.Deals = n
	case "day backfill":
		d.Backfill = n
	}
	c.Days[date] = d
	return err
}
