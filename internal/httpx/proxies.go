package httpx

import (
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose word about X-Forwarded-For counts. Nobody's
// does by default.
type Proxies []netip.Prefix

// Trusts reports whether the address is one of the proxies.
func (p Proxies) Trusts(a netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// Client is the address the request comes from: the peer, or, if that is a
// trusted proxy, the last address in X-Forwarded-For that is not one. What a
// stranger wrote further left is not looked at.
func (p Proxies) Client(r *http.Request) netip.Addr {
	peer := addrOf(r.RemoteAddr)
	if !p.Trusts(peer) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop := addrOf(strings.TrimSpace(hops[i]))
		if !hop.IsValid() {
			return peer
		}
		peer = hop
		if !p.Trusts(hop) {
			return hop
		}
	}
	return peer
}

// addrOf reads an address with or without a port.
func addrOf(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// LimitKey is what an address is counted under: itself, or for IPv6 its /64,
// which one subscriber owns whole.
func LimitKey(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
