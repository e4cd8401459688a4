package google_test

import (
	"net/url"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/google"
)

// domains admits the accounts of these hosted domains.
func domains(list ...string) func(*connectortest.Setup) {
	return func(s *connectortest.Setup) {
		s.Configure = func(c connectors.Config) { c.(*google.Config).HostedDomains = list }
	}
}

func TestUP17OnlyTheSignedHostedDomainCounts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		person  string
		edit    func(map[string]any)
		allowed []string
		fine    bool
	}{
		{"of the domain", "ada", nil, []string{"example.com"}, true},
		{"of one of the domains", "dana", nil, []string{"example.com", "partner.example"}, true},
		{"of another domain", "dana", nil, []string{"example.com"}, false},
		{"a consumer account", "ben", nil, []string{"example.com"}, false},
		{"a consumer account with an address in the domain", "chloe", nil, []string{"example.com"}, false},
		{"hd in another case", "ada", func(c map[string]any) { c["hd"] = "EXAMPLE.COM" }, []string{"example.com"}, false},
		{"hd with the domain in it", "ada", func(c map[string]any) { c["hd"] = "example.com.evil.example" }, []string{"example.com"}, false},
		{"hd of a wrong type", "ada", func(c map[string]any) { c["hd"] = []string{"example.com"} }, []string{"example.com"}, false},
		{"an empty hd", "ada", func(c map[string]any) { c["hd"] = "" }, []string{"example.com"}, false},
		{"anybody where no domain is configured", "ben", nil, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, domains(tt.allowed...))
			b.Vendor.SignInAs(tt.person)
			if tt.edit != nil {
				b.Vendor.Edit(fake.IDToken, tt.edit)
			}
			// What userinfo says of the domain is not signed.
			b.Vendor.Edit(fake.Userinfo, func(doc map[string]any) { doc["hd"] = "example.com" })
			if tt.fine {
				b.MustSignIn(t)
				return
			}
			b.Refused(t, connectors.NotAllowed)
			if n := b.Vendor.Calls(fake.Userinfo); n != 0 {
				t.Errorf("userinfo was asked about somebody who is not admitted")
			}
		})
	}
}

func TestUP17TheRequestParameterIsNoDoor(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, domains("example.com"))
	b.Vendor.SignInAs("dana")
	l := connectortest.NewLogin()
	address, err := b.Connector.AuthorizationURL(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	stripped := u.Query()
	stripped.Del("hd")
	u.RawQuery = stripped.Encode()
	_, _, err = b.Identify(t, b.Visit(t, u.String()), l)
	connectortest.KindOf(t, err, connectors.NotAllowed)
}

func TestIssuerWithoutScheme(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	usual := b.MustSignIn(t)
	b.Vendor.Misbehave(fake.GoogleLegacyIssuer)
	if id := b.MustSignIn(t); id.Key != usual.Key {
		t.Errorf("the spelling made another person: %+v", id.Key)
	}
	b.Vendor.Behave()
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["iss"] = "accounts.google.com" })
	if id := b.MustSignIn(t); id.Key != usual.Key {
		t.Errorf("the spelling made another person: %+v", id.Key)
	}
	b.Vendor.Behave()
	b.Vendor.Misbehave(fake.GoogleForeignBareIssuer)
	b.Refused(t, connectors.Broken)
	b.Vendor.Behave()
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["iss"] = "https://accounts.google.com.evil.example" })
	b.Refused(t, connectors.Broken)
}

func TestAddressTrust(t *testing.T) {
	t.Parallel()
	const verified, unverified, unknown = broker.EmailVerified, broker.EmailUnverified, broker.EmailUnknown
	for _, tt := range []struct {
		name   string
		person string
		email  string
		trust  broker.EmailTrust
	}{
		{"Workspace account", "ada", "", verified},
		{"gmail.com", "ben", "ben@gmail.com", verified},
		{"gmail.com in capitals", "ben", "Ben@GMail.com", verified},
		{"another address of a consumer account was verified once", "ben", "", unknown},
		{"a suffix of gmail.com", "ben", "ben@notgmail.com", unknown},
		{"gmail.com as a label", "ben", "ben@gmail.com.evil.example", unknown},
		{"two @", "ben", "ben@evil.example@gmail.com", unknown},
		{"not verified", "eve", "", unverified},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			b.Vendor.SignInAs(tt.person)
			if tt.email != "" {
				b.Vendor.Update(tt.person, func(p *fake.Person) { p.Email = tt.email })
			}
			id, up, err := b.SignIn(t)
			if err != nil {
				t.Fatal(err)
			}
			if p := id.Profile; p.EmailTrust != tt.trust {
				t.Errorf("got %q, %s; want %s", p.Email, p.EmailTrust, tt.trust)
			}
			if up.Report.EmailEvidence == "" && tt.trust != unverified {
				t.Error("the report does not say why")
			}
		})
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		domains []string
		change  func(*connectors.Login)
		want    map[string]string
	}{
		{"no domain", nil, nil, map[string]string{"hd": "", "access_type": "", "prompt": "", "scope": "openid profile email"}},
		{"one domain", []string{"example.com"}, nil, map[string]string{"hd": "example.com"}},
		{"several domains", []string{"example.com", "partner.example"}, nil, map[string]string{"hd": "*"}},
		{"the account is to be chosen", nil, func(l *connectors.Login) { l.SelectAccount = true }, map[string]string{"prompt": "select_account"}},
		{"what Google cannot do is not asked", nil, func(l *connectors.Login) {
			l.ForceLogin, l.HasMaxAge, l.ACRValues = true, true, []string{"gold"}
		}, map[string]string{"prompt": "select_account", "max_age": "", "acr_values": ""}},
		{"login_hint", nil, func(l *connectors.Login) { l.LoginHint = "ada@example.com" }, map[string]string{"login_hint": "ada@example.com"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, domains(tt.domains...))
			l := connectortest.NewLogin()
			if tt.change != nil {
				tt.change(&l)
			}
			params := b.Asked(t, l)
			for name, want := range tt.want {
				if got := params.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if _, _, err := b.SignInWith(t, l); err != nil {
				t.Error(err)
			}
		})
	}
	d := subject().Open(t, nil).Connector.Describe()
	if d.Reauthentication != connectors.ReauthImpossible || d.Type != "google" || len(d.Levels) != 0 {
		t.Errorf("got %+v", d)
	}
}

// The hint is in the words of Google's consoles; most of these codes are read off a
// page of Google's.
func TestKnownMistakes(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	for _, tt := range []struct {
		code string
		kind connectors.Kind
		hint string
	}{
		{"redirect_uri_mismatch", connectors.Operator, "Authorized redirect URIs"},
		{"invalid_client", connectors.Operator, "client_secret"},
		{"deleted_client", connectors.Operator, "restore"},
		{"disabled_client", connectors.Operator, "disabled"},
		{"admin_policy_enforced", connectors.Operator, "API controls"},
		{"org_internal", connectors.NotAllowed, "Internal"},
		{"disallowed_useragent", connectors.Declined, "embedded"},
		{"access_denied", connectors.Declined, "Test users"},
		{"restricted_client", connectors.Operator, "Data Access"},
		{"interaction_required", connectors.Interaction, ""},
	} {
		l := connectortest.NewLogin()
		// The description is Google's to reword and is not looked at.
		callback := url.Values{"state": {l.State}, "error": {tt.code}, "error_description": {"invalid_grant admin_policy_enforced"}}
		_, _, err := b.Identify(t, callback, l)
		if e := connectortest.KindOf(t, err, tt.kind); e.Code != tt.code || !strings.Contains(e.Hint, tt.hint) {
			t.Errorf("%s: got %v", tt.code, e)
		}
	}
}

// Servers that stand in for Google read the secret where Google's examples put it,
// whatever else their discovery document offers.
func TestTheSecretGoesIntoTheBody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		advertised []string
		body       bool
	}{
		{"both are offered", []string{"client_secret_basic", "client_secret_post"}, true},
		{"nothing is said", nil, true},
		{"basic alone is offered", []string{"client_secret_basic"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			b.Vendor.Edit(fake.Discovery, func(doc map[string]any) { doc["token_endpoint_auth_methods_supported"] = tt.advertised })
			b.MustSignIn(t)
			for _, r := range b.Vendor.Requests() {
				if r.Method != "POST" {
					continue
				}
				if body, header := r.Form.Has("client_secret"), r.Header.Get("Authorization") != ""; body != tt.body || header == tt.body {
					t.Errorf("the secret is in the body: %v, in the header: %v", body, header)
				}
				return
			}
			t.Error("the token endpoint was not asked")
		})
	}
}
