package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// BenchmarkTrackedUser requests a user over loopback, with a database on disk and
// a recorded visit; the time of the clients is included. "x-bare" is the share of the requests
// a second of a minimal net/http server with the same answer, the upper limit.
func BenchmarkTrackedUser(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 5000} {
		for _, database := range []string{"SQLite", "PostgreSQL"} {
			address := filepath.Join(b.TempDir(), "user.db")
			if database == "PostgreSQL" {
				address = pgtest.URL(b)
			}
			db := stack.OpenAt(b, address)
			fill(b, db, n, 60)
			testenv.Must(b, db.Set(b.Context(), gistdeal.KeyDealURL, "https://example.pipedrive.com/deal/"))
			handler := server.New(db, answering{errNobody}, server.Options{}).Handler()
			body := answer(handler)
			bare := 0.0
			b.Run(fmt.Sprint(n, "/", database, "/bare"), func(b *testing.B) {
				bare = measure(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					w.Header().Set("Content-Length", strconv.Itoa(len(body)))
					_, _ = w.Write(body)
				}))
				b.ReportMetric(bare, "req/s")
			})
			b.Run(fmt.Sprint(n, "/", database, "/gistdeal"), func(b *testing.B) {
				rate := measure(b, handler)
				b.ReportMetric(rate, "req/s")
				b.ReportMetric(rate/bare, "x-bare")
			})
		}
	}
}

// answer returns the page of the user, without a server.
func answer(handler http.Handler) []byte {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/user/alice", nil))
	return w.Body.Bytes()
}

// measure requests one page as often as possible and returns the requests a second.
func measure(b *testing.B, handler http.Handler) float64 {
	s := httptest.NewServer(handler)
	defer s.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
	defer transport.CloseIdleConnections()
	fetch := func(into io.Writer) error {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.URL+"/user/alice", nil)
		if err != nil {
			return err
		}
		resp, err := transport.RoundTrip(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(into, resp.Body)
		return err
	}
	testenv.Must(b, fetch(io.Discard)) // This records the visit.
	b.SetParallelism(4)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := fetch(io.Discard); err != nil {
				b.Error(err)
			}
		}
	})
	return float64(b.N) / b.Elapsed().Seconds()
}
