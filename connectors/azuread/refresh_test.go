package azuread_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// rechecking asks again about people every hour.
func rechecking(s *connectortest.Setup) { s.Common.RecheckInterval = time.Hour }

func TestRefresh(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, rechecking)
	id, up, err := b.SignIn(t)
	if err != nil || up.RefreshToken == "" || !up.Reusable {
		t.Fatalf("got reusable %v, %v", up.Reusable, err)
	}
	b.Clock.Advance(2 * time.Hour)
	b.Vendor.Update("ada", func(p *fake.Person) {
		p.Name, p.Email = "Ada Summer", "summer@acme.example"
		p.Entra.Groups = p.Entra.Groups[:1]
	})
	again, next, err := refresh(t, b, id, up)
	if err != nil {
		t.Fatal(err)
	}
	if again.Key != id.Key || again.Profile.Name != "Ada Summer" || again.Profile.Email != "summer@acme.example" || len(again.Profile.Groups) != 1 {
		t.Errorf("got %+v", again)
	}
	if next.RefreshToken == "" || next.RefreshToken == up.RefreshToken || !next.Reusable {
		t.Error("the newest refresh token is not the one that is kept")
	}
	// The old one stays valid: an answer that was lost costs nobody a sign-in.
	if _, _, err := refresh(t, b, id, up); err != nil {
		t.Errorf("the old refresh token: %v", err)
	}
}

// Where nobody asks again, no refresh token is asked for.
func TestNoRefreshTokenWithoutRecheck(t *testing.T) {
	t.Parallel()
	_, up, err := subject().Open(t, nil).SignIn(t)
	if err != nil || up.RefreshToken != "" {
		t.Errorf("got one: %v, %v", up.RefreshToken != "", err)
	}
}

func TestRefreshAsksGraphAgain(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) {
		rechecking(s)
		mode("graph")(s)
	})
	b.Vendor.SignInAs("chloe")
	id, up, err := b.SignIn(t)
	if err != nil || len(id.Profile.Groups) != 250 {
		t.Fatalf("got %d groups, %v", len(id.Profile.Groups), err)
	}
	b.Vendor.Update("chloe", func(p *fake.Person) { p.Entra.Groups = p.Entra.Groups[:240] })
	again, next, err := refresh(t, b, id, up)
	if err != nil || len(again.Profile.Groups) != 240 || b.Vendor.Calls(fake.GraphMemberGroups) != 2 || next.Report.GroupSource != "Microsoft Graph, getMemberGroups" {
		t.Errorf("got %d groups, %q, %v", len(again.Profile.Groups), next.Report.GroupSource, err)
	}
	b.Vendor.Misbehave(fake.At(fake.GraphMemberGroups, fake.Unavailable))
	_, next, err = refresh(t, b, id, up)
	if connectortest.KindOf(t, err, connectors.Transient); next.RefreshToken == "" {
		t.Error("the refresh token that Entra had already handed out is lost")
	}
}

// What Entra's numbers say of a refresh. A definite no ends sessions; trouble with
// the registration, or Entra's own, leaves them and the credential alone.
func TestRefreshIsClassifiedByNumber(t *testing.T) {
	t.Parallel()
	want := map[connectors.Kind][]int{
		connectors.Gone:        {50034, 50053, 50055, 50057, 50126, 50132, 50133, 50173, 54005, 70008, 70043, 700082},
		connectors.NotAllowed:  {50020, 50105},
		connectors.Declined:    {53003, 530003},
		connectors.Interaction: {50076, 50079},
		connectors.Operator:    {65001, 90002, 700016, 700027, 7000112, 7000215, 7000222},
		connectors.Transient:   {50196, 90033},
	}
	total := 0
	for kind, numbers := range want {
		total += len(numbers)
		for _, number := range numbers {
			t.Run(fmt.Sprint(number), func(t *testing.T) {
				t.Parallel()
				b := subject().Open(t, rechecking)
				id, up, err := b.SignIn(t)
				if err != nil {
					t.Fatal(err)
				}
				b.Vendor.Misbehave(fake.EntraRefusal(number))
				_, _, err = refresh(t, b, id, up)
				e := connectortest.KindOf(t, err, kind)
				if e.Code != fmt.Sprintf("AADSTS%d", number) {
					t.Errorf("got code %q", e.Code)
				}
				silent := kind == connectors.Operator || kind == connectors.Transient
				if e.Unspent != silent {
					t.Errorf("unspent is %v", e.Unspent)
				}
				refused := slices.Contains([]int{700027, 7000215, 7000222}, number)
				if errors.Is(e, connectors.ErrClientRefused) != refused {
					t.Errorf("the client was refused: %v", !refused)
				}
				b.Vendor.Behave()
				if _, _, err := refresh(t, b, id, up); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		}
	}
	if total != len(fake.EntraRefusals()) {
		t.Errorf("%d numbers are tried, the fake knows %d", total, len(fake.EntraRefusals()))
	}
}

func TestWhatEndsARefresh(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*fake.Provider){
		"the account is disabled": func(v *fake.Provider) { v.Disable("ada") },
		"everything was revoked":  func(v *fake.Provider) { v.RevokeTokens("ada") },
		"the tokens are somebody else's": func(v *fake.Provider) {
			v.Edit(fake.IDToken, func(c map[string]any) { c["oid"] = "99999999-4444-4f0a-8b1c-2d3e4f5a6b7c" })
		},
	} {
		b := subject().Open(t, rechecking)
		id, up, err := b.SignIn(t)
		if err != nil {
			t.Fatal(err)
		}
		end(b.Vendor)
		_, _, err = refresh(t, b, id, up)
		if e := connectortest.KindOf(t, err, connectors.Gone); e.Unspent {
			t.Errorf("%s: got %v", name, e)
		}
	}
	b := subject().Open(t, rechecking)
	id, up, err := b.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	b.Clock.Advance(91 * 24 * time.Hour)
	_, _, err = refresh(t, b, id, up)
	connectortest.KindOf(t, err, connectors.Gone)
}

// A refreshed token is held to the same rule as the first.
func TestUP08RefreshedTokensOfAnotherDirectory(t *testing.T) {
	t.Parallel()
	for _, m := range []fake.Misbehaviour{
		fake.EntraTenantMismatch, fake.EntraTenantNotGUID, fake.EntraMissingTenant, fake.EntraTemplateIssuer,
		fake.EntraV1Issuer, fake.EntraKeyOfOtherTenant, fake.EntraMissingObject, fake.TokenWithoutIDToken,
	} {
		b := subject().Open(t, func(s *connectortest.Setup) {
			rechecking(s)
			configure(func(c *azuread.Config) { c.Tenant, c.AllowedTenants = "common", tenants(acme, partner) })(s)
		})
		id, up, err := b.SignIn(t)
		if err != nil {
			t.Fatal(err)
		}
		b.Vendor.Misbehave(m)
		again, _, err := refresh(t, b, id, up)
		if connectortest.KindOf(t, err, connectors.Broken); again.Key != (id.Key) && again.Key.Subject != "" {
			t.Errorf("%s: got %+v", m, again)
		}
	}
}
