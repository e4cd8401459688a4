package okta_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/okta"
)

const serviceID = "0oa1service0app0d7"

// keyFile makes a private key in a file.
func keyFile(t *testing.T) (path string, public crypto.PublicKey) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "key.pem")
	return path, writeKey(t, path)
}

func writeKey(t *testing.T, path string) crypto.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return key.Public()
}

// serviceApp lets a service app read the groups; vendor and config may be nil.
func serviceApp(t *testing.T, vendor func(*fake.Options), config func(*okta.Config)) *connectortest.Bench {
	t.Helper()
	path, public := keyFile(t)
	return apiSubject().Open(t, func(s *connectortest.Setup) {
		s.Vendor.Clients = append(s.Vendor.Clients, fake.Client{ID: serviceID, AssertionKeys: []crypto.PublicKey{public}})
		s.Vendor.Okta.ServiceScopes = map[string][]string{serviceID: {"okta.users.read"}}
		if vendor != nil {
			vendor(&s.Vendor)
		}
		s.Configure = func(c connectors.Config) {
			o := c.(*okta.Config)
			o.APIToken, o.APIClientID, o.APIClientKey, o.APIClientKeyID = nil, serviceID, path, "key-1"
			if config != nil {
				config(o)
			}
		}
	})
}

func customServer(c *okta.Config) { c.Issuer += "/oauth2/default" }

func TestAServiceAppReadsTheGroups(t *testing.T) {
	t.Parallel()
	b := serviceApp(t, nil, customServer)
	if g := b.MustSignIn(t).Profile.Groups; len(g) != 3 {
		t.Errorf("got groups %q", g)
	}
	// Whatever the issuer, the org's own server grants scopes of the API.
	if n := b.Vendor.Count("/oauth2/v1/token"); n != 1 {
		t.Errorf("the org's token endpoint was asked %d times", n)
	}
	for range 3 {
		b.MustSignIn(t)
	}
	if n := b.Vendor.Count("/oauth2/v1/token"); n != 1 {
		t.Errorf("a good token is used again; %d were fetched", n)
	}
	b.Clock.Advance(59*time.Minute + time.Second)
	b.MustSignIn(t)
	if n := b.Vendor.Count("/oauth2/v1/token"); n != 2 {
		t.Errorf("a token is not used to its last minute; %d were fetched", n)
	}
}

func TestATokenOfTheServiceAppIsRevoked(t *testing.T) {
	t.Parallel()
	b := serviceApp(t, nil, nil)
	b.MustSignIn(t)
	b.Vendor.RevokeTokens("") // the app's: they are nobody's
	before := b.Vendor.Calls(fake.OktaGroups)
	b.MustSignIn(t)
	if n := b.Vendor.Calls(fake.OktaGroups) - before; n != 2 {
		t.Errorf("%d requests at the API, want one refused and one with a fresh token", n)
	}
	// Who is refused with a fresh token too does not go on asking.
	b.Vendor.Misbehave(fake.At(fake.OktaGroups, fake.Unauthorized))
	before = b.Vendor.Calls(fake.OktaGroups)
	b.Refused(t, connectors.Operator)
	if n := b.Vendor.Calls(fake.OktaGroups) - before; n != 2 {
		t.Errorf("%d requests at the API", n)
	}
}

func TestPeopleWhoComeAtOnceShareTheServiceAppsToken(t *testing.T) {
	t.Parallel()
	b := serviceApp(t, nil, customServer)
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() {
			if _, _, err := b.SignIn(t); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := b.Vendor.Count("/oauth2/v1/token"); n != 1 {
		t.Errorf("%d tokens were fetched", n)
	}
}

func TestAServiceAppIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		vendor func(*fake.Options)
		config func(*okta.Config)
		wrong  fake.Misbehaviour
		code   string
		hint   string
	}{
		{"a scope that nobody granted", func(o *fake.Options) { o.Okta.ServiceScopes = map[string][]string{serviceID: {"okta.apps.read"}} },
			nil, "", "invalid_scope", "okta.users.read"},
		{"an application of another type", func(o *fake.Options) { o.Okta.ServiceScopes = nil }, nil,
			"", "unauthorized_client", "API Services"},
		{"a client that does not exist", nil, func(c *okta.Config) { c.APIClientID = "0oa1nobody" }, "", "invalid_client", "api_client_id"},
		{"a key that is not registered", func(o *fake.Options) {
			_, public := keyFile(t)
			o.Clients[len(o.Clients)-1].AssertionKeys = []crypto.PublicKey{public}
		}, nil, "", "invalid_client", "public key"},
		{"possession to be proven", nil, nil, fake.OktaDPoPRequired, "invalid_dpop_proof", "DPoP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := serviceApp(t, tt.vendor, tt.config)
			b.Vendor.Misbehave(tt.wrong)
			e := b.Refused(t, connectors.Operator)
			if e.Code != tt.code || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("got code %q, hint %q", e.Code, e.Hint)
			}
		})
	}
}

func TestAReplacedKeyOfTheServiceAppNeedsNoRestart(t *testing.T) {
	t.Parallel()
	var path string
	b := serviceApp(t, nil, func(c *okta.Config) { path = c.APIClientKey })
	b.MustSignIn(t)
	public := writeKey(t, path)
	b.Vendor.UpdateClient(serviceID, func(c *fake.Client) { c.AssertionKeys = []crypto.PublicKey{public} })
	b.Clock.Advance(2 * time.Hour)
	b.MustSignIn(t)
}

func TestOpenLooksAtTheKeyOfTheServiceApp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, []byte("no key at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + ".missing"} {
		c := &okta.Config{
			Common: connectors.Common{ID: "okta", ClientID: "c", ClientSecret: connectors.Secrets{"s"}},
			Issuer: "https://acme.okta.com", GroupsFrom: "api", APIClientID: serviceID, APIClientKey: file,
		}
		_, err := c.Open(connectors.Environment{
			Now: time.Now, Resolve: func(s string) (string, error) { return s, nil }, Path: func(s string) string { return s },
		})
		if err == nil || !strings.Contains(err.Error(), "api_client_key") {
			t.Errorf("got %v", err)
		}
	}
}
