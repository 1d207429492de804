//go:build !linux

package pipedrive

import (
	"net"
	"time"
)

// setUserTimeout does nothing: only Linux can bound the delivery of what was written.
func setUserTimeout(*net.TCPConn, time.Duration) error { return nil }
