package okta_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/okta"
)

// orgServer configures the org's authorization server.
func orgServer(s *connectortest.Setup) {
	s.Configure = func(c connectors.Config) {
		o := c.(*okta.Config)
		o.Issuer = strings.TrimSuffix(o.Issuer, "/oauth2/default")
	}
}

func TestOrgAuthorizationServer(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, orgServer)
	id := b.MustSignIn(t)
	if want := (broker.IdentityKey{Connector: "up", Issuer: b.URL, Subject: "00u1ada0acme00000d7"}); id.Key != want {
		t.Errorf("got %+v, want %+v", id.Key, want)
	}
}

// The org and its custom servers share keys in the fake, so the issuer alone
// tells their tokens apart.
func TestUP35TokensOfASiblingServer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		setup func(*connectortest.Setup)
		iss   func(base string) string
	}{
		"the org's for the custom server's": {nil, func(base string) string { return base }},
		"the custom server's for the org's": {orgServer, func(base string) string { return base + "/oauth2/default" }},
		"another custom server's":           {nil, func(base string) string { return base + "/oauth2/other" }},
		"the same with a slash":             {nil, func(base string) string { return base + "/oauth2/default/" }},
		"the same in another case":          {nil, func(base string) string { return base + "/oauth2/Default" }},
		"another org's":                     {nil, func(string) string { return "https://acme.okta.com/oauth2/default" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, tt.setup)
			b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["iss"] = tt.iss(b.URL) })
			b.Refused(t, connectors.Broken)
		})
	}
}

func TestAnUnknownServerIsTheOperatorsMatter(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Configure = func(c connectors.Config) {
			o := c.(*okta.Config)
			o.Issuer = strings.TrimSuffix(o.Issuer, "default") + "nope"
		}
	})
	_, err := b.Connector.AuthorizationURL(t.Context(), connectortest.NewLogin())
	connectortest.KindOf(t, err, connectors.Operator)
}

func TestThinTokensAreCompletedAtUserinfo(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.SignInAs("chloe") // whose address is not verified, and whose login is no address
	id := b.MustSignIn(t)
	want := broker.Profile{
		Name: "Chloë Ångström", GivenName: "Chloë", FamilyName: "Ångström", PreferredUsername: "chloe.angstrom",
		Email: "chloe@acme.example", EmailTrust: broker.EmailUnverified, Locale: id.Profile.Locale, Groups: []string{"up:Everyone"},
	}
	if got := id.Profile; got.Name != want.Name || got.GivenName != want.GivenName || got.FamilyName != want.FamilyName ||
		got.PreferredUsername != want.PreferredUsername || got.Email != want.Email || got.EmailTrust != want.EmailTrust || !slices.Equal(got.Groups, want.Groups) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if id.Authentication.Time.IsZero() || !slices.Contains(id.Authentication.AMR, "pwd") {
		t.Errorf("got authentication %+v", id.Authentication)
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	t.Run("absent means that none matches", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, nil)
		b.Vendor.SignInAs("ben")
		if g := b.MustSignIn(t).Profile.Groups; len(g) != 0 {
			t.Errorf("got groups %q", g)
		}
	})
	t.Run("a fat ID token", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, func(s *connectortest.Setup) { s.Vendor.Okta.FatIDToken = true })
		if g := b.MustSignIn(t).Profile.Groups; len(g) != 3 {
			t.Errorf("got groups %q", g)
		}
	})
	t.Run("a claim of another name", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, func(s *connectortest.Setup) {
			s.Configure = func(c connectors.Config) { c.(*okta.Config).GroupsClaim = "app_groups" }
		})
		b.Vendor.Edit(fake.Userinfo, func(doc map[string]any) { doc["app_groups"] = []string{"Wiki"} })
		if g := b.MustSignIn(t).Profile.Groups; !slices.Equal(g, []string{"up:Wiki"}) {
			t.Errorf("got groups %q", g)
		}
	})
	t.Run("the scope is not asked for where it is unknown", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, nil)
		b.Vendor.Edit(fake.Discovery, func(doc map[string]any) { doc["scopes_supported"] = []string{"openid", "profile", "email"} })
		if got := query(t, b, nil).Get("scope"); got != "openid profile email" {
			t.Errorf("got scope %q", got)
		}
	})
	t.Run("the scope is unknown although the server says otherwise", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, nil)
		b.Vendor.Misbehave(fake.OktaNoGroupsScope)
		if e := b.Refused(t, connectors.Operator); e.Code != "invalid_scope" {
			t.Errorf("got code %q", e.Code)
		}
	})
	t.Run("userinfo is down", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, nil)
		b.Vendor.Misbehave(fake.At(fake.Userinfo, fake.ServerError))
		b.Refused(t, connectors.Transient)
	})
}

func query(t *testing.T, b *connectortest.Bench, change func(*connectors.Login)) url.Values {
	t.Helper()
	l := connectortest.NewLogin()
	if change != nil {
		change(&l)
	}
	return b.Asked(t, l)
}

func TestParameters(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	for _, tt := range []struct {
		name   string
		change func(*connectors.Login)
		want   map[string]string
	}{
		{"a forced login", func(l *connectors.Login) { l.ForceLogin = true }, map[string]string{"prompt": "login", "max_age": ""}},
		{"Okta has no select_account", func(l *connectors.Login) { l.SelectAccount = true }, map[string]string{"prompt": ""}},
		{"max_age", func(l *connectors.Login) { l.HasMaxAge = true }, map[string]string{"max_age": "0"}},
		{"acr_values", func(l *connectors.Login) { l.ACRValues = []string{"urn:okta:loa:2fa:any"} }, map[string]string{"acr_values": "urn:okta:loa:2fa:any"}},
	} {
		got := query(t, b, tt.change)
		for name, want := range tt.want {
			if got.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, name, got.Get(name), want)
			}
		}
	}
	if d := b.Connector.Describe(); d.Reauthentication != connectors.ReauthProven || d.Type != "okta" {
		t.Errorf("got %+v", d)
	}
}

func TestUP27LessThanTheDemandedStrength(t *testing.T) {
	t.Parallel()
	const two, one = "urn:okta:loa:2fa:any", "urn:okta:loa:1fa:pwd"
	table := connectors.Assurance{
		{Level: "phishing-resistant", ACR: []string{"phr", "phrh"}},
		{Level: "strong", ACR: []string{two}, AMR: []string{"mfa"}},
	}
	demand := func(t *testing.T, b *connectortest.Bench, levels ...string) (broker.Authentication, error) {
		t.Helper()
		l := connectortest.NewLogin()
		l.ACRValues = levels
		id, _, err := b.SignInWith(t, l)
		return id.Authentication, err
	}
	b := subject().Open(t, func(s *connectortest.Setup) { s.Common.Assurance = table })
	a, err := demand(t, b, "strong")
	if err != nil || a.ACR != "strong" || !slices.Contains(a.AMR, "mfa") {
		t.Fatalf("got %+v, %v", a, err)
	}
	// A policy let the person through with less. Whether that is enough is not decided
	// here; but nothing is asserted that Okta did not sign.
	b.Vendor.Misbehave(fake.WeakerACR)
	if a, err = demand(t, b, "strong"); err != nil || a.ACR != "" || slices.Contains(a.AMR, "mfa") {
		t.Errorf("with less than was asked for: %+v, %v", a, err)
	}
	b.Vendor.Behave()
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { delete(c, "acr"); c["amr"] = []string{"pwd"} })
	b.Vendor.Edit(fake.Userinfo, func(c map[string]any) { c["acr"], c["amr"] = two, []string{"mfa"} })
	if a, err = demand(t, b, "strong"); err != nil || a.ACR != "" || !slices.Equal(a.AMR, []string{"pwd"}) {
		t.Errorf("userinfo is no evidence: %+v, %v", a, err)
	}
	b.Vendor.Behave()
	b.Vendor.SignInAs("chloe") // who has a password alone: Okta refuses by itself
	_, err = demand(t, b, "strong")
	connectortest.KindOf(t, err, connectors.Unmet)

	plain := subject().Open(t, nil)
	if a, err = demand(t, plain, two); err != nil || a.ACR != two {
		t.Errorf("without a table: %+v, %v", a, err)
	}
	plain.Vendor.Misbehave(fake.WeakerACR)
	if a, err = demand(t, plain, two); err != nil || a.ACR != one {
		t.Errorf("without a table, with less: %+v, %v", a, err)
	}
}

func TestErrorsOfBothShapes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		vendor func(*fake.Provider)
		kind   connectors.Kind
		code   string
	}{
		{"the code was used, OAuth shape", func(v *fake.Provider) { v.Misbehave(fake.CodeAlreadyRedeemed) }, connectors.Broken, "invalid_grant"},
		{"too many requests, API shape", func(v *fake.Provider) { v.Misbehave(fake.At(fake.Token, fake.TooManyRequests)) }, connectors.Transient, "E0000047"},
		{"not found, API shape", func(v *fake.Provider) { v.Misbehave(fake.At(fake.Token, fake.NotFound)) }, connectors.Operator, "E0000007"},
		{"no policy matches", func(v *fake.Provider) { v.Misbehave(fake.OktaPolicyDenies) }, connectors.Declined, "access_denied"},
		{"not assigned", func(v *fake.Provider) { v.SignInAs("eve") }, connectors.Declined, "access_denied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			tt.vendor(b.Vendor)
			if e := b.Refused(t, tt.kind); e.Code != tt.code {
				t.Errorf("got code %q (%v), want %q", e.Code, e, tt.code)
			}
		})
	}
}

func TestAWrongSecretInTheAPIShape(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) { s.Common.ClientSecret = connectors.Secrets{"another secret"} })
	b.Refused(t, connectors.Operator)
	b.Vendor.Misbehave(fake.OktaAPIShape)
	if e := b.Refused(t, connectors.Operator); e.Code != "invalid_client" {
		t.Errorf("got code %q", e.Code)
	}
}
