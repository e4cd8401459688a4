package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatehouse/broker"
	"gatehouse/configs"
	"gatehouse/internal/brokertest"
)

// UP-24: an upstream that was taken away between the redirect and the callback
// signs nobody in, and does not hear of it when it is no longer configured.
func TestAConnectorTakenAwayMidFlowSignsNobodyIn(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(t *testing.T, b *brokertest.Broker) error{
		"removed": func(t *testing.T, b *brokertest.Broker) error {
			return b.Reload(t, brokertest.Options{SecondConnector: true, WithoutConnector: true})
		},
		"switched off": func(t *testing.T, b *brokertest.Broker) error {
			return b.Store.SetSwitch(t.Context(), broker.ConnectorSwitch, "corp", true, broker.Event{At: b.Clock.Now()})
		},
		"no longer allowed for the client": func(t *testing.T, b *brokertest.Broker) error {
			return b.Reload(t, brokertest.Options{SecondConnector: true, Clients: `
  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true, connectors: [other]}`})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.New(t, brokertest.Options{SecondConnector: true})
			browser := b.Browser(t)
			callback := atUpstream(t, b, browser, "idp_hint", "corp")
			must(t, take(t, b))
			commits, asked := b.Store.Commits(), b.Upstream.Count("/token")
			page := browser.Get(callback)
			if page.AtClient && page.URL.Query().Has("code") || holds(browser, "gatehouse-session-") || b.Store.Commits() != commits {
				t.Errorf("%d at %s, %d commits", page.Status, page.URL, b.Store.Commits()-commits)
			}
			if name == "removed" && (page.Status != http.StatusBadRequest || b.Upstream.Count("/token") != asked) {
				t.Errorf("%d at %s, %d requests for tokens", page.Status, page.URL, b.Upstream.Count("/token")-asked)
			}
		})
	}
}

// A client that is gone gets nothing for what it holds, and a person on the way to
// it a page.
func TestAClientTakenAwayGetsNothing(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	online := b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki, "scope", "openid offline_access"))
	code := b.Browser(t).Code(brokertest.Wiki)
	waiting, asked := b.Browser(t), b.Browser(t)
	callback := atUpstream(t, b, waiting)
	form := asked.Get(b.AuthorizeURL(brokertest.Shop)).Fields()
	form.Set("decision", "allow")
	must(t, b.Reload(t, brokertest.Options{Clients: `
  - {client_id: other, client_secret: x, redirect_uris: ["https://other.example/callback"]}`}))
	commits := b.Store.Commits()
	isError(t, "its code", b.Redeem(t, brokertest.Wiki, code), 401, "invalid_client")
	isError(t, "its refresh token", b.Refresh(t, brokertest.Wiki, online.Text("refresh_token")), 401, "invalid_client")
	if a := b.UserInfo(t, online.Text("access_token")); a.Status != 401 {
		t.Errorf("its access token: %d", a.Status)
	}
	isPage(t, "a request of its", b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki)))
	isPage(t, "a sign-in under way", waiting.Get(callback))
	isPage(t, "a consent under way", asked.Post(b.Issuer+"/consent", form))
	if page := b.Browser(t).Get(b.Issuer + "/logout?client_id=wiki"); page.Status != http.StatusBadRequest {
		t.Errorf("its sign-out: %d", page.Status)
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("I12: %d commits", n)
	}
	must(t, b.Reload(t, brokertest.Options{}))
	if a := b.Redeem(t, brokertest.Wiki, code); a.Status != 200 {
		t.Errorf("absent means refused at use, never deleted: %v", a.Body)
	}
}

// A request that has begun ends under the configuration it began under.
func TestReloadingDisturbsNobody(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		browser := b.Browser(t)
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if a := b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki)); a.Status != 200 {
					t.Errorf("%d %v", a.Status, a.Body)
					return
				}
			}
		})
	}
	for range 20 {
		if err := b.Reload(t, brokertest.Options{}); err != nil {
			t.Error(err)
		}
	}
	close(done)
	wg.Wait()
}

// What takes effect by a reload does so whole; what cannot is said, all of it.
func TestReloadIsAllOrNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certificate(t, dir, "first")
	const issuer, listen, files = "issuer: https://sso.example\n", "listen: 127.0.0.1:0\n", "tls: {cert_file: tls.crt, key_file: tls.key}\n"
	p := start(t, dir, issuer+listen+files+processConfig)
	reload := func(config string) error {
		must(t, os.WriteFile(p.path, []byte(config), 0o600))
		c, err := configs.Load(p.path, p.types)
		must(t, err)
		return p.server.Reload(c)
	}
	redirectURI := func() int {
		w := httptest.NewRecorder()
		q := url.Values{"client_id": {"wiki"}, "redirect_uri": {"https://new.example/callback"}}
		p.server.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/authorize?"+q.Encode(), nil))
		return w.Code
	}
	changed := strings.Replace(processConfig, "https://wiki.example/callback", "https://new.example/callback", 1)
	// A certificate that breaks after the file has been checked, as in a renewal.
	must(t, os.WriteFile(p.path, []byte(issuer+listen+files+changed), 0o600))
	c, err := configs.Load(p.path, p.types)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "tls.crt"), []byte("half a certificate"), 0o600))
	if err := p.server.Reload(c); err == nil {
		t.Error("a certificate that is none was taken")
	}
	certificate(t, dir, "second")
	if status := redirectURI(); status != http.StatusBadRequest {
		t.Errorf("the rest of a configuration that failed is in force: %d", status)
	}
	for key, config := range map[string]string{
		"issuer":        "issuer: https://other.example\n" + listen + files + changed,
		"listen":        issuer + "listen: 127.0.0.1:1\n" + files + changed,
		"tls":           issuer + listen + "trusted_proxies: [10.0.0.0/8]\n" + changed,
		"tls.acme":      issuer + listen + "tls: {acme: {email: a@sso.example}}\n" + changed,
		"health.listen": issuer + listen + files + strings.Replace(changed, `"127.0.0.1:0"`, `"127.0.0.1:2"`, 1),
		"storage":       issuer + listen + files + strings.Replace(changed, "broker.db", "other.db", 1) + "admin: {socket: " + filepath.Join(dir, "broker.sock") + "}\n",
		"secret_key":    issuer + listen + files + strings.Replace(changed, "0123456789abcdef01", "fedcba987654321001", 1),
		"signing":       issuer + listen + files + strings.Replace(changed, "id_token: ES256", "id_token: RS256", 1),
		"admin.socket":  issuer + listen + files + changed + "admin: {socket: other.sock}\n",
		"log":           issuer + listen + files + changed + "log: {level: debug}\n",
	} {
		if err := reload(config); err == nil || !strings.Contains(err.Error(), key+": changed; restart") {
			t.Errorf("%s: %v", key, err)
		}
	}
	if status := redirectURI(); status != http.StatusBadRequest {
		t.Errorf("a refused reload changed something: %d", status)
	}
	must(t, reload(issuer+listen+files+changed))
	if status := redirectURI(); status != http.StatusSeeOther {
		t.Errorf("a good reload changed nothing: %d", status)
	}
}

// Proxies are a matter of the configuration that is current.
func TestProxiesAreReloaded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	base := "issuer: https://sso.example\nlisten: 0.0.0.0:0\n" + processConfig
	p := start(t, dir, "trusted_proxies: [10.1.0.0/16]\n"+base)
	handler := p.server.Handler()
	status := func(peer string) int {
		r := httptest.NewRequest(http.MethodGet, "/jwks", nil)
		r.RemoteAddr = peer
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	if status("10.1.0.1:1") != 200 || status("10.2.0.1:1") != 403 {
		t.Fatal("not the first configuration")
	}
	must(t, os.WriteFile(p.path, []byte("trusted_proxies: [10.2.0.0/16]\n"+base), 0o600))
	c, err := configs.Load(p.path, p.types)
	must(t, err)
	must(t, p.server.Reload(c))
	if old, now := status("10.1.0.1:1"), status("10.2.0.1:1"); old != 403 || now != 200 {
		t.Errorf("the old proxy gets %d, the new one %d", old, now)
	}
}
