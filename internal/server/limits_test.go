package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/server"
	"gistdeal/internal/testing/stack"
	"gistdeal/internal/testing/testenv"
)

func TestEveryWaitForAClientHasATimeout(t *testing.T) {
	t.Parallel()
	h := server.New(stack.Open(t), answering{errNobody}, server.Options{RequestWait: 40 * time.Second}).HTTP()
	if h.ReadHeaderTimeout <= 0 || h.ReadHeaderTimeout > 10*time.Second {
		t.Errorf("ReadHeaderTimeout is %v", h.ReadHeaderTimeout)
	}
	if h.ReadTimeout <= 0 || h.ReadTimeout > 30*time.Second {
		t.Errorf("ReadTimeout is %v", h.ReadTimeout)
	}
	if h.WriteTimeout <= 40*time.Second || h.WriteTimeout > 3*time.Minute {
		t.Errorf("WriteTimeout is %v, want more than the longest wait for an answer", h.WriteTimeout)
	}
	if h.IdleTimeout <= 0 || h.IdleTimeout > 5*time.Minute {
		t.Errorf("IdleTimeout is %v", h.IdleTimeout)
	}
	if h.MaxHeaderBytes <= 0 || h.MaxHeaderBytes > 64<<10 {
		t.Errorf("MaxHeaderBytes is %d", h.MaxHeaderBytes)
	}
}

func TestAFirstScanMayTakeLongerThanTheReadTimeout(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	engine := newSlow(db)
	w := newWorldOver(t, db, engine, server.Options{}, func(h *http.Server) {
		h.ReadTimeout, h.ReadHeaderTimeout = 100*time.Millisecond, 100*time.Millisecond
	})
	go func() {
		<-engine.asked
		<-time.After(300 * time.Millisecond)
		close(engine.end)
	}()
	w.shows(w.send(w.request(t.Context(), "POST", "/user/alice", strings.NewReader("name=alice"))), 200, 0, 0)
}

func TestATooLargeBodyGets413(t *testing.T) {
	t.Parallel()
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{}, nil)
	for _, path := range []string{"/user/alice", "/no/such/path"} {
		conn := w.dial()
		_, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
		testenv.Must(t, err)
		answer, err := io.ReadAll(conn)
		testenv.Must(t, err)
		if got := string(answer); !strings.HasPrefix(got, "HTTP/1.1 413 ") || !strings.Contains(got, "application/problem+json") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestAnEndlessBodyBlocksNothing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/user/alice", "/trackedusers"} {
		t.Run("it keeps coming to "+path, func(t *testing.T) {
			t.Parallel()
			w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{}, nil)
			r := w.send(w.request(t.Context(), "POST", path, endless{}))
			if r.status != 413 && r.status != 405 {
				t.Errorf("got %d: %s", r.status, r.body)
			}
		})
		t.Run("it stops coming to "+path, func(t *testing.T) {
			t.Parallel()
			w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{}, func(h *http.Server) { h.ReadTimeout = 200 * time.Millisecond })
			conn := w.dial()
			_, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
			testenv.Must(t, err)
			answer, err := io.ReadAll(conn)
			testenv.Must(t, err)
			if got := string(answer); !strings.HasPrefix(got, "HTTP/1.1 4") || !strings.Contains(got, "application/problem+json") {
				t.Errorf("the answer is %s", got)
			}
		})
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestATooLargeHeaderIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{}, nil)
	if r := w.ask("GET", "/livez", "X-Long: "+strings.Repeat("x", 64<<10)); r.status != 431 {
		t.Errorf("got %d, want 431", r.status)
	}
	if r := w.ask("GET", "/livez", "X-Long: "+strings.Repeat("x", 16<<10)); r.status != 200 {
		t.Errorf("16 kB: got %d, want 200", r.status)
	}
}

func TestIdleConnectionsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	const limit = 5
	w := newWorldOver(t, stack.Open(t), answering{errNobody}, server.Options{}, nil)
	w.LimitConnections(limit)
	for i := range 3 * limit {
		conn := w.dial()
		if i%2 == 0 { // The others never send a request.
			roundTrip(t, conn, "/livez")
		}
		testenv.Eventually(t, "the number of connections is limited", func() bool { return w.Connections() <= limit })
	}
	roundTrip(t, w.dial(), "/livez")
}

func TestAConnectionOverTheLimitIsClosedWhileAllOthersAreBusy(t *testing.T) {
	t.Parallel()
	const limit = 3
	db := stack.Open(t)
	engine := newSlow(db)
	w := newWorldOver(t, db, engine, server.Options{}, nil)
	w.LimitConnections(limit)
	busy := make([]net.Conn, limit)
	for i := range busy {
		busy[i] = w.dial()
		_, err := io.WriteString(busy[i], "GET /user/alice HTTP/1.1\r\nHost: localhost\r\n\r\n")
		testenv.Must(t, err)
		<-engine.asked
	}
	if n, err := w.dial().Read(make([]byte, 1)); err == nil {
		t.Errorf("one connection over the limit got %d bytes", n)
	}
	close(engine.end)
	for _, conn := range busy {
		answered(t, conn)
	}
}

// answered reads an answer with the status 200.
func answered(t *testing.T, conn net.Conn) {
	t.Helper()
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	testenv.Must(t, err)
	defer r.Body.Close()
	if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != 200 {
		t.Errorf("status %d, %v", r.StatusCode, err)
	}
}

// roundTrip sends a request over a connection, which stays open.
func roundTrip(t *testing.T, conn net.Conn, path string) {
	t.Helper()
	_, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	testenv.Must(t, err)
	answered(t, conn)
}

func TestStopWaitsForTheRequestUnderWayAndAcceptsNoMore(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	engine := newSlow(db)
	w := newWorldOver(t, db, engine, server.Options{}, nil)
	answered := make(chan reply, 1)
	go func() {
		defer close(answered)
		answered <- w.ask("GET", "/user/alice")
	}()
	<-engine.asked
	stopped := make(chan error, 1)
	go func() { stopped <- w.Stop(t.Context()) }()
	testenv.Eventually(t, "no connection is accepted", func() bool {
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(w.url, "http://"), time.Second)
		if err != nil {
			return true
		}
		conn.Close()
		return false
	})
	testenv.Must(t, <-w.ended)
	select {
	case err := <-stopped:
		t.Fatalf("Stop returned %v while a request was under way", err)
	default:
	}
	post(t, db, 0, 1, 10)
	close(engine.end)
	w.shows(<-answered, 200, 0, 1)
	testenv.Must(t, <-stopped)
	if w.visited(gistdeal.Anonymous) == 0 {
		t.Error("the last visit is not recorded")
	}
}

func TestStopCancelsSlowRequests(t *testing.T) {
	t.Parallel()
	db := stack.Open(t)
	engine := newSlow(db)
	w := newWorldOver(t, db, engine, server.Options{}, nil)
	failed := make(chan error, 1)
	go func() {
		resp, err := client.Do(w.request(t.Context(), "GET", "/user/alice", nil))
		if err == nil {
			resp.Body.Close()
		}
		failed <- err
	}()
	<-engine.asked
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop returned %v, want a deadline error", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
}

func TestAStoppedServerDoesNotServe(t *testing.T) {
	t.Parallel()
	s := server.New(stack.Open(t), answering{errNobody}, server.Options{})
	testenv.Must(t, s.Stop(t.Context()))
	testenv.Must(t, s.Serve(testenv.Listen(t)))
}

// dial connects to the server until the end of the test.
func (w *world) dial() net.Conn {
	w.t.Helper()
	conn, err := new(net.Dialer).DialContext(w.t.Context(), "tcp", strings.TrimPrefix(w.url, "http://"))
	testenv.Must(w.t, err)
	w.t.Cleanup(func() { conn.Close() })
	testenv.Must(w.t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return conn
}
