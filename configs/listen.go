package configs

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"gatehouse/connectors"
)

// Off is what the listeners and limits that can be turned off are set to for that.
const Off = "off"

// Health is the listener of /healthz, /readyz and /metrics, which is not for the public.
type Health struct {
	// Listen is host:port, or "off".
	Listen string `yaml:"listen"`
}

// Validate checks the address.
func (h Health) Validate() []connectors.Problem {
	var f faults
	if h.Listen != Off {
		validateAddress(&f, "listen", h.Listen)
	}
	return f
}

// Off reports whether there is no such listener.
func (h Health) Off() bool { return h.Listen == Off }

// validateAddress wants host:port with an address for a host: a name would be looked up once, at start, and what it
// stands for decides whether plain HTTP is safe. It reports whether that is what it got.
func validateAddress(f *faults, path, address string) bool {
	before := len(*f)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		f.add(path, "must be host:port, such as 127.0.0.1:5556, or :443 for every address")
		return false
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		f.add(path, "must have an IP address or localhost before the colon, or nothing for every address")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		f.add(path, "must have a port from 1 to 65535 behind the colon, or 0 for any free one")
	}
	return len(*f) == before
}

// isLoopbackAddress reports whether a listener on the address is reached from this machine alone.
func isLoopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && connectors.IsLoopback(host)
}

// validateProxies refuses the networks that hold everybody: whoever is trusted may claim any client address.
func validateProxies(networks []netip.Prefix) []connectors.Problem {
	var f faults
	for i, p := range networks {
		if isVast(p) {
			f.add(element("", i), "trusts strangers to say who is calling: name the proxies' own networks, 10.0.0.0/8 or smaller")
		}
	}
	return f
}

// isVast reports whether a network is larger than the largest private ones, 10.0.0.0/8 and fc00::/7, so that two halves
// of the internet are no better than the whole.
func isVast(p netip.Prefix) bool {
	return p.IsValid() && (p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 7)
}

// validateListeners checks what issuer, listen, tls, health and trusted_proxies mean together.
func (c *Config) validateListeners() []connectors.Problem {
	var f faults
	sound := validateAddress(&f, "listen", c.Listen)
	// Passwords never pass here, but codes, tokens and session cookies do (RFC 6749 §1.6, §3.1): without TLS only where
	// the wire is this machine or a proxy that somebody has named.
	if sound && !c.TLS.Enabled() && !isLoopbackAddress(c.Listen) && len(c.TrustedProxies) == 0 {
		f.add("listen", "is plain HTTP for other machines: set tls, or listen on 127.0.0.1, or name the proxies in front in trusted_proxies")
	}
	if c.TLS.Enabled() && strings.HasPrefix(c.Issuer, "http:") {
		f.add("issuer", "must be https when tls is set")
	}
	if c.Listen == c.Health.Listen && !strings.HasSuffix(c.Listen, ":0") {
		f.add("health.listen", "must differ from listen: health and metrics are not for the public")
	}
	if c.TLS.ACME != nil && !isPublicName(c.Issuer) {
		f.add("tls.acme", "needs an issuer with a public host name: certificates are issued for that")
	}
	return f
}
