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
		Keys: pool,
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, subject())
}
