package e2e_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/sim"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

// BenchmarkBulkAdd measures how much processor time of the program a user takes that is
// added in bulk, from the request to the last result, and how many queries GitHub gets.
func BenchmarkBulkAdd(b *testing.B) {
	const users, operations = 5_000, 2
	for _, database := range []string{"SQLite", "PostgreSQL"} {
		b.Run(database, func(b *testing.B) {
			s, env := simulate(b, sim.Options{})
			if database == "PostgreSQL" {
				env["GISTDEAL_DATABASE_URL"] = pgtest.URL(b)
			}
			// Scans of users with gists are other work: there are none meanwhile.
			p := start(b, env)
			before := cpuSeconds(b, p)
			ids := make([]string, operations)
			for i := range ids {
				logins := make([]string, users)
				for j := range logins {
					logins[j] = fmt.Sprintf("user%d", i*users+j)
					s.MakeGists(logins[j], 0)
				}
				ids[i] = p.begin(logins)
			}
			poll := time.NewTicker(time.Second) // Each look counts the results.
			defer poll.Stop()
			for _, id := range ids {
				for p.operation(id).EndedAt.IsZero() {
					<-poll.C
				}
			}
			for b.Loop() { // Measured once.
			}
			b.ReportMetric((cpuSeconds(b, p)-before)/(users*operations)*1e6, "cpu-µs/user")
			b.ReportMetric(float64(len(s.Report().RequestLog))/(users*operations), "requests/user")
		})
	}
}

// cpuSeconds returns the processor time of a program. It works on Linux only.
func cpuSeconds(b *testing.B, p *process) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		b.Skip(err)
	}
	fields := strings.Fields(string(text))
	const ticks = 100 // a second
	sum := 0.0
	for _, field := range fields[13:15] {
		n, err := strconv.ParseFloat(field, 64)
		testenv.Must(b, err)
		sum += n / ticks
	}
	return sum
}
