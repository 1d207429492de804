package webhook

import (
	"fmt"
	"net/netip"
	"syscall"

	"gistdeal"
)

// reserved are networks that lead to no public host, beside those that netip knows.
var reserved = parsePrefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	// Forms of IPv4 addresses in IPv6, among which there may be private ones.
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32",
	"2001:db8::/32", "fec0::/10",
)

func parsePrefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// private reports whether an address is one of this machine or of a private network, or no
// address of a public host at all.
func private(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return true
	}
	for _, network := range reserved {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// refusePrivate is for net.Dialer.Control. It sees the address of each connection after the
// name was resolved, so that no answer of a name server leads to a private network.
func refusePrivate(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s %s: %w", network, address, err)
	}
	if private(to.Addr()) {
		return gistdeal.Errorf(gistdeal.Invalid, "%s is an address of a private network: GISTDEAL_WEBHOOK_PRIVATE=true allows those", to.Addr())
	}
	return nil
}
