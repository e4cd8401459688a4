package e2e

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors/connectortest/fake"
)

// lobby is a broker with three upstreams, one of which nobody answers at, and an
// application that is content with anything.
type lobby struct {
	browser *chromium
	issuer  string
	app     *httptest.Server
	// north is the upstream that addresses at north.example belong to.
	north *httptest.Server
}

// TestChooser is what only a browser shows of the page that asks where to sign in:
// that its policy lets the form lead to an upstream.
func TestChooser(t *testing.T) {
	enabled(t)
	l := &lobby{app: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><html lang=en><title>Done</title><link rel=icon href=data:,><h1>Done</h1>")
	}))}
	t.Cleanup(l.app.Close)
	l.start(t)
	l.browser = startChromium(t)
	t.Run("an address leads to its upstream", l.address)
	t.Run("what is down is marked, what was used is first", l.known)
}

func (l *lobby) start(t *testing.T) {
	t.Helper()
	port := freePort(t)
	l.issuer = "http://127.0.0.1:" + port
	l.north = newUpstream(t, l.issuer, "north")
	config := filepath.Join(t.TempDir(), "broker.yaml")
	text := fmt.Sprintf(`
issuer: %s
listen: 127.0.0.1:%s
storage: {type: bolt, path: broker.db}
health: {listen: "off"}
connectors:
  - {id: silent, type: oidc, name: Silent, client_id: broker, client_secret: upstream-secret, issuer: "http://127.0.0.1:%s"}
  - {id: south, type: oidc, name: South, client_id: broker, client_secret: upstream-secret, issuer: %q}
  - {id: north, type: oidc, name: North, client_id: broker, client_secret: upstream-secret, issuer: %q, domains: [north.example]}
clients:
  - {client_id: app, client_name: App, client_secret: the-secret-of-the-app, redirect_uris: ["%s/callback"], skip_consent: true}
`, l.issuer, port, freePort(t), newUpstream(t, l.issuer, "south").URL, l.north.URL, l.app.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, `serving.*issuer=`, buildBroker(t), "serve", "-c", config)
}

// newUpstream is a provider at which the broker of that issuer is registered.
func newUpstream(t *testing.T, issuer, connector string) *httptest.Server {
	t.Helper()
	provider := fake.NewOIDC(fake.Options{Now: time.Now, Clients: []fake.Client{
		{ID: "broker", Secret: "upstream-secret", RedirectURIs: []string{issuer + "/callback/" + connector}}}})
	server := httptest.NewServer(provider)
	t.Cleanup(server.Close)
	provider.SetURL(server.URL)
	return server
}

func (l *lobby) authorize() string {
	challenge := sha256.Sum256([]byte(strings.Repeat("v", 43)))
	return l.issuer + "/authorize?" + url.Values{"client_id": {"app"}, "redirect_uri": {l.app.URL + "/callback"}, "response_type": {"code"}, "scope": {"openid"},
		"prompt": {"select_account"}, "code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}}.Encode()
}

// find types an address into the field and presses Enter.
func (p *tab) find(address string) {
	p.t.Helper()
	p.ask(p.read(`(() => { const e = document.getElementById("email"); e.focus(); e.select(); return true })()`, new(bool)))
	p.do("Input.insertText", params{"text": address})
	p.press("Enter")
}

func (l *lobby) address(t *testing.T) {
	p := l.browser.open(t)
	g := openGallery(t)
	p.goTo(l.authorize())
	p.untilHeading("Sign in")
	p.look(g, "chooser-address")
	p.find("ada@nowhere.example")
	p.until("the page says that nobody has the domain", `document.body.innerText.includes("known for addresses at nowhere.example")`)
	p.look(g, "chooser-address-unknown")
	p.find("ada@north.example")
	p.untilHeading("Choose an account")
	if at := p.url(); !strings.HasPrefix(at, l.north.URL+"/") || !strings.Contains(at, "login_hint=ada%40north.example") {
		t.Errorf("the form leads to %s", at)
	}
	p.quiet()
}

func (l *lobby) known(t *testing.T) {
	p := l.browser.open(t)
	p.goTo(l.authorize())
	p.untilHeading("Sign in")
	if strings.Contains(p.text(), "Not answering") {
		t.Error("an upstream is marked that nobody has tried yet")
	}
	p.click("Continue with Silent")
	p.untilHeading("The provider is not answering")
	p.click("Try again")
	p.untilHeading("Sign in")
	p.contains("Not answering at the moment")
	p.click("Continue with North")
	p.untilHeading("Choose an account")
	p.click("Ada Winter")
	p.untilHeading("Done")
	p.goTo(l.authorize())
	p.untilHeading("Sign in")
	p.contains("Used last time")
	var first string
	if p.ask(p.read(`document.querySelector(".choice").innerText`, &first)); !strings.Contains(first, "North") {
		t.Errorf("the first is %q", first)
	}
	p.look(openGallery(t), "chooser-known")
}
