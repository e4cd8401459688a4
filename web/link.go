package web

import (
	"net/url"
	"strings"
)

// link returns a URL that may be an href: an http or https one with a host, or a
// path on this host. Anything else is dropped, and with it the link: javascript:
// and data: URLs are how a registered policy_uri attacks people (RFC 7591 §5).
func link(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	switch {
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil:
		return s
	case u.Scheme == "" && u.Host == "" && ownPath(s):
		return s
	}
	return ""
}

// ownPath reports whether s begins as a path or query on this host. Browsers
// read "//host" and "/\host" as another host.
func ownPath(s string) bool {
	return strings.HasPrefix(s, "?") ||
		strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && !strings.Contains(s, `\`)
}

func cleanLinks(links ...*string) {
	for _, l := range links {
		*l = link(*l)
	}
}

// cleanClient settles what an application is called. A client without a
// readable name goes by its host; one without either is "the application".
func cleanClient(name, host *string) {
	*name, *host = clean(*name, maxName), clean(*host, maxHost)
	if *name == "" {
		*name = *host
	}
	if *name == "" {
		*name = "the application"
	}
}
