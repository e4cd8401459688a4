package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/brokertest"
)

// levels is a table in which mfa is above pwd, and asks the upstream in its words.
const levels = `, assurance: [{level: mfa, acr: ["urn:idp:2"]}, {level: pwd, acr: ["urn:idp:1"]}]`

// UP-27, Core §5.5.1.1: from the client's demand through the upstream's words and
// back, by acr_values and by an essential claim; the refreshed token says the same.
func TestUP27AssuranceFromDemandToToken(t *testing.T) {
	t.Parallel()
	const essential = `{"id_token":{"acr":{"essential":true,"values":["%"]}}}`
	b := brokertest.New(t, brokertest.Options{Connector: levels})
	for name, pairs := range map[string][]string{
		"acr_values": {"acr_values", "mfa"},
		"claims":     {"claims", strings.Replace(essential, "%", "mfa", 1)},
	} {
		browser := b.Browser(t)
		weak := idToken(t, b, browser, brokertest.Wiki, "acr_values", "pwd", "prompt", "login")
		if weak["acr"] != "pwd" {
			t.Fatalf("%s: the first sign-in has acr %v", name, weak["acr"])
		}
		if q := browser.SignIn(brokertest.Wiki, append(pairs, "prompt", "none")...); q.Get("error") != "login_required" {
			t.Errorf("%s: more, silently: %v", name, q)
		}
		b.Clock.Advance(2 * time.Second)
		answer := b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki, append(pairs, "scope", "openid offline_access")...))
		strong := brokertest.Claims(t, answer.Text("id_token"))
		if strong["acr"] != "mfa" || strong["sub"] != weak["sub"] {
			t.Errorf("%s: stepped up to %v", name, strong)
		}
		if refreshed := b.Refresh(t, brokertest.Wiki, answer.Text("refresh_token")); brokertest.Claims(t, refreshed.Text("access_token"))["acr"] != "mfa" {
			t.Errorf("%s: the refreshed token says %v", name, brokertest.Claims(t, refreshed.Text("access_token"))["acr"])
		}
		b.Clock.Advance(2 * time.Second)
		visits := b.Upstream.Calls("authorize")
		// What is told to a client that demanded less is what it demanded, and the time is
		// that of the stronger sign-in (UP-28).
		for _, again := range [][]string{{"acr_values", "pwd"}, {"claims", strings.Replace(essential, "%", "pwd", 1)}} {
			if less := idToken(t, b, browser, brokertest.Wiki, append(again, "prompt", "none")...); less["acr"] != "pwd" || less["auth_time"] != strong["auth_time"] {
				t.Errorf("%s: less was demanded, told %v", name, less)
			}
		}
		if plain := idToken(t, b, browser, brokertest.Wiki, "prompt", "none"); plain["acr"] != "mfa" || plain["auth_time"] != strong["auth_time"] {
			t.Errorf("%s: nothing was demanded, told %v", name, plain)
		}
		if b.Upstream.Calls("authorize") != visits {
			t.Errorf("%s: the upstream was visited for less", name)
		}
	}
}

// UP-27, I12: an upstream that answers with less than it was asked for.
func TestUP27AnUpstreamThatFallsShort(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Connector: levels})
	b.Upstream.Edit("id token", func(claims map[string]any) { claims["acr"], claims["amr"] = "urn:idp:1", []string{"pwd"} })
	commits := b.Store.Commits()
	browser := b.Browser(t)
	for name, pairs := range map[string][]string{
		"acr_values":   {"acr_values", "mfa"},
		"essential":    {"claims", `{"id_token":{"acr":{"essential":true,"value":"mfa"}}}`},
		"nobody knows": {"claims", `{"id_token":{"acr":{"essential":true,"value":"gold"}}}`},
	} {
		q := browser.SignIn(brokertest.Wiki, pairs...)
		if q.Get("error") != "unmet_authentication_requirements" || q.Has("code") || q.Get("iss") != b.Issuer {
			t.Errorf("%s: %v", name, q)
		}
	}
	if b.Store.Commits() != commits {
		t.Errorf("%d commits", b.Store.Commits()-commits)
	}
	for _, c := range browser.Cookies() {
		if strings.Contains(c.Name, "gatehouse") {
			t.Errorf("a refused sign-in leaves the cookie %s", c.Name)
		}
	}
	if q := browser.SignIn(brokertest.Wiki, "acr_values", "1 2"); !q.Has("code") {
		t.Errorf("Core §3.1.2.1: what nobody knows is a wish: %v", q)
	}
}

// AZ-14, Core §3.1.2.2: a sub that the client names is whom the answer is about, or
// there is none.
func TestAZ14ClaimsNameWhoIsToBeSignedIn(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	sub := idToken(t, b, browser, brokertest.Wiki)["sub"].(string)
	claims := func(sub string) string { return `{"id_token":{"sub":{"value":"` + sub + `"}}}` }
	if q := browser.SignIn(brokertest.Wiki, "claims", claims(sub), "prompt", "none"); !q.Has("code") {
		t.Errorf("who is signed in: %v", q)
	}
	if q := browser.SignIn(brokertest.Wiki, "claims", claims("somebody-else"), "prompt", "none"); q.Get("error") != "login_required" {
		t.Errorf("somebody else, silently: %v", q)
	}
	if q := browser.SignIn(brokertest.Wiki, "claims", claims("somebody-else")); q.Get("error") != "login_required" {
		t.Errorf("somebody else than signs in: %v", q)
	}
	for _, odd := range []string{`{"id_token":{"sub":{"value":"a"},"sub":{"value":"b"}}}`, strings.Repeat(`{"a":`, 100), "x"} {
		page := browser.Get(b.AuthorizeURL(brokertest.Wiki, "claims", odd))
		if page.Status != http.StatusSeeOther || !strings.Contains(page.Header.Get("Location"), "error=invalid_request") {
			t.Errorf("%q: %d to %s", odd, page.Status, page.Header.Get("Location"))
		}
	}
}
