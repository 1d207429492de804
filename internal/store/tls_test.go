package store_test

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

// sslRequest is the code of PostgreSQL's message that asks for TLS.
const sslRequest = 80877103

// plainServer answers as a PostgreSQL without TLS, and sends the code of each message.
// It listens on this machine; the address 0.0.0.0 stands for another one.
func plainServer(t *testing.T) (port string, codes chan uint32) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	testenv.Must(t, err)
	t.Cleanup(func() { l.Close() })
	codes = make(chan uint32, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			head := make([]byte, 8)
			for {
				if _, err := io.ReadFull(conn, head); err != nil {
					break
				}
				code := binary.BigEndian.Uint32(head[4:])
				codes <- code
				if code != sslRequest {
					break
				}
				_, _ = conn.Write([]byte("N"))
			}
			conn.Close()
		}
	}()
	_, port, err = net.SplitHostPort(l.Addr().String())
	testenv.Must(t, err)
	return port, codes
}

func TestNothingIsSentToAnotherMachineWithoutTLS(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		host, query string
		plain       bool   // whether a session without TLS is tried
		want        string // in the error
	}{
		{"0.0.0.0", "", false, "sslmode=disable"},
		{"0.0.0.0", "?sslmode=require", false, "sslmode=disable"},
		{"0.0.0.0", "?sslmode=disable", true, ""},
		{"127.0.0.1", "", true, ""},
		{"localhost", "?sslmode=prefer", true, ""},
		{"127.0.0.1,0.0.0.0", "", false, "sslmode=disable"},
	} {
		port, codes := plainServer(t)
		hosts := strings.ReplaceAll(tt.host, ",", ":"+port+",")
		_, err := store.Open(t.Context(), "postgres://me:secret@"+hosts+":"+port+"/db"+tt.query, store.Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s%s: %v, want %q", tt.host, tt.query, err, tt.want)
		}
		plain := false
		for len(codes) > 0 {
			plain = <-codes != sslRequest || plain
		}
		if plain != tt.plain {
			t.Errorf("%s%s: a session without TLS: %v, want %v", tt.host, tt.query, plain, tt.plain)
		}
	}
}

func TestAModeThatMayDropTLSIsRefusedForAnotherMachine(t *testing.T) {
	t.Parallel()
	for query, ok := range map[string]bool{
		"": true, "?sslmode=disable": true, "?sslmode=require": true, "?sslmode=verify-full": true,
		"?sslmode=prefer": false, "?ssl%6Dode=allow": false,
	} {
		if err := store.CheckName("postgres://me@db.example/x" + query); (err == nil) != ok {
			t.Errorf("%q: %v", query, err)
		}
	}
	for _, local := range []string{
		"postgres://me@localhost/x?sslmode=prefer", "postgres://me@[::1]/x?sslmode=allow", "postgres://me@/x?host=/run/postgresql&sslmode=prefer",
	} {
		if err := store.CheckName(local); err != nil {
			t.Errorf("%s: %v", local, err)
		}
	}
}
