package azuread_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// overages are the ways in which a token leaves groups out.
func overages() []fake.Misbehaviour {
	return []fake.Misbehaviour{fake.EntraGroupsOverage, fake.EntraHostileOverage, fake.EntraHasGroups, fake.EntraOtherClaims}
}

func mode(m string) func(*connectortest.Setup) {
	return configure(func(c *azuread.Config) { c.GroupClaims = m })
}

func TestUP22MoreGroupsThanATokenHolds(t *testing.T) {
	t.Parallel()
	for _, m := range overages() {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				t.Error("an address out of the token was asked")
			}))
			t.Cleanup(stranger.Close)
			b := subject().Open(t, nil)
			b.Vendor.SetElsewhere(stranger.URL)
			b.Vendor.Misbehave(m)
			if e := b.Refused(t, connectors.Operator); e.Code != "groups_overage" {
				t.Errorf("got code %q", e.Code)
			}

			none := subject().Open(t, mode("none"))
			none.Vendor.Misbehave(m)
			if g := none.MustSignIn(t).Profile.Groups; len(g) != 0 {
				t.Errorf("with group_claims: none got groups %q", g)
			}

			graph := subject().Open(t, mode("graph"))
			graph.Vendor.SetElsewhere(stranger.URL)
			graph.Vendor.Misbehave(m)
			if g := strings.Join(graph.MustSignIn(t).Profile.Groups, " "); g != "up:11111111-aaaa-4bbb-8ccc-000000000001 up:11111111-aaaa-4bbb-8ccc-000000000002" {
				t.Errorf("with group_claims: graph got groups %q", g)
			}
		})
	}
}

func TestGroupsOfTheTokenNeedNoGraph(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, mode("graph"))
	if g := b.MustSignIn(t).Profile.Groups; len(g) != 2 || b.Vendor.Calls(fake.GraphMemberGroups) != 0 {
		t.Errorf("got groups %q after %d requests to Graph", g, b.Vendor.Calls(fake.GraphMemberGroups))
	}
}

func TestARegistrationWithoutGroupsClaimHasNoGroups(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) { s.Vendor.Entra.NoGroupsClaim = true })
	if g := b.MustSignIn(t).Profile.Groups; len(g) != 0 {
		t.Errorf("got groups %q", g)
	}
}

func TestManyGroupsOfGraph(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, mode("graph"))
	b.Vendor.SignInAs("chloe")
	if g := b.MustSignIn(t).Profile.Groups; len(g) != 250 || g[249] != "up:11111111-aaaa-4bbb-8ccc-000000000001" {
		t.Errorf("got %d groups", len(g))
	}
}

func TestGraphThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		vendor func(*fake.Provider)
		scopes []string
		kind   connectors.Kind
	}{
		{"consent is missing", func(*fake.Provider) {}, []string{"openid", "profile", "User.Read"}, connectors.Operator},
		{"403", func(v *fake.Provider) { v.Misbehave(fake.At(fake.GraphMemberGroups, fake.Forbidden)) }, nil, connectors.Operator},
		{"401", func(v *fake.Provider) { v.Misbehave(fake.GraphClaimsChallenge) }, nil, connectors.Operator},
		{"429", func(v *fake.Provider) { v.Misbehave(fake.At(fake.GraphMemberGroups, fake.TooManyRequests)) }, nil, connectors.Transient},
		{"500", func(v *fake.Provider) { v.Misbehave(fake.At(fake.GraphMemberGroups, fake.ServerError)) }, nil, connectors.Transient},
		{"cut", func(v *fake.Provider) { v.Misbehave(fake.At(fake.GraphMemberGroups, fake.TruncatedBody)) }, nil, connectors.Broken},
		{"no list", func(v *fake.Provider) {
			v.Edit(fake.GraphMemberGroups, func(doc map[string]any) { delete(doc, "value") })
		}, nil, connectors.Broken},
		{"names instead of IDs", func(v *fake.Provider) {
			v.Edit(fake.GraphMemberGroups, func(doc map[string]any) { doc["value"] = []string{"admins"} })
		}, nil, connectors.Broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, func(s *connectortest.Setup) {
				s.Common.Scopes = tt.scopes
				mode("graph")(s)
			})
			b.Vendor.SignInAs("chloe")
			tt.vendor(b.Vendor)
			b.Refused(t, tt.kind)
		})
	}
}

func TestAGroupsClaimThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{"a number": 5, "an object": map[string]any{}, "a list with a number": []any{"a", 5}} {
		b := subject().Open(t, nil)
		b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["groups"] = value })
		if _, _, err := b.SignIn(t); err == nil {
			t.Errorf("%s: signed in", name)
		}
	}
}
