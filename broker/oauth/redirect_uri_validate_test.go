package oauth_test

import (
	"strings"
	"testing"

	"gatehouse/broker/oauth"
)

func TestValidateRedirectURIAccepts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, uri  string
		nativeOnly bool
	}{
		{"https", "https://a.test/cb", false},
		{"https without a path", "https://a.test", false},
		{"https with a port and query", "https://a.test:8443/cb?tenant=1&x", false},
		{"https with percent-encoding", "https://a.test/c%20b", false},
		{"an underscore in a host name", "https://a_b.test/cb", false},
		{"an internationalised name in ASCII", "https://xn--80a.test/cb", false},
		{"an address", "https://192.0.2.1/cb", false},
		{"an IPv6 address with a port", "https://[2001:db8::1]:8443/cb", false},
		{"https on loopback", "https://localhost:3000/cb", false},
		{"http on localhost", "http://localhost:3000/cb", false},
		{"http on 127.0.0.1", "http://127.0.0.1/cb", false},
		{"http on [::1]", "http://[::1]:8080", false},
		{"a star in the path is literal", "https://a.test/.*", false},
		{"names that only contain reserved ones", "https://a.test/cb?mycode=1&State=2&statex", false},
		{"a path that spells a reserved name", "https://a.test/code=1", false},
		{"2048 bytes", "https://a.test/" + strings.Repeat("x", 2048-15), false},
		{"a private-use scheme", "com.example.app:/cb", true},
		{"a private-use scheme with a host", "com.example.app://cb/x?y=1", true},
		{"a private-use scheme with an empty host", "com.example.app:///cb", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantCode(t, oauth.ValidateRedirectURI(tt.uri, true), "")
			code := oauth.Code("")
			if tt.nativeOnly {
				code = oauth.InvalidRedirectURI
			}
			wantCode(t, oauth.ValidateRedirectURI(tt.uri, false), code)
		})
	}
}

func TestValidateRedirectURIRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		uris []string
	}{
		{"nothing", []string{""}},
		{"relative URIs", []string{"/cb", "cb", "//a.test/cb", "a.test/cb", "?x", ":x", "https:a.test/cb", "https:/a.test/cb",
			"http:/localhost/cb", "http:localhost/cb", "http:///cb"}},
		{"fragments", []string{"https://a.test/cb#", "https://a.test/cb#x", "https://a.test#", "com.example.app:/cb#x"}},
		{"user names", []string{"https://u@a.test/cb", "https://u:p@a.test/cb", "https://a.test@evil.test/cb",
			"https://a@b@evil.test/", "https://@a.test/", "com.example.app://u@cb"}},
		{"http off loopback (RU-05)", []string{"http://a.test/cb", "http://127.0.0.2/cb", "http://10.0.0.1/",
			"http://localhost.evil.test/", "http://127.0.0.1.evil.test/", "http://[::2]/", "http://LOCALHOST/", "http://127.1/"}},
		{"dangerous schemes (RU-05)", []string{"javascript:alert(1)", "JaVaScRiPt:alert(1)", "javascript://a.test/%0aalert(1)",
			"data:text/html,x", "DATA:text/html,x", "vbscript:x", "VbScript:x", "file:///etc/passwd", "File:///x",
			"blob:https://a.test/x", "about:blank", "ABOUT:blank"}},
		{"schemes without a dot (RU-05)", []string{"myapp:/cb", "myapp://cb", "ftp://a.test/", "ws://a.test/", "intent://x",
			"view-source:https://a.test", "urn:ietf:wg:oauth:2.0:oob", "mailto:x@a.test", "localhost:3000/cb"}},
		{"schemes not in lower case", []string{"HTTPS://a.test/cb", "Http://localhost/cb", "com.example.App:/cb"}},
		{"schemes that are none", []string{"1com.example:/cb", "com.example*:/cb", "-a.b:/cb", ".a:/cb", "com%2eexample:/cb",
			"com_example.app:/cb", "com.example@x:/cb"}},
		{"private-use URIs that are opaque", []string{"com.example.app:cb", "com.example.app:", "com.example.app:?x"}},
		{"wildcards in the host (RU-06)", []string{"https://*.a.test/cb", "https://*/cb", "https://a.*/cb", "http://localhost:*/cb",
			"com.example.app://*/cb"}},
		{"hosts that are none", []string{"https:///cb", "https://", "https://:443/cb", "https://?x", "https://a..test/", "https://.a.test/",
			"https://a.test%00.evil.test/cb", "https://%61.test/cb", "https://a.test,b.test/", "https://[::1/cb", "https://::1/cb",
			"https://[a.test]/", "https://[127.0.0.1]/", "https://[fe80::1%25eth0]/", "https://a.test]/", "https://a!.test/",
			"com.example.app://a..b/cb", "com.example.app://a!/cb"}},
		{"ports that are none", []string{"https://a.test:/cb", "https://a.test:0/", "https://a.test:65536/", "https://a.test:99999/",
			"https://a.test:0443/", "https://a.test:x/", "https://a.test:1:2/", "http://localhost:/cb", "http://[::1]:99999/"}},
		{"spaces and control characters (RU-08)", []string{" https://a.test/cb", "https://a.test/cb ", "https://a.test/c b",
			"https://a.test/cb\r\nSet-Cookie: x", "https://a.test/\t", "https://a.test/\x00", "https://a.test/\x7f", "\thttps://a.test/"}},
		{"characters that readers disagree about", []string{`https://evil.test\@a.test/cb`, `https:\\a.test\cb`, `https://a.test/"x`,
			"https://a.test/<x>", "https://a.test/{x}", "https://a.test/|", "https://a.test/^", "https://a.test/`"}},
		{"characters outside ASCII (RU-01)", []string{"https://а.test/cb", "https://a.test/é", "https://a。test/", "https://ａ.test/"}},
		{"bad percent-encoding", []string{"https://a.test/%", "https://a.test/%4", "https://a.test/%zz", "https://a.test/?x=%g0",
			"com.example.app:/%zz", "com.example.app:/cb?%"}},
		{"queries nobody reads alike", []string{"https://a.test/?a;b", "https://a.test/?=x", "https://a.test/?a=%00", "https://a.test/?a=%ff"}},
		{"2049 bytes", []string{"https://a.test/" + strings.Repeat("x", 2049-15)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, uri := range tt.uris {
				for _, native := range []bool{false, true} {
					if err := oauth.ValidateRedirectURI(uri, native); err == nil {
						t.Errorf("native %v: %q is accepted", native, uri)
					} else if got := oauth.From(err).Code; got != oauth.InvalidRedirectURI {
						t.Errorf("native %v: %q: code %s", native, uri, got)
					}
				}
			}
		})
	}
}

// TestRedirectURIRefusalsSayWhatIsWrong: a later check would catch some of these too, but the operator who reads the
// sentence should not have to guess.
func TestRedirectURIRefusalsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	longHost := strings.Repeat("a", 2048)
	for uri, says := range map[string]string{
		"":                           "is empty",
		"/cb":                        "valid absolute URI",
		"https://a.test/cb#f":        "fragment",
		"https://a.test/c b":         "at byte 16",
		"JavaScript:alert(1)":        "runs or reads",
		"data:text/html,x":           "runs or reads",
		"vbscript:x":                 "runs or reads",
		"file:///x":                  "runs or reads",
		"blob:https://a.test/x":      "runs or reads",
		"about:blank":                "runs or reads",
		"HTTPS://a.test/":            "lower case",
		"myapp:/cb":                  "with a dot",
		"https://u@a.test/":          "user name",
		"https://*.a.test/":          "wildcard",
		"https://a..test/":           "host and port",
		"http://a.test/":             "must use https",
		"https://a.test/?code=x":     "response parameter code",
		"https://a.test/?a=%00":      "bad query: a parameter is not text",
		"https://" + longHost + "/x": "longer than 2048",
	} {
		if got := oauth.From(oauth.ValidateRedirectURI(uri, true)); got == nil || !strings.Contains(got.Description, says) {
			t.Errorf("%.40q: %v, want a description with %q", uri, got, says)
		}
	}
	if got := oauth.From(oauth.ValidateRedirectURI("com.example.app:/cb", false)); !strings.Contains(got.Description, "only a native client") {
		t.Errorf("a private-use scheme of a web client: %v", got)
	}
}

// TestReservedNamesInRegisteredQuery is RU-07.
func TestReservedNamesInRegisteredQuery(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"code", "state", "iss", "error", "error_description", "error_uri", "access_token", "token_type",
		"expires_in", "scope", "id_token", "session_state", "response"} {
		for _, query := range []string{name + "=x", name, name + "=", "a=1&" + name + "=x", name + "=1&" + name + "=2",
			"%" + hexByte(name[0]) + name[1:] + "=x"} {
			for _, base := range []string{"https://a.test/cb?", "http://localhost/cb?", "com.example.app:/cb?"} {
				wantCode(t, oauth.ValidateRedirectURI(base+query, true), oauth.InvalidRedirectURI)
			}
		}
	}
}

func hexByte(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}
