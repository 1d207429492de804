package e2e_test

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gistdeal/internal/api"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// listPaths are the answers of the API that the page and its users read most.
var listPaths = []string{
	"/overview", "/users", "/users?sort=-tracked", "/users?limit=500", "/users?include=activity", "/users/user7", "/users/user7/gists", "/gists",
	"/deals", "/deals?state=created", "/deals?state=failed", "/deals?user=user7", "/failures", "/duplicates", "/requests", "/runs",
}

// BenchmarkLists requests lists of 100 users with 1,000 gists each from the real program, over
// loopback. "x-livez" is the ratio of the median to that of /livez, which needs no database, at
// the same time; "req/s" is with 8 clients at a time.
func BenchmarkLists(b *testing.B) {
	for name, driver := range map[string]string{"SQLite": "sqlite", "PostgreSQL": "pgx"} {
		b.Run(name, func(b *testing.B) {
			_, env := simulate(b, sim.Options{})
			if name == "PostgreSQL" {
				env["GISTDEAL_DATABASE_URL"] = pgtest.URL(b)
			}
			fillLists(b, driver, env["GISTDEAL_DATABASE_URL"])
			p := start(b, env)
			c := caller{b, p.url, &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true}}
			defer c.transport.CloseIdleConnections()
			for _, path := range listPaths {
				b.Run(path[1:], func(b *testing.B) {
					c.b = b
					livez, took := c.medians("/livez", api.Path+path)
					rate := c.rate(api.Path+path, 8)
					for b.Loop() { // Measured once.
					}
					b.ReportMetric(took.Seconds()*1000, "p50-ms")
					b.ReportMetric(took.Seconds()/livez.Seconds(), "x-livez")
					b.ReportMetric(rate, "req/s")
				})
			}
		})
	}
}

// caller sends requests to a server.
type caller struct {
	b         *testing.B
	url       string
	transport *http.Transport
}

// get requests a path and reads the answer.
func (c caller) get(path string) {
	r, err := http.NewRequestWithContext(c.b.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		c.b.Error(err)
		return
	}
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		c.b.Error(err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		c.b.Errorf("%s: status %d, %v", path, resp.StatusCode, err)
	}
}

// medians requests two paths in turns for two seconds, and returns their median durations. A
// busy machine changes both alike.
func (c caller) medians(a, b string) (ofA, ofB time.Duration) {
	const turn = 20
	var took [2][]time.Duration
	for begin := time.Now(); time.Since(begin) < 2*time.Second; {
		for i, path := range []string{a, b} {
			for range turn {
				sent := time.Now()
				c.get(path)
				took[i] = append(took[i], time.Since(sent))
			}
		}
	}
	for _, t := range took {
		slices.Sort(t)
	}
	return took[0][len(took[0])/2], took[1][len(took[1])/2]
}

// rate requests a path for a second with that many clients, and returns the requests
// per second.
func (c caller) rate(path string, clients int) float64 {
	var sent atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	for range clients {
		all.Go(func() {
			for time.Since(begin) < time.Second {
				c.get(path)
				sent.Add(1)
			}
		})
	}
	all.Wait()
	return float64(sent.Load()) / time.Since(begin).Seconds()
}

// fillLists adds 100 users with 1,000 gists each and their deals. The statements work on
// both databases. Pushes are paused, so that the queued deals stay queued.
func fillLists(b *testing.B, driver, address string) {
	b.Helper()
	s, err := store.Open(b.Context(), address, store.Options{}) // Creates the schema.
	testenv.Must(b, err)
	_, err = s.PausePushes(b.Context(), "a benchmark", time.Now())
	testenv.Must(b, err)
	testenv.Must(b, s.Close())
	db, err := sql.Open(driver, address)
	testenv.Must(b, err)
	defer db.Close()
	now := time.Now().UnixMilli()
	numbers := func(n int) string {
		return fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < %d)`, n-1)
	}
	for _, statement := range []string{
		fmt.Sprintf(`INSERT INTO users (id, login, login_key, state, backfill, tracked_at, last_scan_at, full_scan_at, next_scan_at) %s
			SELECT i + 1, 'user' || i, 'user' || i, 'active', 'all', %d - i * 1009, %d - i * 7, %d, %d + i * 13 FROM n`, numbers(100), now, now, now, now+86_400_000),
		fmt.Sprintf(`INSERT INTO gists (id, user_id, seq, description, files, created_at, updated_at, noticed_at, noticed_by) %s
			SELECT CAST(100000000 + i * 7919 %% 100003 AS TEXT), i %% 100 + 1, i + 1, 'notes on one thing or another', '[]', %d, %d, %d - i %% 40 * 86400000, 'scan' FROM n`, numbers(100_000), now, now, now),
		fmt.Sprintf(`INSERT INTO deals (gist_id, state, deal_id, problem, queued_at, turn) SELECT id,
				CASE WHEN seq %% 40 = 0 THEN 'failed' WHEN seq %% 11 = 0 THEN 'queued' ELSE 'created' END,
				CASE WHEN seq %% 40 = 0 OR seq %% 11 = 0 THEN NULL ELSE seq END,
				CASE WHEN seq %% 40 = 0 THEN 'problem ' || CAST(seq %% 9 AS TEXT) ELSE '' END, %d, seq FROM gists`, now),
		fmt.Sprintf(`INSERT INTO attempts (gist_id, n, owner, sent_at, remote_at, ended_at, outcome, deal_id)
			SELECT d.gist_id, 1, 'me', %d, %d, %d - g.seq %% 40 * 86400000, CASE d.state WHEN 'created' THEN 'created' ELSE 'refused' END, d.deal_id
			FROM deals d JOIN gists g ON g.id = d.gist_id WHERE d.state <> 'queued'`, now, now, now),
		`VACUUM`, `ANALYZE`, // The databases do this by themselves later.
	} {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatalf("%v: %.80s", err, statement)
		}
	}
}
