package registration

import (
	"net/http"
	"testing"

	"gatehouse/broker/oauth"
)

func TestRedirectHosts(t *testing.T) {
	t.Parallel()
	hosts := Policy{RedirectHosts: []string{"app.example.org", "*.example.com", "Upper.example.net"}}
	open, local, apps := Policy{}, Policy{Loopback: true}, Policy{PrivateSchemes: true}
	for _, row := range []struct {
		name   string
		policy Policy
		uri    string
		want   bool
	}{
		{"a host that is listed", hosts, "https://app.example.org/cb", true},
		{"its port does not matter", hosts, "https://app.example.org:8443/cb", true},
		{"nor does case", hosts, "https://APP.example.org/cb", true},
		{"on either side", hosts, "https://upper.example.net/cb", true},
		{"a host below a wildcard", hosts, "https://a.example.com/cb", true},
		{"one two below", hosts, "https://a.b.example.com/cb", true},
		{"not the wildcard's own", hosts, "https://example.com/cb", false},
		{"nor one with nothing before the dot", hosts, "https://.example.com/cb", false},
		{"nor one that ends alike", hosts, "https://evilexample.com/cb", false},
		{"nor one that goes on", hosts, "https://app.example.org.evil.example/cb", false},
		{"nor one that begins before", hosts, "https://evil-app.example.org/cb", false},
		{"nor one with a dot at the end", hosts, "https://app.example.org./cb", false},
		{"nor a user name like it", hosts, "https://app.example.org@evil.example/cb", false},
		{"nor a path like it", hosts, "https://evil.example/app.example.org", false},
		{"this machine is not among them", hosts, "http://127.0.0.1/cb", false},
		{"any host where none is listed", open, "https://anybody.example/cb", true},
		{"but this machine", open, "http://127.0.0.1:4711/cb", false},
		{"by any name", open, "http://localhost/cb", false},
		{"in IPv6", open, "http://[::1]/cb", false},
		{"nor over https", open, "https://localhost/cb", false},
		{"nor with a dot", open, "https://localhost./cb", false},
		{"nor below it", open, "https://app.localhost/cb", false},
		{"nor another of its addresses", open, "https://127.1.2.3/cb", false},
		{"nor one in IPv6", open, "https://[::ffff:127.0.0.1]/cb", false},
		{"nor a short one", open, "https://127.1/cb", false},
		{"nor one in decimal", open, "https://2130706433/cb", false},
		{"nor one in hex", open, "https://0x7f000001/cb", false},
		{"nor one that is none", open, "https://0.0.0.0/cb", false},
		{"this machine where it is allowed", local, "http://127.0.0.1:4711/cb", true},
		{"in IPv6 too", local, "http://[::1]/cb", true},
		{"not what only begins alike", Policy{Loopback: true, RedirectHosts: []string{"app.example.org"}}, "https://127.evil.example/cb", false},
		{"a private scheme is not allowed by itself", open, "com.example.app:/cb", false},
		{"nor by a list of hosts", hosts, "com.example.app://app.example.org/cb", false},
		{"a private scheme where it is allowed", apps, "com.example.app:/cb", true},
		{"what is no URI", apps, "https://a b/", false},
	} {
		if got := row.policy.allowsTarget(row.uri); got != row.want {
			t.Errorf("%s: %s is allowed: %t", row.name, row.uri, got)
		}
	}
}

// The policy is about every place that people or answers are sent to.
func TestEveryTargetIsHeldToThePolicy(t *testing.T) {
	t.Parallel()
	p := openPolicy()
	p.RedirectHosts = []string{"*.example.org"}
	w := newWorld(t, p)
	const good = `"redirect_uris":["https://app.example.org/cb"]`
	w.register(`{` + good + `,"post_logout_redirect_uris":["https://app.example.org/bye"],"initiate_login_uri":"https://app.example.org/login"}`)
	for _, row := range []struct {
		document string
		code     oauth.Code
	}{
		{`{"redirect_uris":["https://app.example.org/cb","https://evil.example/cb"]}`, oauth.InvalidRedirectURI},
		{`{` + good + `,"post_logout_redirect_uris":["https://evil.example/bye"]}`, oauth.InvalidClientMetadata},
		{`{` + good + `,"initiate_login_uri":"https://evil.example/login"}`, oauth.InvalidClientMetadata},
	} {
		if wantRefused(t, w.do("POST", "/register", row.document), http.StatusBadRequest, row.code); t.Failed() {
			t.Fatal(row.document)
		}
	}
}

// OpenID Connect Registration §2, application_type.
func TestNativeApplications(t *testing.T) {
	t.Parallel()
	p := openPolicy()
	p.Loopback, p.PrivateSchemes = true, true
	w := newWorld(t, p)
	for _, row := range []struct {
		name, document string
		status         int
	}{
		{"a native one with a scheme of its own", `{"application_type":"native","redirect_uris":["com.example.app:/cb","http://127.0.0.1/cb"]}`, http.StatusCreated},
		{"a web one with a scheme of its own", `{"redirect_uris":["com.example.app:/cb"]}`, http.StatusBadRequest},
		{"a web one on this machine", `{"redirect_uris":["http://localhost/cb"]}`, http.StatusCreated},
		{"a web one that gets tokens there", `{"redirect_uris":["http://localhost/cb"],"grant_types":["implicit"],"response_types":["id_token"]}`, http.StatusBadRequest},
		{"over https too", `{"redirect_uris":["https://localhost/cb"],"grant_types":["implicit"],"response_types":["id_token"]}`, http.StatusBadRequest},
		{"a native one that gets tokens there", `{"application_type":"native","redirect_uris":["http://localhost/cb"],"grant_types":["implicit"],"response_types":["id_token"]}`, http.StatusCreated},
	} {
		if got := w.do("POST", "/register", row.document); got.status != row.status {
			t.Errorf("%s: %d %s", row.name, got.status, got.body)
		}
	}
}

func TestScopesAreNarrowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	for asked, want := range map[string]string{"email openid": "email openid", "openid admin phone": "openid", "openid  openid": "openid"} {
		if got := w.register(`{"redirect_uris":["https://app.example.org/cb"],"scope":"` + asked + `"}`); got.text("scope") != want {
			t.Errorf("asked for %q, got %q, want %q", asked, got.text("scope"), want)
		}
	}
	p := openPolicy()
	p.Scopes = nil
	w = newWorld(t, p)
	got := w.do("POST", "/register", minimal)
	wantRefused(t, got, http.StatusBadRequest, oauth.InvalidClientMetadata)
	if got.text("error_description") != "scope has nothing that a registered client may have" {
		t.Errorf("answered %s", got.body)
	}
}
