package e2e_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// BenchmarkAMillionUsers measures the real program with a million users, none of whom is due:
// the overview and the first page of users ("x-livez" is the ratio of the median to that of
// /livez), and the resident memory after both.
func BenchmarkAMillionUsers(b *testing.B) {
	for name, driver := range map[string]string{"SQLite": "sqlite", "PostgreSQL": "pgx"} {
		b.Run(name, func(b *testing.B) {
			_, env := simulate(b, sim.Options{})
			if name == "PostgreSQL" {
				env["GISTDEAL_DATABASE_URL"] = pgtest.URL(b)
			}
			fillOnlyUsers(b, driver, env["GISTDEAL_DATABASE_URL"], 1_000_000)
			p := start(b, env)
			p.pace(b, "/livez", 100)
			for _, list := range []string{"overview", "users"} {
				path := "/api/v1/" + list
				b.Run(list, func(b *testing.B) {
					livez := median(p.pace(b, "/livez", 400))
					took := median(p.pace(b, path, 200))
					for b.Loop() { // Measured once.
					}
					b.ReportMetric(float64(took)/float64(livez), "x-livez")
				})
			}
			b.Run("memory", func(b *testing.B) {
				for b.Loop() { // Measured once.
				}
				b.ReportMetric(residentMiB(b, p), "MiB")
			})
			if status, _ := p.get("/api/v1/overview"); status != http.StatusOK {
				b.Errorf("status %d", status)
			}
		})
	}
}

// fillOnlyUsers adds users without gists, scanned now and due in a day.
func fillOnlyUsers(b *testing.B, driver, database string, users int) {
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
	for _, statement := range []string{
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO users (id, login, login_key, state, backfill, tracked_at, last_scan_at, full_scan_at, next_scan_at)
			SELECT i, 'User' || i, 'user' || i, 'active', 'none', %d, %d, %d, %d + i FROM n`, users, now, now, now, now+86_400_000),
		`DELETE FROM events`, `VACUUM`, `ANALYZE`,
	} {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatalf("%v: %.80s", err, statement)
		}
	}
}
