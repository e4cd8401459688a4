package configs

import (
	"strings"
	"testing"
)

func TestIssuer(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, issuer, problem string }{
		{"https with a host", "https://sso.example.com", ""},
		{"https with a port", "https://sso.example.com:8443", ""},
		{"https with a path", "https://example.com/auth/v1.0_a~b", ""},
		{"https with one label", "https://sso", ""},
		{"https with an address", "https://192.0.2.7", ""},
		{"https with an IPv6 address", "https://[2001:db8::1]:8443", ""},
		{"http on localhost", "http://localhost:5556", ""},
		{"http on a loopback address", "http://127.0.0.1:5556/x", ""},
		{"http on the IPv6 loopback", "http://[::1]:5556", ""},
		{"an international name in its ASCII form", "https://xn--bcher-kva.example", ""},
		{"nothing", `""`, "required"},
		{"http elsewhere", "http://sso.example.com", "must be https"},
		{"http on a host that only begins like loopback", "http://localhost.example.com", "must be https"},
		{"another scheme", "ftp://sso.example.com", "must begin with https://"},
		{"a scheme in upper case", "HTTPS://sso.example.com", "must begin with https://"},
		{"no scheme", "sso.example.com", "must be an absolute URL"},
		{"no host", "https:///path", "must be an absolute URL"},
		{"not a URL", `"https://a b"`, "must be an absolute URL"},
		{"a query", "https://sso.example.com?x=1", "must have no query"},
		{"an empty query", "https://sso.example.com?", "must have no query"},
		{"a fragment", "https://sso.example.com#x", "must have no query"},
		{"an empty fragment", "https://sso.example.com#", "must have no query"},
		{"a user name", "https://me@sso.example.com", "must have no user name"},
		{"a slash at the end", "https://sso.example.com/", "must not end with a slash"},
		{"a slash at the end of a path", "https://sso.example.com/auth/", "must not end with a slash"},
		{"an upper-case host", "https://SSO.example.com", "must have a host of lower-case letters"},
		{"an international host", "https://bücher.example", "must have a host of lower-case letters"},
		{"a host with a final dot", "https://sso.example.com.", "must have a host of lower-case letters"},
		{"a host with an underscore", "https://s_so.example.com", "must have a host of lower-case letters"},
		{"an IPv6 address in another spelling", "https://[2001:DB8::1]", "must have a host of lower-case letters"},
		{"the default port", "https://sso.example.com:443", "must leave out the port"},
		{"the default port of http", "http://localhost:80", "must leave out the port"},
		{"an empty port", "'https://sso.example.com:'", "must leave out the port"},
		{"dots in the path", "https://sso.example.com/a/../b", "must have a path of plain segments"},
		{"an empty segment", "https://sso.example.com/a//b", "must have a path of plain segments"},
		{"an escape in the path", "https://sso.example.com/a%2fb", "must have a path of plain segments"},
		{"a semicolon in the path", "https://sso.example.com/a;b", "must have a path of plain segments"},
		{"too long", "https://sso.example.com/" + strings.Repeat("x", 200), "must be an absolute URL of at most 200"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			content := strings.Replace(minimal, "https://sso.example.com", row.issuer, 1)
			if row.problem == "" {
				mustLoad(t, content)
				return
			}
			wantProblems(t, content, "1: issuer: "+row.problem)
		})
	}
}
