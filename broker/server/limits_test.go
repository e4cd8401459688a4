package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/brokertest"
)

// Every way in has a limit of its own per address, and what is refused says when
// to come back.
func TestLimitsPerAddress(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, config, path string
		page               bool
		ask                func(*testing.T, *brokertest.Broker, string) brokertest.Page
	}{
		{"/authorize", "authorize: {per_address: 2/m}", "/authorize?x=1", true, nil},
		{"/authorize, going on", "authorize: {per_address: 2/m}", "/authorize?flow=x", true, nil},
		{"/authorize by POST", "authorize: {per_address: 2/m}", "/authorize", true, post},
		{"/login", "login: {per_address: 2/m}", "/login?flow=x", true, nil},
		{"/login at a connector", "login: {per_address: 2/m}", "/login/corp?flow=x", true, nil},
		{"/callback", "login: {per_address: 2/m}", "/callback/corp?state=x", true, nil},
		{"/token", "token: {per_address: 2/m}", "/token", false, post},
		{"/userinfo", "userinfo: {per_address: 2/m}", "/userinfo", false, nil},
		{"/userinfo by POST", "userinfo: {per_address: 2/m}", "/userinfo", false, post},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.New(t, brokertest.Options{Config: "limits:\n  " + row.config + "\n"})
			ask := row.ask
			if ask == nil {
				ask = func(t *testing.T, b *brokertest.Broker, path string) brokertest.Page {
					return step(t, b.Browser(t), b.Issuer+path)
				}
			}
			for i := range 4 {
				page := ask(t, b, row.path)
				if limited := page.Status == http.StatusTooManyRequests; limited != (i >= 2) {
					t.Fatalf("request %d: %d", i+1, page.Status)
				}
				if i < 2 {
					continue
				}
				if page.Header.Get("Retry-After") != "30" || strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") != row.page {
					t.Errorf("Retry-After %q, %s", page.Header.Get("Retry-After"), page.Header.Get("Content-Type"))
				}
				if row.page && !strings.Contains(page.Body, "Too many attempts") {
					t.Error("the page does not say why")
				}
			}
			b.Clock.Advance(30 * time.Second)
			if page := ask(t, b, row.path); page.Status == http.StatusTooManyRequests {
				t.Error("after the wait: still too many")
			}
		})
	}
}

func post(t *testing.T, b *brokertest.Broker, path string) brokertest.Page {
	return submit(t, b.Browser(t), b.Issuer+path, url.Values{})
}

// An account has a limit wherever something is issued to it: by sign-in, single
// sign-on, code, refresh and userinfo. A refusal spends nothing.
func TestLimitsPerAccount(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Config: `limits:
  authorize: {per_account: 2/m}
  token: {per_account: 2/m}
`})
	browser := b.Browser(t)
	first := b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki, "scope", "openid offline_access"))
	code := browser.Code(brokertest.Wiki)
	browser.Code(brokertest.Wiki)
	commits := b.Store.Commits()
	if page := browser.Get(b.AuthorizeURL(brokertest.Wiki)); page.Status != http.StatusTooManyRequests || page.Header.Get("Retry-After") != "30" {
		t.Errorf("single sign-on in a circle: %d, Retry-After %q", page.Status, page.Header.Get("Retry-After"))
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("it cost %d commits", n)
	}
	second := b.Refresh(t, brokertest.Wiki, first.Text("refresh_token"))
	if second.Status != 200 {
		t.Fatalf("%v", second.Body)
	}
	commits = b.Store.Commits()
	for name, a := range map[string]brokertest.Answer{"a code": b.Redeem(t, brokertest.Wiki, code), "a refresh": b.Refresh(t, brokertest.Wiki, second.Text("refresh_token"))} {
		if a.Status != http.StatusTooManyRequests || a.Error() != "temporarily_unavailable" || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", name, a.Status, a.Body)
		}
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("I12: they cost %d commits", n)
	}
	b.Clock.Advance(30 * time.Second)
	if a := b.Redeem(t, brokertest.Wiki, code); a.Status != 200 {
		t.Errorf("the code was spent by the refusal: %v", a.Body)
	}
}
