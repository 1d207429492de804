package webhook

import (
	"fmt"
	"net/netip"
	"syscall"

	"gistdeal"
)

// public6 is the network of the public hosts of IPv6. Beside it there are IPv4 addresses in
// many forms, among which there may be private ones.
var public6 = netip.MustParsePrefix("2000::/3")

// reserved are networks that lead to no public host, beside those that netip knows and those
// outside of public6.
var reserved = parsePrefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	// Teredo and other protocols, documentation, 6to4, which has IPv4 addresses in it, and documentation.
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
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
	if a.Is6() && (!public6.Contains(a) || isatap(a)) {
		return true
	}
	for _, network := range reserved {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// isatap reports whether an IPv6 address ends with an IPv4 address to which a tunnel leads.
func isatap(a netip.Addr) bool {
	b := a.As16()
	return b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
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
