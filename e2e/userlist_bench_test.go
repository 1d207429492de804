package e2e_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// BenchmarkUserList measures pages of a list of 100,000 users with the counts of
// their deals, requested one after another. "x-bare" is the ratio of the median
// to that of /livez, which needs no database.
func BenchmarkUserList(b *testing.B) {
	for name, driver := range map[string]string{"SQLite": "sqlite", "PostgreSQL": "pgx"} {
		b.Run(name, func(b *testing.B) {
			_, env := simulate(b, sim.Options{})
			if name == "PostgreSQL" {
				env["GISTDEAL_DATABASE_URL"] = pgtest.URL(b)
			}
			fillUsers(b, driver, env["GISTDEAL_DATABASE_URL"], 100_000)
			p := start(b, env)
			p.pace(b, "/livez", 100)
			bare := median(p.pace(b, "/livez", 400))
			for _, query := range userQueries {
				for _, deep := range []bool{false, true} {
					path := "/api/v1/users?" + query
					if deep {
						path += p.deepCursor(b, path)
					}
					if deep && strings.HasSuffix(path, query) {
						continue // The list has one page only.
					}
					b.Run(fmt.Sprintf("%s/deep=%t", query, deep), func(b *testing.B) {
						took := p.pace(b, path, 100)
						for b.Loop() { // Measured once.
						}
						b.ReportMetric(ms(median(took)), "p50-ms")
						b.ReportMetric(ms(took[len(took)*95/100]), "p95-ms")
						b.ReportMetric(float64(median(took))/float64(bare), "x-bare")
					})
				}
			}
		})
	}
}

// userQueries are the orders and filters of lists of users.
var userQueries = []string{
	"sort=id", "sort=-id", "sort=login", "sort=-login", "sort=tracked", "sort=-tracked", "sort=last_scan", "sort=-last_scan", "sort=next_scan", "sort=-next_scan",
	"search=77", "search=nobody-here", "sort=login&search=nobody-here", "sort=-last_scan&search=777", "state=removed", "sort=login&state=paused", "sort=login&state=active&search=77", "sort=-tracked&state=gone,paused&search=9", "limit=500", "sort=-last_scan&limit=500",
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func median(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }

// pace requests a path that many times and returns the sorted durations.
func (p *process) pace(b *testing.B, path string, times int) []time.Duration {
	b.Helper()
	took := make([]time.Duration, times)
	for i := range took {
		begin := time.Now()
		status, body := p.get(path)
		if took[i] = time.Since(begin); status != http.StatusOK {
			b.Fatalf("%s: status %d: %.200s", path, status, body)
		}
	}
	slices.Sort(took)
	return took
}

// deepCursor returns the cursor of the page after 40,000 users, or of the last
// page.
func (p *process) deepCursor(b *testing.B, path string) (cursor string) {
	b.Helper()
	for range 80 {
		var list struct{ Next string }
		status, body := p.get(path + "&limit=500" + cursor)
		if strings.Contains(path, "limit=") {
			status, body = p.get(path + cursor)
		}
		if err := json.Unmarshal([]byte(body), &list); err != nil || status != http.StatusOK {
			b.Fatalf("%s: status %d: %.200s, %v", path, status, body, err)
		}
		if list.Next == "" {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(list.Next)
	}
	return cursor
}

// fillUsers adds users in all states with three gists and three deals each. The
// statements work on both databases.
func fillUsers(b *testing.B, driver, database string, users int) {
	b.Helper()
	s, err := store.Open(b.Context(), database, store.Options{}) // Creates the schema.
	if err == nil {
		err = s.Close()
	}
	testenv.Must(b, err)
	db, err := sql.Open(driver, database)
	testenv.Must(b, err)
	defer db.Close()
	now := time.Now().UnixMilli()
	numbers := fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)`, users)
	for _, statement := range []string{
		fmt.Sprintf(`INSERT INTO users (id, login, login_key, state, backfill, tracked_at, last_scan_at, full_scan_at, next_scan_at) %s
			SELECT i, 'User' || (i * 7919 %% 1000003), 'user' || (i * 7919 %% 1000003),
				CASE WHEN i %% 50 = 1 THEN 'removed' WHEN i %% 20 = 2 THEN 'paused' WHEN i %% 30 = 3 THEN 'gone' ELSE 'active' END,
				'all', %d - i * 1009 %% 9000000, %d - i * 7 %% 10800000, %d, %d + i * 13 %% 10800000 FROM n`, numbers, now, now, now, now+86_400_000),
		fmt.Sprintf(`INSERT INTO gists (id, user_id, seq, description, files, created_at, updated_at, noticed_at, noticed_by) %s
			SELECT CAST(i AS TEXT) || '-' || CAST(k AS TEXT), i, i * 3 + k, 'notes', '[]', %d, %d, %d, 'scan' FROM n, (SELECT 0 AS k UNION SELECT 1 UNION SELECT 2) AS three`, numbers, now, now, now),
		`INSERT INTO deals (gist_id, state, deal_id) SELECT id, CASE WHEN seq % 40 = 0 THEN 'failed' ELSE 'created' END, CASE WHEN seq % 40 = 0 THEN NULL ELSE seq END FROM gists`,
		fmt.Sprintf(`UPDATE counters SET value = %d WHERE name = 'gist_seq'`, users*3+3),
		`VACUUM`, `ANALYZE`, // The databases do this by themselves later.
	} {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatalf("%v: %.80s", err, statement)
		}
	}
}
