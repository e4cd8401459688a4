package outbound

import (
	"net/netip"
	"slices"
)

// unicast is the one block of IPv6 that public addresses are given out of (RFC 4291
// §2.4, the IANA registry of its address space). Outside of it are, among others, the
// prefixes by which translators reach any IPv4 address (RFC 2765, RFC 6052, RFC 8215).
var unicast = netip.MustParsePrefix("2000::/3")

// special are the blocks that are not public and that net/netip has no word for:
// the IANA special-purpose registries (RFC 6890), and what tunnels to any IPv4
// address.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),   // RFC 6598
	netip.MustParsePrefix("192.0.0.0/24"),    // RFC 6890 §2.2.2
	netip.MustParsePrefix("192.0.2.0/24"),    // RFC 5737
	netip.MustParsePrefix("192.88.99.0/24"),  // RFC 7526
	netip.MustParsePrefix("198.18.0.0/15"),   // RFC 2544
	netip.MustParsePrefix("198.51.100.0/24"), // RFC 5737
	netip.MustParsePrefix("203.0.113.0/24"),  // RFC 5737
	netip.MustParsePrefix("240.0.0.0/4"),     // RFC 1112 §4, and broadcast
	netip.MustParsePrefix("2001::/23"),       // RFC 2928, Teredo among them
	netip.MustParsePrefix("2001:db8::/32"),   // RFC 3849
	netip.MustParsePrefix("2002::/16"),       // RFC 3056
	netip.MustParsePrefix("3fff::/20"),       // RFC 9637
}

// Public reports whether an address is one of the public internet.
func Public(ip netip.Addr) bool {
	if ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	if !ip.IsValid() || !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return false
	}
	if ip.Is6() && !unicast.Contains(ip) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}
