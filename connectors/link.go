package connectors

import (
	"net/http"
	"strings"
)

// NextPage returns the target of the link with relation next (RFC 8288 §3), or
// nothing. A header that cannot be read is an error: taking it for the last page
// would lose what is on the others.
func NextPage(h http.Header) (next string, ok bool) {
	for _, line := range h.Values("Link") {
		for line != "" {
			target, params, rest, ok := cutLink(line)
			if !ok {
				return "", false
			}
			if hasRelation(params, "next") {
				if next != "" && next != target {
					return "", false
				}
				next = target
			}
			line = rest
		}
	}
	return next, true
}

// cutLink takes one link-value off the front of a header: <target> and its
// parameters, up to a comma outside of quotes.
func cutLink(s string) (target, params, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t,")
	if s == "" {
		return "", "", "", true
	}
	if s[0] != '<' {
		return "", "", "", false
	}
	target, s, ok = strings.Cut(s[1:], ">")
	if !ok {
		return "", "", "", false
	}
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return target, s[:i], s[i+1:], true
		}
	}
	return target, s, "", !quoted
}

// hasRelation reports whether the parameters name a relation; rel is a list
// separated by spaces, quoted or not.
func hasRelation(params, relation string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for word := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(word, relation) {
				return true
			}
		}
	}
	return false
}
