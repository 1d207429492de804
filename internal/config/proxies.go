package config

import (
	"net/netip"
	"slices"
	"strings"
)

// Proxies are addresses and networks of trusted proxies.
type Proxies []netip.Prefix

// String returns the list as Parse reads it.
func (p Proxies) String() string {
	texts := make([]string, len(p))
	for i, prefix := range p {
		texts[i] = prefix.String()
	}
	return strings.Join(texts, ",")
}

// Equal reports whether both lists are the same.
func (p Proxies) Equal(other Proxies) bool { return slices.Equal(p, other) }

// addresses returns a list of addresses and networks, separated by commas.
func (p *parser) addresses(name string) Proxies {
	var list Proxies
	for text := range strings.SplitSeq(p.text(name, ""), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil {
			addr = addr.Unmap().WithZone("")
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err == nil && prefix.Bits() == 0 {
			p.mistake("%s: %s trusts everybody: name the addresses of your proxies", name, text)
			continue
		}
		if err != nil {
			p.mistake("%s: %q is neither an address nor a network (want 10.0.0.7 or 10.0.0.0/24, separated by commas)", name, text)
			continue
		}
		list = append(list, prefix.Masked())
	}
	return list
}
