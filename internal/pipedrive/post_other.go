//go:build !linux

package pipedrive

import (
	"net"
	"time"
)

// setUserTimeout does nothing: only Linux can limit the delivery time of written bytes.
func setUserTimeout(*net.TCPConn, time.Duration) error { return nil }
