package pipedrive_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gistdeal"
	"gistdeal/internal/pipedrive"
)

func TestUnsentBytesAreDiscardedWithTheConnection(t *testing.T) {
	t.Parallel()
	// A small window: the rest of the request waits in the local kernel.
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var setErr error
		err := raw.Control(func(fd uintptr) { setErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) })
		return errors.Join(err, setErr)
	}}
	l, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	draft := hello
	draft.Description = strings.Repeat("🦉", 65_000) // 260 kB
	_, err = assumed(t, "http", l.Addr().String(), 300*time.Millisecond).CreateDeal(t.Context(), time.Now(), draft)
	wantKind(t, err, gistdeal.Unknown)

	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, conn)
	if !errors.Is(err, unix.ECONNRESET) || n >= 260_000 {
		t.Errorf("read %d bytes, then %v; want a part, then a reset", n, err)
	}
}

func TestTheSocketOfAPOSTEndsAtTheDeadline(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ago           time.Duration
		least, atMost int // milliseconds
	}{
		{0, 50_000, 60_000},
		{50 * time.Second, 1, 10_000},
		{time.Hour, 1, 1}, // 0 would mean without a limit
	} {
		l := listen(t)
		conn, err := pipedrive.Dial(t.Context(), time.Now().Add(-tt.ago), time.Minute, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := conn.Raw.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var linger *unix.Linger
		var limit int
		var errs [2]error
		if err := raw.Control(func(fd uintptr) {
			linger, errs[0] = unix.GetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER)
			limit, errs[1] = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
		}); err != nil || errs != [2]error{} {
			t.Fatal(err, errs)
		}
		if linger.Onoff == 0 || linger.Linger != 0 {
			t.Errorf("SO_LINGER %+v, want on and 0", linger)
		}
		if limit < tt.least || limit > tt.atMost {
			t.Errorf("TCP_USER_TIMEOUT %d ms, want %d to %d", limit, tt.least, tt.atMost)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}
