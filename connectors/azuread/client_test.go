package azuread_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// pair is a private key and its certificate in files.
type pair struct {
	key, certificate string
	parsed           *x509.Certificate
}

func newPair(t *testing.T, ends time.Time) pair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: ends.AddDate(-1, 0, 0), NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := pair{key: filepath.Join(dir, "key.pem"), certificate: filepath.Join(dir, "certificate.pem"), parsed: parsed}
	write(t, p.key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	write(t, p.certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return p
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// certified is the connector for one directory with a certificate.
func certified(p pair) connectortest.Subject {
	s := subject()
	s.Secretless = true
	s.Fake = func(o fake.Options) *fake.Provider {
		o.Entra.Certificates = []*x509.Certificate{p.parsed}
		return fake.NewEntra(o).Provider
	}
	config := s.Config
	s.Config = func(c connectors.Common, base string) connectors.Config {
		c.ClientSecret = nil
		out := config(c, base).(*azuread.Config)
		out.ClientKey, out.ClientCertificate = p.key, p.certificate
		return out
	}
	return s
}

// federated is the connector for one directory with a token that the platform keeps
// in a file.
func federated(t *testing.T, file string) (connectortest.Subject, *fake.EntraWorkload) {
	t.Helper()
	workload, err := fake.NewEntraWorkload(pool)
	if err != nil {
		t.Fatal(err)
	}
	s := subject()
	s.Secretless = true
	s.Fake = func(o fake.Options) *fake.Provider {
		o.Entra.Workload = workload
		return fake.NewEntra(o).Provider
	}
	config := s.Config
	s.Config = func(c connectors.Common, base string) connectors.Config {
		c.ClientSecret = nil
		out := config(c, base).(*azuread.Config)
		out.FederatedTokenFile = file
		return out
	}
	return s, workload
}

// issue writes what the platform would.
func issue(t *testing.T, w *fake.EntraWorkload, file string, now time.Time, change func(map[string]any)) {
	t.Helper()
	token, err := w.Token(now, change)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, token+"\n")
}

func TestContractWithACertificate(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, certified(newPair(t, connectortest.NewClock().Now().AddDate(1, 0, 0))))
}

func TestContractWithAFederatedToken(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	s, workload := federated(t, file)
	issue(t, workload, file, connectortest.NewClock().Now(), func(c map[string]any) {
		c["exp"] = connectortest.NewClock().Now().AddDate(1, 0, 0).Unix() // some rows move the clock
	})
	connectortest.Run(t, s)
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	clock := connectortest.NewClock()
	ends := clock.Now().AddDate(0, 0, 20)
	mine := newPair(t, ends)
	b := certified(mine).Open(t, nil)
	b.MustSignIn(t)
	for _, r := range b.Vendor.Requests() {
		if r.Method == "POST" && (r.Form.Has("client_secret") || r.Header.Get("Authorization") != "" || !r.Form.Has("client_assertion")) {
			t.Errorf("got form %v", r.Form)
		}
	}
	got := b.Connector.(connectors.Expirer).Expirations()
	if len(got) != 1 || got[0].What != "client_certificate" || !got[0].At.Equal(ends) {
		t.Errorf("got expirations %v", got)
	}
	// Another certificate than the one that was uploaded.
	stranger := certified(newPair(t, ends))
	stranger.Fake = certified(mine).Fake
	if e := stranger.Open(t, nil).Refused(t, connectors.Operator); e.Code != "AADSTS700027" || !strings.Contains(e.Hint, "client_certificate") {
		t.Errorf("got %v", e)
	}
	b.Clock.Advance(21 * 24 * time.Hour)
	if e := b.Refused(t, connectors.Operator); e.Code != "AADSTS1000502" {
		t.Errorf("got %v", e)
	}
}

// A directory's own endpoint is the audience, where one was chosen.
func TestTheAssertionIsForTheDirectoryThatWasChosen(t *testing.T) {
	t.Parallel()
	b := certified(newPair(t, connectortest.NewClock().Now().AddDate(1, 0, 0))).Open(t, configure(func(c *azuread.Config) { c.Tenant, c.AllowedTenants = "", named2() }))
	l := connectortest.NewLogin()
	l.Choice = acme
	if _, _, err := b.SignInWith(t, l); err != nil {
		t.Error(err)
	}
	if _, _, err := b.SignIn(t); err != nil {
		t.Error(err)
	}
}

func TestFederatedTokensAreReadEachTime(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	s, workload := federated(t, file)
	b := s.Open(t, nil) // the platform may be late
	if e := b.Refused(t, connectors.Operator); !strings.Contains(e.Hint, "cannot be read") {
		t.Errorf("got %v", e)
	}
	issue(t, workload, file, b.Clock.Now(), nil)
	b.MustSignIn(t)
	b.Clock.Advance(2 * time.Hour)
	if e := b.Refused(t, connectors.Operator); e.Code != "AADSTS700024" {
		t.Errorf("got %v", e)
	}
	issue(t, workload, file, b.Clock.Now(), nil)
	b.MustSignIn(t)
	issue(t, workload, file, b.Clock.Now(), func(c map[string]any) { c["sub"] = "system:serviceaccount:broker:other" })
	if e := b.Refused(t, connectors.Operator); e.Code != "AADSTS700213" || !strings.Contains(e.Hint, "Federated credentials") {
		t.Errorf("got %v", e)
	}
}

// The path may come from where the platform puts it.
func TestFederatedTokenFileFromTheEnvironment(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	s, workload := federated(t, "env:AZURE_FEDERATED_TOKEN_FILE")
	config := s.Config
	s.Config = func(c connectors.Common, base string) connectors.Config {
		return &resolving{Config: config(c, base).(*azuread.Config), value: file}
	}
	b := s.Open(t, nil)
	issue(t, workload, file, b.Clock.Now(), nil)
	b.MustSignIn(t)
}

// resolving is a configuration in whose environment every name has one value.
type resolving struct {
	*azuread.Config
	value string
}

// Open implements connectors.Config.
func (r *resolving) Open(env connectors.Environment) (connectors.Connector, error) {
	env.Resolve = func(string) (string, error) { return r.value, nil }
	return r.Config.Open(env)
}

// While a secret is replaced both are listed, and the old one's end takes nobody's
// sign-in away.
func TestSecretsThatOverlap(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Common.ClientSecret = connectors.Secrets{"an old secret that has expired", connectortest.ClientSecret}
	})
	b.MustSignIn(t)
	b.Vendor.Forget()
	b.MustSignIn(t)
	if n := b.Vendor.Calls(fake.Token); n != 1 {
		t.Errorf("the good secret was remembered no better than %d requests", n)
	}
}
