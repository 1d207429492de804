package server_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"gistdeal"
	"gistdeal/internal/server"
)

// BenchmarkTrackedUser asks for a user over loopback, clients included, with a
// database on disk and the visit recorded.
func BenchmarkTrackedUser(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 5000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			db := open(b)
			fill(b, db, n, 60)
			must(b, db.Set(b.Context(), gistdeal.SettingDealURL, "https://example.pipedrive.com/deal/"))
			s := server.New(db, answering{errNobody}, server.Options{})
			l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
			must(b, err)
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(l) }()
			url := "http://" + l.Addr().String() + "/user/alice"
			transport := &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
			must(b, fetch(transport, url)) // The visit is recorded from here on.

			b.SetParallelism(4)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := fetch(transport, url); err != nil {
						b.Error(err)
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
			transport.CloseIdleConnections()
			must(b, s.Stop(b.Context()))
			must(b, <-ended)
		})
	}
}

// fetch reads an answer whole.
func fetch(t http.RoundTripper, url string) error {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := t.RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
