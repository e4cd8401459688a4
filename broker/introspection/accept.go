package introspection

import (
	"mime"
	"strings"
)

// What introspection answers with: RFC 7662 §2.2 and RFC 9701 §5.
const (
	typeJSON = "application/json"
	typeJWT  = "application/token-introspection+jwt"
)

// prefersJWT reports whether an Accept header asks for a JWT (RFC 9701 §4). Naming
// it is asking for it, unless JSON has more weight; who takes anything, or sends no
// header, gets what RFC 7662 answers with.
func prefersJWT(accept []string) bool {
	ranges := mediaRanges(strings.Join(accept, ",")) // RFC 9110 §5.2: several lines are one list
	jwt, named := weightOf(typeJWT, ranges)
	plain, _ := weightOf(typeJSON, ranges)
	return jwt > plain || jwt > 0 && jwt == plain && named
}

// mediaRange is one element of an Accept header, with its weight in thousandths.
type mediaRange struct {
	name   string
	weight int
}

// mediaRanges reads an Accept header (RFC 9110 §12.5.1). What cannot be read, and a
// range with parameters, which ours have none of, matches nothing.
func mediaRanges(header string) []mediaRange {
	var out []mediaRange
	for _, element := range elements(header) {
		name, params, err := mime.ParseMediaType(element)
		if err != nil {
			continue
		}
		r := mediaRange{name: name, weight: 1000}
		if q, ok := params["q"]; ok {
			delete(params, "q")
			if r.weight, ok = weight(q); !ok {
				continue
			}
		}
		if len(params) == 0 {
			out = append(out, r)
		}
	}
	return out
}

// elements splits a list at the commas that are not within quotes (RFC 9110 §5.6.1,
// §5.6.4).
func elements(list string) []string {
	var out []string
	begin, quoted := 0, false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case quoted && c == '\\':
			i++ // what follows is meant as it is
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			out, begin = append(out, list[begin:i]), i+1
		}
	}
	return append(out, list[begin:])
}

// weight reads a qvalue (RFC 9110 §12.4.2).
func weight(q string) (thousandths int, ok bool) {
	whole, decimals, _ := strings.Cut(q, ".")
	if whole != "0" && whole != "1" || len(decimals) > 3 {
		return 0, false
	}
	for _, c := range []byte((whole + decimals + "000")[:4]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		thousandths = 10*thousandths + int(c-'0')
	}
	return thousandths, thousandths <= 1000
}

// weightOf is that of a media type: the most specific range that matches it decides
// (RFC 9110 §12.5.1). named says that this one is the type itself.
func weightOf(name string, ranges []mediaRange) (thousandths int, named bool) {
	family, _, _ := strings.Cut(name, "/")
	for _, pattern := range []string{name, family + "/*", "*/*"} {
		found := false
		for _, r := range ranges {
			if r.name == pattern {
				thousandths, found = max(thousandths, r.weight), true
			}
		}
		if found {
			return thousandths, pattern == name
		}
	}
	return 0, false
}
