package server_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/brokertest"
)

// submit posts a form with exactly the headers given, and follows nothing.
func submit(t *testing.T, browser *brokertest.Browser, to string, form url.Values, headers ...string) brokertest.Page {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(form.Encode()))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return browser.Send(request)
}

// holds reports whether the browser has a cookie of ours whose name has the text.
func holds(browser *brokertest.Browser, text string) bool {
	return slices.ContainsFunc(browser.Cookies(), func(c *http.Cookie) bool { return strings.Contains(c.Name, text) })
}

// foreign are the headers with which a browser posts a form that is not ours.
var foreign = map[string][]string{
	"a form of another site":               {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
	"a form of another site, old browser":  {"Origin", "https://evil.example"},
	"a form of a sandboxed frame":          {"Sec-Fetch-Site", "cross-site", "Origin", "null"},
	"a sandboxed frame in an old browser":  {"Origin", "null"},
	"a form of a sibling host":             {"Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:1"},
	"a form of another port":               {"Origin", "http://127.0.0.1:1"},
	"a form of our host by another scheme": {"Origin", "https://127.0.0.1"},
}

// SS-03, AZ-12: consent counts only from our own page, in the browser and for the
// account that it was shown to.
func TestConsentIsTakenFromOurPageAlone(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	form := browser.Get(b.AuthorizeURL(brokertest.Shop)).Fields()
	form.Set("decision", "allow")
	commits := b.Store.Commits()
	for name, headers := range foreign {
		for _, decision := range []string{"allow", "deny"} {
			form.Set("decision", decision)
			if page := submit(t, browser, b.Issuer+"/consent", form, headers...); page.Status != http.StatusForbidden || page.Header.Get("Location") != "" {
				t.Errorf("%s, %s: %d to %q", name, decision, page.Status, page.Header.Get("Location"))
			}
		}
	}
	form.Set("decision", "allow")
	guess := url.Values{"flow": {"guessed"}, "account": form["account"], "decision": {"allow"}}
	if page := submit(t, browser, b.Issuer+"/consent", guess); page.Status != http.StatusBadRequest {
		t.Errorf("no headers and a guessed flow: %d", page.Status)
	}
	for name, body := range map[string]string{"another content type": "application/json", "multipart": "multipart/form-data; boundary=x"} {
		if page := submit(t, browser, b.Issuer+"/consent", form, "Origin", b.Issuer, "Content-Type", body); page.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, page.Status)
		}
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("I12: refusals cost %d commits", n)
	}
	if page := submit(t, browser, b.Issuer+"/consent", form, "Sec-Fetch-Site", "same-origin", "Origin", b.Issuer); page.Status != http.StatusSeeOther {
		t.Errorf("our own page: %d", page.Status)
	}
}

// AZ-12: a decision counts once, also where the browser keeps the flow's cookie,
// and it counts for the account it was shown to.
func TestADecisionCountsOnce(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	form := browser.Get(b.AuthorizeURL(brokertest.Shop, "prompt", "consent")).Fields()
	form.Set("decision", "allow")
	kept := browser.Cookies()
	if page := browser.Post(b.Issuer+"/consent", form); !page.AtClient || !page.URL.Query().Has("code") {
		t.Fatalf("allow: %d at %s", page.Status, page.URL)
	}
	browser.SetCookies(kept...)
	commits := b.Store.Commits()
	if page := browser.Post(b.Issuer+"/consent", form); page.AtClient || page.Status != http.StatusBadRequest {
		t.Errorf("the same decision again: %d at %s", page.Status, page.URL)
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("the replay cost %d commits", n)
	}
	if holds(browser, "gatehouse-flow-") {
		t.Error("the flow that is over stays in the browser")
	}

	// Ben signs in to another application in a second tab while the page waits.
	form = browser.Get(b.AuthorizeURL(brokertest.Shop, "prompt", "consent")).Fields()
	form.Set("decision", "allow")
	b.Upstream.EndSessions()
	b.Upstream.SignInAs("ben")
	b.Clock.Advance(2e9)
	browser.Code(brokertest.Wiki, "prompt", "login")
	commits = b.Store.Commits()
	if page := browser.Post(b.Issuer+"/consent", form); page.AtClient || page.Status != http.StatusBadRequest {
		t.Errorf("Ada's decision in Ben's session: %d at %s", page.Status, page.URL)
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("it cost %d commits", n)
	}
}

// LO-03, SS-03: nobody is signed out by another site, and a form signs out the
// session alone that it was shown to.
func TestSigningOutIsTakenFromOurPageAlone(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Clients: logoutClients})
	browser := b.Browser(t)
	browser.Code(brokertest.Wiki)
	form := browser.Get(b.Issuer + "/logout").Fields()
	form.Set("decision", "sign_out")
	commits := b.Store.Commits()
	for name, headers := range foreign {
		if page := submit(t, browser, b.Issuer+"/logout", form, headers...); page.Status != http.StatusForbidden {
			t.Errorf("%s: %d", name, page.Status)
		}
	}
	for name, session := range map[string]string{"a form without headers or session": "", "another session's form": "0123456789"} {
		if page := submit(t, browser, b.Issuer+"/logout", url.Values{"decision": {"sign_out"}, "session": {session}}); page.Status != http.StatusOK || !page.Fields().Has("session") {
			t.Errorf("%s: %d, want to be asked again", name, page.Status)
		}
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("I12: refusals cost %d commits", n)
	}
	if done := browser.Post(b.Issuer+"/logout", form); done.Status != http.StatusOK || holds(browser, "gatehouse-session-") {
		t.Errorf("our own form: %d, Set-Cookie %q", done.Status, done.Header["Set-Cookie"])
	}
	if n := b.Store.Commits() - commits; n != 1 {
		t.Errorf("signing out cost %d commits", n)
	}
}

// A client's form reaches us without the Lax cookies: it must be answered with a
// GET that has them, and must not take the cookie away unasked.
func TestLogoutByPost(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Clients: logoutClients})
	browser := b.Browser(t)
	tokens := b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki))
	const bye = "https://wiki.example/bye?x=1"
	form := url.Values{"client_id": {"wiki"}, "post_logout_redirect_uri": {bye}, "state": {"a b&c"}}
	cross := submit(t, b.Browser(t), b.Issuer+"/logout", form, "Sec-Fetch-Site", "cross-site", "Origin", "https://wiki.example")
	if cross.Status != http.StatusSeeOther || cross.Header.Get("Set-Cookie") != "" {
		t.Fatalf("without cookies: %d, Set-Cookie %q", cross.Status, cross.Header.Get("Set-Cookie"))
	}
	asked := browser.Get(cross.Header.Get("Location"))
	if asked.AtClient || asked.Status != http.StatusOK || asked.Fields().Get("state") != "a b&c" || asked.Fields().Get("post_logout_redirect_uri") != bye {
		t.Errorf("then with them: %d at %s, %v", asked.Status, asked.URL, asked.Fields())
	}
	form.Set("id_token_hint", tokens.Text("id_token"))
	if done := browser.PostFrom("https://wiki.example", b.Issuer+"/logout", form); !done.AtClient || done.URL.String() != bye+"&state=a%20b%26c" {
		t.Errorf("with a hint: %d at %s", done.Status, done.URL)
	}
	if q := browser.Get(b.AuthorizeURL(brokertest.Wiki, "prompt", "none")).URL.Query(); q.Get("error") != "login_required" {
		t.Errorf("the session lives on: %v", q)
	}
	form.Set("post_logout_redirect_uri", "https://evil.example/")
	if page := browser.PostFrom("https://wiki.example", b.Issuer+"/logout", form); page.AtClient || page.Status != http.StatusBadRequest {
		t.Errorf("an unregistered address: %d at %s", page.Status, page.URL)
	}
}
