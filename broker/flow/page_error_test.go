package flow

import (
	"errors"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// What a person can judge of where the answer goes is the host, never a name that
// the address only contains.
func TestHostOf(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"https://wiki.example/callback":              "wiki.example",
		"https://wiki.example:8443/callback?x=1":     "wiki.example:8443",
		"https://bank.example@evil.example/callback": "evil.example",
		"https://evil.example/https://bank.example":  "evil.example",
		"http://127.0.0.1:4711/callback":             "127.0.0.1:4711",
		"http://[::1]:4711/callback":                 "[::1]:4711",
		"com.example.app:/callback":                  "com.example.app:/callback",
		"https://%zz/":                               "https://%zz/",
		"":                                           "",
	} {
		if got := HostOf(uri); got != want {
			t.Errorf("%s: %q, want %q", uri, got, want)
		}
	}
}

// A person is led back to the client's home page, or to the host it is answered at.
func TestClientLink(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		client broker.Client
		want   string
	}{
		{"its home page", broker.Client{URI: "https://wiki.example/home", RedirectURIs: []string{"https://other.example/callback"}}, "https://wiki.example/home"},
		{"the host of its first address", broker.Client{RedirectURIs: []string{"https://wiki.example:8443/callback?x=1", "https://b.example/"}}, "https://wiki.example:8443/"},
		{"the first that is of the web", broker.Client{RedirectURIs: []string{"com.example.app:/callback", "http://127.0.0.1/callback"}}, "http://127.0.0.1/"},
		{"no address of the web", broker.Client{RedirectURIs: []string{"com.example.app:/callback", "javascript://x/%0aalert(1)"}}, ""},
		{"no address", broker.Client{}, ""},
	} {
		if got := ClientLink(&row.client); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// What an endpoint did not classify is our fault, but for what a limit or a disk
// has to say.
func TestErrorsThatNobodyClassified(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		err    error
		status int
		retry  bool
	}{
		{"a refusal of the protocol", oauth.Errorf(oauth.InvalidRequest, "x"), 400, false},
		{"a limit", oauth.Errorf(oauth.TemporarilyUnavailable, "x").WithRetryAfter(1), 429, true},
		{"a fault of the protocol's own kind", oauth.Errorf(oauth.ServerError, "x"), 500, false},
		{"a disk that takes no writes", broker.ErrReadOnly, 503, false},
		{"anything else", errors.New("CANARY"), 500, false},
	} {
		page := asPage(row.err)
		if page.Status != row.status || (page.RetryAfter > 0) != row.retry || !errors.Is(page, row.err) {
			t.Errorf("%s: %+v", row.name, page)
		}
		if page.Page.Message == "CANARY" || page.Page.Title == "" || page.Page.Next == "" {
			t.Errorf("%s: %+v", row.name, page.Page)
		}
	}
}
