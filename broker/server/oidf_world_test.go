package server_test

import (
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/broker/seal"
	"gatehouse/broker/server"
	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/oidc"
	"gatehouse/internal/brokertest"
)

// The files oidf_* do what the conformance suite of the OpenID Foundation does to
// an OpenID Provider, module by module and under the modules' own names: they send
// what the suite sends and look at what comes back as strictly as it does. What
// they know of OpenID Connect they know from the specifications; they share no
// code with the broker, so that a mistake made there is not made here again.

// oidfHost is where the suite's clients live.
const oidfHost = "https://suite.example:8443"

const (
	oidfCallback = oidfHost + "/test/a/gatehouse/callback"
	// oidfCallbackQuery is the second client's, whose query has to come back.
	oidfCallbackQuery = oidfCallback + "?dummy1=lorem&dummy2=ipsum"
	oidfLoggedOut     = oidfHost + "/test/a/gatehouse/post_logout_redirect"
)

// oidfClient is a client as it is registered by hand: the variant static_client.
type oidfClient struct{ id, secret, redirectURI string }

// The clients. IDs and secrets are as odd as they may be: the suite encodes them
// before it puts them into an Authorization header (RFC 6749 §2.3.1).
var (
	oidfFirst    = oidfClient{`suite:1+2%25&=~*'()!`, `p&ss=w%2Brd +:/~*'()!ü€`, oidfCallback}
	oidfSecond   = oidfClient{"suite-2", "second+secret/=", oidfCallbackQuery}
	oidfPosting  = oidfClient{"suite-post", "posted secret&", oidfCallback}
	oidfTrusted  = oidfClient{"suite-trusted", "trusted-secret", oidfCallback}
	oidfElliptic = oidfClient{"suite-es256", "elliptic-secret", oidfCallback}
	oidfFront    = oidfClient{"suite-front", "front-secret", oidfCallback}
	oidfQuery    = oidfClient{"suite-query", "query-secret", oidfHost + "/test/a/gatehouse/callback?bar=foo"}
)

// oidfClients is their registration: the first as little as there can be, the
// trusted one as an operator would have it.
const oidfClients = `
  - {client_id: "suite:1+2%25&=~*'()!", client_name: Suite, client_secret: "p&ss=w%2Brd +:/~*'()!ü€", require_pkce: false, redirect_uris: ["CALLBACK", "CALLBACK?dummy1=lorem&dummy2=ipsum"], post_logout_redirect_uris: ["LOGGEDOUT"]}
  - {client_id: suite-2, client_name: Suite 2, client_secret: second+secret/=, require_pkce: false, redirect_uris: ["CALLBACK", "CALLBACK?dummy1=lorem&dummy2=ipsum"], EVERYTHING}
  - {client_id: suite-post, client_secret: posted secret&, token_endpoint_auth_method: client_secret_post, require_pkce: false, redirect_uris: ["CALLBACK"], EVERYTHING}
  - {client_id: suite-trusted, client_secret: trusted-secret, token_endpoint_auth_method: client_secret_basic, require_pkce: false, skip_consent: true, id_token_claims: minimal, redirect_uris: ["CALLBACK"], post_logout_redirect_uris: ["LOGGEDOUT"]}
  - {client_id: suite-es256, client_secret: elliptic-secret, require_pkce: false, skip_consent: true, id_token_signed_response_alg: ES256, redirect_uris: ["CALLBACK"]}
  - {client_id: suite-front, client_name: Suite in the browser, client_secret: front-secret, require_pkce: false, id_token_claims: minimal, redirect_uris: ["CALLBACK", "CALLBACK?dummy1=lorem&dummy2=ipsum"], EVERYTHING}
  - {client_id: suite-query, client_secret: query-secret, require_pkce: false, skip_consent: true, redirect_uris: ["CALLBACK?bar=foo"]}
`

// oidfEverything lets a client have what the plans Implicit and Hybrid ask for.
const oidfEverything = "grant_types: [authorization_code, implicit, refresh_token], " +
	"response_types: [code, id_token, id_token token, code id_token, code token, code id_token token]"

// oidfWorld is a broker under an https issuer, which is what the suite wants, and
// an upstream that shows its sign-in page and remembers who has signed in.
type oidfWorld struct {
	issuer   string
	upstream *fake.OIDC
	clock    *brokertest.Clock
	roots    *x509.CertPool
	// direct is the suite's own HTTP client: no cookies, no redirects.
	direct *http.Client
}

// newOIDFWorld starts a world whose issuer has the path. Store, keys and clock are
// brokertest's, whose own listener speaks plain HTTP and stays unused.
func newOIDFWorld(t *testing.T, path string) *oidfWorld {
	t.Helper()
	base := brokertest.New(t, brokertest.Options{})
	front := httptest.NewUnstartedServer(nil)
	w := &oidfWorld{issuer: "https://" + front.Listener.Addr().String() + path, clock: base.Clock}
	// Tokens tell whole seconds; the clock of a test must not happen to.
	w.clock.Advance(700 * time.Millisecond)
	w.upstream = fake.NewOIDC(fake.Options{Now: w.clock.Now, OIDC: fake.OIDCOptions{Algorithm: "ES256"},
		Clients: []fake.Client{{ID: "broker", Secret: "upstream-secret", RedirectURIs: []string{w.issuer + "/callback/corp"}}}})
	upstream := httptest.NewServer(w.upstream)
	t.Cleanup(upstream.Close)
	w.upstream.SetURL(upstream.URL)

	config := w.configuration(t)
	secrets, err := config.SecretKeys()
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.New(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(base.Log, nil))
	opened, err := server.Open(t.Context(), server.Options{Config: config, Store: base.Store, Secrets: ring, Log: log, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	front.Config.Handler = opened.Handler()
	front.StartTLS()
	t.Cleanup(front.Close)
	w.roots = x509.NewCertPool()
	w.roots.AddCert(front.Certificate())
	w.direct = &http.Client{Transport: w.transport(), CheckRedirect: oidfStay}
	return w
}

func (w *oidfWorld) configuration(t *testing.T) *configs.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "broker.yaml")
	text := fmt.Sprintf("issuer: %s\nlisten: 127.0.0.1:0\nstorage: {type: bolt, path: unused.db}\nsecret_key: %s\nconnectors:\n"+
		"  - {id: corp, type: oidc, name: Corp, client_id: broker, client_secret: upstream-secret, issuer: %q, scopes: [openid, profile, email]}\n"+
		"clients:%s", w.issuer, seal.NewSecret(), w.upstream.URL(), oidfReplace(oidfClients, "CALLBACK", oidfCallback, "LOGGEDOUT", oidfLoggedOut, "EVERYTHING", oidfEverything))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := configs.Load(file, configs.Types{"oidc": func() connectors.Config { return &oidc.Config{} }})
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// oidfReply is what the broker answered a program.
type oidfReply struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request of a program.
func (w *oidfWorld) send(t *testing.T, request *http.Request) oidfReply {
	t.Helper()
	response, err := w.direct.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return oidfReply{response.StatusCode, response.Header, body}
}

// fetch gets a public document.
func (w *oidfWorld) fetch(t *testing.T, address string) oidfReply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.send(t, request)
}
