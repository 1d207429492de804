package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

func TestAClientThatReadsTheWholeAnswerRecordsAVisit(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"small": 10, "large": 9000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := stack.Open(t)
			fill(t, db, 1, size)
			w := newWorldOver(t, db, answering{errNobody}, server.Options{}, nil)
			for i := range 50 {
				w.shows(w.ask("GET", "/user/alice"), 200, i, 1)
				w.shows(w.ask("GET", "/user/alice"), 200, i+1, 0)
				post(t, db, i+1, i+2, 10)
			}
		})
	}
}

func TestAClientThatDisconnectsHalfwayThroughTheAnswerRecordsNoVisit(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	// More than fits into the buffers between server and client.
	fill(t, db, 50, 160_000)
	w := newWorldOver(t, db, answering{errNobody}, server.Options{}, nil)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.url, "http://"))
	testenv.Must(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /user/alice HTTP/1.1\r\nHost: localhost\r\n\r\n")
	testenv.Must(t, err)
	_, err = io.ReadFull(conn, make([]byte, 1000))
	testenv.Must(t, err)
	testenv.Must(t, conn.Close())
	w.stopped()
	if got := w.visited(gistdeal.Anonymous); got != 0 {
		t.Errorf("the visit is recorded up to %d", got)
	}
}

func TestAClientThatDisconnectsDuringTheFirstScanRecordsNoVisit(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST", "POST with a body"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			db := stack.Open(t)
			fill(t, db, 1, 10)
			// A tracked user with a gist during its first scan.
			testenv.Must(t, db.Scanned(t.Context(), 1, gistdeal.Listing{}, time.Time{}, time.Now()))
			engine := newSlow(db)
			w := newWorldOver(t, db, engine, server.Options{}, nil)
			ctx, leave := context.WithCancel(t.Context())
			gone := make(chan error, 1)
			method, body, _ := strings.Cut(method, " ")
			r := w.request(ctx, method, "/user/alice", strings.NewReader(body))
			go func() {
				resp, err := client.Do(r)
				if err == nil {
					resp.Body.Close()
				}
				gone <- err
			}()
			<-engine.asked
			leave()
			if err := <-gone; err == nil {
				t.Fatal("the client got an answer")
			}
			// The server ends the request because the client left, not because the scan
			// ended.
			w.stopped()
			if got := w.visited(gistdeal.Anonymous); got != 0 {
				t.Errorf("the visit is recorded up to %d", got)
			}
			if log := w.log.String(); strings.Contains(log, "ERROR") {
				t.Errorf("a disconnected client is logged as an error:\n%s", log)
			}
		})
	}
}

func TestAClientThatDisconnectsDuringTheAnswerRecordsNoVisit(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"it fits the buffers": nil, "it does not": io.ErrClosedPipe} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := stack.Open(t)
			fill(t, db, 1, 10)
			s := server.New(db, answering{errNobody}, server.Options{Auth: server.AuthNone, PublicURL: "http://example.com"})
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			r := httptest.NewRequestWithContext(ctx, "GET", "/user/alice", nil)
			s.Handler().ServeHTTP(leaving{httptest.NewRecorder(), leave, err}, r)
			v, err := db.View(t.Context(), gistdeal.Anonymous, "alice")
			testenv.Must(t, err)
			if v.Seen != 0 {
				t.Errorf("the visit is recorded up to %d", v.Seen)
			}
		})
	}
}

// leaving is the connection of a client that disconnects during its answer. The
// write fails, or the server detects it in another way.
type leaving struct {
	http.ResponseWriter
	leave context.CancelFunc
	err   error
}

func (l leaving) Write(b []byte) (int, error) {
	if l.err == nil {
		l.leave()
	}
	return len(b), l.err
}
