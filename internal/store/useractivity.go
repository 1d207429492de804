package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"gistdeal"
)

// ActivityOf returns the activity of each of the users, as of now.
func (s *Store) ActivityOf(ctx context.Context, ids []int64, now time.Time) (map[int64]gistdeal.UserActivity, error) {
	const week = 7 * 24 * time.Hour
	end := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	activity := make(map[int64]gistdeal.UserActivity, len(ids))
	for _, id := range ids {
		activity[id] = gistdeal.UserActivity{Weeks: make([]int, gistdeal.ActivityWeeks)}
	}
	// Nested queries for each user read only its own part of the index gists_created, whatever
	// the database knows about the table.
	rows, err := s.read.QueryContext(ctx, `
		SELECT g.user_id, g.id, g.description, g.created_at, coalesce((
			SELECT '{' || string_agg('"' || week || '":' || n, ',') || '}' FROM (
				SELECT (created_at - $2) / $4 AS week, count(*) AS n FROM gists
				WHERE user_id = g.user_id AND created_at >= $2 AND created_at < $3 GROUP BY 1) weeks), '{}')
		FROM json_each($1) u JOIN gists g ON g.id = (
			SELECT id FROM gists WHERE user_id = CAST(u.key AS BIGINT) ORDER BY created_at DESC, seq DESC LIMIT 1)`,
		idKeys(ids), millis(end.Add(-gistdeal.ActivityWeeks*week)), millis(end), week.Milliseconds())
	_, err = collect(rows, err, func(row *sql.Rows) (id int64, err error) {
		var g gistdeal.NewestGist
		var created int64
		var counts []byte
		if err := row.Scan(&id, &g.ID, &g.Description, &created, &counts); err != nil {
			return 0, err
		}
		g.CreatedAt = fromMillis(created)
		byWeek := map[int]int{}
		if err := json.Unmarshal(counts, &byWeek); err != nil {
			return 0, err
		}
		a := activity[id]
		for week, n := range byWeek {
			a.Weeks[week] = n
		}
		a.NewestGist = &g
		activity[id] = a
		return id, nil
	})
	return activity, err
}
