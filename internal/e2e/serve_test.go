package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse/connectors/connectortest/fake"
)

// house is `broker serve` on https://localhost and an application on
// https://127.0.0.1, which is another site to a browser, for all that both are
// the same machine.
type house struct {
	browser *chromium
	// Issuer is the broker's.
	Issuer string
	app    *receiver
	// asked counts requests to the upstream provider's authorization endpoint.
	mu    sync.Mutex
	asked int
}

// TestServe is what needs a browser to be seen, on the web as it is: over TLS,
// with an application on another site.
func TestServe(t *testing.T) {
	enabled(t)
	h := &house{}
	certificate := newCertificate(t)
	h.app = newReceiver(t, certificate.pair)
	h.start(t, certificate)
	h.browser = startChromium(t, "--ignore-certificate-errors-spki-list="+certificate.pin)
	t.Run("violations of a policy are seen", h.violations)
	t.Run("form_post", h.formPost)
	t.Run("a POST from another site keeps the session", h.crossSitePost)
	t.Run("fragment", h.fragment)
	t.Run("web_message", h.webMessage)
	t.Run("cookies", h.cookies)
}

// start runs the broker with one upstream, at which everybody is Ada.
func (h *house) start(t *testing.T, c certificate) {
	t.Helper()
	port := freePort(t)
	h.Issuer = "https://localhost:" + port
	provider := fake.NewOIDC(fake.Options{Now: time.Now, SignInAs: "ada", Clients: []fake.Client{
		{ID: "broker", Secret: "upstream-secret", RedirectURIs: []string{h.Issuer + "/callback/corp"}}}})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/authorize" {
			h.mu.Lock()
			h.asked++
			h.mu.Unlock()
		}
		provider.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	provider.SetURL(upstream.URL)
	config := filepath.Join(c.dir, "broker.yaml")
	text := fmt.Sprintf(`
issuer: %s
listen: 127.0.0.1:%s
tls: {cert_file: tls.crt, key_file: tls.key}
storage: {type: bolt, path: broker.db}
health: {listen: "off"}
connectors:
  - {id: corp, type: oidc, name: Corp, client_id: broker, client_secret: upstream-secret, issuer: %q}
clients:
  - {client_id: app, client_name: App, client_secret: the-secret-of-the-app, redirect_uris: ["%s/callback"], skip_consent: true, require_pkce: false, response_modes: [query, fragment, form_post, web_message]}
`, h.Issuer, port, upstream.URL, h.app.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, `serving.*issuer=`, buildBroker(t), "serve", "-c", config)
}

// freePort is one that nobody listens on at the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// certificate is for localhost and 127.0.0.1, in PEM files of a directory.
type certificate struct {
	dir  string
	pair tls.Certificate
	// pin is what Chromium knows the key by.
	pin string
}

func newCertificate(t *testing.T) certificate {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	must(err)
	certificatePEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	c := certificate{dir: t.TempDir()}
	must(os.WriteFile(filepath.Join(c.dir, "tls.crt"), certificatePEM, 0o600))
	must(os.WriteFile(filepath.Join(c.dir, "tls.key"), keyPEM, 0o600))
	c.pair, err = tls.X509KeyPair(certificatePEM, keyPEM)
	must(err)
	sum := sha256.Sum256(public)
	c.pin = base64.StdEncoding.EncodeToString(sum[:])
	return c
}

// receiver is an application that only receives.
type receiver struct {
	URL string

	mu       sync.Mutex
	received []reception
}

// reception is one authorization response that has arrived.
type reception struct {
	Method, Origin string
	Query, Form    url.Values
}

func newReceiver(t *testing.T, pair tls.Certificate) *receiver {
	t.Helper()
	a := &receiver{}
	mux := http.NewServeMux()
	mux.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a.mu.Lock()
		a.received = append(a.received, reception{Method: r.Method, Origin: r.Header.Get("Origin"), Query: r.URL.Query(), Form: r.PostForm})
		a.mu.Unlock()
		// On to yet another origin: a form-action in the broker's policy would stop it.
		u, err := url.Parse(a.URL)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, "https://localhost:"+u.Port()+"/done", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<!doctype html><html lang="en"><title>Done</title><link rel="icon" href="data:,"><h1>Done</h1>`)
	})
	mux.HandleFunc("GET /violation", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src data:")
		fmt.Fprint(w, `<!doctype html><html lang="en"><title>Violation</title><link rel="icon" href="data:,"><h1>Violation</h1><script>document.title = ""</script>`)
	})
	// A page with a form to anywhere, as applications have them.
	mux.HandleFunc("GET /form", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Form</title><link rel="icon" href="data:,"><h1>Form</h1><form method="post" action="%s">`, html.EscapeString(q.Get("-action")))
		q.Del("-action")
		for name := range q {
			fmt.Fprintf(w, `<input type="hidden" name="%s" value="%s">`, html.EscapeString(name), html.EscapeString(q.Get(name)))
		}
		fmt.Fprint(w, `<button>Send</button></form>`)
	})
	// A page that waits for an answer by message, from a frame or from a window it opens.
	mux.HandleFunc("GET /waiting", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Waiting</title><link rel="icon" href="data:,"><h1>Waiting</h1>
<script>const to = %q;
addEventListener("message", e => { if (e.data.type === "authorization_response") { window.answer = {origin: e.origin, response: e.data.response}; document.querySelector("h1").textContent = "Answered"; } });
function ask() { window.popup = open(to, "sign-in"); }
if (%t) { const f = document.createElement("iframe"); f.src = to; document.body.append(f); }</script>`, r.URL.Query().Get("to"), r.URL.Query().Has("frame"))
	})
	s := httptest.NewUnstartedServer(mux)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	a.URL = s.URL
	return a
}

// last takes what has been received, which must be one response.
func (a *receiver) last(t *testing.T) reception {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	got := a.received
	a.received = nil
	if len(got) != 1 {
		t.Fatalf("%d responses have arrived: %v", len(got), got)
	}
	return got[0]
}
