package oauth

import (
	"net/netip"
	"net/url"
	"strings"
)

// maxRedirectURI bounds a registered redirect URI in bytes; longer ones do not survive every browser and proxy once the
// response is appended.
const maxRedirectURI = 2 << 10

// ValidateRedirectURI checks a redirect URI that is being registered or configured. native says that the client is a
// native application, which alone may use a private-use scheme (RFC 8252 §7.1). Faults are invalid_redirect_uri
// (RFC 7591 §3.2.2).
//
// Right are: https with any host; http with 127.0.0.1, [::1] or localhost; and for native a scheme with a dot in it.
// Wrong are, with any of these: relative URIs, fragments (RFC 6749 §3.1.2), user names, wildcards in the host, characters
// outside RFC 3986, and queries that hold a parameter of the response.
func ValidateRedirectURI(uri string, native bool) error {
	if uri == "" {
		return badRedirectURI("is empty")
	}
	if len(uri) > maxRedirectURI {
		return badRedirectURI("is longer than %d bytes", maxRedirectURI)
	}
	if err := checkURICharacters(uri); err != nil {
		return err
	}
	// What the parser most clients share refuses, we do not store; what it makes of the rest is looked at in the bytes,
	// since those are what browsers get.
	if u, err := url.Parse(uri); err != nil || u.Scheme == "" {
		return badRedirectURI("must be a valid absolute URI")
	}
	scheme, rest, _ := strings.Cut(uri, ":")
	if err := checkScheme(scheme, native); err != nil {
		return err
	}
	if err := checkAuthority(scheme, rest); err != nil {
		return err
	}
	_, query, _ := strings.Cut(rest, "?")
	return checkRegisteredQuery(query)
}

func badRedirectURI(format string, args ...any) error {
	return Errorf(InvalidRedirectURI, "redirect URI "+format, args...)
}

// checkURICharacters admits the characters of RFC 3986 §2 less the fragment's '#', which RFC 6749 §3.1.2 forbids.
func checkURICharacters(uri string) error {
	for i := range len(uri) {
		switch c := uri[i]; {
		case c == '#':
			return badRedirectURI("must not have a fragment")
		case !isAlphanumeric(c) && !strings.ContainsRune("-._~:/?[]@!$&'()*+,;=%", rune(c)):
			return badRedirectURI("has a character that a URI cannot contain at byte %d", i)
		}
	}
	return nil
}

// checkScheme admits https, http (whose host is looked at later) and, for native applications, private-use schemes.
func checkScheme(scheme string, native bool) error {
	switch strings.ToLower(scheme) {
	case "javascript", "data", "vbscript", "file", "blob", "about":
		return badRedirectURI("uses a scheme that runs or reads something in the browser")
	}
	switch {
	case scheme != strings.ToLower(scheme):
		return badRedirectURI("must spell its scheme in lower case")
	case scheme == "https" || scheme == "http":
		return nil
	case !strings.Contains(scheme, "."):
		// RFC 8252 §7.1: a reversed domain name, so that two applications do not claim one scheme.
		return badRedirectURI("must use https, http on loopback, or a private-use scheme with a dot in it")
	case !native:
		return badRedirectURI("uses a private-use scheme, which only a native client may")
	default:
		return nil
	}
}

// checkAuthority looks at what follows "scheme:".
func checkAuthority(scheme, rest string) error {
	web := scheme == "https" || scheme == "http"
	after, hasAuthority := strings.CutPrefix(rest, "//")
	if !hasAuthority {
		if web || !strings.HasPrefix(rest, "/") { // com.example.app:/callback is the form of RFC 8252 §7.1
			return badRedirectURI("must be absolute")
		}
		return nil
	}
	authority := after
	if i := strings.IndexAny(after, "/?"); i >= 0 {
		authority = after[:i]
	}
	switch {
	case strings.Contains(authority, "@"):
		return badRedirectURI("must not have a user name")
	case strings.Contains(authority, "*"):
		return badRedirectURI("must not have a wildcard in its host")
	case authority == "" && !web: // com.example.app:///callback
		return nil
	case !isAuthority(authority):
		return badRedirectURI("has no valid host and port")
	}
	if scheme == "http" {
		if _, _, ok := splitLoopback("http://" + authority); !ok {
			return badRedirectURI("must use https unless the host is 127.0.0.1, [::1] or localhost")
		}
	}
	return nil
}

// checkRegisteredQuery refuses names that the response sets: whichever of two values a client reads, one was not ours.
func checkRegisteredQuery(query string) error {
	fields, err := splitFields(query)
	if err != nil {
		return badRedirectURI("has a bad query: %s", From(err).Description)
	}
	for _, f := range fields {
		if reservedInResponse(f.Name) {
			return badRedirectURI("must not have the response parameter %s in its query", f.Name)
		}
	}
	return nil
}

// isAuthority reports whether s is a DNS name, an IPv4 address or a bracketed IPv6 address, with or without a port.
func isAuthority(s string) bool {
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		host, port = s[:i], s[i+1:]
		if !isPort(port) {
			return false
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		return ok && err == nil && a.Is6() && a.Zone() == ""
	}
	for i := range len(host) {
		if c := host[i]; !isAlphanumeric(c) && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return host != "" && host[0] != '.' && !strings.Contains(host, "..")
}
