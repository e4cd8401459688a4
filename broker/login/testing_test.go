package login

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/broker/seal"
	"gatehouse/connectors"
	"gatehouse/session"
	"gatehouse/store/bolt"
	"gatehouse/web"
)

// scripted is a connector that answers what a test says.
type scripted struct {
	connectors.Description
	trouble  error
	err      error
	identity broker.Identity
	handed   connectors.Upstream
	asked    []connectors.Login
	answered []connectors.Login
	within   context.Context
}

func (s *scripted) Describe() connectors.Description { return s.Description }

func (s *scripted) AuthorizationURL(_ context.Context, l connectors.Login) (string, error) {
	s.asked = append(s.asked, l)
	return "https://idp.example/" + s.ID + "?" + url.Values{"state": {l.State}}.Encode(), nil
}

func (s *scripted) Identify(ctx context.Context, _ url.Values, l connectors.Login) (broker.Identity, connectors.Upstream, error) {
	s.answered, s.within = append(s.answered, l), ctx
	return s.identity, s.handed, s.err
}

func (s *scripted) Check(context.Context) error { return s.trouble }

type clients map[string]*broker.Client

func (c clients) Client(_ context.Context, id string) (*broker.Client, error) {
	if client, ok := c[id]; ok {
		return client, nil
	}
	return nil, broker.ErrNotFound
}

// corp is an upstream through which Ada signs in.
func corp() *scripted {
	return &scripted{Description: connectors.Description{ID: "corp", Type: "oidc", Name: "Corp & Sons", Reauthentication: connectors.ReauthAsked},
		identity: broker.Identity{Key: broker.IdentityKey{Connector: "corp", Issuer: "https://idp.example", Subject: "ada"}}}
}

// world is the endpoint with scripted upstreams, of which upstream is the first, and
// one client.
type world struct {
	t        testing.TB
	upstream *scripted
	store    *bolt.Store
	endpoint *Endpoint
	mux      *http.ServeMux
	log      strings.Builder
	cookies  map[string]*http.Cookie
	// granted is the grant of the last code that was made.
	granted string
}

func newWorld(t testing.TB, upstreams ...*scripted) *world {
	t.Helper()
	if len(upstreams) == 0 {
		upstreams = []*scripted{corp()}
	}
	keys, err := seal.New([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	store, err := bolt.Open(filepath.Join(t.TempDir(), "broker.db"), bolt.Options{Seal: keys, NoSync: true, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	pages, err := web.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, mux: http.NewServeMux(), cookies: map[string]*http.Cookie{}, upstream: upstreams[0]}
	now := func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	known := clients{"wiki": {ID: "wiki", Name: "Wiki", RedirectURIs: []string{"https://wiki.example/callback"}, SkipConsent: true}}
	const issuer = "https://sso.example"
	desk := &flow.Desk{Issuer: issuer, Clients: known, Logins: store, Sessions: store, Cookies: session.New(issuer), Jar: flow.NewJar(issuer, keys, now),
		Pages: pages, Audit: &audit.Recorder{Log: log}, Log: log, Now: now,
		Lifetimes: broker.Lifetimes{Code: time.Minute, AccessToken: time.Hour, IDToken: time.Hour, Session: time.Hour, SessionIdle: time.Hour}, Outlives: time.Hour,
		NewCode: func(grant string) (string, broker.ExpiringKey, error) {
			w.granted = grant
			return "the-code", broker.NewExpiringKey(now().Add(time.Hour), broker.DigestOf(grant)), nil
		},
		NewAccountID: func() string { return "random" }}
	w.endpoint = &Endpoint{Desk: desk, Clients: known, States: flow.NewStates(keys), Connectors: map[string]connectors.Connector{}, Log: log, Now: now}
	for _, upstream := range upstreams {
		desk.Upstreams = append(desk.Upstreams, upstream.Describe())
		w.endpoint.Connectors[upstream.ID] = upstream
	}
	desk.SignIn = w.endpoint.SignIn
	w.endpoint.Mount(w.mux)
	return w
}

// get asks with the cookies of the one browser, and keeps those it is given.
func (w *world) get(ctx context.Context, target string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	for _, c := range w.cookies {
		r.AddCookie(c)
	}
	return w.serve(r, w.mux.ServeHTTP)
}

func (w *world) serve(r *http.Request, handler http.HandlerFunc) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	handler(answer, r)
	for _, c := range answer.Result().Cookies() {
		w.cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(w.cookies, c.Name)
		}
	}
	return answer
}

// authorize asks with a client's request.
func (w *world) authorize(change func(*broker.AuthorizationRequest)) *httptest.ResponseRecorder {
	w.t.Helper()
	request := &broker.AuthorizationRequest{ClientID: "wiki", RedirectURI: "https://wiki.example/callback", ResponseType: oauth.ResponseTypeCode, ResponseMode: oauth.ResponseModeQuery,
		Scopes: oauth.Scopes{oauth.OpenID}, State: "the-state"}
	change(request)
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/authorize", nil)
	for _, c := range w.cookies {
		r.AddCookie(c)
	}
	return w.serve(r, func(rw http.ResponseWriter, r *http.Request) {
		if err := w.endpoint.Desk.Continue(rw, r, flow.New(w.endpoint.Now(), request)); err != nil {
			w.t.Fatal(err)
		}
	})
}

// begin starts a sign-in and returns the callback that the upstream would answer
// with.
func (w *world) begin(mode oauth.ResponseMode) (callback string) {
	w.t.Helper()
	return w.answer(w.authorize(func(r *broker.AuthorizationRequest) { r.ResponseMode = mode }))
}

// answer is the callback that follows a redirect to an upstream.
func (w *world) answer(sent *httptest.ResponseRecorder) (callback string) {
	w.t.Helper()
	to, err := url.Parse(sent.Header().Get("Location"))
	if err != nil || to.Host != "idp.example" {
		w.t.Fatalf("not at the upstream: %d %s", sent.Code, to)
	}
	return "/callback/" + strings.TrimPrefix(to.Path, "/") + "?" + url.Values{"code": {"c"}, "state": to.Query()["state"]}.Encode()
}
