package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/brokertest"
)

// step sends the browser's next request and follows nothing.
func step(t *testing.T, browser *brokertest.Browser, to string) brokertest.Page {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	return browser.Send(request)
}

// atUpstream begins a sign-in and stops before the callback is asked for.
func atUpstream(t *testing.T, b *brokertest.Broker, browser *brokertest.Browser, pairs ...string) (callback string) {
	t.Helper()
	page := step(t, browser, b.AuthorizeURL(brokertest.Wiki, pairs...))
	page = step(t, browser, page.Header.Get("Location"))
	callback = page.Header.Get("Location")
	if !strings.Contains(callback, "/callback/") {
		t.Fatalf("no callback: %d %s", page.Status, callback)
	}
	return callback
}

// refused asserts REFUSE of the attack catalogue: a page, no session, no commit,
// no word to the upstream.
func refused(t *testing.T, b *brokertest.Broker, name string, attempt func() brokertest.Page, browser *brokertest.Browser) {
	t.Helper()
	commits, tokens := b.Store.Commits(), b.Upstream.Count("/token")
	page := attempt()
	if page.AtClient || page.Status < 400 || page.Status >= 500 {
		t.Errorf("%s: %d at %s", name, page.Status, page.URL)
	}
	for _, c := range browser.Cookies() {
		if strings.Contains(c.Name, "session") {
			t.Errorf("%s: the browser has a session", name)
		}
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("%s: %d commits", name, n)
	}
	if n := b.Upstream.Count("/token") - tokens; n != 0 {
		t.Errorf("%s: the upstream's token endpoint heard of it", name)
	}
}

// UP-12, UP-13, UP-33, I4: a flow is bound to one browser end to end.
func TestI4AFlowIsBoundToOneBrowser(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	attacker, victim := b.Browser(t), b.Browser(t)
	callback := atUpstream(t, b, attacker)
	refused(t, b, "the attacker's answer in the victim's browser", func() brokertest.Page { return victim.Get(callback) }, victim)
	busy := b.Browser(t)
	atUpstream(t, b, busy)
	refused(t, b, "the same in a browser with a flow of its own", func() brokertest.Page { return busy.Get(callback) }, busy)
	u, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(url.Values){
		"no state":          func(q url.Values) { q.Del("state") },
		"an empty state":    func(q url.Values) { q.Set("state", "") },
		"a made-up state":   func(q url.Values) { q.Set("state", "made-up") },
		"a state cut short": func(q url.Values) { q.Set("state", q.Get("state")[:40]) },
	} {
		q := u.Query()
		change(q)
		refused(t, b, name, func() brokertest.Page { return attacker.Get(b.Issuer + "/callback/corp?" + q.Encode()) }, attacker)
	}
	q := u.Query()
	refused(t, b, "state twice", func() brokertest.Page {
		return attacker.Get(b.Issuer + "/callback/corp?" + q.Encode() + "&state=" + url.QueryEscape(q.Get("state")))
	}, attacker)
	for _, path := range []string{"/login?flow=", "/login/corp?flow=", "/consent?flow=", "/authorize?flow="} {
		id := flowID(attacker)
		refused(t, b, "the attacker's "+path, func() brokertest.Page { return victim.Get(b.Issuer + path + id) }, victim)
	}
	// All that has not hurt the flow itself.
	if page := attacker.Get(callback); !page.AtClient || page.URL.Query().Get("code") == "" {
		t.Errorf("the flow no longer completes where it began: %d at %s", page.Status, page.URL)
	}
}

// flowID is the ID of the browser's only flow.
func flowID(browser *brokertest.Browser) string {
	for _, c := range browser.Cookies() {
		if _, after, ok := strings.Cut(c.Name, "gatehouse-flow-"); ok {
			_, id, _ := strings.Cut(after, "-")
			return id
		}
	}
	return ""
}

// UP-11: an answer counts once, and only for the latest visit.
func TestAnUpstreamAnswerCountsOnce(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	redeemed := redeemsAgain(b)
	browser := b.Browser(t)
	callback := atUpstream(t, b, browser)
	kept := browser.Cookies()
	if page := browser.Get(callback); !page.AtClient {
		t.Fatalf("%d at %s", page.Status, page.URL)
	}
	if page := browser.Get(callback); page.AtClient || page.Status != 400 {
		t.Errorf("again: %d at %s", page.Status, page.URL)
	}
	// With the flow's cookie kept and an upstream that accepts the code again, the
	// store still knows.
	browser.SetCookies(kept...)
	commits := b.Store.Commits()
	if page := browser.Get(callback); page.AtClient || page.Status != 400 {
		t.Errorf("replayed with its cookie: %d at %s", page.Status, page.URL)
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("the replay cost %d commits", n)
	}
	if n := redeemed.Load(); n != 2 {
		t.Fatalf("the upstream accepted %d codes, want the replayed one too", n)
	}
	b.Upstream.Behave()
	second := b.Browser(t)
	first := atUpstream(t, b, second)
	if page := step(t, second, b.Issuer+"/login/corp?flow="+flowID(second)); page.Status != 303 {
		t.Fatalf("a second visit: %d", page.Status)
	}
	refused(t, b, "the answer to the first visit", func() brokertest.Page { return second.Get(first) }, second)
	third := b.Browser(t)
	stale := atUpstream(t, b, third)
	b.Clock.Advance(31 * time.Minute)
	refused(t, b, "an answer after half an hour", func() brokertest.Page { return third.Get(stale) }, third)
}

// redeemsAgain has the upstream give the first token response to every later
// request, as one that forgets which codes it has redeemed would.
func redeemsAgain(b *brokertest.Broker) (answers *atomic.Int32) {
	answers = new(atomic.Int32)
	var first []byte
	var answer http.HandlerFunc
	answer = func(w http.ResponseWriter, r *http.Request) {
		if first == nil {
			b.Upstream.Replace("/token", nil)
			recorded := httptest.NewRecorder()
			b.Upstream.ServeHTTP(recorded, r)
			first = recorded.Body.Bytes()
			b.Upstream.Replace("/token", answer)
		}
		answers.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(first)
	}
	b.Upstream.Replace("/token", answer)
	return answers
}

// UP-06: an answer counts at the connector that was asked.
func TestMixUp(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{SecondConnector: true})
	browser := b.Browser(t)
	callback := atUpstream(t, b, browser, "idp_hint", "other")
	asked := len(b.Other.Requests())
	refused(t, b, "other's answer delivered to corp", func() brokertest.Page {
		return browser.Get(strings.Replace(callback, "/callback/other", "/callback/corp", 1))
	}, browser)
	if n := len(b.Other.Requests()) - asked; n != 0 {
		t.Errorf("the other upstream heard of %d requests", n)
	}
	refused(t, b, "a connector nobody has", func() brokertest.Page {
		return browser.Get(strings.Replace(callback, "/callback/other", "/callback/none", 1))
	}, browser)
}

// UP-04, I1: the same subject and the same address at two upstreams are two
// people.
func TestI1IdentityIsConnectorIssuerSubject(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{SecondConnector: true})
	subject := func(pairs ...string) any {
		tokens := b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki, pairs...))
		return brokertest.Claims(t, tokens.Text("id_token"))["sub"]
	}
	corp, other := subject("idp_hint", "corp"), subject("idp_hint", "other")
	if corp == other {
		t.Error("the same subject at two connectors is one account")
	}
	if again := subject("idp_hint", "corp"); again != corp {
		t.Error("the same person is two accounts")
	}
	b.Upstream.SignInAs("eve") // has Ada's address, verified
	if eve := subject("idp_hint", "corp"); eve == corp {
		t.Error("the same e-mail address is one account")
	}
}

// SS-04: a session from a connector that a client does not admit does not count
// there, and single sign-on counts where it does.
func TestSingleSignOnIsNotTransitive(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{SecondConnector: true, Clients: `
  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true, connectors: [corp]}
  - {client_id: shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"], skip_consent: true, connectors: [other]}
  - {client_id: both, client_secret: both-secret, redirect_uris: ["https://both.example/callback"], skip_consent: true}
`})
	browser := b.Browser(t)
	browser.Code(brokertest.Wiki)
	visits := b.Other.Calls("authorize")
	if page := browser.Get(b.AuthorizeURL(brokertest.Shop, "prompt", "none")); page.URL.Query().Get("error") != "login_required" {
		t.Errorf("prompt=none at a client of another connector: %s", page.URL)
	}
	if page := browser.Get(b.AuthorizeURL("both", "prompt", "none", "redirect_uri", "https://both.example/callback")); page.URL.Query().Get("code") == "" {
		t.Errorf("prompt=none at a client of both: %s", page.URL)
	}
	browser.Code(brokertest.Shop)
	if b.Other.Calls("authorize") == visits {
		t.Error("the other connector was not asked")
	}
}

// SS-01: the secret changes at each sign-in, sid stays, the old cookie is dead.
func TestASignInRotatesTheSessionSecret(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	sid := func(code string) any {
		return brokertest.Claims(t, b.Redeem(t, brokertest.Wiki, code).Text("id_token"))["sid"]
	}
	first := sid(browser.Code(brokertest.Wiki))
	old := browser.Cookies()
	b.Clock.Advance(2 * time.Second)
	if second := sid(browser.Code(brokertest.Wiki, "prompt", "login")); second != first {
		t.Errorf("sid changed from %v to %v", first, second)
	}
	thief := b.Browser(t)
	thief.SetCookies(old...)
	if page := thief.Get(b.AuthorizeURL(brokertest.Wiki, "prompt", "none")); page.URL.Query().Get("error") != "login_required" {
		t.Errorf("the old cookie still signs in: %s", page.URL)
	}
	// Signing in as somebody else ends the session and starts another.
	kept := browser.Cookies()
	b.Upstream.EndSessions()
	b.Upstream.SignInAs("ben")
	b.Clock.Advance(2 * time.Second)
	if third := sid(browser.Code(brokertest.Wiki, "prompt", "login")); third == first {
		t.Error("two people share a sid")
	}
	thief.SetCookies(kept...)
	if page := thief.Get(b.AuthorizeURL(brokertest.Wiki, "prompt", "none")); page.URL.Query().Get("error") != "login_required" {
		t.Errorf("the other person's session lives on: %s", page.URL)
	}
}

// SS-05 and the ambiguity rule: what is not one well-formed, live cookie is
// nobody's session.
func TestOnlyOneWellFormedLiveCookieIsASession(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	browser.Code(brokertest.Wiki)
	var session *http.Cookie
	for _, c := range browser.Cookies() {
		if strings.Contains(c.Name, "session") {
			session = c
		}
	}
	if session == nil {
		t.Fatal("no session cookie")
	}
	silent := func(header string) string {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.AuthorizeURL(brokertest.Wiki, "prompt", "none"), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Cookie", header)
		page := b.Browser(t).Send(request)
		u, err := url.Parse(page.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		return u.Query().Get("error")
	}
	good := session.Name + "=" + session.Value
	if got := silent(good); got != "" {
		t.Fatalf("the good cookie: %s", got)
	}
	id, secret, _ := strings.Cut(session.Value, ".")
	for name, header := range map[string]string{
		"twice": good + "; " + good, "with another of the name": good + "; " + session.Name + "=x", "empty": session.Name + "=",
		"cut": good[:len(good)-1], "longer": good + "A", "without secret": session.Name + "=" + id, "another secret": session.Name + "=" + id + "." + strings.Repeat("A", 43),
		"parts swapped": session.Name + "=" + secret + "." + id, "oversized": session.Name + "=" + strings.Repeat("x", 9000), "lower case": strings.ToLower(good),
	} {
		if got := silent(header); got != "login_required" {
			t.Errorf("%s: %q", name, got)
		}
	}
	b.Clock.Advance(8 * time.Hour)
	if got := silent(good); got != "login_required" {
		t.Errorf("idle for eight hours: %q", got)
	}
}
