package oidc_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/oidc"
)

// pair is a key of ours with its certificate, in files.
type pair struct {
	key              *ecdsa.PrivateKey
	keyFile, crtFile string
	expires          time.Time
}

func newPair(t *testing.T) *pair {
	t.Helper()
	dir := t.TempDir()
	p := &pair{keyFile: filepath.Join(dir, "client.key"), crtFile: filepath.Join(dir, "client.crt")}
	p.renew(t)
	return p
}

// renew replaces the key and the certificate in their files.
func (p *pair) renew(t *testing.T) {
	t.Helper()
	var err error
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	p.expires = time.Unix(1795132800, 0).Add(240 * time.Hour).UTC()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "us"}, NotAfter: p.expires}
	crt, err := x509.CreateCertificate(rand.Reader, template, template, p.key.Public(), p.key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, p.keyFile, "PRIVATE KEY", key)
	writePEM(t, p.crtFile, "CERTIFICATE", crt)
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	writeFile(t, path, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// asserting is a bench whose client has no secret.
func asserting(t *testing.T, client fake.Client, change func(*oidc.Config)) *connectortest.Bench {
	t.Helper()
	return subject().Open(t, func(s *connectortest.Setup) {
		client.ID, client.RedirectURIs = connectortest.ClientID, []string{connectortest.RedirectURI}
		s.Vendor.Clients, s.Common.ClientSecret, s.Common.RecheckInterval = []fake.Client{client}, nil, time.Hour
		s.Configure = func(c connectors.Config) { change(c.(*oidc.Config)) }
	})
}

func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(b *oidc.Config, p *pair)
		aud    string
		crt    bool
		kid    string
	}{
		{"the token endpoint is the audience", func(*oidc.Config, *pair) {}, "/token", false, ""},
		{"said in so many words", func(c *oidc.Config, _ *pair) { c.TokenEndpointAuthMethod = "private_key_jwt" }, "/token", false, ""},
		{"the issuer is the audience", func(c *oidc.Config, _ *pair) { c.ClientAssertionAudience = "issuer" }, "", false, ""},
		{"with a certificate", func(c *oidc.Config, p *pair) { c.ClientCertificate = p.crtFile }, "/token", true, ""},
		{"with a key ID", func(c *oidc.Config, _ *pair) { c.ClientKeyID, c.ClientKeyAlg = "key-1", "ES256" }, "/token", false, "key-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			b := asserting(t, fake.Client{AssertionKeys: []crypto.PublicKey{p.key.Public()}}, func(c *oidc.Config) {
				c.ClientKey = p.keyFile
				tt.change(c, p)
			})
			prior, up := signedIn(t, b)
			if _, _, err := renew(t, b, prior, up); err != nil {
				t.Fatal(err)
			}
			for _, r := range b.Vendor.Requests() {
				if r.Path == "/token" && (r.Form.Has("client_secret") || r.Header.Get("Authorization") != "" || r.Form.Get("client_id") != connectortest.ClientID) {
					t.Errorf("got form %v", r.Form)
				}
			}
			var sent []string
			b.Vendor.Replace("/token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent = append(sent, r.PostForm.Get("client_assertion"))
				w.WriteHeader(http.StatusUnauthorized)
			}))
			b.Refused(t, connectors.Operator)
			_, _, err := renew(t, b, prior, up)
			if connectortest.KindOf(t, err, connectors.Operator); len(sent) != 2 {
				t.Fatalf("%d requests", len(sent))
			}
			one, two := checkAssertion(t, sent[0], b.URL+tt.aud, tt.kid, tt.crt), checkAssertion(t, sent[1], b.URL+tt.aud, tt.kid, tt.crt)
			if one == "" || one == two {
				t.Errorf("the assertions are called %q and %q", one, two)
			}
		})
	}
}

// checkAssertion holds an assertion to RFC 7523 §3 and returns its jti.
func checkAssertion(t *testing.T, assertion, audience, kid string, crt bool) string {
	t.Helper()
	u, err := jose.Peek(assertion, jose.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	c := u.Claims
	if c.Issuer != connectortest.ClientID || c.Subject != connectortest.ClientID || !slices.Equal(c.Audience, []string{audience}) {
		t.Errorf("got %s", c.Raw)
	}
	if life := c.Expiry.Sub(c.IssuedAt); life <= 0 || life > 5*time.Minute {
		t.Errorf("the assertion lives for %v", life)
	}
	var header map[string]string
	head, _, _ := strings.Cut(assertion, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &header); err != nil || header["kid"] != kid || (header["x5t#S256"] != "") != crt || header["alg"] != "ES256" {
		t.Errorf("got header %v, %v", header, err)
	}
	return c.ID
}

// A key that is renewed on disk is used without a restart, and never with the
// certificate of another.
func TestARenewedKeyNeedsNoRestart(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	old := p.key
	b := asserting(t, fake.Client{AssertionKeys: []crypto.PublicKey{old.Public()}}, func(c *oidc.Config) {
		c.ClientKey, c.ClientCertificate = p.keyFile, p.crtFile
	})
	b.MustSignIn(t)
	expiring := b.Connector.(connectors.Expirer).Expirations()
	if len(expiring) != 1 || expiring[0].What != "client_certificate" || !expiring[0].At.Equal(p.expires) {
		t.Errorf("got %v", expiring)
	}
	crt, err := os.ReadFile(p.crtFile)
	if err != nil {
		t.Fatal(err)
	}
	p.renew(t)
	fresh, err := os.ReadFile(p.crtFile)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, p.crtFile, string(crt)) // the key is there already, its certificate not yet
	b.Clock.Advance(time.Minute)
	b.MustSignIn(t)
	b.Vendor.UpdateClient(connectortest.ClientID, func(c *fake.Client) { c.AssertionKeys = []crypto.PublicKey{p.key.Public()} })
	b.Clock.Advance(time.Minute)
	if e := b.Refused(t, connectors.Operator); e.Code != "invalid_client" || !e.Unspent {
		t.Errorf("got %+v", e)
	}
	writeFile(t, p.crtFile, string(fresh))
	b.Clock.Advance(time.Minute)
	b.MustSignIn(t)
}

// An assertion that a platform renews is read each time and sent as it is.
func TestAnAssertionFromAFileIsSentVerbatim(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	writeFile(t, path, "eyJ.first.canary-assertion\n")
	b := asserting(t, fake.Client{ForeignAssertions: []string{"eyJ.first.canary-assertion"}}, func(c *oidc.Config) { c.ClientAssertionFile = path })
	prior, up := signedIn(t, b)
	b.Vendor.UpdateClient(connectortest.ClientID, func(c *fake.Client) { c.ForeignAssertions = []string{"eyJ.second.canary-assertion"} })
	b.Refused(t, connectors.Operator)
	writeFile(t, path, "eyJ.second.canary-assertion")
	if _, _, err := renew(t, b, prior, up); err != nil {
		t.Fatal(err)
	}
	b.Vendor.Forget()
	for name, content := range map[string]string{"empty": " \n", "a page": "<html>canary-assertion </html>", "endless": strings.Repeat("x", 17<<10)} {
		writeFile(t, path, content)
		e := b.Refused(t, connectors.Operator)
		if !e.Unspent || strings.Contains(e.Error(), "canary-assertion") || b.Vendor.Calls(fake.Token) != 0 {
			t.Errorf("%s: got %v after %d requests", name, e, b.Vendor.Calls(fake.Token))
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	b.Refused(t, connectors.Operator)
	if strings.Contains(b.Log.String(), "canary-assertion") {
		t.Error("the assertion is in the log")
	}
}

func TestOpenRefusesAKeyThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	p, other := newPair(t), newPair(t)
	env := connectors.Environment{Now: time.Now, Path: func(path string) string { return path }}
	for name, change := range map[string]func(*oidc.Config){
		"client_key":         func(c *oidc.Config) { c.ClientKey = filepath.Join(t.TempDir(), "none") },
		"client_certificate": func(c *oidc.Config) { c.ClientCertificate = other.crtFile },
	} {
		c := &oidc.Config{Common: connectors.Common{ID: "up", ClientID: "c"}, Issuer: "https://idp.example.com"}
		c.ClientKey = p.keyFile
		change(c)
		if _, err := c.Open(env); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTheNextSecretIsTriedForARefusedClientAlone(t *testing.T) {
	t.Parallel()
	const next = "the next secret/of the broker"
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Common.ClientSecret = connectors.Secrets{connectortest.ClientSecret, next}
		s.Common.RecheckInterval = time.Hour
	})
	calls := func(what string, want int) {
		t.Helper()
		if n := b.Vendor.Calls(fake.Token); n != want {
			t.Errorf("%s: %d requests, want %d", what, n, want)
		}
		b.Vendor.Forget()
	}
	b.MustSignIn(t)
	calls("the first is good", 1)
	b.Vendor.UpdateClient(connectortest.ClientID, func(c *fake.Client) { c.Secret = next })
	prior, up := signedIn(t, b)
	calls("the first was withdrawn", 2)
	b.MustSignIn(t)
	calls("the good one is remembered", 1)
	if _, _, err := renew(t, b, prior, up); err != nil {
		t.Error(err)
	}
	calls("and used for refreshing", 1)
	b.Vendor.MisbehaveOnce(fake.CodeAlreadyRedeemed)
	b.Refused(t, connectors.Broken)
	calls("a code that is not good is tried once", 1)
	b.Vendor.Misbehave(fake.At(fake.Token, fake.ServerError))
	b.Refused(t, connectors.Transient)
	calls("a fault there too", 1)
	b.Vendor.Behave()
	b.Vendor.UpdateClient(connectortest.ClientID, func(c *fake.Client) { c.Secret = "neither" })
	if e := b.Refused(t, connectors.Operator); e.Code != "invalid_client" {
		t.Errorf("got %v", e)
	}
	calls("each is tried once", 2)
	if err := b.Connector.Check(t.Context()); err == nil {
		t.Error("a connector without a good secret is healthy")
	}
	if text := b.Log.String(); strings.Contains(text, next) || strings.Contains(text, connectortest.ClientSecret) {
		t.Errorf("a secret is in the log: %s", text)
	}
}
