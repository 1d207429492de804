package app

import (
	"net"

	"gistdeal/internal/config"
)

// notify tells the service manager the state of the program, as sd_notify(3) describes.
// Without one it does nothing.
func (a *App) notify(state string) {
	socket := config.Environ()["NOTIFY_SOCKET"]
	if socket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err == nil {
		_, err = conn.Write([]byte(state))
		_ = conn.Close() // The message is sent, or the error is known.
	}
	if err != nil {
		a.log.Warn("service manager not told", "state", state, "error", err)
	}
}
