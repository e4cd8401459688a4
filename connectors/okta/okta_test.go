package okta_test

import (
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/okta"
)

// pool is shared so that the package makes each RSA key once.
var pool = &fake.KeyPool{}

// subject is the connector in front of a custom authorization server.
func subject() connectortest.Subject {
	return connectortest.Subject{
		Fake: func(o fake.Options) *fake.Provider { return fake.NewOkta(o).Provider },
		Config: func(c connectors.Common, base string) connectors.Config {
			return &okta.Config{Common: c, Issuer: base + "/oauth2/default"}
		},
		Person: "ada", Other: "ben",
		Key: func(p fake.Person, base string) (string, string) { return base + "/oauth2/default", p.Okta.Subject },
		// The scope groups is asked for because the server says it knows it.
		Groups: []string{"Everyone", "Engineering", "West Coast Admins"},
		Calls:  map[fake.Endpoint]int{fake.Token: 1, fake.Userinfo: 1},
		OpenID: &connectortest.OpenID{
			Userinfo: true, EmailVerified: true, AccessTokenHash: true, Cooldown: time.Minute, Flood: 50,
		},
		Recheck: &connectortest.Recheck{
			Offline: map[string]string{"scope": "offline_access"},
			Calls:   map[fake.Endpoint]int{fake.Refresh: 1, fake.Userinfo: 1},
			Rotate:  func(o *fake.Options) { o.Okta.RotateRefreshTokens = true },
			Change: func(p *fake.Person) {
				p.Name, p.Email, p.EmailVerified = "Ada Summer", "summer@acme.example", false
				p.Okta.Groups = []string{"Everyone", "Leavers"}
			},
			Somebody: func(v *fake.Provider) { v.Misbehave(fake.RefreshGivesSomebody) },
		},
		Levels: &connectortest.Levels{
			ACR: "urn:okta:loa:2fa:any", Weaken: func(v *fake.Provider) { v.Misbehave(fake.WeakerACR) },
		},
		Keys: pool,
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, subject())
}
