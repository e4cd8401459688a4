package azuread_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// pool is shared so that the package makes each RSA key once.
var pool = &fake.KeyPool{}

// The directories of the fake's cast.
const (
	acme     = "8f2c1d7e-1111-4a3b-9c55-0d1f2e3a4b5c"
	partner  = "c0ffee00-2222-4b4b-8888-aaaabbbbcccc"
	personal = "9188040d-6c67-4c5b-b112-36a304b66dad"
)

// tenants are directories without names.
func tenants(ids ...string) []azuread.Tenant {
	var out []azuread.Tenant
	for _, id := range ids {
		out = append(out, azuread.Tenant{ID: id})
	}
	return out
}

// subject is the connector for one directory.
func subject() connectortest.Subject {
	return connectortest.Subject{
		Fake: func(o fake.Options) *fake.Provider { return fake.NewEntra(o).Provider },
		Config: func(c connectors.Common, base string) connectors.Config {
			return &azuread.Config{Common: c, Tenant: acme, Authority: base, GraphURL: base}
		},
		Person: "ada", Other: "ben",
		Key: func(p fake.Person, base string) (string, string) {
			return base + "/" + p.Entra.TenantID + "/v2.0", p.Entra.ObjectID
		},
		Groups: []string{"11111111-aaaa-4bbb-8ccc-000000000001", "11111111-aaaa-4bbb-8ccc-000000000002"},
		Calls:  map[fake.Endpoint]int{fake.Token: 1},
		OpenID: &connectortest.OpenID{Cooldown: 5 * time.Minute, Flood: 50},
		Recheck: &connectortest.Recheck{
			Offline: map[string]string{"scope": "offline_access"},
			Calls:   map[fake.Endpoint]int{fake.Refresh: 1},
			Rotates: true,
			Change: func(p *fake.Person) {
				p.Name, p.Email, p.Entra.Groups = "Ada Summer", "summer@acme.example", p.Entra.Groups[:1]
			},
			Somebody: func(v *fake.Provider) { v.Misbehave(fake.RefreshGivesSomebody) },
		},
		GroupTrouble: map[connectortest.Cause]connectortest.Trouble{
			connectortest.Unavailable: {Setup: mode("graph_always"), Vendor: misbehave(fake.At(fake.GraphMemberGroups, fake.ServerError))},
			connectortest.Denied:      {Setup: mode("graph_always"), Vendor: misbehave(fake.At(fake.GraphMemberGroups, fake.Forbidden))},
			connectortest.Incomplete:  {Vendor: misbehave(fake.EntraHasGroups)},
		},
		GroupNonsense: func(v *fake.Provider) { v.Edit(fake.IDToken, func(c map[string]any) { c["groups"] = 7 }) },
		Levels: &connectortest.Levels{
			ACR: "c1", Weaken: misbehave(fake.EntraNoContext),
			Asked: func(query url.Values) string {
				_, value, _ := strings.Cut(query.Get("claims"), `"value":"`)
				value, _, _ = strings.Cut(value, `"`)
				return value
			},
		},
		EmailFlag: &connectortest.EmailFlag{
			Set: func(v *fake.Provider, value any) {
				v.Edit(fake.IDToken, func(c map[string]any) { c["xms_edov"] = value })
			},
			Absent:     func(v *fake.Provider) { v.Edit(fake.IDToken, func(c map[string]any) { delete(c, "xms_edov") }) },
			Documented: []any{"true", "1", 1},
		},
		Keys: pool,
	}
}

func misbehave(m fake.Misbehaviour) func(*fake.Provider) {
	return func(v *fake.Provider) { v.Misbehave(m) }
}

func TestContract(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, subject())
}

// The same at the endpoint that every directory shares.
func TestContractWithSeveralDirectories(t *testing.T) {
	t.Parallel()
	s := subject()
	s.Config = func(c connectors.Common, base string) connectors.Config {
		return &azuread.Config{Common: c, Tenant: "common", AllowedTenants: tenants(acme, partner), Authority: base, GraphURL: base}
	}
	s.Other = "eve"
	connectortest.Run(t, s)
}
