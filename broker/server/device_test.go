package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/internal/brokertest"
	"gatehouse/internal/jwttest"
)

const box = "box"

// livingRoom is a world with a public client and a confidential one that have devices,
// and the wiki.
func livingRoom(t *testing.T, change ...func(*brokertest.Options)) *brokertest.Broker {
	t.Helper()
	o := brokertest.Options{Clients: `
  - {client_id: cli, client_name: Television, token_endpoint_auth_method: none, grant_types: ["urn:ietf:params:oauth:grant-type:device_code", refresh_token]}
  - {client_id: box, client_name: Box, client_secret: box-secret, skip_consent: true, grant_types: ["urn:ietf:params:oauth:grant-type:device_code"]}
  - {client_id: wiki, client_name: Wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true, require_pkce: false}
`}
	for _, c := range change {
		c(&o)
	}
	return brokertest.New(t, o)
}

// waiting is a device that has asked for codes and shows one.
type waiting struct {
	t                    testing.TB
	b                    *brokertest.Broker
	client               string
	deviceCode, userCode string
	answer               brokertest.Answer
}

func begin(t *testing.T, b *brokertest.Broker, client string, pairs ...string) waiting {
	t.Helper()
	a := askAs(t, b, "/device_authorization", client, append([]string{"scope", "openid profile email offline_access"}, pairs...)...)
	if a.Status != 200 {
		t.Fatalf("%d %v\n%s", a.Status, a.Body, b.Log)
	}
	return waiting{t: t, b: b, client: client, deviceCode: a.Text("device_code"), userCode: a.Text("user_code"), answer: a}
}

// poll asks for the tokens.
func (w waiting) poll(pairs ...string) brokertest.Answer {
	form := url.Values{"grant_type": {string(oauth.GrantTypeDeviceCode)}, "device_code": {w.deviceCode}}
	return w.b.Token(w.t, w.client, with(form, pairs...))
}

// enter types the code in a browser, which ends at the page that asks.
func (w waiting) enter(browser *brokertest.Browser) brokertest.Page {
	return browser.Post(w.b.Issuer+"/device", url.Values{"user_code": {w.userCode}})
}

// decide answers that page.
func (w waiting) decide(browser *brokertest.Browser, page brokertest.Page, decision string) brokertest.Page {
	w.t.Helper()
	form := page.Fields()
	if form.Get("account") == "" {
		w.t.Fatalf("not the page that asks: %d %s\n%s", page.Status, page.Body, w.b.Log)
	}
	form.Set("decision", decision)
	return browser.Post(w.b.Issuer+"/device/confirm", form)
}

// RFC 8628 §3.1 to §3.5, with real requests: a television gets what a person allows it.
func TestRFC8628(t *testing.T) {
	t.Parallel()
	for _, client := range []string{brokertest.CLI, box} {
		b := livingRoom(t)
		found, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Issuer+"/.well-known/openid-configuration", nil)
		must(t, err)
		if at := b.Program(t, found, nil).Text("device_authorization_endpoint"); at != b.Issuer+"/device_authorization" {
			t.Errorf("RFC 8628 §4: device_authorization_endpoint %q", at)
		}
		before := b.Store.Commits()
		w := begin(t, b, client)
		if a := w.answer; a.Text("verification_uri") != b.Issuer+"/device" || a.Text("verification_uri_complete") != b.Issuer+"/device?user_code="+w.userCode ||
			a.Body["expires_in"] != 600.0 || a.Body["interval"] != 5.0 || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("§3.2: %v %v", a.Header, a.Body)
		}
		isError(t, "nobody has decided", w.poll(), 400, "authorization_pending")
		isError(t, "and asked too soon", w.poll(), 400, "slow_down")
		if n := b.Store.Commits() - before; n != 1 {
			t.Errorf("starting and polling cost %d commits, want 1", n)
		}
		browser := b.Browser(t)
		page := w.enter(browser)
		if page.URL.Path != "/device/confirm" || !strings.Contains(page.Body, w.userCode) || !strings.Contains(page.Body, "ada@corp.example") || !strings.Contains(page.Body, "127.0.0.1") {
			t.Fatalf("%s: %d %s", page.URL, page.Status, page.Body)
		}
		if done := w.decide(browser, page, "allow"); done.Status != 200 || !strings.Contains(done.Body, "You can go back to your device") {
			t.Fatalf("%d %s", done.Status, done.Body)
		}
		tokens := w.poll()
		if tokens.Status != 200 || tokens.Text("token_type") != "Bearer" || (tokens.Text("refresh_token") != "") != (client == brokertest.CLI) || tokens.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %v\n%s", tokens.Status, tokens.Body, b.Log)
		}
		claims := claimsOf(t, tokens.Text("id_token"))
		if claims["aud"] != client || claims["email"] != "ada@corp.example" || claims["nonce"] != nil || claims["sub"] == "" {
			t.Errorf("ID token %v", claims)
		}
		if info := b.UserInfo(t, tokens.Text("access_token")); info.Status != 200 || info.Text("sub") != claims["sub"] {
			t.Errorf("userinfo %d %v", info.Status, info.Body)
		}
		if client == brokertest.CLI {
			if again := b.Refresh(t, client, tokens.Text("refresh_token")); again.Status != 200 {
				t.Errorf("refresh %d %v", again.Status, again.Body)
			}
		}
		for _, event := range []broker.EventType{broker.EventDeviceStarted, broker.EventDeviceApproved, broker.EventDeviceRedeemed} {
			if n := committed(b, event); n != 1 {
				t.Errorf("%s is in the log %d times", event, n)
			}
		}
	}
}

// RFC 8628 §3.5: every other end.
func TestRFC8628Refusals(t *testing.T) {
	t.Parallel()
	b := livingRoom(t)
	denied := begin(t, b, brokertest.CLI)
	browser := b.Browser(t)
	if page := denied.decide(browser, denied.enter(browser), "deny"); page.Status != 200 || !strings.Contains(page.Body, "Nothing was allowed") {
		t.Errorf("%d %s", page.Status, page.Body)
	}
	isError(t, "the person said no", denied.poll(), 400, "access_denied")
	isError(t, "and no again", denied.poll(), 400, "access_denied")
	waits, allowed := begin(t, b, brokertest.CLI), begin(t, b, brokertest.CLI)
	allowed.decide(browser, allowed.enter(browser), "allow")
	b.Clock.Advance(10 * time.Minute)
	isError(t, "nobody decided in time", waits.poll(), 400, "expired_token")
	isError(t, "allowed, and not fetched in time", allowed.poll(), 400, "expired_token")
	isError(t, "no code", waits.poll("device_code", ""), 400, "invalid_request")
	isError(t, "the user code", waits.poll("device_code", waits.userCode), 400, "invalid_grant")
	isError(t, "a client that is not registered for the grant", askAs(t, b, "/device_authorization", "wiki", "scope", "openid"), 400, "unauthorized_client")
	isError(t, "and polls", b.Token(t, "wiki", url.Values{"grant_type": {string(oauth.GrantTypeDeviceCode)}, "device_code": {waits.deviceCode}}), 400, "unauthorized_client")
	isError(t, "a secret in the URL", askAs(t, b, "/device_authorization?client_secret=x", box, "scope", "openid"), 400, "invalid_request")
	if a := askAs(t, b, "/device_authorization", "", "client_id", box, "scope", "openid"); a.Status != 401 || a.Error() != "invalid_client" {
		t.Errorf("DV-07: a confidential client that proves nothing: %d %v", a.Status, a.Body)
	}
}

// I11: what strangers start for a public client is limited as what is typed at /device.
// A client that proves itself may serve many people from one address.
func TestI11StartsForPublicClientsAreLimited(t *testing.T) {
	t.Parallel()
	b := livingRoom(t, func(o *brokertest.Options) { o.Config = "limits:\n  device: {per_address: 2/m}\n" })
	for range 2 {
		begin(t, b, brokertest.CLI)
	}
	isError(t, "one more", askAs(t, b, "/device_authorization", brokertest.CLI, "scope", "openid"), 429, "temporarily_unavailable")
	for range 3 {
		begin(t, b, box)
	}
}

// What ends a person's access ends what a device was allowed and has not fetched yet.
func TestADeviceGetsNothingOfSomebodyWhoIsOut(t *testing.T) {
	t.Parallel()
	for name, out := range map[string]func(*testing.T, *brokertest.Broker, string){
		"the account is disabled": func(t *testing.T, b *brokertest.Broker, account string) {
			must(t, b.Store.SetAccountDisabled(t.Context(), account, true, broker.Event{}))
		},
		"signed out everywhere": func(t *testing.T, b *brokertest.Broker, account string) {
			must(t, b.Store.EndAccount(t.Context(), account, broker.Event{}))
		},
		"the client is disabled": func(t *testing.T, b *brokertest.Broker, _ string) {
			must(t, b.Store.SetSwitch(t.Context(), broker.ClientSwitch, brokertest.CLI, true, broker.Event{}))
		},
	} {
		b := livingRoom(t)
		w, browser := begin(t, b, brokertest.CLI), b.Browser(t)
		page := w.enter(browser)
		w.decide(browser, page, "allow")
		out(t, b, page.Fields().Get("account"))
		isError(t, name, w.poll(), 400, "invalid_grant")
	}
}

// DV-01: what was issued for another client, or another way to a grant, is nothing to a
// device, and there is no place to feed it to.
func TestDV01CodesOfOthersAreNothingToADevice(t *testing.T) {
	t.Parallel()
	b := livingRoom(t)
	w, browser := begin(t, b, brokertest.CLI), b.Browser(t)
	code := browser.Code("wiki")
	isError(t, "an authorization code as device code", w.poll("device_code", code), 400, "invalid_grant")
	isError(t, "a device code as authorization code", b.Redeem(t, "wiki", w.deviceCode), 400, "invalid_grant")
	page := w.enter(browser)
	for _, path := range []string{"/device/callback?code=" + code, "/device/confirm?code=" + code + "&state=" + w.userCode} {
		if got := browser.Get(b.Issuer + path); got.Status != 404 && got.Status != 400 || got.AtClient {
			t.Errorf("%s: %d", path, got.Status)
		}
	}
	isError(t, "nobody has decided", w.poll(), 400, "authorization_pending")
	if got := browser.Get(page.URL.String() + "&code=" + code); got.Status != 200 || got.Fields().Get("account") == "" {
		t.Errorf("the page that asks: %d", got.Status)
	}
	if a := b.Redeem(t, "wiki", code); a.Status != 200 {
		t.Errorf("the code itself: %d %v", a.Status, a.Body)
	}
}

// DV-04: a device code is its client's, good once, and polled no faster than it says.
func TestDV04ADeviceCodeIsGoodOnceForItsClient(t *testing.T) {
	t.Parallel()
	b := livingRoom(t)
	w, browser := begin(t, b, brokertest.CLI), b.Browser(t)
	foreign := w
	foreign.client = box
	isError(t, "another client", foreign.poll(), 400, "invalid_grant")
	w.decide(browser, w.enter(browser), "allow")
	isError(t, "another client, once it was allowed", foreign.poll(), 400, "invalid_grant")
	var all sync.WaitGroup
	answers := make(chan brokertest.Answer, 50)
	for range 50 {
		all.Go(func() { answers <- w.poll() })
	}
	all.Wait()
	close(answers)
	var won []brokertest.Answer
	for a := range answers {
		if a.Status == 200 {
			won = append(won, a)
		} else if a.Error() != "invalid_grant" {
			t.Errorf("%d %v", a.Status, a.Body)
		}
	}
	if len(won) != 1 {
		t.Fatalf("%d polls were answered with tokens", len(won))
	}
	if info := b.UserInfo(t, won[0].Text("access_token")); info.Status != 200 {
		t.Errorf("a late poll took the tokens away: %d", info.Status)
	}
}

// DV-05: what a device holds travels between it and the token endpoint alone.
func TestDV05NoSecretOfADeviceIsSeen(t *testing.T) {
	t.Parallel()
	b := livingRoom(t)
	w, browser := begin(t, b, box), b.Browser(t)
	var seen []string
	look := func(p brokertest.Page) brokertest.Page { seen = append(seen, p.URL.String(), p.Body); return p }
	look(browser.Get(w.answer.Text("verification_uri_complete")))
	w.poll()
	page := look(w.enter(browser))
	look(w.decide(browser, page, "allow"))
	tokens := w.poll()
	for _, text := range append(append(seen, browser.Trail...), b.Log.String()) {
		for _, secret := range []string{w.deviceCode, brokertest.Secret(box), tokens.Text("access_token"), tokens.Text("id_token")} {
			if secret == "" || strings.Contains(text, secret) {
				t.Errorf("%q is in %.200s", secret, text)
			}
		}
	}
}

// A person whom the upstream turns away is told so on a page; no client is sent
// anything, and the device goes on waiting.
func TestUpstreamTroubleOfADeviceIsAPage(t *testing.T) {
	t.Parallel()
	b := livingRoom(t, func(o *brokertest.Options) { o.Upstream = func(f *fake.Options) { f.SignInAs = "" } })
	w, browser := begin(t, b, brokertest.CLI), b.Browser(t)
	login := w.enter(browser)
	if login.URL.Host == "" || !strings.HasPrefix(login.URL.String(), b.Upstream.URL()) {
		t.Fatalf("not at the upstream: %s", login.URL)
	}
	q, err := url.Parse(browser.Trail[len(browser.Trail)-1])
	must(t, err)
	page := browser.Get(b.Issuer + "/callback/corp?error=access_denied&state=" + url.QueryEscape(q.Query().Get("state")))
	if page.AtClient || page.Status != 403 || !strings.Contains(page.Body, `class="reference"`) || page.Link("error=") != "" {
		t.Errorf("%d %s %s", page.Status, page.URL, page.Body)
	}
	if page.Link("/login?flow=") == "" {
		t.Errorf("no way to try again: %q", page.Links())
	}
	isError(t, "the device", w.poll(), 400, "authorization_pending")
}

// RFC 7523 §3: what a client signs to start a device is spent in the commit of the
// start, and by nothing that is refused.
func TestAnAssertionStartsOneDevice(t *testing.T) {
	t.Parallel()
	const secret = "a secret of thirty-two characters"
	b := brokertest.New(t, brokertest.Options{Clients: `
  - {client_id: mac, token_endpoint_auth_method: client_secret_jwt, client_secret: "` + secret + `", grant_types: ["urn:ietf:params:oauth:grant-type:device_code"]}
`})
	raw := jwttest.Sign(t, jwttest.Key{Algorithm: jose.HS256, Key: []byte(secret)},
		map[string]any{"iss": "mac", "sub": "mac", "aud": b.Issuer + "/device_authorization", "jti": "one", "exp": b.Clock.Now().Add(time.Minute).Unix()})
	start := func(scope string) brokertest.Answer {
		return send(t, b, "/device_authorization", url.Values{"client_assertion_type": {oauth.ClientAssertionType}, "client_assertion": {raw}, "scope": {scope}})
	}
	isError(t, "nothing that can be granted", start("unknown"), 400, "invalid_scope")
	before := b.Store.Commits()
	if a := start("openid"); a.Status != 200 {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	isError(t, "once more", start("openid"), 401, "invalid_client")
	if n := b.Store.Commits() - before; n != 1 {
		t.Errorf("%d commits, want 1", n)
	}
}
