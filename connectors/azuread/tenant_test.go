package azuread_test

import (
	"testing"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// configure changes the configuration under test.
func configure(change func(*azuread.Config)) func(*connectortest.Setup) {
	return func(s *connectortest.Setup) {
		s.Configure = func(c connectors.Config) { change(c.(*azuread.Config)) }
	}
}

// several admits these directories at a shared endpoint.
func several(endpoint string, ids ...string) func(*connectortest.Setup) {
	return configure(func(c *azuread.Config) { c.Tenant, c.AllowedTenants = endpoint, tenants(ids...) })
}

func TestUP08TokensOfAnotherDirectory(t *testing.T) {
	t.Parallel()
	for name, setup := range map[string]func(*connectortest.Setup){
		"one directory": nil, "common": several("common", acme, partner), "organizations": several("organizations", acme, partner),
	} {
		for _, m := range []fake.Misbehaviour{
			fake.EntraTenantMismatch, fake.EntraTenantNotGUID, fake.EntraMissingTenant, fake.EntraTemplateIssuer,
			fake.EntraV1Issuer, fake.EntraKeyOfOtherTenant, fake.EntraMissingObject,
		} {
			t.Run(name+": "+string(m), func(t *testing.T) {
				t.Parallel()
				b := subject().Open(t, setup)
				b.Vendor.Misbehave(m)
				b.Refused(t, connectors.Broken)
				b.Vendor.Behave()
				b.MustSignIn(t)
			})
		}
	}
}

// A genuine token whose iss and tid are of two allowed directories is of neither.
func TestUP08TidOfAnotherAllowedDirectory(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, several("organizations", acme, partner))
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["tid"] = partner })
	b.Refused(t, connectors.Broken)
}

func TestUP08KeysScopedToAnotherDirectory(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Misbehave(fake.EntraForeignKeyListed)
	b.MustSignIn(t) // the directory's own key is there too
	b.Vendor.Misbehave(fake.EntraKeyOfOtherTenant)
	b.Refused(t, connectors.Broken)
}

func TestDirectoriesThatAreNotAllowed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		setup  func(*connectortest.Setup)
		person string
	}{
		"organizations": {several("organizations", acme), "eve"},
		"no tenant":     {several("", acme), "eve"},
		"common":        {several("common", acme), "eve"},
		"a personal account where only directories are allowed": {several("common", acme), "finn"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, tt.setup)
			b.MustSignIn(t)
			b.Vendor.SignInAs(tt.person)
			b.Refused(t, connectors.NotAllowed)
		})
	}
}

func TestUP01AnAddressMakesNobodyAnybodyElse(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, several("common", acme, partner))
	ada := b.MustSignIn(t)
	b.Vendor.SignInAs("eve") // whose administrator gave her Ada's address
	eve := b.MustSignIn(t)
	if eve.Profile.Email != ada.Profile.Email {
		t.Fatalf("the test is void: addresses %q and %q", eve.Profile.Email, ada.Profile.Email)
	}
	if eve.Key == ada.Key || eve.Profile.EmailTrust != broker.EmailUnknown {
		t.Errorf("got %+v", eve)
	}
}

func TestIdentityIsDirectoryAndObject(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		setup  func(*connectortest.Setup)
		person string
		tid    string
	}{
		"member":                     {nil, "ada", acme},
		"guest":                      {nil, "dana", acme},
		"personal account":           {configure(func(c *azuread.Config) { c.Tenant = "consumers" }), "finn", personal},
		"personal account at common": {several("common", acme, personal), "finn", personal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, tt.setup)
			b.Vendor.SignInAs(tt.person)
			id := b.MustSignIn(t)
			want := broker.IdentityKey{Connector: "up", Issuer: b.URL + "/" + tt.tid + "/v2.0", Subject: b.Vendor.Person(tt.person).Entra.ObjectID}
			if id.Key != want {
				t.Errorf("got %+v, want %+v", id.Key, want)
			}
		})
	}
}

// The person stays the same when the application is registered anew, although
// every sub changes.
func TestIdentityOutlivesTheRegistration(t *testing.T) {
	t.Parallel()
	one := subject().Open(t, nil)
	first, up, err := one.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	one.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["sub"] = "another-pairwise-sub" })
	second, again, err := one.SignIn(t)
	if err != nil || up.IDToken == again.IDToken || first.Key != second.Key {
		t.Errorf("got %+v and %+v, %v", first.Key, second.Key, err)
	}
}

func TestAddressTrust(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		edit  func(map[string]any)
		email string
		trust broker.EmailTrust
	}{
		{"xms_edov true", func(map[string]any) {}, "ada@acme.example", broker.EmailVerified},
		{"xms_edov 1", func(c map[string]any) { c["xms_edov"] = 1 }, "ada@acme.example", broker.EmailVerified},
		{`xms_edov "1"`, func(c map[string]any) { c["xms_edov"] = "1" }, "ada@acme.example", broker.EmailVerified},
		{`xms_edov "true"`, func(c map[string]any) { c["xms_edov"] = "true" }, "ada@acme.example", broker.EmailVerified},
		{"xms_edov absent", func(c map[string]any) { delete(c, "xms_edov") }, "ada@acme.example", broker.EmailUnknown},
		{"xms_edov false", func(c map[string]any) { c["xms_edov"] = false }, "ada@acme.example", broker.EmailUnknown},
		{"xms_edov of another type", func(c map[string]any) { c["xms_edov"] = []bool{true} }, "ada@acme.example", broker.EmailUnknown},
		{`xms_edov "True"`, func(c map[string]any) { c["xms_edov"] = "True" }, "ada@acme.example", broker.EmailUnknown},
		{"email_verified is nothing Entra says", func(c map[string]any) { delete(c, "xms_edov"); c["email_verified"] = true }, "ada@acme.example", broker.EmailUnknown},
		{"the user principal name is no address", func(c map[string]any) { delete(c, "email"); c["upn"] = "ada@acme.example" }, "", broker.EmailUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			b.Vendor.Edit(fake.IDToken, tt.edit)
			p := b.MustSignIn(t).Profile
			if p.Email != tt.email || p.EmailTrust != tt.trust || p.PreferredUsername != "ada@acme.example" {
				t.Errorf("got %+v", p)
			}
			if n := b.Vendor.Calls(fake.Userinfo); n != 0 {
				t.Errorf("userinfo was asked %d times", n)
			}
		})
	}
}
