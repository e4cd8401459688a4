package httpx

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func proxies(prefixes ...string) (out Proxies) {
	for _, p := range prefixes {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func TestTheClientIsWhoeverATrustedProxySaysItIs(t *testing.T) {
	t.Parallel()
	inner := proxies("10.0.0.0/8", "2001:db8:1::/48", "127.0.0.1/32")
	for _, row := range []struct {
		name      string
		trusted   Proxies
		peer      string
		forwarded []string
		want      string
	}{
		{"no proxy", nil, "192.0.2.1:4", nil, "192.0.2.1"},
		{"CA-08: a stranger's word does not count", nil, "192.0.2.1:4", []string{"203.0.113.7"}, "192.0.2.1"},
		{"a stranger's word does not count beside a proxy", inner, "192.0.2.1:4", []string{"203.0.113.7"}, "192.0.2.1"},
		{"one proxy", inner, "10.0.0.1:4", []string{"203.0.113.7"}, "203.0.113.7"},
		{"several hops in one line", inner, "10.0.0.1:4", []string{"203.0.113.7, 10.9.9.9, 10.0.0.2"}, "203.0.113.7"},
		{"several hops in several lines", inner, "10.0.0.1:4", []string{"203.0.113.7", "10.9.9.9", "10.0.0.2"}, "203.0.113.7"},
		{"what a stranger wrote further left is not looked at", inner, "10.0.0.1:4", []string{"1.1.1.1, 203.0.113.7, 10.0.0.2"}, "203.0.113.7"},
		{"not even when it names a proxy", inner, "10.0.0.1:4", []string{"10.0.0.7, 203.0.113.7"}, "203.0.113.7"},
		{"every hop is a proxy", inner, "10.0.0.1:4", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"a proxy that says nothing", inner, "10.0.0.1:4", nil, "10.0.0.1"},
		{"a proxy that says nothing understandable", inner, "10.0.0.1:4", []string{"unknown"}, "10.0.0.1"},
		{"an obfuscated hop ends the chain", inner, "10.0.0.1:4", []string{"203.0.113.7, _hidden, 10.0.0.2"}, "10.0.0.2"},
		{"an empty hop ends the chain", inner, "10.0.0.1:4", []string{"203.0.113.7,,10.0.0.2"}, "10.0.0.2"},
		{"with a port", inner, "10.0.0.1:4", []string{"203.0.113.7:5555"}, "203.0.113.7"},
		{"IPv6", inner, "[2001:db8:1::1]:4", []string{"2001:db8:2::7"}, "2001:db8:2::7"},
		{"IPv6 in brackets with a port", inner, "[2001:db8:1::1]:4", []string{"[2001:db8:2::7]:5"}, "2001:db8:2::7"},
		{"IPv6 in brackets", inner, "[2001:db8:1::1]:4", []string{"[2001:db8:2::7]"}, "2001:db8:2::7"},
		{"IPv4 in IPv6 is IPv4", inner, "[::ffff:10.0.0.1]:4", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		{"IPv4 in IPv6 of a stranger", inner, "[::ffff:192.0.2.1]:4", []string{"203.0.113.7"}, "192.0.2.1"},
		{"a zone is not part of an address", inner, "[2001:db8:1::1%eth0]:4", []string{"fe80::1%eth0"}, "fe80::1"},
		{"no peer", inner, "@", []string{"203.0.113.7"}, "invalid IP"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = row.peer
		for _, f := range row.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		r.Header.Set("Forwarded", "for=198.51.100.1")
		r.Header.Set("X-Real-Ip", "198.51.100.1")
		if got := row.trusted.Client(r).String(); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// One subscriber owns a /64 whole; behind one IPv4 address there may be many.
func TestLimitsCountNetworksOfOneSubscriber(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, a, b string
		same       bool
	}{
		{"two IPv4 addresses", "192.0.2.1", "192.0.2.2", false},
		{"one network of IPv6", "2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true},
		{"two networks of IPv6", "2001:db8:0:1::1", "2001:db8:0:2::1", false},
	} {
		a, b := LimitKey(netip.MustParseAddr(row.a)), LimitKey(netip.MustParseAddr(row.b))
		if (a == b) != row.same {
			t.Errorf("%s: %s and %s", row.name, a, b)
		}
	}
	if LimitKey(netip.Addr{}) == LimitKey(netip.MustParseAddr("0.0.0.0")) {
		t.Error("no address is counted as one")
	}
}

// Whatever is forwarded, the answer is the peer, or an address that a chain of
// trusted proxies vouches for, and it is in its one form.
func FuzzClientAddress(f *testing.F) {
	for _, seed := range [][2]string{
		{"10.0.0.1:4", "203.0.113.7"}, {"192.0.2.1:4", "203.0.113.7"}, {"10.0.0.1:4", "1.1.1.1, 10.0.0.2,"}, {"[::ffff:10.0.0.1]:4", "[2001:db8::1]:80"},
		{"10.0.0.1:4", "fe80::1%eth0"}, {"@", "x"}, {"10.0.0.1:4", "[[1.2.3.4]]"}, {"10.0.0.1:4", "1.2.3.4:99999, 10.0.0.2"},
	} {
		f.Add(seed[0], seed[1])
	}
	trusted := proxies("10.0.0.0/8")
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = peer
		r.Header["X-Forwarded-For"] = []string{forwarded}
		got, from := trusted.Client(r), addrOf(peer)
		if !trusted.Trusts(from) && got != from {
			t.Fatalf("peer %q is believed to be %s", peer, got)
		}
		if got.IsValid() && (got.Is4In6() || got.Zone() != "" || netip.MustParseAddr(got.String()) != got) {
			t.Fatalf("%q behind %q is %s", forwarded, peer, got)
		}
		if from.IsValid() && !got.IsValid() {
			t.Fatalf("%q behind %q is nobody", forwarded, peer)
		}
		if LimitKey(got) == "" {
			t.Fatalf("no key for %s", got)
		}
	})
}
