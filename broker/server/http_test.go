package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/internal/brokertest"
)

// serve sends a request straight to the broker's handler.
func serve(t *testing.T, b *brokertest.Broker, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, b.Issuer, nil)
	u, err := url.ParseRequestURI(target)
	must(t, err)
	r.URL, r.RequestURI, r.RemoteAddr = u, target, "127.0.0.1:1"
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.Server.Handler().ServeHTTP(w, r)
	return w
}

// SS-10, AZ-17, TK-20: whatever is answered, nothing may frame it, sniff it, store
// it or learn from its address.
func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	authorize := "/authorize?" + b.AuthorizeParams(brokertest.Wiki).Encode()
	for _, row := range []struct {
		method, target string
		status         int
		cached         bool
	}{
		{"GET", "/", 200, false}, {"GET", authorize, 303, false}, {"GET", authorize + "&prompt=none", 303, false}, {"GET", authorize + "&response_mode=form_post&prompt=none", 200, false},
		{"GET", "/authorize", 400, false}, {"HEAD", authorize, 405, false}, {"POST", "/authorize", 400, false}, {"PUT", "/authorize", 405, false},
		{"GET", "/login", 400, false}, {"GET", "/login/corp", 400, false}, {"GET", "/callback/corp", 400, false}, {"GET", "/callback/none?code=x&state=y", 400, false},
		{"GET", "/consent", 400, false}, {"POST", "/consent", 400, false}, {"GET", "/logout", 200, false}, {"POST", "/logout", 400, false},
		{"POST", "/token", 400, false}, {"GET", "/token", 405, false}, {"GET", "/userinfo", 401, false}, {"POST", "/userinfo", 401, false}, {"GET", "/userinfo?access_token=x", 400, false},
		{"GET", "/jwks", 200, true}, {"GET", "/.well-known/openid-configuration", 200, true}, {"GET", "/.well-known/oauth-authorization-server", 200, true},
		{"GET", "/nothing", 404, false}, {"GET", "/../authorize", 301, false}, {"OPTIONS", "/token", 405, false}, {"TRACE", "/", 405, false},
	} {
		for _, accept := range []string{"*/*", "text/html,application/xhtml+xml"} {
			w := serve(t, b, row.method, row.target, "Accept", accept)
			h := w.Header()
			name := row.method + " " + row.target + " for " + accept
			if row.status == 301 && w.Code == http.StatusTemporaryRedirect {
				w.Code = 301 // a matter of the Go release
			}
			if w.Code != row.status {
				t.Errorf("%s: %d, want %d", name, w.Code, row.status)
			}
			policy := h.Get("Content-Security-Policy")
			if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: Content-Security-Policy %q", name, policy)
			}
			for header, want := range map[string]string{"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff"} {
				if h.Get(header) != want {
					t.Errorf("%s: %s %q", name, header, h.Get(header))
				}
			}
			if referrer := h.Get("Referrer-Policy"); referrer != "no-referrer" && referrer != "same-origin" || referrer == "same-origin" && row.status != 200 {
				t.Errorf("%s: Referrer-Policy %q", name, referrer)
			}
			if stored := strings.Contains(h.Get("Cache-Control"), "public"); stored != row.cached || !stored && h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: Cache-Control %q", name, h.Get("Cache-Control"))
			}
			if h.Get("Permissions-Policy") == "" || h.Get("Server") != "" || h.Get("X-Powered-By") != "" {
				t.Errorf("%s: %v", name, h)
			}
			if cors := h.Get("Access-Control-Allow-Origin"); (cors == "*") != row.cached || h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("SS-09: %s: Access-Control-Allow-Origin %q", name, cors)
			}
			if row.status == 405 && h.Get("Allow") == "" {
				t.Errorf("%s: no Allow", name)
			}
		}
	}
}

// What carries a code or a token is stored nowhere and tells nobody where it came
// from.
func TestAnswersWithACodeOrATokenAreNotStored(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	code := browser.Code(brokertest.Wiki, "scope", "openid offline_access")
	tokens := b.Redeem(t, brokertest.Wiki, code)
	refreshed := b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token"))
	answers := map[string]http.Header{"the tokens": tokens.Header, "refreshed tokens": refreshed.Header, "userinfo": b.UserInfo(t, tokens.Text("access_token")).Header}
	for _, mode := range []string{"query", "fragment", "form_post"} {
		answers["a code by "+mode] = browser.Get(b.AuthorizeURL(brokertest.Wiki, "response_mode", mode)).Header
	}
	callback := atUpstream(t, b, b.Browser(t))
	answers["a callback that fails"] = b.Browser(t).Get(callback).Header
	for name, h := range answers {
		if h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", name, h.Get("Cache-Control"))
		}
		want := "no-referrer"
		if name == "a code by form_post" {
			want = "same-origin" // or its own POST would have Origin: null
		}
		if h.Get("Referrer-Policy") != want {
			t.Errorf("%s: Referrer-Policy %q", name, h.Get("Referrer-Policy"))
		}
	}
	if tokens.Header.Get("Pragma") != "no-cache" {
		t.Error("RFC 6749 §5.1: no Pragma")
	}
}

// An address that is none of ours is a page for a person, with a number that the
// log knows, and a line of text for a program.
func TestUnknownAddresses(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/sso"} {
		b := brokertest.New(t, brokertest.Options{Path: path})
		for _, target := range []string{path + "/nothing", path + "/authorize/x", path + "/login/corp/x", "/elsewhere", path + "/.well-known/x"} {
			w := serve(t, b, "GET", target, "Accept", "text/html,*/*;q=0.8")
			reference := regexp.MustCompile(`class="reference">([0-9a-z]{16})<`).FindStringSubmatch(w.Body.String())
			if w.Code != 404 || reference == nil || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || !strings.Contains(b.Log.String(), "request="+reference[1]) {
				t.Errorf("%s: %d %v", target, w.Code, reference)
			}
			w = serve(t, b, "GET", target, "Accept", "application/json")
			if w.Code != 404 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || w.Body.Len() > 100 {
				t.Errorf("%s for a program: %d %s", target, w.Code, w.Body)
			}
		}
		w := serve(t, b, "PUT", path+"/token", "Accept", "text/html")
		if w.Code != 405 || w.Header().Get("Allow") != "POST" || !strings.Contains(w.Body.String(), "Reference") {
			t.Errorf("another method: %d, Allow %q", w.Code, w.Header().Get("Allow"))
		}
		if w := serve(t, b, "HEAD", path+"/authorize", "Accept", "text/html"); w.Code != 405 || w.Header().Get("Allow") != "GET" {
			t.Errorf("HEAD: %d, Allow %q", w.Code, w.Header().Get("Allow"))
		}
	}
}

// RU-09: no address of ours leads to another host, however it is written.
func TestNoAddressLeadsElsewhere(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/sso"} {
		b := brokertest.New(t, brokertest.Options{Path: path})
		for _, target := range []string{
			"//evil.example", "//evil.example/", "///evil.example", "////evil.example/..", "/\\evil.example", "/./\\evil.example", "/.//evil.example", "/%2fevil.example",
			"/%5cevil.example", "/%5c%5cevil.example", "/./%5cevil.example", "/%09/evil.example", "/%0a/evil.example", "/%0d%0aLocation:%20https://evil.example",
			"/..//evil.example", "/x/..//evil.example", "/x/../%2fevil.example", "/@evil.example", "/;@evil.example", "/.evil.example", "/%2e%2e%2fevil.example",
			"/https:/evil.example", "/https://evil.example", "/authorize//evil.example", "/login//evil.example", "/login/..//evil.example", "/callback/%2f%2fevil.example",
			"/?next=//evil.example", "/login?flow=//evil.example", "/authorize?flow=https://evil.example", "/consent?flow=https://evil.example", "/logout?rd=//evil.example",
		} {
			for _, prefix := range []string{"", path, path + "/."} {
				w := serve(t, b, "GET", prefix+target, "Accept", "text/html")
				location := w.Header().Get("Location")
				if location == "" {
					continue
				}
				u, err := url.Parse(location)
				if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(location, "/") || strings.HasPrefix(location, "//") || strings.ContainsAny(location, "\\\r\n\t") {
					t.Errorf("%s leads to %q", prefix+target, location)
				}
			}
		}
	}
}

// A defect of ours is a page with a number under which the log has the stack, and
// nothing of it is shown.
func TestAPanicIsAPageWithAReference(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Wrap: func(s broker.Store) broker.Store { return panicking{s} }})
	browser := b.Browser(t)
	page := browser.Get(atUpstream(t, b, browser))
	if page.Status != 500 || strings.Contains(page.Body, "CANARY") {
		t.Errorf("%d %s", page.Status, page.Body)
	}
	log := b.Log.String()
	reference := regexp.MustCompile(`[0-9a-z]{16}`).FindString(page.Body[strings.Index(page.Body, "eference"):])
	if reference == "" || !strings.Contains(log, "CANARY") || !strings.Contains(log, "request="+reference) {
		t.Errorf("reference %q is not in the log", reference)
	}
	w := serve(t, b, "GET", "/jwks")
	if w.Code != 200 {
		t.Errorf("afterwards: %d", w.Code)
	}
}

// panicking is a store with a defect.
type panicking struct{ broker.Store }

func (panicking) CompleteLogin(_ context.Context, _ broker.Login, _ func(broker.State) broker.Decision) (broker.Outcome, error) {
	panic("CANARY")
}
