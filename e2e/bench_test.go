package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/sim"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// BenchmarkFirstAnswer measures the first answer about a new user. It compares
// the time with that of reading the same pages only ("pages"). GitHub answers
// after 100 ms.
func BenchmarkFirstAnswer(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 5000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s, env := simulate(b, sim.Options{Latency: 100 * time.Millisecond})
			s.MakeGists("alice", n)
			p := start(b, env)
			begin := time.Now()
			if status, body := p.get("/user/alice"); status != http.StatusOK {
				b.Fatalf("status %d: %.200s", status, body)
			}
			answer := time.Since(begin)
			begin = time.Now()
			for page := 1; page <= n/100+1; page++ {
				readPage(b, fmt.Sprintf("%s/users/alice/gists?per_page=100&page=%d", env["GITHUB_API_URL"], page))
			}
			pages := time.Since(begin)
			for b.Loop() { // Measured once; BenchmarkTrackedUser measures later requests.
			}
			b.ReportMetric(answer.Seconds(), "answer-s")
			b.ReportMetric(pages.Seconds(), "pages-s")
			b.ReportMetric(answer.Seconds()/pages.Seconds(), "ratio")
		})
	}
}

func readPage(b *testing.B, url string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	testenv.Must(b, err)
	resp, err := http.DefaultClient.Do(r)
	testenv.Must(b, err)
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMemory measures the memory of the idle program with an empty database
// and with 100,000 gists of 100 users, all of which were shown before.
func BenchmarkMemory(b *testing.B) {
	for _, users := range []int{0, 100} {
		b.Run(strconv.Itoa(users*1000), func(b *testing.B) {
			_, env := simulate(b, sim.Options{})
			fillDatabase(b, env["GISTDEAL_DATABASE_URL"], users)
			p := start(b, env)
			for i := range users {
				if status, body := p.get(fmt.Sprintf("/user/user%d", i)); status != http.StatusOK {
					b.Fatalf("status %d: %.200s", status, body)
				}
			}
			for b.Loop() { // Measured once.
			}
			b.ReportMetric(residentMiB(b, p), "MiB")
		})
	}
}

// fillDatabase adds users with 1,000 gists and 1,000 deals each.
func fillDatabase(b *testing.B, path string, users int) {
	b.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, path, store.Options{})
	testenv.Must(b, err)
	defer db.Close()
	now := time.Now()
	for i := range users {
		id := int64(i + 1)
		_, err := db.Track(ctx, gistdeal.Account{ID: id, Login: fmt.Sprintf("user%d", i)}, gistdeal.BackfillAll, now)
		gists, deals := make([]gistdeal.Gist, 1000), map[string]int64{}
		for j := range gists {
			n := i*1000 + j + 1
			gist := fmt.Sprintf("%032x", n)
			raw := "https://gist.githubusercontent.com/user/" + gist + "/raw/notes.md"
			gists[j] = gistdeal.Gist{ID: gist, Description: "notes on one thing or another", CreatedAt: now, UpdatedAt: now, Files: []gistdeal.File{{Name: "notes.md", RawURL: raw}}}
			deals[gist] = int64(n)
		}
		if err == nil {
			_, err = db.SaveGists(ctx, id, gists, gistdeal.NewGistPolicy{}, now)
		}
		if err == nil {
			_, err = db.Adopt(ctx, deals, nil, now)
		}
		if err == nil {
			err = db.Scanned(ctx, id, gistdeal.Listing{Pages: 10}, now, now.Add(24*time.Hour))
		}
		testenv.Must(b, err)
	}
}

var resident = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// residentMiB returns the resident memory of a program. It works on Linux only.
func residentMiB(b *testing.B, p *process) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Skip(err)
	}
	kB, err := strconv.ParseFloat(string(resident.FindSubmatch(text)[1]), 64)
	testenv.Must(b, err)
	return kB / 1024 // The kernel writes kB and counts KiB.
}
