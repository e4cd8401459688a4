package device

import (
	"context"
	"encoding/json"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/consent"
	"gatehouse/broker/flow"
	"gatehouse/broker/keys"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/broker/seal"
	"gatehouse/connectors"
	"gatehouse/internal/httpx"
	"gatehouse/session"
	"gatehouse/store/bolt"
	"gatehouse/web"
)

const issuer = "https://sso.example"

type clients map[string]*broker.Client

func (c clients) Client(_ context.Context, id string) (*broker.Client, error) {
	if client, ok := c[id]; ok {
		return client, nil
	}
	return nil, broker.ErrNotFound
}

// world is the endpoints over a real store, with one upstream, "corp", where people
// sign in without a page.
type world struct {
	t       testing.TB
	now     time.Time
	clients clients
	store   *bolt.Store
	path    string
	mint    *mint.Minter
	start   *Start
	pages   *Endpoint
	mux     *http.ServeMux
	log     strings.Builder
	// agent is the User-Agent of devices.
	agent string
}

// deviceGrants are what the clients of the world may use.
func deviceGrants() []oauth.GrantType {
	return []oauth.GrantType{oauth.GrantTypeDeviceCode, oauth.GrantTypeRefreshToken}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	secrets, err := seal.New([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, agent: "Television/1.0", now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), mux: http.NewServeMux(), clients: clients{
		"tv": {ID: "tv", Name: "Television", AuthMethod: oauth.AuthMethodNone, GrantTypes: deviceGrants(), URI: "https://tv.example/",
			RedirectURIs: []string{"https://tv.example/callback"}},
		"wiki":  {ID: "wiki", Name: "Wiki", RedirectURIs: []string{"https://wiki.example/callback"}, SkipConsent: true},
		"ours":  {ID: "ours", Name: "Ours", AuthMethod: oauth.AuthMethodNone, SkipConsent: true, GrantTypes: deviceGrants()[:1]},
		"staff": {ID: "staff", Name: "Staff", AuthMethod: oauth.AuthMethodNone, GrantTypes: deviceGrants(), Allow: broker.Allow{Groups: []string{"staff"}}},
	}}
	log := slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.path = filepath.Join(t.TempDir(), "broker.db")
	w.store, err = bolt.Open(w.path, bolt.Options{Seal: secrets, NoSync: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	now := func() time.Time { return w.now }
	ring, err := keys.Open(t.Context(), keys.Config{Store: w.store, Schedule: keys.Schedule{Algorithms: []string{"ES256"}}, Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	lifetimes := broker.Lifetimes{Code: time.Minute, AccessToken: time.Hour, IDToken: time.Hour, RefreshToken: time.Hour, Session: time.Hour, SessionIdle: time.Hour}
	if w.mint, err = mint.New(mint.Config{Issuer: issuer, Ring: ring, Secrets: secrets, IDTokenAlg: "ES256", Lifetimes: lifetimes}); err != nil {
		t.Fatal(err)
	}
	pages, err := web.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	recorder := &audit.Recorder{Log: log}
	desk := &flow.Desk{Issuer: issuer, Clients: w.clients, Logins: w.store, Sessions: w.store, Cookies: session.New(issuer), Jar: flow.NewJar(issuer, secrets, now),
		Pages: pages, Audit: recorder, Log: log, Now: now, Upstreams: []connectors.Description{{ID: "corp", Name: "Corp", Reauthentication: connectors.ReauthAsked}},
		Lifetimes: lifetimes, Outlives: time.Hour, NewCode: w.mint.NewCode, NewAccountID: mint.NewAccountID, SignIn: w.signIn}
	protect := http.NewCrossOriginProtection()
	if err := protect.AddTrustedOrigin(issuer); err != nil {
		t.Fatal(err)
	}
	limiter := func(burst int) *httpx.Limiter {
		return &httpx.Limiter{Rate: rate.Every(time.Minute), Burst: burst, Now: now}
	}
	w.pages = &Endpoint{Desk: desk, Clients: w.clients, Devices: w.store, Protect: protect, Lifetime: 10 * time.Minute, Now: now,
		PerAddress: limiter(10), PerAccount: limiter(20), Anonymous: limiter(50)}
	w.start = &Start{Devices: w.store, Issuer: issuer, Lifetime: 10 * time.Minute, NewCode: w.mint.NewDeviceCode,
		Supported: oauth.Scopes{"openid", "profile", "email", "offline_access", "api:read", "api:write"},
		Resources: policy.Resources{{URI: "https://api.example", Scopes: oauth.Scopes{"api:read", "api:write"}}},
		Reception: &clientauth.Reception{Callers: &clientauth.Authenticator{Clients: w.clients, Secrets: clientauth.NewSecrets(), Realm: issuer, Now: now},
			Audit: recorder, Log: log, Now: now}}
	w.start.Mount(w.mux)
	w.pages.Mount(w.mux)
	(&consent.Endpoint{Desk: desk, Protect: protect}).Mount(w.mux)
	return w
}

// signIn is at the upstream: the browser carries the flow, and arrive brings it back.
func (w *world) signIn(rw http.ResponseWriter, r *http.Request, f *flow.Flow, client *broker.Client, _ flow.Step) error {
	f.Attempt = &flow.Attempt{Connector: "corp", Nonce: "n"}
	if w.pages.Desk.Park(rw, r, f, client) {
		flow.Redirect(rw, "https://idp.example/?flow="+f.ID)
	}
	return nil
}

// started is what a device was answered.
type started struct {
	answer
	Error string `json:"error"`
}

// ask has a device ask for codes from 198.51.100.7.
func (w *world) ask(client string, params ...string) (started, *httptest.ResponseRecorder) {
	w.t.Helper()
	form := url.Values{"client_id": {client}, "scope": {"openid offline_access"}}
	for i := 0; i < len(params); i += 2 {
		form.Del(params[i])
	}
	for i := 0; i < len(params); i += 2 {
		form.Add(params[i], params[i+1])
	}
	r := httptest.NewRequestWithContext(httpx.With(w.t.Context(), httpx.Request{ID: "ref", Address: netip.MustParseAddr("198.51.100.7")}),
		http.MethodPost, "/device_authorization", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", w.agent)
	answered := httptest.NewRecorder()
	w.mux.ServeHTTP(answered, r)
	var out started
	if err := json.Unmarshal(answered.Body.Bytes(), &out); err != nil {
		w.t.Fatalf("%d %s: %v", answered.Code, answered.Body, err)
	}
	return out, answered
}

// begun is a device that waits.
func (w *world) begun(client string) started {
	w.t.Helper()
	s, answered := w.ask(client)
	if answered.Code != http.StatusOK {
		w.t.Fatalf("%d %s", answered.Code, answered.Body)
	}
	return s
}

// device is the record of one that has begun.
func (w *world) device(client string, s started) broker.DeviceAuthorization {
	w.t.Helper()
	key, err := w.mint.ParseDeviceCode(s.DeviceCode)
	if err != nil {
		w.t.Fatal(err)
	}
	d, err := w.store.Device(w.t.Context(), key, client)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// browser is one person's, somewhere.
type browser struct {
	w       *world
	address netip.Addr
	cookies map[string]*http.Cookie
	// origin is the page that its forms come from.
	origin string
	seen   []string
}

func (w *world) browser() *browser {
	return &browser{w: w, address: netip.MustParseAddr("192.0.2.1"), cookies: map[string]*http.Cookie{}, origin: issuer}
}

func (b *browser) send(r *http.Request) *httptest.ResponseRecorder {
	r = r.WithContext(httpx.With(r.Context(), httpx.Request{ID: "ref", Address: b.address}))
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	answered := httptest.NewRecorder()
	b.w.mux.ServeHTTP(answered, r)
	b.keep(answered)
	b.seen = append(b.seen, r.URL.String(), answered.Header().Get("Location"), answered.Body.String())
	return answered
}

func (b *browser) keep(answered *httptest.ResponseRecorder) {
	for _, c := range answered.Result().Cookies() {
		b.cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
}

// get goes to a URL, and to where ours leads.
func (b *browser) get(to string) *httptest.ResponseRecorder {
	b.w.t.Helper()
	return b.follow(b.send(httptest.NewRequestWithContext(b.w.t.Context(), http.MethodGet, strings.TrimPrefix(to, issuer), nil)))
}

func (b *browser) post(to string, form url.Values) *httptest.ResponseRecorder {
	b.w.t.Helper()
	r := httptest.NewRequestWithContext(b.w.t.Context(), http.MethodPost, to, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.origin)
	return b.follow(b.send(r))
}

func (b *browser) follow(answered *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	to := answered.Header().Get("Location")
	switch {
	case strings.HasPrefix(to, issuer):
		return b.get(to)
	case strings.HasPrefix(to, "https://idp.example/"):
		id, _ := url.Parse(to)
		return b.arrive(id.Query().Get("flow"), "ada")
	}
	return answered
}

// arrive comes back from the upstream as somebody.
func (b *browser) arrive(flowID, subject string) *httptest.ResponseRecorder {
	b.w.t.Helper()
	r := httptest.NewRequestWithContext(httpx.With(b.w.t.Context(), httpx.Request{ID: "ref", Address: b.address}), http.MethodGet, "/callback/corp", nil)
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	desk := b.w.pages.Desk
	f, err := desk.Jar.Take(r, flowID)
	if err != nil {
		b.w.t.Fatal(err)
	}
	who := broker.Identity{Key: broker.IdentityKey{Connector: "corp", Issuer: "https://idp.example", Subject: subject},
		Profile: broker.Profile{Name: strings.ToUpper(subject[:1]) + subject[1:], Email: subject + "@corp.example"}}
	answered := httptest.NewRecorder()
	if err := desk.CompleteLogin(answered, r, f, b.w.clients[f.Request.ClientID], flow.Arrival{Who: who, Via: desk.Upstreams[0]}); err != nil {
		b.w.t.Fatal(err)
	}
	b.keep(answered)
	b.seen = append(b.seen, answered.Header().Get("Location"), answered.Body.String())
	return b.follow(answered)
}

// signedIn has somebody sign in to the wiki.
func (b *browser) signedIn(subject string) {
	b.w.t.Helper()
	f := flow.New(b.w.now, &broker.AuthorizationRequest{ClientID: "wiki", RedirectURI: "https://wiki.example/callback", ResponseType: oauth.ResponseTypeCode, Scopes: oauth.Scopes{"openid"}})
	f.Attempt = &flow.Attempt{Connector: "corp", Nonce: "n"}
	b.park(b.w.t, f)
	b.arrive(f.ID, subject)
}

// park puts a flow into the browser.
func (b *browser) park(t testing.TB, f *flow.Flow) {
	t.Helper()
	parked := httptest.NewRecorder()
	if err := b.w.pages.Desk.Jar.Put(parked, httptest.NewRequest(http.MethodGet, "/", nil), f); err != nil {
		t.Fatal(err)
	}
	b.keep(parked)
}

// enter types a code and goes on to the page that asks.
func (b *browser) enter(code string) *httptest.ResponseRecorder {
	b.w.t.Helper()
	return b.post("/device", url.Values{"user_code": {code}})
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// decide answers the page that asks; change may alter the form.
func (b *browser) decide(page *httptest.ResponseRecorder, decision string, change func(url.Values)) *httptest.ResponseRecorder {
	b.w.t.Helper()
	form := url.Values{"decision": {decision}}
	for _, m := range hidden.FindAllStringSubmatch(page.Body.String(), -1) {
		form.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	if form.Get("flow") == "" {
		b.w.t.Fatalf("not the page that asks: %d %s", page.Code, page.Body)
	}
	if change != nil {
		change(form)
	}
	return b.post("/device/confirm", form)
}
