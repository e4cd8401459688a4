package github_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/github"
)

// answers makes the token endpoint answer this, with status 200.
func answers(body string) func(*fake.Provider) {
	return func(v *fake.Provider) {
		v.Replace("/login/oauth/access_token", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			fmt.Fprint(w, body)
		}))
	}
}

func TestErrorsThatComeWithStatus200(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		vendor func(*fake.Provider)
		kind   connectors.Kind
		code   string
	}{
		{"the code is not good", func(v *fake.Provider) { v.Misbehave(fake.CodeAlreadyRedeemed) }, connectors.Broken, "bad_verification_code"},
		{"the code is not good, as a form", func(v *fake.Provider) { v.Misbehave(fake.CodeAlreadyRedeemed, fake.GitHubFormAnswer) }, connectors.Broken, "bad_verification_code"},
		{"the secret is not good", func(v *fake.Provider) { v.Misbehave(fake.GitHubBadSecret) }, connectors.Operator, "incorrect_client_credentials"},
		{"no verified address", func(v *fake.Provider) { v.Misbehave(fake.GitHubUnverifiedAccount) }, connectors.Declined, "unverified_user_email"},
		{"another callback", answers(`{"error":"redirect_uri_mismatch"}`), connectors.Operator, "redirect_uri_mismatch"},
		{"an unknown error with hostile text", answers(`{"error":"<b>","error_description":"x"}`), connectors.Broken, ""},
		{"an error beside a token", answers(`{"error":"bad_verification_code","access_token":"gho_secret-in-answer","token_type":"bearer"}`), connectors.Broken, "bad_verification_code"},
		{"a token twice", answers(`{"access_token":"gho_secret-one","access_token":"gho_secret-two","token_type":"bearer"}`), connectors.Broken, ""},
		{"a token in another case", answers(`{"ACCESS_TOKEN":"gho_secret-one","token_type":"bearer"}`), connectors.Broken, ""},
		{"a form with a token twice", answers(`access_token=gho_one&access_token=gho_two&token_type=bearer`), connectors.Broken, ""},
		{"prose", answers(`sorry`), connectors.Broken, ""},
		{"nothing", answers(``), connectors.Broken, ""},
		{"null", answers(`null`), connectors.Broken, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			tt.vendor(b.Vendor)
			if e := b.Refused(t, tt.kind); e.Code != tt.code {
				t.Errorf("got code %q (%v), want %q", e.Code, e, tt.code)
			}
			if n := b.Vendor.Calls(fake.GitHubUser); n != 0 {
				t.Errorf("the API was asked %d times", n)
			}
		})
	}
}

func TestAnUnknownClientIsAnsweredWith404(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Misbehave(fake.At(fake.Token, fake.NotFound))
	b.Refused(t, connectors.Operator)
}

func TestErrorsOfTheCallback(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	for code, kind := range map[string]connectors.Kind{
		"access_denied": connectors.Declined, "application_suspended": connectors.Operator, "redirect_uri_mismatch": connectors.Operator,
	} {
		l := connectortest.NewLogin()
		_, _, err := b.Identify(t, url.Values{"state": {l.State}, "error": {code}, "error_description": {"text"}}, l)
		if e := connectortest.KindOf(t, err, kind); e.Code != code {
			t.Errorf("%s: got code %q", code, e.Code)
		}
	}
}

func TestATokenMayComeAsAForm(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Misbehave(fake.GitHubFormAnswer)
	_, up, err := b.SignIn(t)
	if err != nil || !slices.Contains(up.Scopes, "read:org") || !slices.Contains(up.Scopes, "user:email") {
		t.Errorf("got scopes %q, %v", up.Scopes, err)
	}
}

func TestLessScopeThanIsNeeded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scope any
		fine  bool
	}{
		{"read:org,user:email,read:user", true}, {"admin:org,user", true}, {"write:org,user:email", true}, {"read:org user", true}, {nil, true},
		{"", false}, {"user:email", false}, {"read:org", false}, {"read:org,read:user", false}, {"user:email,repo", false}, {"read:orgs,user:email", false},
	} {
		b := subject().Open(t, nil)
		b.Vendor.Edit(fake.Token, func(doc map[string]any) {
			if doc["scope"] = tt.scope; tt.scope == nil {
				delete(doc, "scope")
			}
		})
		_, _, err := b.SignIn(t)
		if tt.fine != (err == nil) {
			t.Errorf("scope %v: got %v", tt.scope, err)
		}
		if !tt.fine {
			if e := connectortest.KindOf(t, err, connectors.Declined); e.Code != "insufficient_scope" || b.Vendor.Calls(fake.GitHubUser) != 0 {
				t.Errorf("scope %v: got %v after %d requests", tt.scope, e, b.Vendor.Calls(fake.GitHubUser))
			}
		}
	}
}

func TestScopesThatAreMissingInTruth(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Misbehave(fake.GitHubHollowScope)
	b.Refused(t, connectors.Operator)
}

func TestGitHubAppsHaveNoScopes(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) { s.Vendor.GitHub.App = true })
	_, up, err := b.SignIn(t)
	if err != nil || up.RefreshToken == "" || !up.Expiry.After(b.Clock.Now()) {
		t.Errorf("got %v, expiry %v", err, up.Expiry)
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, base, api, wantBase, wantAPI string }{
		{"github.com", "", "", "https://github.com", "https://api.github.com"},
		{"github.com spelled out", "https://GitHub.com:443/", "", "https://github.com", "https://api.github.com"},
		{"data residency", "https://acme.ghe.com", "", "https://acme.ghe.com", "https://api.acme.ghe.com"},
		{"an Enterprise Server", "https://ghes.example/", "", "https://ghes.example", "https://ghes.example/api/v3"},
		{"an Enterprise Server at a port", "https://ghes.example:8443", "", "https://ghes.example:8443", "https://ghes.example:8443/api/v3"},
		{"a host that ends alike", "https://fake-ghe.com", "", "https://fake-ghe.com", "https://fake-ghe.com/api/v3"},
		{"an API of its own", "https://ghes.example", "https://api.ghes.example/", "https://ghes.example", "https://api.ghes.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &github.Config{Common: connectors.Common{ID: "github", ClientID: "c", ClientSecret: connectors.Secrets{"s"}}, BaseURL: tt.base, APIURL: tt.api}
			if problems := c.Validate(); len(problems) > 0 {
				t.Fatal(problems)
			}
			opened, err := c.Open(connectors.Environment{Resolve: func(s string) (string, error) { return s, nil }})
			if err != nil {
				t.Fatal(err)
			}
			if base, api := github.Addresses(opened); base != tt.wantBase || api != tt.wantAPI {
				t.Errorf("got %s and %s", base, api)
			}
			if d := opened.Describe(); d.Reauthentication != connectors.ReauthImpossible || d.Type != "github" {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	l := connectortest.NewLogin()
	l.SelectAccount, l.LoginHint, l.ForceLogin, l.HasMaxAge, l.ACRValues = true, "ada-winter", true, true, []string{"gold"}
	address, err := b.Connector.AuthorizationURL(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"prompt": "select_account", "login": "ada-winter", "scope": "read:user user:email read:org",
		"max_age": "", "acr_values": "", "nonce": "", "login_hint": "",
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*github.Config)
		paths  []string
	}{
		{"nothing but the registration", func(*github.Config) {}, nil},
		{"rules", func(c *github.Config) {
			c.Organizations = []github.Organization{{Name: "acme", ID: 5001, Teams: []github.Team{{Slug: "platform"}}}, {Name: "Widgets-Inc"}}
		}, nil},
		{"an organisation without a name", func(c *github.Config) { c.Organizations = []github.Organization{{}} }, []string{"organizations[0].name"}},
		{"a path for a name", func(c *github.Config) { c.Organizations = []github.Organization{{Name: "acme/../other"}} }, []string{"organizations[0].name"}},
		{"dots for a name", func(c *github.Config) { c.Organizations = []github.Organization{{Name: ".."}} }, []string{"organizations[0].name"}},
		{"an organisation twice", func(c *github.Config) { c.Organizations = []github.Organization{{Name: "acme"}, {Name: "ACME"}} }, []string{"organizations[1].name"}},
		{"a team's name for its slug", func(c *github.Config) {
			c.Organizations = []github.Organization{{Name: "acme", Teams: []github.Team{{Slug: "Site Reliability"}}}}
		}, []string{"organizations[0].teams[0]"}},
		{"a negative number", func(c *github.Config) { c.Organizations = []github.Organization{{Name: "acme", ID: -1}} }, []string{"organizations[0].id"}},
		{"the API for the base", func(c *github.Config) { c.BaseURL = "https://api.github.com" }, []string{"base_url"}},
		{"the base over http", func(c *github.Config) { c.BaseURL = "http://ghes.example" }, []string{"base_url"}},
		{"the API over http", func(c *github.Config) { c.APIURL = "http://ghes.example/api/v3" }, []string{"api_url"}},
		{"trusted domains at github.com", func(c *github.Config) { c.TrustedEmailDomains = []string{"acme.example"} }, []string{"trusted_email_domains"}},
		{"trusted domains at a server", func(c *github.Config) {
			c.BaseURL, c.TrustedEmailDomains = "https://ghes.example", []string{"acme.example"}
		}, nil},
		{"no secret", func(c *github.Config) { c.ClientSecret = nil }, []string{"client_secret"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &github.Config{Common: connectors.Common{ID: "github", ClientID: "c", ClientSecret: connectors.Secrets{"s"}}}
			tt.change(c)
			var paths []string
			for _, p := range c.Validate() {
				paths = append(paths, p.Path)
			}
			if !slices.Equal(paths, tt.paths) {
				t.Errorf("got problems at %q, want %q", paths, tt.paths)
			}
		})
	}
}
