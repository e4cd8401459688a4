package registration

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

// Policy is what clients may register for.
type Policy broker.RegistrationPolicy

// InitialToken admits whoever presents it (RFC 7591 §3).
type InitialToken = broker.InitialToken

// token finds the initial access token that was presented. It compares with all of
// them, so that the time it takes says nothing.
func (p *Policy) token(presented string, now time.Time) (*InitialToken, bool) {
	digest := broker.DigestOf(presented)
	var found *InitialToken
	for i := range p.Tokens {
		if t := &p.Tokens[i]; t.Digest.Equal(digest) && (t.Expires.IsZero() || now.Before(t.Expires)) {
			found = t
		}
	}
	return found, found != nil
}

// allowsGrant reports whether a registered client may use the grant type.
func (p *Policy) allowsGrant(g oauth.GrantType) bool {
	return g != oauth.GrantTypeTokenExchange && g != oauth.GrantTypeJWTBearer && slices.Contains(p.GrantTypes, g)
}

// check tells what of the metadata is beyond the policy. They are well-formed.
func (p *Policy) check(m *metadata.Client) (problems []metadata.Problem) {
	for i, g := range m.GrantTypes {
		if !p.allowsGrant(oauth.GrantType(g)) {
			problems = append(problems, metadata.Problem{Member: element("grant_types", i), Message: "is not open to clients that register themselves"})
		}
	}
	for _, l := range []struct {
		member string
		list   []string
	}{
		{"redirect_uris", m.RedirectURIs}, {"post_logout_redirect_uris", m.PostLogout},
		{"initiate_login_uri", one(m.InitiateLoginURI)},
	} {
		for i, uri := range l.list {
			if !p.allowsTarget(uri) {
				problems = append(problems, metadata.Problem{Member: element(l.member, i), Message: "leads to where registered clients may not send people"})
			}
		}
	}
	return problems
}

// allowsTarget reports whether people may be sent to the URI.
func (p *Policy) allowsTarget(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil {
		return false
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return p.PrivateSchemes
	}
	host := strings.ToLower(u.Hostname())
	switch host {
	case "127.0.0.1", "::1", "localhost":
		return p.Loopback
	}
	if len(p.RedirectHosts) == 0 {
		return !isThisMachine(host)
	}
	return slices.ContainsFunc(p.RedirectHosts, func(pattern string) bool { return matchHost(pattern, host) })
}

// matchHost reports whether a host in lower case is one that the pattern means. A
// wildcard stands for one label or more, and not for none: *.example.com is not
// example.com.
func matchHost(pattern, host string) bool {
	pattern = strings.ToLower(pattern)
	if below, ok := strings.CutPrefix(pattern, "*."); ok {
		sub, ok := strings.CutSuffix(host, "."+below)
		return ok && sub != ""
	}
	return pattern == host
}

// isThisMachine knows the other names of a loopback host, and takes for one what
// browsers read as an address though it is not written as one: 2130706433, 0x7f.1.
func isThisMachine(host string) bool {
	host = strings.TrimSuffix(host, ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback() || ip.Unmap().IsUnspecified()
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last == "localhost" || last == "" || '0' <= last[0] && last[0] <= '9'
}

func element(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

// one is a list of what is there.
func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
