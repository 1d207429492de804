package server_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

// BenchmarkTrackedUser requests a user over loopback, with a database on disk and
// a recorded visit; the time of the clients is included. "bare" is the same
// answer from a minimal net/http server, the upper limit.
func BenchmarkTrackedUser(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 5000} {
		db := stack.Open(b)
		fill(b, db, n, 60)
		testenv.Must(b, db.Set(b.Context(), gistdeal.KeyDealURL, "https://example.pipedrive.com/deal/"))
		handler := server.New(db, answering{errNobody}, server.Options{}).Handler()
		var body []byte
		b.Run(strconv.Itoa(n)+"/gistdeal", func(b *testing.B) { body = measure(b, handler) })
		b.Run(strconv.Itoa(n)+"/bare", func(b *testing.B) {
			measure(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Length", strconv.Itoa(len(body)))
				_, _ = w.Write(body)
			}))
		})
	}
}

// measure requests one page as often as possible and returns it.
func measure(b *testing.B, handler http.Handler) []byte {
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
	var page bytes.Buffer
	testenv.Must(b, fetch(&page)) // This records the visit.
	b.SetParallelism(4)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := fetch(io.Discard); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	return page.Bytes()
}
