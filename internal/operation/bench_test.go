package operation_test

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gistdeal/internal/admin"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of serverTime

	"gistdeal"
	"gistdeal/internal/loop"
	"gistdeal/internal/operation"
	"gistdeal/internal/probe"
	"gistdeal/internal/runlog"
	"gistdeal/internal/scan"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// BenchmarkAddingUsers measures the processor time of one user of a bulk operation, from the
// list of logins to the results, without that of decoding GitHub's answers. On PostgreSQL
// "server-µs/user" is the time of the server's processes.
func BenchmarkAddingUsers(b *testing.B) {
	const users = 20_000
	logins := make([]string, users)
	for i := range logins {
		logins[i] = fmt.Sprintf("user%d", i*7919%users)
	}
	for _, database := range []string{"SQLite", "PostgreSQL"} {
		b.Run(database, func(b *testing.B) {
			address := filepath.Join(b.TempDir(), "test.db")
			if database == "PostgreSQL" {
				address = pgtest.URL(b)
			}
			db := stack.OpenAt(b, address)
			before, server := processorTime(b), serverTime(b, address)
			addUsers(b, db, logins)
			for b.Loop() { // Measured once.
			}
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/users, "cpu-µs/user")
			b.ReportMetric(float64((serverTime(b, address)-server).Microseconds())/users, "server-µs/user")
		})
	}
}

// addUsers adds users by one operation, as the leader does.
func addUsers(b *testing.B, db *store.Store, logins []string) {
	b.Helper()
	log := slog.New(slog.NewJSONHandler(io.Discard, nil)) //nolint:sloglint // Formatting counts.
	operations := operation.New(db, log)
	scanner := scan.New(db, emptyUsers{}, runlog.New(db, log, time.Now), loop.NewBackoff("GitHub", log, loop.NewSignal()), loop.NewSignal(), nil,
		scan.Options{Log: log, Prober: probe.New(db, emptyUsers{}, log, time.Now)})
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { _ = operations.Run(ctx, nil) })
	running.Go(func() { _ = scanner.ResolveRequests(ctx) })
	op, err := operations.AddUsers(b.Context(), "bulk", admin.Addition{Logins: logins, Backfill: gistdeal.BackfillAll})
	testenv.Must(b, err)
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for op.EndedAt.IsZero() {
		<-look.C
		op, err = db.Operation(b.Context(), op.ID)
		testenv.Must(b, err)
	}
	if op.Results["added"] != len(logins) {
		b.Errorf("%+v, want that %d users are added", op, len(logins))
	}
}

// emptyUsers is a GitHub whose users have no gists.
type emptyUsers struct{ scan.GitHub }

func (emptyUsers) Ready() error      { return nil }
func (emptyUsers) ProbeReady() error { return nil }

func (emptyUsers) Probe(_ context.Context, users []gistdeal.User, _ bool) ([]gistdeal.Probe, error) {
	probes := make([]gistdeal.Probe, len(users))
	for i, u := range users {
		h := fnv.New64a()
		h.Write([]byte(u.Login)) //nolint:errcheck // It returns nil.
		id := int64(h.Sum64() >> 12)
		probes[i].Account = gistdeal.Account{ID: id, NodeID: fmt.Sprintf("U_%d", id), Login: u.Login, Type: "User"}
	}
	return probes, nil
}

// processorTime returns the processor time of this process.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	testenv.Must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// serverTime returns the processor time of the processes of a PostgreSQL server.
func serverTime(b *testing.B, address string) (sum time.Duration) {
	b.Helper()
	if !strings.Contains(address, "://") {
		return 0
	}
	db, err := sql.Open("pgx", address)
	testenv.Must(b, err)
	defer db.Close()
	rows, err := db.QueryContext(b.Context(), `SELECT pid FROM pg_stat_activity`)
	testenv.Must(b, err)
	defer rows.Close()
	for rows.Next() {
		var pid int
		testenv.Must(b, rows.Scan(&pid))
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // It has ended.
		}
		fields := strings.Fields(string(text))
		for _, field := range fields[13:15] {
			n, err := strconv.Atoi(field)
			testenv.Must(b, err)
			sum += time.Duration(n) * 10 * time.Millisecond
		}
	}
	testenv.Must(b, rows.Err())
	return sum
}
