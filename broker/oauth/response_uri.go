package oauth

import (
	"net/url"
	"strings"
)

// AppendQuery adds the parameters of a response to a redirect URI that ValidateRedirectURI has admitted. The registered
// query stays byte for byte (RFC 6749 §3.1.2); a parameter without a value is left out and one given twice is set once,
// the first time. The values cannot break out of the query, nor anything at all out of the Location header.
func AppendQuery(uri string, params ...Field) string {
	base, fragment, hasFragment := strings.Cut(uriText(uri), "#")
	query := encodeFields(once(params))
	switch {
	case query == "":
		return uriText(uri)
	case !strings.Contains(base, "?"):
		base += "?"
	case strings.IndexByte(base, '?') != len(base)-1 && !strings.HasSuffix(base, "&"):
		base += "&"
	}
	if hasFragment { // not in a redirect URI; a post-logout one may have it
		return base + query + "#" + fragment
	}
	return base + query
}

// AppendFragment is AppendQuery for the response mode fragment: the parameters follow '#', in the same encoding
// (RFC 6749 §4.2.2). A fragment that uri has is replaced.
func AppendFragment(uri string, params ...Field) string {
	base, _, _ := strings.Cut(uriText(uri), "#")
	return base + "#" + encodeFields(once(params))
}

// once returns the params that have a value, each name the first time only.
func once(params []Field) []Field {
	kept := make([]Field, 0, len(params))
next:
	for _, f := range params {
		if f.Value == "" || f.Name == "" {
			continue
		}
		for _, k := range kept {
			if k.Name == f.Name {
				continue next
			}
		}
		kept = append(kept, f)
	}
	return kept
}

// encodeFields writes application/x-www-form-urlencoded with %20 for a space: readers that take a fragment apart by
// hand do not all know the plus sign.
func encodeFields(fields []Field) string {
	var b strings.Builder
	for i, f := range fields {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(f.Name))
		b.WriteByte('=')
		b.WriteString(escape(f.Value))
	}
	return b.String()
}

// escape leaves only unreserved characters as they are; a plus sign in QueryEscape's output is always a space.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// uriText percent-encodes whatever cannot stand in a header line. Of a registered URI it changes nothing.
func uriText(uri string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(uri) {
		if c := uri[i]; c <= 0x20 || c >= 0x7f {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
