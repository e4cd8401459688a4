package okta_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// known is a person who has signed in, and what the upstream handed out.
type known struct {
	b  *connectortest.Bench
	id broker.Identity
	up connectors.Upstream
}

func rechecking(t *testing.T, s connectortest.Subject, rotate bool, grace time.Duration) *known {
	t.Helper()
	b := s.Open(t, func(setup *connectortest.Setup) {
		setup.Common.RecheckInterval = time.Hour
		setup.Vendor.Okta.RotateRefreshTokens, setup.Vendor.Okta.RotationGrace = rotate, grace
	})
	id, up, err := b.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	return &known{b, id, up}
}

func (k *known) refresh(t *testing.T, up connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	return k.b.Connector.(connectors.Refresher).Refresh(t.Context(), k.id, up)
}

func TestRefreshTokensRotate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		rotate bool
		grace  time.Duration
		wait   time.Duration
		again  bool // presenting the first token a second time is answered
	}{
		{"a persistent token stays", false, 0, time.Hour, true},
		{"a replaced token is good for the grace", true, 0, 30 * time.Second, true},
		{"a replaced token after the grace ends everything", true, 0, 31 * time.Second, false},
		{"without a grace at once", true, -1, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := rechecking(t, subject(), tt.rotate, tt.grace)
			if k.up.Reusable {
				t.Error("the token counts as reusable: whoever presents a replaced one has the newest revoked")
			}
			_, newest, err := k.refresh(t, k.up)
			if err != nil || newest.RefreshToken == "" || (newest.RefreshToken != k.up.RefreshToken) != tt.rotate {
				t.Fatalf("rotated: %v, %v", newest.RefreshToken != k.up.RefreshToken, err)
			}
			k.b.Clock.Advance(tt.wait)
			_, _, err = k.refresh(t, k.up)
			_, _, late := k.refresh(t, newest)
			if tt.again {
				if err != nil || late != nil {
					t.Errorf("got %v and %v", err, late)
				}
				return
			}
			connectortest.KindOf(t, err, connectors.Gone)
			connectortest.KindOf(t, late, connectors.Gone)
		})
	}
}

func TestGroupsAreReadAgain(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]connectortest.Subject{"of the claim": subject(), "of the API": apiSubject()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := rechecking(t, s, true, 0)
			k.b.Vendor.Update("ada", func(p *fake.Person) { p.Okta.Groups = []string{"Everyone", "Leavers"} })
			id, up, err := k.refresh(t, k.up)
			if err != nil || !slices.Equal(id.Profile.Groups, []string{"up:Everyone", "up:Leavers"}) {
				t.Fatalf("got groups %q, %v", id.Profile.Groups, err)
			}
			// No group left is news, and not a claim that was not repeated.
			k.b.Vendor.Update("ada", func(p *fake.Person) { p.Okta.Groups = nil })
			if id, _, err = k.refresh(t, up); err != nil || len(id.Profile.Groups) != 0 {
				t.Errorf("got groups %q, %v", id.Profile.Groups, err)
			}
		})
	}
}

func TestRefreshesThatOktaRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		vendor  func(*known)
		kind    connectors.Kind
		hint    string
		unspent bool
	}{
		{"a deactivated person", func(k *known) { k.b.Vendor.Disable("ada") }, connectors.Gone, "", false},
		{"somebody who was signed out everywhere", func(k *known) { k.b.Vendor.RevokeTokens("ada") }, connectors.Gone, "", false},
		{"a week without use", func(k *known) { k.b.Clock.Advance(7 * 24 * time.Hour) }, connectors.Gone, "", false},
		{"in the API's shape", func(k *known) { k.b.Vendor.Misbehave(fake.OktaAPIShape); k.b.Vendor.Disable("ada") }, connectors.Gone, "", false},
		{"too many requests", func(k *known) { k.b.Vendor.Misbehave(fake.At(fake.Refresh, fake.TooManyRequests)) }, connectors.Transient, "limits", true},
		{"too many groups by now", func(k *known) {
			many := k.b.Vendor.Person("dana").Okta.Groups
			k.b.Vendor.Update("ada", func(p *fake.Person) { p.Okta.Groups = many })
		}, connectors.Operator, "groups_from: api", false},
		{"a secret that is no longer good", func(k *known) {
			k.b.Vendor.UpdateClient(connectortest.ClientID, func(c *fake.Client) { c.Secret = "replaced" })
		}, connectors.Operator, "secret", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := rechecking(t, subject(), true, 0)
			tt.vendor(k)
			_, _, err := k.refresh(t, k.up)
			e := connectortest.KindOf(t, err, tt.kind)
			if !strings.Contains(e.Hint, tt.hint) || e.Unspent != tt.unspent {
				t.Errorf("got hint %q, unspent %v", e.Hint, e.Unspent)
			}
		})
	}
}
