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
		Recheck: &connectortest.Recheck{
			Offline: map[string]string{"scope": "offline_access"},
			Calls:   map[fake.Endpoint]int{fake.Refresh: 1},
			Rotate:  func(o *fake.Options) { o.OIDC.RotateRefreshTokens = true },
			Change: func(p *fake.Person) {
				p.Name, p.Email, p.EmailVerified = "Ada Summer", "summer@corp.example", false
				p.OIDC.Groups = []string{"staff", "leavers"}
			},
			Somebody: func(v *fake.Provider) { v.Misbehave(fake.RefreshGivesSomebody) },
		},
		GroupTrouble: map[connectortest.Cause]connectortest.Trouble{
			connectortest.Incomplete: {Vendor: func(v *fake.Provider) {
				v.Edit(fake.IDToken, func(c map[string]any) {
					delete(c, "groups")
					c["_claim_names"] = map[string]any{"groups": "src1"}
					c["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": "http://169.254.169.254/groups"}}
				})
				v.Edit(fake.Userinfo, func(c map[string]any) { delete(c, "groups") })
			}},
		},
		GroupNonsense: func(v *fake.Provider) {
			v.Edit(fake.IDToken, func(c map[string]any) { c["groups"] = map[string]any{"staff": true} })
		},
		Levels: &connectortest.Levels{
			ACR: "urn:example:loa:2", Weaken: func(v *fake.Provider) { v.Misbehave(fake.WeakerACR) },
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
		o.OIDC.Algorithm, o.OIDC.ThinIDToken, o.OIDC.ResponseIssuer = "RS256", true, true
		return fake.NewOIDC(o).Provider
	}
	s.Calls = map[fake.Endpoint]int{fake.Token: 1, fake.Userinfo: 1}
	s.OpenID.Userinfo, s.OpenID.ResponseIssuer, s.OpenID.Flood = true, true, 50
	s.Recheck.Calls = map[fake.Endpoint]int{fake.Refresh: 1, fake.Userinfo: 1}
	nonsense := s.GroupNonsense
	s.GroupNonsense = func(v *fake.Provider) {
		nonsense(v)
		v.Edit(fake.Userinfo, func(c map[string]any) { c["groups"] = []any{"staff", 1} })
	}
	connectortest.Run(t, s)
}
