package connectortest

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

// The broker's registration at every fake.
const (
	ClientID     = "gatehouse-at-vendor"
	ClientSecret = "client+secret/of the broker"
	RedirectURI  = "https://broker.example/callback/up"
)

// slowness is how long a slow vendor takes. Tests are less patient by so much that
// it shows on a busy machine too; a fake stops when nobody listens any more.
const slowness = 4 * time.Second

// Setup is what a test may change before the bench is made.
type Setup struct {
	Vendor fake.Options
	Common connectors.Common
	// Secrets are what references resolve to; others are the secret themselves.
	Secrets map[string]string
	// Configure changes the finished configuration.
	Configure func(connectors.Config)
}

// Bench is a connector and the fake it speaks with, over real HTTP on loopback.
type Bench struct {
	Vendor    *fake.Provider
	Connector connectors.Connector
	Clock     *Clock
	// URL is the fake's base URL; Log is what the connector logged.
	URL string
	Log *Log

	subject  Subject
	server   *httptest.Server
	browser  *http.Client
	mu       sync.Mutex
	secrets  map[string]bool
	resolved map[string]string
}

// Open makes a bench. change may be nil.
func (s Subject) Open(t testing.TB, change func(*Setup)) *Bench {
	t.Helper()
	b := &Bench{Clock: NewClock(), Log: &Log{}, subject: s, secrets: map[string]bool{ClientSecret: true, url.QueryEscape(ClientSecret): true}}
	setup := Setup{
		Vendor: fake.Options{
			Now: b.Clock.Now, Keys: s.Keys, SignInAs: s.Person, Delay: slowness,
			Clients: []fake.Client{{ID: ClientID, Secret: ClientSecret, RedirectURIs: []string{RedirectURI}}},
		},
		Common: connectors.Common{ID: "up", ClientID: ClientID, ClientSecret: connectors.Secrets{ClientSecret}},
	}
	if change != nil {
		change(&setup)
	}
	for reference, value := range setup.Secrets {
		b.SetSecret(reference, value)
	}
	b.Vendor = s.Fake(setup.Vendor)
	server := httptest.NewServer(b.listen(b.Vendor))
	t.Cleanup(server.Close)
	b.server, b.URL = server, server.URL
	b.Vendor.SetURL(b.URL)
	b.browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

	config := s.Config(setup.Common, b.URL)
	if setup.Configure != nil {
		setup.Configure(config)
	}
	if problems := config.Validate(); len(problems) > 0 {
		t.Fatalf("the configuration has problems: %v", problems)
	}
	var err error
	if b.Connector, err = config.Open(b.environment()); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *Bench) environment() connectors.Environment {
	return connectors.Environment{
		// Every level: what is secret must not be in the log at any.
		Now: b.Clock.Now, Log: slog.New(slog.NewTextHandler(b.Log, &slog.HandlerOptions{Level: slog.LevelDebug - 100})),
		Resolve: b.resolve,
		Path:    func(path string) string { return path },
	}
}

// SetSecret replaces the content of a reference, as when a file is. An empty value is
// a file that is gone.
func (b *Bench) SetSecret(reference, value string) {
	b.remember(value)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.resolved == nil {
		b.resolved = map[string]string{}
	}
	b.resolved[reference] = value
}

func (b *Bench) resolve(reference string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	value, known := b.resolved[reference]
	switch {
	case !known:
		b.secrets[reference] = true
		return reference, nil
	case value == "":
		return "", errors.New("the file is gone")
	}
	return value, nil
}

var tokenMember = regexp.MustCompile(`"(?:access_token|id_token|refresh_token|accessToken|signedJwt)"\s*:\s*"([^"]+)"`)

// listen remembers every token that passes, so that error texts can be searched
// for them.
func (b *Bench) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, credential, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
			b.remember(credential)
		}
		// The fake has read the form when it is done; whatever came in it is secret but
		// for what everybody knows.
		defer func() {
			for _, name := range []string{"client_secret", "client_assertion", "assertion", "subject_token", "refresh_token", "code", "code_verifier"} {
				b.remember(r.PostForm[name]...)
			}
		}()
		next.ServeHTTP(&listener{ResponseWriter: w, b: b}, r)
	})
}

type listener struct {
	http.ResponseWriter
	b *Bench
}

// Write looks for tokens in each piece; the fakes write a document in one piece
// unless a fault is due.
func (l *listener) Write(p []byte) (int, error) {
	if len(p) < 1<<16 {
		for _, m := range tokenMember.FindAllSubmatch(p, -1) {
			l.b.remember(string(m[1]))
		}
	}
	return l.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (b *Bench) remember(secrets ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range secrets {
		if len(s) >= 8 {
			b.secrets[s] = true
		}
	}
}

// LeaksIn returns the first secret of this bench that a text holds.
func (b *Bench) LeaksIn(text string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.secrets {
		if strings.Contains(text, s) {
			return s, true
		}
	}
	return "", false
}

// NewLogin returns a login as package login makes it.
func NewLogin() connectors.Login {
	return connectors.Login{State: rand.Text(), Nonce: rand.Text(), CodeVerifier: rand.Text() + rand.Text(), RedirectURI: RedirectURI}
}
