package oidc_test

import (
	"fmt"
	"net/http"
	"testing"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/oidc"
)

// without removes claims from the ID token.
func without(names ...string) func(*fake.Provider) {
	return func(v *fake.Provider) {
		v.Edit(fake.IDToken, func(claims map[string]any) {
			for _, n := range names {
				delete(claims, n)
			}
		})
	}
}

func TestUserinfoIsAskedWhenSomethingIsMissing(t *testing.T) {
	t.Parallel()
	all := []string{"openid", "profile", "email", "groups"}
	for _, tt := range []struct {
		name, policy string
		scopes       []string
		vendor       func(*fake.Provider)
		calls        int
	}{
		{"auto: nothing is missing", "", nil, without(), 0},
		{"auto: the name is", "auto", nil, without("name"), 1},
		{"auto: the address is", "", nil, without("email"), 1},
		{"auto: the evidence for the address is", "", nil, without("email_verified"), 1},
		{"auto: the name was not asked for", "", []string{"email"}, without("name"), 0},
		{"auto: the address was not asked for", "", []string{"profile"}, without("email", "email_verified"), 0},
		{"auto: groups are", "", all, without("groups"), 1},
		{"auto: groups are, but nobody wants them", "", nil, without("groups"), 0},
		{"auto: there is no endpoint", "", nil, func(v *fake.Provider) {
			without("name")(v)
			v.Edit(fake.Discovery, func(doc map[string]any) { delete(doc, "userinfo_endpoint") })
		}, 0},
		{"always", "always", nil, without(), 1},
		{"never", "never", nil, without("name", "email", "groups"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, func(s *connectortest.Setup) {
				s.Common.Scopes = tt.scopes
				s.Configure = func(c connectors.Config) { c.(*oidc.Config).Userinfo = tt.policy }
			})
			tt.vendor(b.Vendor)
			b.MustSignIn(t)
			if got := b.Vendor.Calls(fake.Userinfo); got != tt.calls {
				t.Errorf("userinfo was asked %d times, want %d", got, tt.calls)
			}
		})
	}
}

func TestConfiguredGroupsAreLookedForAtUserinfo(t *testing.T) {
	t.Parallel()
	for name, configure := range map[string]func(*oidc.Config){
		"groups_claim": func(c *oidc.Config) { c.GroupsClaim = "groups" },
		"groups.allow": func(c *oidc.Config) { c.Groups.Allow = []string{"staff"} },
	} {
		b := subject().Open(t, func(s *connectortest.Setup) {
			s.Configure = func(c connectors.Config) { configure(c.(*oidc.Config)) }
		})
		b.Vendor.Edit(fake.Userinfo, func(doc map[string]any) { doc["groups"] = "staff" })
		if got := b.MustSignIn(t).Profile.Groups; len(got) != 1 || got[0] != "up:staff" {
			t.Errorf("%s: got groups %q", name, got)
		}
	}
}

func TestUserinfoThatCannotBeRead(t *testing.T) {
	t.Parallel()
	always := func(s *connectortest.Setup) {
		s.Configure = func(c connectors.Config) { c.(*oidc.Config).Userinfo = "always" }
	}
	t.Run("there is none although always is configured", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, always)
		b.Vendor.Edit(fake.Discovery, func(doc map[string]any) { delete(doc, "userinfo_endpoint") })
		b.Refused(t, connectors.Operator)
	})
	t.Run("it is signed", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, always)
		b.Vendor.Replace("/userinfo", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/jwt")
			fmt.Fprint(w, "e30.e30.AAAA")
		}))
		b.Refused(t, connectors.Operator)
	})
	t.Run("it does not accept the token, and says so in a header", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, always)
		b.Vendor.Replace("/userinfo", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="r", error="insufficient_scope", error_description="x"`)
			w.WriteHeader(http.StatusForbidden)
		}))
		if e := b.Refused(t, connectors.Operator); e.Code != "insufficient_scope" {
			t.Errorf("got code %q", e.Code)
		}
	})
}

func TestUserinfoAddsWhatTheTokenLacks(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) { s.Vendor.OIDC.ThinIDToken = true })
	b.Vendor.Edit(fake.Userinfo, func(doc map[string]any) {
		doc["acr"], doc["amr"], doc["auth_time"] = "gold", []string{"hwk"}, 1
	})
	id := b.MustSignIn(t)
	if id.Profile.Name != "Ada Winter" || id.Profile.Email != "ada@corp.example" || id.Profile.EmailTrust != broker.EmailVerified {
		t.Errorf("got %+v", id.Profile)
	}
	// How somebody authenticated is for a signature to say (ATTACKS UP-27).
	if a := id.Authentication; a.ACR != "" || len(a.AMR) != 2 || a.AMR[0] != "pwd" || !a.Time.Equal(b.Clock.Now()) {
		t.Errorf("got authentication %+v", a)
	}
}
