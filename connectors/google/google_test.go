package google_test

import (
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/google"
)

// pool is shared so that the package makes each RSA key once.
var pool = &fake.KeyPool{}

func subject() connectortest.Subject {
	return connectortest.Subject{
		Fake: func(o fake.Options) *fake.Provider { return fake.NewGoogle(o).Provider },
		Config: func(c connectors.Common, base string) connectors.Config {
			return &google.Config{Common: c, Issuer: base}
		},
		Person: "ada", Other: "ben",
		Key:   func(p fake.Person, base string) (string, string) { return base, p.Google.Subject },
		Calls: map[fake.Endpoint]int{fake.Token: 1},
		OpenID: &connectortest.OpenID{
			EmailVerified: true, AccessTokenHash: true, ResponseIssuer: true, Cooldown: time.Minute, Flood: 50,
		},
		Keys: pool,
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, subject())
}
