package oidc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/oidc"
)

func TestReportSaysHowItCameAbout(t *testing.T) {
	t.Parallel()
	groups := []string{"openid", "profile", "email", "groups"}
	for _, tt := range []struct {
		name             string
		change           func(*connectortest.Setup)
		edit             func(b *connectortest.Bench)
		evidence, source string
		notes            string
	}{
		{
			"all of it signed", nil, nil,
			"email_verified of the ID token is true", "the claim groups of the ID token", "",
		},
		{
			"at userinfo", func(s *connectortest.Setup) { s.Vendor.OIDC.ThinIDToken = true }, nil,
			"email_verified of userinfo is true", "the claim groups of userinfo", "",
		},
		{
			"not verified", nil, func(b *connectortest.Bench) {
				b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["email_verified"] = "true"; delete(c, "groups") })
				b.Vendor.Edit(fake.Userinfo, func(c map[string]any) { delete(c, "groups") })
			},
			"email_verified of the ID token is not true", "nowhere: neither the ID token nor userinfo has the claim groups", "",
		},
		{
			"the operator vouches", func(s *connectortest.Setup) { s.Common.TrustedEmailDomains = []string{"corp.example"} },
			func(b *connectortest.Bench) {
				b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["email_verified"] = false })
			},
			"the domain is among trusted_email_domains", "the claim groups of the ID token", "",
		},
		{
			"fewer scopes", nil, func(b *connectortest.Bench) { b.Vendor.Misbehave(fake.TokenReducedScope) },
			"email_verified of the ID token is true", "the claim groups of the ID token", "profile, email, groups is missing",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, func(s *connectortest.Setup) {
				s.Common.Scopes = groups
				if tt.change != nil {
					tt.change(s)
				}
			})
			if tt.edit != nil {
				tt.edit(b)
			}
			_, up, err := b.SignIn(t)
			if err != nil {
				t.Fatal(err)
			}
			r := up.Report
			if r.EmailEvidence != tt.evidence || r.GroupSource != tt.source || !strings.Contains(strings.Join(r.Notes, " "), tt.notes) || tt.notes == "" && len(r.Notes) > 0 {
				t.Errorf("got %+v", r)
			}
			if !r.ServerTime.Equal(b.Clock.Now()) || !r.AskedAt.Equal(b.Clock.Now()) {
				t.Errorf("the clocks are said to stand at %v and %v", r.ServerTime, r.AskedAt)
			}
			if secret, leaks := b.LeaksIn(fmt.Sprintf("%+v", r)); leaks {
				t.Errorf("the report holds %q", secret)
			}
		})
	}
}

func TestAVendorsNamesOfScopesAreNotMissed(t *testing.T) {
	t.Parallel()
	s := subject()
	s.Config = func(c connectors.Common, base string) connectors.Config {
		return &quirky{Config: oidc.Config{Common: c, Issuer: base}, quirks: oidc.Quirks{
			Type: "q", Granted: func(asked string, granted []string) bool { return slices.Contains(granted, "urn:"+asked) },
		}}
	}
	b := s.Open(t, nil)
	b.Vendor.Edit(fake.Token, func(doc map[string]any) { doc["scope"] = "urn:email urn:openid" })
	_, up, err := b.SignIn(t)
	if err != nil || len(up.Report.Notes) != 1 || !strings.Contains(up.Report.Notes[0], ": profile is missing") {
		t.Errorf("got notes %q, %v", up.Report.Notes, err)
	}
}

// Nothing that is secret reaches a log, whatever goes wrong on the way.
func TestCanariesStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	const second = "canary secret/number two"
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Common.ClientSecret = connectors.Secrets{connectortest.ClientSecret, second}
		s.Common.RecheckInterval = time.Hour
		s.Common.OnGroupFailure.Incomplete = connectors.NoGroups
	})
	prior, up := signedIn(t, b)
	for _, e := range []fake.Endpoint{fake.Token, fake.Userinfo, fake.Keys, fake.Discovery} {
		for _, f := range fake.Faults() {
			if f == fake.Slow || f == fake.Drip || f == fake.HugeBody {
				continue
			}
			b.Vendor.Misbehave(fake.At(e, f), fake.RefreshWithoutIDToken)
			b.Clock.Advance(2 * time.Hour)
			_, next, err := b.Connector.(connectors.Refresher).Refresh(t.Context(), prior, up)
			text := fmt.Sprintf("%v %+v", err, next.Report) + b.Log.String()
			if secret, leaks := b.LeaksIn(text); leaks || strings.Contains(text, second) {
				t.Errorf("%s, %s: %q is out", e, f, secret)
			}
			b.Vendor.Behave()
		}
	}
}
