package pipedrive_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"gistdeal"
	"gistdeal/internal/pipedrive"
	"gistdeal/internal/sim"
)

// listen listens on a port until the end of the test.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // Some tests close it earlier.
	return l
}

// assumed returns a prepared client of the server at address.
func assumed(t *testing.T, scheme, address string, timeout time.Duration) *pipedrive.Client {
	t.Helper()
	c := client(t, scheme+"://"+address, pipedrive.Options{PushTimeout: timeout})
	c.Assume()
	return c
}

// byteCounter accepts connections until its port is closed and counts received bytes.
type byteCounter struct {
	net.Listener
	accepted, bytes atomic.Int64
	done            sync.WaitGroup
}

func newByteCounter(t *testing.T) *byteCounter {
	t.Helper()
	e := &byteCounter{Listener: listen(t)}
	e.done.Go(func() {
		for {
			conn, err := e.Accept()
			if err != nil {
				return
			}
			e.accepted.Add(1)
			e.done.Go(func() {
				defer conn.Close()
				n, _ := io.Copy(io.Discard, conn) // n bytes were received, even with an error.
				e.bytes.Add(n)
			})
		}
	})
	return e
}

// stop closes the port and returns the counts.
func (e *byteCounter) stop() (accepted, bytes int64) {
	_ = e.Close()
	e.done.Wait()
	return e.accepted.Load(), e.bytes.Load()
}

// skewed returns t with its two clocks moved apart, as after setting the wall clock
// or a sleep of the machine. The first 64 bits of a time.Time contain the wall
// clock, the second 64 bits the monotonic clock.
func skewed(t *testing.T, now time.Time, wall, monotonic time.Duration) time.Time {
	t.Helper()
	moved := now
	words := (*[2]uint64)(unsafe.Pointer(&moved))
	words[0] += uint64(wall/time.Second) << 30 // the lower bits are nanoseconds
	words[1] += uint64(monotonic)
	if moved.Sub(now) != monotonic || moved.Round(0).Sub(now.Round(0)) != wall {
		t.Fatal("time.Time has another layout in this version of Go")
	}
	return moved
}

func TestNothingIsSentAfterTheDeadline(t *testing.T) {
	t.Parallel()
	const timeout = 30 * time.Second
	for name, start := range map[string]time.Time{
		"long ago":                              time.Now().Add(-time.Hour),
		"just now":                              time.Now().Add(-timeout),
		"without a monotonic reading":           time.Now().Round(0).Add(-time.Minute),
		"the wall clock was set forward":        skewed(t, time.Now(), -time.Minute, 0),
		"the wall clock was set back":           skewed(t, time.Now(), time.Hour, -time.Minute),
		"the wall clock stood still":            skewed(t, time.Now(), 0, -time.Minute),
		"the machine slept: monotonic does not": skewed(t, time.Now(), -timeout, -time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newByteCounter(t)
			// If the request is sent, there is no answer.
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := assumed(t, "http", e.Addr().String(), timeout).CreateDeal(ctx, start, hello)
			wantKind(t, err, gistdeal.Temporary, "could not be sent")
			if accepted, bytes := e.stop(); accepted != 0 || bytes != 0 {
				t.Errorf("%d connections with %d bytes", accepted, bytes)
			}
		})
	}
}

func TestASendTimeInTheFutureDoesNotExtendTheDeadline(t *testing.T) {
	t.Parallel()
	// The wall clock was set back by an hour after the start.
	e := newByteCounter(t)
	begun := time.Now()
	_, err := assumed(t, "http", e.Addr().String(), 200*time.Millisecond).CreateDeal(t.Context(), skewed(t, begun, time.Hour, 0), hello)
	wantKind(t, err, gistdeal.Unknown)
	if took := time.Since(begun); took < 200*time.Millisecond || took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestARefusedConnectionMeansThatNothingWasSent(t *testing.T) {
	t.Parallel()
	l := listen(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"http", "https"} {
		c := assumed(t, scheme, l.Addr().String(), 10*time.Second)
		_, err := c.CreateDeal(t.Context(), time.Now(), hello)
		wantKind(t, err, gistdeal.Temporary, "could not be sent")
		_, err = c.Me(t.Context())
		wantKind(t, err, gistdeal.Temporary, "cannot be reached")
	}
}

func TestATimeoutMeansAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	const timeout = 300 * time.Millisecond
	for name, serve := range map[string]func(net.Listener){
		"nothing is accepted": func(net.Listener) {},
		"nothing is read": func(l net.Listener) {
			if conn, err := l.Accept(); err == nil {
				defer conn.Close()
				_, _ = l.Accept() // blocks until the test ends
			}
		},
		"nothing is answered": func(l net.Listener) {
			if conn, err := l.Accept(); err == nil {
				defer conn.Close()
				_, _ = io.Copy(io.Discard, conn) // blocks until the client disconnects
			}
		},
		"the answer stops": func(l net.Listener) {
			if conn, err := l.Accept(); err == nil {
				defer conn.Close()
				_, _ = http.ReadRequest(bufio.NewReader(conn)) // An answer before the request would be invalid.
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
				_, _ = io.Copy(io.Discard, conn) // blocks until the client disconnects
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := listen(t)
			var server sync.WaitGroup
			server.Go(func() { serve(l) })
			begun := time.Now()
			_, err := assumed(t, "http", l.Addr().String(), timeout).CreateDeal(t.Context(), begun, hello)
			took := time.Since(begun)
			wantKind(t, err, gistdeal.Unknown)
			if took < timeout || took > timeout+3*time.Second {
				t.Errorf("timed out after %v, want %v", took, timeout)
			}
			_ = l.Close()
			server.Wait()
		})
	}
}

func TestASlowAnswerIsAcceptedUntilTheDeadline(t *testing.T) {
	t.Parallel()
	l := listen(t)
	server := &http.Server{Handler: reply(200, `{"success":true,"data":{"id":7}}`), ReadHeaderTimeout: time.Minute}
	accepting := time.AfterFunc(300*time.Millisecond, func() { _ = server.Serve(l) })
	t.Cleanup(func() { accepting.Stop(); _ = server.Close() })
	id, err := assumed(t, "http", l.Addr().String(), 20*time.Second).CreateDeal(t.Context(), time.Now(), hello)
	if id != 7 || err != nil {
		t.Errorf("%d, %v", id, err)
	}
}

func TestAnAnswerThatIsNotHTTPIsUnknown(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 two hundred\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20)} {
		l := listen(t)
		var server sync.WaitGroup
		server.Go(func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(conn, answer) // The client may have disconnected.
		})
		_, err := assumed(t, "http", l.Addr().String(), 20*time.Second).CreateDeal(t.Context(), time.Now(), hello)
		wantKind(t, err, gistdeal.Unknown)
		server.Wait()
	}
}

// TestADeadlineThatPassesWhileConnecting uses TLS: the handshake is no part of the
// request, and the connection must be closed.
func TestADeadlineThatPassesWhileConnecting(t *testing.T) {
	t.Parallel()
	l := listen(t)
	left := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			left <- err
			return
		}
		defer conn.Close()
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err = io.Copy(io.Discard, conn) // the ClientHello, which gets no answer
		left <- err
	}()
	_, err := assumed(t, "https", l.Addr().String(), 200*time.Millisecond).CreateDeal(t.Context(), time.Now(), hello)
	wantKind(t, err, gistdeal.Temporary, "could not be sent")
	if err := <-left; errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection stayed open")
	}
}

func TestAWrongCertificateMeansThatNothingWasSent(t *testing.T) {
	t.Parallel()
	s := sim.New(sim.Options{})
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	// The certificate is valid for 127.0.0.1 only.
	_, err = assumed(t, "https", "localhost:"+port, 20*time.Second).CreateDeal(t.Context(), time.Now(), hello)
	wantKind(t, err, gistdeal.Temporary, "could not be sent", "SSL_CERT_FILE")
	if n := s.Report().Requests[postDeal]; n != 0 {
		t.Errorf("%d POSTs", n)
	}
}

func TestOverTLSPostsAreHTTP1AndResumeTheirSessions(t *testing.T) {
	t.Parallel()
	s := sim.New(sim.Options{Burst: -1})
	var posts, resumed, connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/deals") {
			posts.Add(1)
			if r.ProtoMajor != 1 {
				t.Errorf("the POST uses %s", r.Proto)
			}
			if r.TLS.DidResume {
				resumed.Add(1)
			}
		}
		s.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.Config.ConnState = count(&connections)
	server.StartTLS()
	t.Cleanup(server.Close)
	c := client(t, server.URL, pipedrive.Options{})
	if _, err := c.Prepare(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := c.CreateDeal(t.Context(), time.Now(), hello); err != nil {
			t.Fatal(err)
		}
	}
	if posts.Load() != 3 || resumed.Load() != 2 || connections.Load() != 4 {
		t.Errorf("%d POSTs, %d resumed, %d connections; want 3, 2, 4", posts.Load(), resumed.Load(), connections.Load())
	}
}

// count counts new connections.
func count(n *atomic.Int32) func(net.Conn, http.ConnState) {
	return func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			n.Add(1)
		}
	}
}

func TestEachPostHasItsOwnConnectionAndListsShareOne(t *testing.T) {
	t.Parallel()
	s := sim.New(sim.Options{Burst: -1})
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(s)
	server.Config.ConnState = count(&connections)
	server.Start()
	t.Cleanup(server.Close)
	c := client(t, server.URL, pipedrive.Options{})
	if _, err := c.Prepare(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := c.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections before any POST of a deal, want 1", n)
	}
	for range 3 {
		if _, err := c.CreateDeal(t.Context(), time.Now(), hello); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 4 {
		t.Errorf("%d connections after three POSTs, want 4", n)
	}
}

func TestASocketWritesOnlyBeforeItsDeadlineAndEnd(t *testing.T) {
	t.Parallel()
	type step struct {
		late, ended bool // state at the write
		armed       bool
		written     bool // want
	}
	for name, s := range map[string]step{
		"to make the connection":          {written: true},
		"the request":                     {armed: true, written: true},
		"the request, too late":           {armed: true, late: true},
		"the request, after its end":      {armed: true, ended: true},
		"to make the connection too late": {late: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := listen(t)
			start, timeout := time.Now(), time.Minute
			if s.late {
				start = start.Add(-timeout)
			}
			conn, err := pipedrive.Dial(t.Context(), start, timeout, l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			server, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			if s.armed {
				conn.Begin()
			}
			if s.ended && conn.End() {
				t.Error("something was sent before the write")
			}
			n, err := conn.Write([]byte("hello"))
			if s.written != (err == nil && n == 5) || err != nil && !errors.Is(err, pipedrive.ErrLate) {
				t.Errorf("wrote %d bytes: %v", n, err)
			}
			if sent, want := conn.End(), s.armed && s.written; sent != want {
				t.Errorf("sent = %v, want %v", sent, want)
			}
			// Written bytes arrive, because no linger option discards them.
			if err := errors.Join(conn.Raw.SetLinger(-1), conn.Close()); err != nil {
				t.Error(err)
			}
			if got, err := io.ReadAll(server); err != nil || (string(got) == "hello") != s.written {
				t.Errorf("received %q, error %v", got, err)
			}
		})
	}
}
