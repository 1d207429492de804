package testenv

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// Forward passes TCP connections on to an address until the end of the test, as
// ssh -R and side-cars do. It returns the address of the forwarder.
func Forward(t testing.TB, to string) string {
	t.Helper()
	l := Listen(t)
	ctx, stop := context.WithCancel(context.Background())
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { forward(ctx, from, to) })
		}
	})
	t.Cleanup(func() {
		stop()
		_ = l.Close()
		connections.Wait()
	})
	return l.Addr().String()
}

// forward copies both ways until either side or ctx ends.
func forward(ctx context.Context, from net.Conn, to string) {
	defer from.Close()
	onward, err := new(net.Dialer).DialContext(ctx, "tcp", to)
	if err != nil {
		return
	}
	defer onward.Close()
	defer context.AfterFunc(ctx, func() { _ = onward.Close() })()
	go func() {
		_, _ = io.Copy(onward, from)
		_ = onward.Close()
	}()
	_, _ = io.Copy(from, onward)
}
