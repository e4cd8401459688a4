package oauth_test

import (
	"strings"
	"testing"

	"gatehouse/broker/oauth"
)

// TestMatchRedirectURIEvasions is RU-01 and RU-02: none of these is https://a.test/cb, whatever a parser thinks.
func TestMatchRedirectURIEvasions(t *testing.T) {
	t.Parallel()
	registered := []string{"https://a.test/cb", "https://a.test/other?x=1"}
	for _, public := range []bool{false, true} {
		for _, uri := range registered {
			if !oauth.MatchRedirectURI(registered, uri, public) {
				t.Errorf("%q does not match itself", uri)
			}
		}
		for _, uri := range []string{
			"", " ", "/", "https://a.test", "https://a.test/", "https://a.test/c", "https://a.test/cbx",
			"https://a.test/cb/", "https://a.test/cb?x", "https://a.test/cb?", "https://a.test/cb#", "https://a.test/cb#f",
			"https://a.test/CB", "https://a.test/cb/../x", "https://a.test/cb/..;/x", "https://a.test/cb%2f..%2fx",
			"https://a.test/%63b", "https://a.test/x/../cb", "https://a.test/./cb", "https://a.test//cb", "https://a.test/cb;x",
			"HTTPS://A.test/cb", "https://A.test/cb", "https://a.test:443/cb", "https://a.test:/cb", "https://a.test./cb",
			"https://a.test@evil.test/cb", "https://a@b@evil.test/", "https://x@a.test/cb", "https://evil.test\\@a.test/cb",
			"https://evil.test#@a.test/cb", "https://evil.test?@a.test/cb", "https://a.test%00.evil.test/cb",
			"https://a.test\x00.evil.test/cb", "https://a.test.evil.test/cb", "https://evil.test/https://a.test/cb",
			"//a.test/cb", "https:a.test/cb", "https:/a.test/cb", "https:///a.test/cb", "http://a.test/cb", "\\\\a.test/cb",
			"https://a.test/cb%0d%0a", "https://a.test/cb\r\n", "https://a.test/cb\n", "\nhttps://a.test/cb",
			" https://a.test/cb", "https://a.test/cb ", "\thttps://a.test/cb", "https://a.test/cb\t", "https://a.te\tst/cb",
			"https://а.test/cb", "https://xn--80a.test/cb", "https://ａ.test/cb", "https://a。test/cb", "https://[::1]/cb",
			"https%3A%2F%2Fa.test%2Fcb", "https%253A%252F%252Fa.test%252Fcb", // RU-02
			"https://a.test/other?x=1&y=2", "https://a.test/other?x=2", "https://a.test/other", "https://a.test/other?X=1",
			"https://a.test/other?x=%31", "javascript:alert(1)", "data:text/html,x",
		} {
			if oauth.MatchRedirectURI(registered, uri, public) {
				t.Errorf("public %v: %q matches", public, uri)
			}
		}
	}
}

func TestMatchRedirectURIWithNothingRegistered(t *testing.T) {
	t.Parallel()
	if oauth.MatchRedirectURI(nil, "https://a.test/cb", true) || oauth.MatchRedirectURI(nil, "", true) ||
		oauth.MatchRedirectURI([]string{""}, "", true) || oauth.MatchRedirectURI([]string{""}, "http://localhost/", true) {
		t.Error("something matches nothing")
	}
}

// TestWildcardsAreLiteral is RU-06, for entries that came in some other way than through ValidateRedirectURI.
func TestWildcardsAreLiteral(t *testing.T) {
	t.Parallel()
	registered := []string{"https://*.a.test/cb", "https://a.test/.*", "http://127.0.0.1:*/cb"}
	for _, uri := range []string{"https://x.a.test/cb", "https://a.test/x", "https://a.test/", "http://127.0.0.1:80/cb"} {
		if oauth.MatchRedirectURI(registered, uri, true) {
			t.Errorf("%q matches", uri)
		}
	}
}

// TestMatchRedirectURILoopback is RU-04.
func TestMatchRedirectURILoopback(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, registered, presented string
		want                        bool
	}{
		{"another port", "http://127.0.0.1:1000/cb", "http://127.0.0.1:65535/cb", true},
		{"a port where none is registered", "http://127.0.0.1/cb", "http://127.0.0.1:1/cb", true},
		{"no port where one is registered", "http://127.0.0.1:1000/cb", "http://127.0.0.1/cb", true},
		{"localhost", "http://localhost/cb", "http://localhost:3000/cb", true},
		{"IPv6", "http://[::1]/cb", "http://[::1]:3000/cb", true},
		{"no path", "http://localhost", "http://localhost:3000", true},
		{"a query", "http://localhost/cb?a=1", "http://localhost:3000/cb?a=1", true},
		{"a query without a path", "http://localhost?a=1", "http://localhost:3000?a=1", true},
		{"another path", "http://127.0.0.1/cb", "http://127.0.0.1:3000/CB", false},
		{"a longer path", "http://127.0.0.1/cb", "http://127.0.0.1:3000/cb/", false},
		{"a path where none is registered", "http://127.0.0.1", "http://127.0.0.1:3000/", false},
		{"another query", "http://127.0.0.1/cb?a=1", "http://127.0.0.1:3000/cb?a=2", false},
		{"a query where none is registered", "http://127.0.0.1/cb", "http://127.0.0.1:3000/cb?", false},
		{"a fragment", "http://127.0.0.1/cb", "http://127.0.0.1:3000/cb#", false},
		{"a user name", "http://127.0.0.1/cb", "http://u@127.0.0.1:3000/cb", false},
		{"a user name that looks like the host", "http://127.0.0.1/cb", "http://127.0.0.1:80@evil.test/cb", false},
		{"a user name without a password", "http://127.0.0.1", "http://127.0.0.1@evil.test", false},
		{"localhost is not 127.0.0.1", "http://127.0.0.1/cb", "http://localhost:3000/cb", false},
		{"127.0.0.1 is not localhost", "http://localhost/cb", "http://127.0.0.1:3000/cb", false},
		{"IPv4 is not IPv6", "http://127.0.0.1/cb", "http://[::1]:3000/cb", false},
		{"another loopback address", "http://127.0.0.1/cb", "http://127.0.0.2:3000/cb", false},
		{"another loopback address, registered", "http://127.0.0.2/cb", "http://127.0.0.2:3000/cb", false},
		{"a shorter spelling", "http://127.0.0.1/cb", "http://127.1:3000/cb", false},
		{"a longer spelling of IPv6", "http://[::1]/cb", "http://[0:0:0:0:0:0:0:1]:3000/cb", false},
		{"IPv6 without brackets", "http://[::1]/cb", "http://::1:3000/cb", false},
		{"a host that begins with it", "http://127.0.0.1/cb", "http://127.0.0.1.evil.test/cb", false},
		{"a host that begins with localhost", "http://localhost/cb", "http://localhost.evil.test:3000/cb", false},
		{"a host with a dot at its end", "http://localhost/cb", "http://localhost.:3000/cb", false},
		{"the host in capitals", "http://localhost/cb", "http://LOCALHOST:3000/cb", false},
		{"the scheme in capitals", "http://localhost/cb", "HTTP://localhost:3000/cb", false},
		{"no scheme", "http://127.0.0.1/cb", "127.0.0.1:3000/cb", false},
		{"no scheme on both sides", "127.0.0.1/cb", "127.0.0.1:3000/cb", false},
		{"https presented", "http://127.0.0.1/cb", "https://127.0.0.1:3000/cb", false},
		{"https on both sides", "https://127.0.0.1/cb", "https://127.0.0.1:3000/cb", false},
		{"port 0", "http://127.0.0.1/cb", "http://127.0.0.1:0/cb", false},
		{"port 65536", "http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false},
		{"port 99999", "http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", false},
		{"a port beyond any integer", "http://127.0.0.1/cb", "http://127.0.0.1:" + strings.Repeat("9", 30) + "/cb", false},
		{"an empty port", "http://127.0.0.1/cb", "http://127.0.0.1:/cb", false},
		{"a port with a leading zero", "http://127.0.0.1/cb", "http://127.0.0.1:0080/cb", false},
		{"a signed port", "http://127.0.0.1/cb", "http://127.0.0.1:+80/cb", false},
		{"two ports", "http://127.0.0.1/cb", "http://127.0.0.1:80:80/cb", false},
		{"a port in words", "http://127.0.0.1/cb", "http://127.0.0.1:http/cb", false},
		{"a port in other digits", "http://127.0.0.1/cb", "http://127.0.0.1:８０/cb", false},
		{"a backslash for a path", "http://127.0.0.1/cb", "http://127.0.0.1:80\\cb", false},
		{"a space after the port", "http://127.0.0.1/cb", "http://127.0.0.1:80 /cb", false},
		{"a line break at the end", "http://127.0.0.1/cb", "http://127.0.0.1:80/cb\n", false},
		{"a port of a host that is not loopback", "http://a.test/cb", "http://a.test:80/cb", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// A URI beside it must not change the answer, and a web client has no exception at all.
			registered := []string{"https://a.test/cb", tt.registered}
			if got := oauth.MatchRedirectURI(registered, tt.presented, true); got != tt.want {
				t.Errorf("public: %q for %q is %v, want %v", tt.presented, tt.registered, got, tt.want)
			}
			if oauth.MatchRedirectURI(registered, tt.presented, false) {
				t.Errorf("confidential: %q matches %q", tt.presented, tt.registered)
			}
		})
	}
}

// FuzzMatchRedirectURI: a match is byte equality, or equality with the port of a loopback URI taken out.
func FuzzMatchRedirectURI(f *testing.F) {
	f.Add("https://a.test/cb", "https://a.test/cb", true)
	f.Add("http://127.0.0.1/cb", "http://127.0.0.1:3000/cb", true)
	f.Add("http://[::1]:1/cb?x", "http://[::1]:3000/cb?x", true)
	f.Add("http://localhost:99/", "http://localhost:99@evil.test/", true)
	// RU-01, RU-02: what has been taken for https://a.test/cb.
	for _, s := range []string{"https://a.test/cb/", "https://a.test/cb?x", "https://a.test/cb#", "https://a.test/cb#f", "https://a.test/CB", "https://a.test/cb/../x", "https://a.test/cb/..;/x",
		"https://a.test/cb%2f..%2fx", "https://a.test/%63b", "HTTPS://A.test/cb", "https://a.test:443/cb", "https://a.test./cb", "https://a.test@evil.test/cb", "https://a@b@evil.test/",
		`https://evil.test\@a.test/cb`, "https://a.test%00.evil.test/cb", "//a.test/cb", "https:a.test/cb", "https://a.test/cb%0d%0a", " https://a.test/cb", "https://a.test/cb\t",
		"https://\u0430.test/cb", "https://xn--80a.test/cb", "https%3A%2F%2Fa.test%2Fcb", "https://*.test/cb", "https://a.test/.*"} {
		f.Add("https://a.test/cb", s, true)
	}
	// RU-04: what has been taken for a loopback address, or for another port of one.
	for _, s := range []string{"http://localhost/cb", "http://127.0.0.2/cb", "http://[::1]:1/cb", "https://127.0.0.1/cb", "http://127.0.0.1:99999/cb", "http://127.0.0.1:/cb", "http://127.0.0.1.evil.test/cb",
		"http://127.0.0.1:1@evil.test/cb", "http://u@127.0.0.1:1/cb", "http://127.0.0.1:1/cb?x", "http://127.0.0.1:1/other", "http://127.0.0.1:+1/cb", "http://127.0.0.1:0x1/cb", "http://127.1:1/cb"} {
		f.Add("http://127.0.0.1/cb", s, true)
	}
	f.Fuzz(func(t *testing.T, registered, presented string, public bool) {
		if !oauth.MatchRedirectURI([]string{registered}, presented, public) {
			if registered == presented && presented != "" {
				t.Fatalf("%q does not match itself", presented)
			}
			return
		}
		if registered == presented {
			return
		}
		if !public {
			t.Fatalf("confidential: %q matches %q", presented, registered)
		}
		if a, b := withoutPort(t, registered), withoutPort(t, presented); a != b {
			t.Fatalf("%q matches %q", presented, registered)
		}
	})
}

// withoutPort takes the port out of a loopback URI, by other means than the code under test.
func withoutPort(t *testing.T, uri string) string {
	t.Helper()
	authority, _, _ := strings.Cut(strings.TrimPrefix(uri, "http://"), "/")
	authority, _, _ = strings.Cut(authority, "?")
	host := strings.TrimRight(authority, "0123456789")
	if bare, ok := strings.CutSuffix(host, ":"); ok {
		host = bare
	} else {
		host = authority
	}
	if !strings.HasPrefix(uri, "http://") || host != "127.0.0.1" && host != "[::1]" && host != "localhost" {
		t.Fatalf("%q has host %q, which is not loopback", uri, host)
	}
	return host + strings.TrimPrefix(uri, "http://"+authority)
}

func BenchmarkMatchRedirectURI(b *testing.B) {
	registered := []string{"https://a.test/cb", "https://a.test/silent", "http://127.0.0.1/cb", "http://localhost/cb"}
	for name, uri := range map[string]string{
		"exact": "https://a.test/silent", "loopback": "http://localhost:49152/cb", "refused": "https://evil.test/cb",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if oauth.MatchRedirectURI(registered, uri, true) != (name != "refused") {
					b.Fatal(uri)
				}
			}
		})
	}
}
