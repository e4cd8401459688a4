package okta_test

import (
	"crypto"
	"strings"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/okta"
)

// atCustomDomain opens a connector for an org that can be reached under two names,
// configured with the second.
func atCustomDomain(t *testing.T, mode, server string) (b *connectortest.Bench, issuer string) {
	t.Helper()
	var vendor *fake.Okta
	s := subject()
	s.Fake = func(o fake.Options) *fake.Provider {
		o.Okta.IssuerMode = mode
		vendor = fake.NewOkta(o)
		return vendor.Provider
	}
	s.Config = func(c connectors.Common, base string) connectors.Config {
		custom := strings.Replace(base, "127.0.0.1", "localhost", 1)
		vendor.SetCustomDomain(custom)
		issuer = custom + server
		return &okta.Config{Common: c, Issuer: issuer}
	}
	return s.Open(t, nil), issuer
}

func TestCustomDomains(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"", "/oauth2/default"} {
		for _, mode := range []string{fake.OktaIssuerCustom, fake.OktaIssuerDynamic} {
			t.Run(mode+" "+server, func(t *testing.T) {
				t.Parallel()
				b, issuer := atCustomDomain(t, mode, server)
				if id := b.MustSignIn(t); id.Key.Issuer != issuer {
					t.Errorf("got issuer %q, want %q", id.Key.Issuer, issuer)
				}
			})
		}
		// The application's tokens name the org's own domain: that shows before anybody
		// is sent anywhere, because the document is asked for with the client's ID.
		t.Run(fake.OktaIssuerOrg+" "+server, func(t *testing.T) {
			t.Parallel()
			b, _ := atCustomDomain(t, fake.OktaIssuerOrg, server)
			_, err := b.Connector.AuthorizationURL(t.Context(), connectortest.NewLogin())
			if e := connectortest.KindOf(t, err, connectors.Broken); !strings.Contains(e.Hint, b.URL) {
				t.Errorf("the hint does not say which issuer it is: %q", e.Hint)
			}
		})
	}
}

func TestAnUnknownClientShowsAtTheDocument(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, configure(func(c *okta.Config) { c.ClientID = "0oa1nobody" }))
	_, err := b.Connector.AuthorizationURL(t.Context(), connectortest.NewLogin())
	if e := connectortest.KindOf(t, err, connectors.Operator); e.Code != "invalid_client" || !strings.Contains(e.Hint, "client_id") {
		t.Errorf("got code %q, hint %q", e.Code, e.Hint)
	}
}

func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"", "/oauth2/default"} {
		path, public := keyFile(t)
		b := subject().Open(t, func(s *connectortest.Setup) {
			s.Vendor.Clients[0].Secret, s.Vendor.Clients[0].AssertionKeys = "", []crypto.PublicKey{public}
			s.Common.ClientSecret = nil
			s.Configure = func(c connectors.Config) {
				o := c.(*okta.Config)
				o.Issuer = strings.TrimSuffix(o.Issuer, "/oauth2/default") + server
				o.ClientKey, o.ClientKeyID, o.TokenEndpointAuthMethod = path, "key-1", "private_key_jwt"
			}
		})
		b.MustSignIn(t)
		// Another key is registered now: Okta does not accept ours any more.
		_, other := keyFile(t)
		b.Vendor.UpdateClient(connectortest.ClientID, func(c *fake.Client) { c.AssertionKeys = []crypto.PublicKey{other} })
		if e := b.Refused(t, connectors.Operator); e.Code != "invalid_client" || !strings.Contains(e.Hint, "client_key") {
			t.Errorf("got code %q, hint %q", e.Code, e.Hint)
		}
	}
}
