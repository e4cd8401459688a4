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

// oidfClient is a client: registered by hand, the variant static_client, or by
// itself, the variant dynamic_client.
type oidfClient struct {
	id, secret, redirectURI string
	// method is how it authenticates: with client_secret_basic if empty.
	method string
	// key signs its assertions with alg, RS256 if empty.
	key *oidfPair
	alg string
	// configuration is the registration_client_uri of one that registered itself, and
	// token what opens it.
	configuration, token string
}

// The clients. IDs and secrets are as odd as they may be: the suite encodes them
// before it puts them into an Authorization header (RFC 6749 §2.3.1).
var (
	oidfFirst    = oidfClient{id: `suite:1+2%25&=~*'()!`, secret: `p&ss=w%2Brd +:/~*'()!ü€`, redirectURI: oidfCallback}
	oidfSecond   = oidfClient{id: "suite-2", secret: "second+secret/=", redirectURI: oidfCallbackQuery}
	oidfPosting  = oidfClient{id: "suite-post", secret: "posted secret&", redirectURI: oidfCallback, method: "client_secret_post"}
	oidfTrusted  = oidfClient{id: "suite-trusted", secret: "trusted-secret", redirectURI: oidfCallback}
	oidfElliptic = oidfClient{id: "suite-es256", secret: "elliptic-secret", redirectURI: oidfCallback}
	oidfFront    = oidfClient{id: "suite-front", secret: "front-secret", redirectURI: oidfCallback}
	oidfQuery    = oidfClient{id: "suite-query", secret: "query-secret", redirectURI: oidfHost + "/test/a/gatehouse/callback?bar=foo"}
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

// oidfConnector is a way to sign in: its ID, its name and the upstream's address.
const oidfConnector = "  - {id: %s, type: oidc, name: %s, client_id: broker, client_secret: upstream-secret, issuer: %q, scopes: [openid, profile, email, groups]}\n"

// oidfWorld is a broker under an https issuer, which is what the suite wants, and
// an upstream that shows its sign-in page and remembers who has signed in.
type oidfWorld struct {
	issuer   string
	upstream *fake.OIDC
	clock    *brokertest.Clock
	roots    *x509.CertPool
	// direct is the suite's own HTTP client: no cookies, no redirects.
	direct *http.Client
	server *server.Server
	// site is there where clients may register.
	site *oidfSite
}

// oidfSetting is what worlds differ in.
type oidfSetting struct {
	// path of the issuer.
	path string
	// registration is the section of that name; with one the world has a site.
	registration string
	// choice adds a second way to sign in, so that people are shown ours.
	choice bool
}

// newOIDFWorld starts a world whose issuer has the path.
func newOIDFWorld(t *testing.T, path string) *oidfWorld {
	t.Helper()
	return openOIDFWorld(t, oidfSetting{path: path})
}

// openOIDFWorld starts a world. Store, keys and clock are brokertest's, whose own
// listener speaks plain HTTP and stays unused.
func openOIDFWorld(t *testing.T, setting oidfSetting) *oidfWorld {
	t.Helper()
	base := brokertest.New(t, brokertest.Options{})
	front := httptest.NewUnstartedServer(nil)
	w := &oidfWorld{issuer: "https://" + front.Listener.Addr().String() + setting.path, clock: base.Clock}
	// Tokens tell whole seconds; the clock of a test must not happen to.
	w.clock.Advance(700 * time.Millisecond)
	w.upstream = fake.NewOIDC(fake.Options{Now: w.clock.Now, OIDC: fake.OIDCOptions{Algorithm: "ES256"},
		Clients: []fake.Client{{ID: "broker", Secret: "upstream-secret", RedirectURIs: []string{w.issuer + "/callback/corp"}}}})
	upstream := httptest.NewServer(w.upstream)
	t.Cleanup(upstream.Close)
	w.upstream.SetURL(upstream.URL)

	config := w.configuration(t, setting)
	secrets, err := config.SecretKeys()
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.New(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(base.Log, nil))
	w.server = openWithSharedKeys(t, server.Options{Config: config, Store: base.Store, Secrets: ring, Log: log, Now: w.clock.Now})
	front.Config.Handler = w.server.Handler()
	front.StartTLS()
	t.Cleanup(front.Close)
	w.roots = x509.NewCertPool()
	w.roots.AddCert(front.Certificate())
	w.direct = &http.Client{Transport: w.transport(), CheckRedirect: oidfStay}
	return w
}

func (w *oidfWorld) configuration(t *testing.T, setting oidfSetting) *configs.Config {
	t.Helper()
	sections, more := fmt.Sprintf(oidfConnector, "corp", "Corp", w.upstream.URL()), ""
	if setting.choice {
		sections += fmt.Sprintf(oidfConnector, "other", "Other", w.upstream.URL())
	}
	clients := oidfReplace(oidfClients, "CALLBACK", oidfCallback, "LOGGEDOUT", oidfLoggedOut, "EVERYTHING", oidfEverything)
	if setting.registration != "" {
		clients = " []" // what is advertised is for those who register
		w.site = newOIDFSite(t)
		more = "registration: " + setting.registration + "\noutbound: {allow_networks: [127.0.0.0/8], ca_file: '" + w.site.ca + "'}\n"
	}
	file := filepath.Join(t.TempDir(), "broker.yaml")
	text := fmt.Sprintf("issuer: %s\nlisten: 127.0.0.1:0\nstorage: {type: bolt, path: unused.db}\nsecret_key: %s\n%sconnectors:\n%sclients:%s",
		w.issuer, seal.NewSecret(), more, sections, clients)
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
