package configs

import (
	"net/netip"
	"net/url"
	"strings"

	"gatehouse/connectors"
)

// maxIssuer bounds the issuer in bytes: it is in every token, and the redirect URI registered at each upstream begins
// with it.
const maxIssuer = 200

// validateIssuer wants one spelling of one URL: clients compare issuers byte for byte (OpenID Connect Discovery §4.3,
// RFC 8414 §3.3), and browsers, proxies and upstreams must not see another URL than they do.
func validateIssuer(issuer string) []connectors.Problem {
	var f faults
	if issuer == "" {
		f.add("", "required: the https URL under which people and applications reach this broker, such as https://sso.example.com")
		return f
	}
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.Opaque != "" || len(issuer) > maxIssuer {
		f.add("", "must be an absolute URL of at most %d bytes, such as https://sso.example.com", maxIssuer)
		return f
	}
	// OpenID Connect Discovery §3 and RFC 8414 §2: https, no query, no fragment.
	switch scheme, _, _ := strings.Cut(issuer, ":"); {
	case scheme == "http" && !connectors.IsLoopback(u.Hostname()):
		f.add("", "must be https: http is for trying things out on localhost, 127.0.0.1 or [::1]")
	case scheme != "https" && scheme != "http":
		f.add("", "must begin with https:// in lower case")
	}
	if strings.ContainsAny(issuer, "?#") {
		f.add("", "must have no query and no fragment: leave out what follows ? or #")
	}
	if u.User != nil {
		f.add("", "must have no user name: leave out what is before @")
	}
	if !isIssuerHost(u) {
		f.add("", "must have a host of lower-case letters, digits, - and dots (an international name in its xn-- form), or an address")
	}
	if p := u.Port(); strings.HasSuffix(u.Host, ":") || p == "443" && u.Scheme == "https" || p == "80" && u.Scheme == "http" {
		f.add("", "must leave out the port that its scheme implies: browsers do too")
	}
	f = append(f, validateIssuerPath(u)...)
	return f
}

func validateIssuerPath(u *url.URL) []connectors.Problem {
	var f faults
	path := u.EscapedPath()
	if strings.HasSuffix(path, "/") {
		f.add("", "must not end with a slash: write it without")
	}
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		plain := strings.Trim(segment, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") == ""
		if !plain || segment == "." || segment == ".." || segment == "" && path != "" && path != "/" {
			f.add("", "must have a path of plain segments: letters, digits and - . _ ~ between single slashes")
			break
		}
	}
	return f
}

// isIssuerHost accepts names and addresses in their one spelling.
func isIssuerHost(u *url.URL) bool {
	host := u.Hostname()
	if a, err := netip.ParseAddr(host); err == nil {
		return a.String() == host && a.Zone() == "" && !a.Is4In6()
	}
	return host == strings.ToLower(host) && isHostName(host)
}

// isHostName reports whether s is made of labels of letters, digits and inner hyphens (RFC 1123 §2.1), in lower or
// upper case, without a final dot.
func isHostName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i] | 0x20; (c < 'a' || c > 'z') && (label[i] < '0' || label[i] > '9') && label[i] != '-' {
				return false
			}
		}
	}
	return true
}
