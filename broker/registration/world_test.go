package registration

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
	"gatehouse/store/bolt"
)

const (
	issuer = "https://sso.example.com"
	// initial is an initial access token of the tests.
	initial = "initial-access-token-of-the-tests"
)

var epoch = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// world is the endpoint over a real store, and the clients that it makes.
type world struct {
	t        *testing.T
	endpoint *Endpoint
	clients  *Clients
	store    *bolt.Store
	handler  http.Handler
	log      *safeBuffer
	// documents are what Fetch finds.
	documents map[string]string
	fetched   []string

	mu      sync.Mutex
	now     time.Time
	address netip.Addr
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) sleep(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// openPolicy is a generous one.
func openPolicy() Policy {
	return Policy{Open: true, Scopes: oauth.Scopes{oauth.OpenID, oauth.Profile, oauth.Email, oauth.OfflineAccess},
		GrantTypes: []oauth.GrantType{oauth.GrantTypeAuthorizationCode, oauth.GrantTypeRefreshToken, oauth.GrantTypeImplicit, oauth.GrantTypeClientCredentials}}
}

// closedPolicy admits holders of initial, twice.
func closedPolicy() Policy {
	p := openPolicy()
	p.Open = false
	p.Tokens = []InitialToken{{Digest: broker.DigestOf(initial), Limit: 2, Expires: epoch.Add(time.Hour), Name: "partners"}}
	return p
}

func newWorld(t *testing.T, p Policy) *world {
	t.Helper()
	return worldOver(t, p, openStore(t))
}

func worldOver(t *testing.T, p Policy, store *bolt.Store) *world {
	t.Helper()
	w := &world{t: t, store: store, now: epoch, log: &safeBuffer{}, documents: map[string]string{}, address: netip.MustParseAddr("192.0.2.1")}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.endpoint = &Endpoint{Issuer: issuer, Policy: p, Registrations: w.store, Audit: &audit.Recorder{Log: log}, Now: w.clock,
		Taken: func(id string) bool { return id == "configured" },
		Fetch: func(_ context.Context, address string, types ...string) ([]byte, error) {
			w.fetched = append(w.fetched, address)
			if document, ok := w.documents[address]; ok && len(types) == 1 && types[0] == "application/json" {
				return []byte(document), nil
			}
			return nil, errors.New("the document could not be fetched: 10.0.0.7 refused")
		}}
	w.clients = &Clients{Configured: configured{"wiki": {ID: "wiki"}}, Registrations: w.store, Policy: p, Log: log, Now: w.clock}
	w.mount()
	return w
}

// mount takes up changes to the endpoint.
func (w *world) mount() {
	mux := http.NewServeMux()
	w.endpoint.Mount(mux)
	w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(rw, r.WithContext(httpx.With(r.Context(), httpx.Request{ID: "reference", Address: w.address})))
	})
}

type configured map[string]*broker.Client

func (c configured) Client(_ context.Context, id string) (*broker.Client, error) {
	if client, ok := c[id]; ok {
		return client, nil
	}
	return nil, broker.ErrNotFound
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (r reply) text(member string) string { s, _ := r.json[member].(string); return s }

// do sends a request. headers are names and values in turn.
func (w *world) do(method, path, body string, headers ...string) reply {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	out := reply{status: rec.Code, header: rec.Header(), body: rec.Body.String()}
	if strings.HasPrefix(out.header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(rec.Body.Bytes(), &out.json); err != nil {
			w.t.Fatalf("%s %s: %v: %s", method, path, err, out.body)
		}
	}
	return out
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// minimal is the least a client says of itself.
const minimal = `{"redirect_uris":["https://app.example.org/cb"]}`

// register sends a document and expects it to be accepted.
func (w *world) register(document string, headers ...string) reply {
	w.t.Helper()
	got := w.do("POST", "/register", cmp.Or(document, minimal), headers...)
	if got.status != http.StatusCreated {
		w.t.Fatalf("registration answered %d %s", got.status, got.body)
	}
	return got
}

// manage sends a request about what has been registered, with its token.
func (w *world) manage(method string, registered reply, body string) reply {
	w.t.Helper()
	return w.do(method, "/register/"+registered.text("client_id"), body, bearer(registered.text("registration_access_token"))...)
}

// client finds what has been registered as endpoints do.
func (w *world) client(registered reply) *broker.Client {
	w.t.Helper()
	client, err := w.clients.Client(w.t.Context(), registered.text("client_id"))
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

// wantRefused expects an error of the protocol, in its character set, and that nothing
// about a client is told.
func wantRefused(t *testing.T, got reply, status int, code oauth.Code) {
	t.Helper()
	if got.status != status || got.text("error") != string(code) {
		t.Errorf("answered %d %s, want %d %s", got.status, got.body, status, code)
	}
	if got.header.Get("Cache-Control") != "no-store" || got.json["client_id"] != nil || got.json["registration_access_token"] != nil {
		t.Errorf("a refusal with %v %s", got.header, got.body)
	}
	for _, r := range got.text("error_description") {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			t.Errorf("%q is outside of the character set (RFC 6749 §5.2)", r)
		}
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
