package github

import (
	"net/url"
	"strings"
)

// within reports whether a link stays at the API it came from: same scheme and
// host, below the same path. The bearer token goes along with it.
func within(api, link string) bool {
	a, err := url.Parse(api)
	if err != nil {
		return false
	}
	l, err := url.Parse(link)
	if err != nil || l.User != nil || l.Opaque != "" || strings.Contains(l.Path, "..") {
		return false
	}
	return l.Scheme == a.Scheme && lower(l.Host) == lower(a.Host) && strings.HasPrefix(l.Path, a.Path+"/")
}
