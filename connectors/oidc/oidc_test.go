package oidc_test

import (
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/oidc"
)

// pool is shared so that the package makes each RSA key once.
var pool = &fake.KeyPool{}

// subject is the generic connector in front of the generic fake, which sends
// everything in the ID token.
func subject() connectortest.Subject {
	return connectortest.Subject{
		Fake: func(o fake.Options) *fake.Provider {
			o.OIDC.Algorithm = "ES256"
			return fake.NewOIDC(o).Provider
		},
		Config: func(c connectors.Common, base string) connectors.Config {
			return &oidc.Config{Common: c, Issuer: base}
		},
		Person: "ada", Other: "eve",
		Key:    func(p fake.Person, base string) (string, string) { return base, p.OIDC.Subject },
		Groups: []string{"staff", "admins"}, GroupScopes: []string{"openid", "profile", "email", "groups"},
		Calls: map[fake.Endpoint]int{fake.Token: 1},
		OpenID: &connectortest.OpenID{
			EmailVerified: true, AccessTokenHash: true, Cooldown: time.Minute, Flood: 1000,
		},
		Keys: pool,
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, subject())
}

// The same with an upstream whose ID tokens are thin, and which names itself in
// the callback.
func TestContractWithUserinfo(t *testing.T) {
	t.Parallel()
	s := subject()
	s.Fake = func(o fake.Options) *fake.Provider {
		o.OIDC = fake.OIDCOptions{Algorithm: "RS256", ThinIDToken: true, ResponseIssuer: true}
		return fake.NewOIDC(o).Provider
	}
	s.Calls = map[fake.Endpoint]int{fake.Token: 1, fake.Userinfo: 1}
	s.OpenID.Userinfo, s.OpenID.ResponseIssuer, s.OpenID.Flood = true, true, 50
	connectortest.Run(t, s)
}
