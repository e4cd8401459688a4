package connectortest

import (
	"bytes"
	"crypto/rand"
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

// slowness is how long a slow vendor takes; tests are less patient.
const slowness = 600 * time.Millisecond

// Subject is a connector under test.
type Subject struct {
	// Fake makes the vendor.
	Fake func(o fake.Options) *fake.Provider
	// Config completes a configuration for the vendor at base.
	Config func(common connectors.Common, base string) connectors.Config
	// Person is the sample person of the usual case, who is admitted and whose e-mail
	// is verified; Other is another one, admitted too.
	Person, Other string
	// Key is the identity key of a sample person, but for the connector.
	Key func(p fake.Person, base string) (issuer, subject string)
	// Groups are the person's groups as the vendor names them, in order; nil where the
	// connector reads none. GroupScopes are what has to be asked for to see them.
	Groups      []string
	GroupScopes []string
	// Unscoped is set where tokens have permissions and no scopes (GitHub Apps).
	Unscoped bool
	// Calls are the requests of one sign-in once discovery and keys are known.
	Calls map[fake.Endpoint]int
	// OpenID is set where the vendor issues ID tokens.
	OpenID *OpenID
	// Keys is shared between the benches of one test, so that RSA keys are made once.
	Keys *fake.KeyPool
}

// OpenID is what the rows about ID tokens need to know of a vendor.
type OpenID struct {
	// Userinfo, EmailVerified and AccessTokenHash are set where the usual sign-in asks
	// the userinfo endpoint, and where email_verified and at_hash are sent.
	Userinfo, EmailVerified, AccessTokenHash bool
	// NeedsVerified is set where somebody whose address is not verified is refused.
	NeedsVerified bool
	// ResponseIssuer is set where the vendor promises iss in the callback (RFC 9207).
	ResponseIssuer bool
	// Cooldown is the least time between two fetches of the keys because of an unknown
	// key ID; Flood is how many such tokens the row about it sends.
	Cooldown time.Duration
	Flood    int
}

// Setup is what a test may change before the bench is made.
type Setup struct {
	Vendor fake.Options
	Common connectors.Common
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

	subject Subject
	server  *httptest.Server
	browser *http.Client
	mu      sync.Mutex
	secrets []string
}

// Open makes a bench. change may be nil.
func (s Subject) Open(t testing.TB, change func(*Setup)) *Bench {
	t.Helper()
	b := &Bench{Clock: NewClock(), Log: &Log{}, subject: s, secrets: []string{ClientSecret, url.QueryEscape(ClientSecret)}}
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
		Now: b.Clock.Now, Log: slog.New(slog.NewTextHandler(b.Log, nil)),
		Resolve: func(reference string) (string, error) { return reference, nil },
		Path:    func(path string) string { return path },
	}
}

var tokenMember = regexp.MustCompile(`"(?:access_token|id_token|refresh_token|accessToken|signedJwt)"\s*:\s*"([^"]+)"`)

// listen remembers every token that passes, so that error texts can be searched
// for them.
func (b *Bench) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
			b.secrets = append(b.secrets, s)
		}
	}
}

// LeaksIn returns the first secret of this bench that a text holds.
func (b *Bench) LeaksIn(text string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.secrets {
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

// Clock is a time that moves when told to.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock starts where the fixtures' clock stands.
func NewClock() *Clock { return &Clock{at: time.Unix(1795132800, 0).UTC()} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the time.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// Log collects log lines.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns everything logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
