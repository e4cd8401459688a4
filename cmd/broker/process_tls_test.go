//go:build unix

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// authority certifies the broker's listener, and is all that a browser trusts.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pool        *x509.CertPool
	serial      int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ok(t, err)
	a := &authority{key: key, pool: x509.NewCertPool(), serial: 1}
	a.certificate, err = x509.ParseCertificate(der)
	ok(t, err)
	a.pool.AddCert(a.certificate)
	return a
}

// issue makes a certificate for a host with a new key, and returns both as PEM and the serial number.
func (a *authority) issue(t *testing.T, host string) (certificate, key string, serial int64) {
	t.Helper()
	a.serial++
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(a.serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{host}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, own.Public(), a.key)
	ok(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(own)
	ok(t, err)
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs8), a.serial
}

// shown is the serial number of the certificate that the broker shows to a new connection.
func (w *world) shown(ctx context.Context) int64 {
	w.t.Helper()
	w.transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.issuer+"/jwks", nil)
	ok(w.t, err)
	response, err := w.transport.RoundTrip(request)
	ok(w.t, err)
	defer response.Body.Close()
	return response.TLS.PeerCertificates[0].SerialNumber.Int64()
}

func TestServeOverTLS(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := newWorld(t, "https://sso.example", settings{Top: "tls: {cert_file: tls.crt, key_file: tls.key}\n"})
	a := newAuthority(t)
	renew := func() (serial int64) {
		certificate, key, serial := a.issue(t, "sso.example")
		w.write("tls.crt", certificate)
		w.write("tls.key", key)
		return serial
	}
	oneSentence(t, do(t, "serve", "-c", w.path), "tls: the certificate cannot be used: ", "tls.crt: no such file or directory")
	first := renew()
	w.transport.TLSClientConfig = &tls.Config{RootCAs: a.pool}
	p := w.serve()
	if got := w.shown(ctx); got != first {
		t.Errorf("certificate %d, want %d", got, first)
	}

	ada := w.browser()
	tokens := ada.tokens(ctx)
	expect(t, "an access token", 200)(w.userInfo(ctx, tokens.text("access_token")))
	checkHostCookies(t, w)

	// A renewal that is only half there, and then the whole, each with a signal as from a renewal hook.
	half, key, second := a.issue(t, "sso.example")
	w.write("tls.crt", half)
	p.signal(syscall.SIGHUP)
	p.await(p.stderr, `problem="[^"]*tls: the certificate cannot be used: [^"]*private key does not match`)
	if got := w.shown(ctx); got != first {
		t.Errorf("certificate %d after half a renewal, want %d", got, first)
	}
	w.write("tls.key", key)
	p.signal(syscall.SIGHUP)
	p.await(p.stderr, `msg="configuration reloaded"`)
	if got := w.shown(ctx); got != second {
		t.Errorf("certificate %d after the reload, want %d", got, second)
	}
	// Without a signal the files are noticed as well.
	third := renew()
	p.await(p.stderr, `msg="certificate reloaded"`)
	if got := w.shown(ctx); got != third {
		t.Errorf("certificate %d after the files changed, want %d", got, third)
	}
	if q, err := ada.signIn(ctx, "prompt", "none"); err != nil || q.Get("code") == "" {
		t.Errorf("single sign-on after the renewals: %v, %v", q, err)
	}

	// Whoever does not know the authority does not get through, and plain HTTP is not spoken.
	stranger := w.transport.Clone()
	stranger.TLSClientConfig = nil
	if response, err := (&http.Client{Transport: stranger}).Get(w.issuer + "/jwks"); err == nil {
		response.Body.Close()
		t.Error("a client that does not trust the authority got an answer")
	}
	if response, err := (&http.Client{Transport: stranger}).Get("http://" + *w.serves.Load() + "/jwks"); err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP: %v, %v", response, err)
	} else {
		response.Body.Close()
	}
	p.stop()
}

// checkHostCookies signs in step by step: every cookie of the broker belongs to the host and to https alone.
func checkHostCookies(t *testing.T, w *world) {
	t.Helper()
	b, next, names := w.browser(), w.authorizeURL(), map[string]bool{}
	for range 10 {
		p, err := b.send(t.Context(), http.MethodGet, next, nil)
		ok(t, err)
		ours := strings.HasPrefix(next, w.issuer)
		for _, c := range (&http.Response{Header: p.header}).Cookies() {
			if !ours {
				continue
			}
			kind, _, _ := strings.Cut(strings.TrimPrefix(c.Name, "__Host-gatehouse-"), "-")
			names[kind] = true
			if !strings.HasPrefix(c.Name, "__Host-gatehouse-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
				t.Errorf("a cookie %s", c.Raw)
			}
		}
		if ours && p.header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s without Strict-Transport-Security", p.url.Path)
		}
		location, err := p.url.Parse(p.header.Get("Location"))
		ok(t, err)
		if location.Host == "wiki.example" {
			if !names["session"] || !names["flow"] {
				t.Errorf("cookies %v", names)
			}
			return
		}
		next = location.String()
	}
	t.Error("the sign-in does not end")
}
