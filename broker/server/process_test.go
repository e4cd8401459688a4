package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/seal"
	"gatehouse/broker/server"
	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
	"gatehouse/internal/brokertest"
	"gatehouse/store/bolt"
)

// certificate writes a self-signed certificate for 127.0.0.1.
func certificate(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "tls.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
}

// process is a server with its own listeners.
type process struct {
	server *server.Server
	path   string
	types  configs.Types
	public string
	health string
	stop   func() error
}

// start runs a server of a configuration until the test ends.
func start(t *testing.T, dir, config string) *process {
	t.Helper()
	p := &process{path: filepath.Join(dir, "broker.yaml"), types: configs.Types{"oidc": func() connectors.Config { return &oidc.Config{} }}}
	must(t, os.WriteFile(p.path, []byte(config), 0o600))
	c, err := configs.Load(p.path, p.types)
	must(t, err)
	secrets, err := c.SecretKeys()
	must(t, err)
	keys, err := seal.New(secrets...)
	must(t, err)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	store, err := bolt.Open(c.Storage.Path, bolt.Options{Seal: keys, NoSync: true})
	must(t, err)
	p.server, err = server.Open(t.Context(), server.Options{Config: c, Store: store, Secrets: keys, Log: log, Now: time.Now})
	must(t, err)
	listeners, err := p.server.Listen()
	must(t, err)
	p.public = listeners.Public.Addr().String()
	if listeners.Health != nil {
		p.health = listeners.Health.Addr().String()
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.server.Run(ctx, listeners) }()
	p.stop = func() error { cancel(); return <-ended }
	t.Cleanup(func() {
		cancel()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

const processConfig = `
health: {listen: "127.0.0.1:0"}
storage: {type: bolt, path: broker.db}
secret_key: 0123456789abcdef0123456789abcdef0123456789abcdef
signing: {id_token: ES256, access_token: ES256}
connectors: [{id: corp, type: oidc, client_id: x, client_secret: x, issuer: "http://127.0.0.1:1"}]
clients: [{client_id: wiki, client_secret: s, redirect_uris: ["https://wiki.example/callback"]}]
`

// TLS: forward secrecy and AEAD only, cookies with the __Host- prefix, HSTS, and
// files that are read again when they change.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certificate(t, dir, "first")
	p := start(t, dir, "issuer: https://sso.example\nlisten: 127.0.0.1:0\ntls: {cert_file: tls.crt, key_file: tls.key}\n"+processConfig)
	dial := func(c *tls.Config) (*tls.Conn, error) {
		pool := x509.NewCertPool()
		raw, err := os.ReadFile(filepath.Join(dir, "tls.crt"))
		must(t, err)
		pool.AppendCertsFromPEM(raw)
		c.RootCAs, c.ServerName = pool, "127.0.0.1"
		return tls.Dial("tcp", p.public, c)
	}
	conn, err := dial(&tls.Config{})
	must(t, err)
	if name := conn.ConnectionState().PeerCertificates[0].Subject.CommonName; name != "first" {
		t.Errorf("certificate %s", name)
	}
	conn.Close()
	for name, c := range map[string]*tls.Config{
		"TLS 1.1":    {MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10},
		"CBC":        {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}},
		"static RSA": {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}},
	} {
		if conn, err := dial(c); err == nil {
			conn.Close()
			t.Errorf("DP-08: %s was accepted", name)
		}
	}
	client := &http.Client{Transport: &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return dial(&tls.Config{}) }}}
	response, err := client.Get("https://sso.example/.well-known/openid-configuration")
	must(t, err)
	response.Body.Close()
	if response.StatusCode != 200 || response.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}

	certificate(t, dir, "second")
	deadline := time.Now().Add(20 * time.Second)
	for {
		conn, err := dial(&tls.Config{})
		if err == nil {
			name := conn.ConnectionState().PeerCertificates[0].Subject.CommonName
			conn.Close()
			if name == "second" {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the new certificate was not taken up")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Health is on a listener of its own and AD-09: the public one has none of it.
func TestHealthAndShutdown(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "issuer: http://127.0.0.1\nlisten: 127.0.0.1:0\n"+processConfig)
	get := func(host, path string) (int, string) {
		response, err := http.Get("http://" + host + path)
		must(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		must(t, err)
		return response.StatusCode, string(body)
	}
	if status, body := get(p.health, "/healthz"); status != 200 || !strings.Contains(body, "ok") {
		t.Errorf("healthz: %d %s", status, body)
	}
	if status, body := get(p.health, "/readyz"); status != 200 || !strings.Contains(body, `"corp"`) {
		t.Errorf("readyz: %d %s", status, body)
	}
	get(p.public, "/jwks")
	if status, body := get(p.health, "/metrics"); status != 200 || !strings.Contains(body, `gatehouse_http_request_duration_seconds_count{route="/jwks",status="2xx"} 1`) {
		t.Errorf("metrics: %d %s", status, body)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/debug/pprof/"} {
		if status, _ := get(p.public, path); status != 404 {
			t.Errorf("%s on the public listener: %d", path, status)
		}
	}
	if err := p.stop(); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if _, err := net.DialTimeout("tcp", p.public, time.Second); err == nil {
		t.Error("still listening after shutdown")
	}
}

// A reload swaps the whole configuration or nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	base := "issuer: http://127.0.0.1\nlisten: 127.0.0.1:0\n"
	p := start(t, dir, base+processConfig)
	reload := func(config string) error {
		must(t, os.WriteFile(p.path, []byte(config), 0o600))
		c, err := configs.Load(p.path, p.types)
		must(t, err)
		return p.server.Reload(c)
	}
	known := func(client string) bool {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/authorize?prompt=none&scope=openid&response_type=code&redirect_uri=https%3A%2F%2Fwiki.example%2Fcallback&client_id="+client, nil)
		r.RemoteAddr = "127.0.0.1:1"
		p.server.Handler().ServeHTTP(w, r)
		return w.Code == http.StatusSeeOther
	}
	if !known("wiki") || known("shop") {
		t.Fatal("not the first configuration")
	}
	if err := reload(base + strings.Replace(processConfig, "client_id: wiki", "client_id: shop", 1)); err != nil {
		t.Fatal(err)
	}
	if known("wiki") || !known("shop") {
		t.Error("not the second configuration")
	}
	for _, change := range []string{"issuer: http://127.0.0.2\nlisten: 127.0.0.1:0\n" + processConfig, base + strings.Replace(processConfig, "id_token: ES256", "id_token: RS256", 1)} {
		if err := reload(change); err == nil || !strings.Contains(err.Error(), "restart") {
			t.Errorf("a change that needs a restart: %v", err)
		}
	}
	if known("wiki") || !known("shop") {
		t.Error("a refused reload changed something")
	}
}

// Plain HTTP answers this machine and the named proxies only, and believes only
// those about who is behind them.
func TestPlainHTTPAnswersTheProxyOnly(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "issuer: https://sso.example\nlisten: 0.0.0.0:0\ntrusted_proxies: [10.1.0.0/16]\n"+processConfig)
	handler := p.server.Handler()
	for peer, want := range map[string]int{"10.1.2.3:4": 200, "127.0.0.1:4": 200, "[::1]:4": 200, "10.2.0.1:4": 403, "203.0.113.9:4": 403, "[2001:db8::1]:4": 403} {
		r := httptest.NewRequest(http.MethodGet, "/jwks", nil)
		r.RemoteAddr = peer
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", netip.MustParseAddrPort(peer), w.Code, want)
		}
	}
}

// Limits: 429 with Retry-After, in the form of whoever asked.
func TestLimits(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Config: `limits:
  authorize: {per_address: 3/m}
  login: {per_account: 1/m}
  token: {per_client: 4/m}
  userinfo: {per_account: 2/m}
`})
	first := b.Browser(t)
	tokens := b.Redeem(t, brokertest.Wiki, first.Code(brokertest.Wiki))
	for range 2 {
		if a := b.UserInfo(t, tokens.Text("access_token")); a.Status != 200 {
			t.Errorf("userinfo within the limit: %d", a.Status)
		}
	}
	if a := b.UserInfo(t, tokens.Text("access_token")); a.Status != 429 || a.Header.Get("Retry-After") != "30" {
		t.Errorf("userinfo beyond: %d, Retry-After %q", a.Status, a.Header.Get("Retry-After"))
	}
	if page := b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki)); page.Status != 429 || page.Header.Get("Retry-After") == "" {
		t.Errorf("a second sign-in of one person: %d", page.Status)
	}
	b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki, "prompt", "none"))
	if page := b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki)); page.Status != 429 || page.Header.Get("Retry-After") != "20" || !strings.Contains(page.Body, "Reference") {
		t.Errorf("/authorize beyond: %d, Retry-After %q", page.Status, page.Header.Get("Retry-After"))
	}
	for range 3 {
		b.Redeem(t, brokertest.Wiki, "gc_x")
	}
	if a := b.Redeem(t, brokertest.Wiki, "gc_x"); a.Status != 429 || a.Header.Get("Retry-After") != "15" {
		t.Errorf("/token beyond: %d, Retry-After %q", a.Status, a.Header.Get("Retry-After"))
	}
	if a := b.Redeem(t, brokertest.Shop, "gc_x"); a.Status != 400 {
		t.Errorf("another client: %d", a.Status)
	}
	b.Clock.Advance(time.Minute)
	if a := b.Redeem(t, brokertest.Wiki, "gc_x"); a.Status != 400 {
		t.Errorf("after a minute: %d", a.Status)
	}
}
