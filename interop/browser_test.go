package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"html"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// authority is a certificate authority of our own, with a certificate for
// localhost and 127.0.0.1.
type authority struct {
	pool              *x509.CertPool
	root, leaf, serve []byte
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	make := func(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, []byte) {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		if signer == nil {
			parent, signer = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
		must(err)
		certificate, err := x509.ParseCertificate(der)
		must(err)
		return certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	a := authority{pool: x509.NewCertPool()}
	root, rootKey, rootPEM := make(&x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Interop CA"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	_, leafKey, leafPEM := make(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, root, rootKey)
	private, err := x509.MarshalPKCS8PrivateKey(leafKey)
	must(err)
	a.pool.AddCert(root)
	a.root, a.leaf, a.serve = rootPEM, leafPEM, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return a
}

func (a authority) write(t *testing.T, dir string) {
	t.Helper()
	for name, text := range map[string][]byte{"ca.crt": a.root, "tls.crt": a.leaf, "tls.key": a.serve} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// browser follows redirects with a jar of cookies, sends forms that send
// themselves and the code of a device that stands in its field, and decides on the
// pages that ask.
type browser struct {
	t      *testing.T
	client *http.Client
	// decision is what is pressed on such a page: allow or deny.
	decision string
	// decided counts how often.
	decided int
}

// page is where a browser has come to.
type page struct {
	status int
	url    *url.URL
	body   string
}

func (w *world) open(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.authority.pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, decision: "allow", client: &http.Client{Jar: jar, Timeout: patience, Transport: transport}}
}

var (
	formTag  = regexp.MustCompile(`<form[^>]*\baction="([^"]*)"`)
	inputTag = regexp.MustCompile(`<input[^>]*\bname="([^"]*)"[^>]*\bvalue="([^"]*)"`)
)

// get goes to a URL and on until an application shows something.
func (b *browser) get(to string) page {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, to, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	p := b.send(request)
	for range 3 {
		form := formTag.FindStringSubmatch(p.body)
		sendsItself := strings.Contains(p.body, "<script>HTMLFormElement.prototype.submit")
		// The answer to a decision may stand at the address of the page that asked.
		asks := !sendsItself && (strings.HasSuffix(p.url.Path, "/consent") || strings.HasSuffix(p.url.Path, "/device/confirm"))
		if form == nil || !sendsItself && !asks && !strings.HasSuffix(p.url.Path, "/device") {
			return p
		}
		values := url.Values{}
		for _, input := range inputTag.FindAllStringSubmatch(p.body, -1) {
			values.Add(html.UnescapeString(input[1]), html.UnescapeString(input[2]))
		}
		if asks {
			values.Set("decision", b.decision)
			b.decided++
		}
		p = b.post(p.url, html.UnescapeString(form[1]), values)
	}
	b.t.Fatalf("form after form, at %s: %s", p.url, p.body)
	return p
}

func (b *browser) post(from *url.URL, action string, values url.Values) page {
	b.t.Helper()
	to, err := from.Parse(action)
	if err != nil {
		b.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, to.String(), strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", from.Scheme+"://"+from.Host)
	return b.send(request)
}

func (b *browser) send(request *http.Request) page {
	b.t.Helper()
	// Apache's module takes nobody for a browser who does not ask for pages.
	request.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		b.t.Fatal(err)
	}
	return page{status: response.StatusCode, url: response.Request.URL, body: string(body)}
}
