package oauth

import (
	"math"
	"slices"
	"strings"
)

// MatchRedirectURI reports whether presented is one of the registered redirect URIs, byte for byte: no parser, no
// decoding and no normalisation comes before the comparison, because every known way round it is a disagreement between
// two of those (RFC 9700 §2.1, §4.1).
//
// There is one exception, for public clients: an http URI of a loopback host may differ from a registered one in the
// port, as a native application cannot know which will be free (RFC 8252 §7.3). Each of 127.0.0.1, [::1] and
// localhost matches only itself. Redirect to presented, not to the registered URI that it matched.
func MatchRedirectURI(registered []string, presented string, public bool) bool {
	if presented == "" {
		return false
	}
	if slices.Contains(registered, presented) {
		return true
	}
	if !public {
		return false
	}
	host, rest, ok := splitLoopback(presented)
	if !ok {
		return false
	}
	return slices.ContainsFunc(registered, func(uri string) bool {
		h, r, ok := splitLoopback(uri)
		return ok && h == host && r == rest
	})
}

// splitLoopback takes an http loopback URI apart into the host and what follows the port. It reports false for
// anything else, also for a port that is empty, zero, out of range or has leading zeros.
func splitLoopback(uri string) (host, rest string, ok bool) {
	authority, ok := strings.CutPrefix(uri, "http://")
	if !ok {
		return "", "", false
	}
	for _, host := range [...]string{"127.0.0.1", "[::1]", "localhost"} {
		rest, ok := strings.CutPrefix(authority, host)
		if !ok {
			continue
		}
		if port, ok := strings.CutPrefix(rest, ":"); ok {
			rest = strings.TrimLeft(port, "0123456789")
			if !isPort(port[:len(port)-len(rest)]) {
				return "", "", false
			}
		}
		// Whatever else follows would make this another host or a user name: 127.0.0.1.evil.test, 127.0.0.1:80@evil.test.
		return host, rest, rest == "" || rest[0] == '/' || rest[0] == '?'
	}
	return "", "", false
}

// isPort reports whether s is a port from 1 to 65535 in its one spelling.
func isPort(s string) bool {
	n, ok := parseDecimal(s)
	return ok && n > 0 && n <= math.MaxUint16
}

// reservedInResponse reports whether a parameter name is one that an authorization response sets: RFC 6749 §4.1.2,
// §4.1.2.1 and §4.2.2, RFC 9207 §2, OpenID Connect Core §3.3.2.5, Session Management §2, JARM §2.3.
func reservedInResponse(name string) bool {
	switch name {
	case "code", "state", "iss", "error", "error_description", "error_uri", "access_token", "token_type", "expires_in",
		"scope", "id_token", "session_state", "response":
		return true
	default:
		return false
	}
}
