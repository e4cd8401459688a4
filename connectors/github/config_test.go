package github_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/github"
)

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
		{"an assurance table", func(c *github.Config) {
			c.Assurance = connectors.Assurance{{Level: "gold", ACR: []string{"x"}}}
		}, []string{"assurance"}},
		{"addresses that are verified elsewhere, at github.com", func(c *github.Config) { c.EmailsAreVerified = true }, []string{"emails_are_verified"}},
		{"addresses that are verified elsewhere, at ghe.com", func(c *github.Config) {
			c.BaseURL, c.EmailsAreVerified = "https://acme.ghe.com", true
		}, []string{"emails_are_verified"}},
		{"addresses that are verified elsewhere, at a server", func(c *github.Config) {
			c.BaseURL, c.EmailsAreVerified = "https://ghes.example", true
		}, nil},
		{"an application of neither kind", func(c *github.Config) { c.App = "gitlab" }, []string{"app"}},
		{"scopes of a GitHub App", func(c *github.Config) { c.App, c.Scopes = "github", []string{"read:org"} }, []string{"scopes"}},
		{"groups of neither kind", func(c *github.Config) { c.GroupNames = "slugs" }, []string{"group_names"}},
		{"an organisation's number twice", func(c *github.Config) {
			c.Organizations = []github.Organization{{Name: "acme", ID: 5}, {Name: "other", ID: 5}, {Name: "third"}, {Name: "fourth"}}
		}, []string{"organizations[1].id"}},
		{"a team twice", func(c *github.Config) {
			c.Organizations = []github.Organization{{Name: "acme", Teams: []github.Team{{Slug: "a", ID: 1}, {Slug: "A"}, {Slug: "b", ID: 1}, {Slug: "c"}}}}
		}, []string{"organizations[0].teams[1]", "organizations[0].teams[2]"}},
		{"a team's negative number", func(c *github.Config) {
			c.Organizations = []github.Organization{{Name: "acme", Teams: []github.Team{{Slug: "a", ID: -1}}}}
		}, []string{"organizations[0].teams[0].id"}},
		{"ghe.com without a subdomain", func(c *github.Config) { c.BaseURL = "https://ghe.com" }, []string{"base_url"}},
		{"ghe.com with a path", func(c *github.Config) { c.BaseURL = "https://acme.ghe.com/api/v3" }, []string{"base_url"}},
		{"github.com with a path", func(c *github.Config) { c.BaseURL = "https://github.com/acme" }, []string{"base_url"}},
		{"www.github.com", func(c *github.Config) { c.BaseURL = "https://www.github.com" }, []string{"base_url"}},
		{"ghe.com taken for a server", func(c *github.Config) {
			c.BaseURL, c.APIURL = "https://acme.ghe.com", "https://acme.ghe.com/api/v3"
		}, []string{"api_url"}},
		{"ghe.com with the API of github.com", func(c *github.Config) {
			c.BaseURL, c.APIURL = "https://acme.ghe.com", "https://api.github.com"
		}, []string{"api_url"}},
		{"ghe.com with its own API", func(c *github.Config) {
			c.BaseURL, c.APIURL = "https://acme.ghe.com", "https://api.acme.ghe.com/"
		}, nil},
		{"no secret", func(c *github.Config) { c.ClientSecret = nil }, []string{"client_secret"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &github.Config{Common: connectors.Common{ID: "github", ClientID: "c", ClientSecret: connectors.Secrets{"s"}}}
			tt.change(c)
			connectortest.Problems(t, c, tt.paths)
		})
	}
}

func TestRulesAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.yaml")
	file := `issuer: https://sso.example.com
storage: {type: bolt, path: broker.db}
secret_key: file:broker.key
connectors:
  - id: hub
    type: github
    client_id: c
    client_secret: [env:NEW, env:OLD]
    app: github
    group_names: ids
    base_url: https://ghes.example
    emails_are_verified: true
    on_group_failure: {unavailable: keep_last}
    organizations:
      - name: acme
        id: 5001
        teams: [platform, {slug: admins, id: 7200}]
      - {name: widgets-inc}
`
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := configs.Parse(path, configs.Types{"github": func() connectors.Config { return new(github.Config) }})
	if err != nil {
		t.Fatal(err)
	}
	c := loaded.Connectors[0].(*github.Config)
	want := []github.Organization{
		{Name: "acme", ID: 5001, Teams: []github.Team{{Slug: "platform"}, {Slug: "admins", ID: 7200}}}, {Name: "widgets-inc"},
	}
	if !reflect.DeepEqual(c.Organizations, want) || c.App != "github" || c.GroupNames != "ids" || !c.EmailsAreVerified {
		t.Errorf("got %+v", c)
	}
	var warned []string
	for _, w := range c.Warnings() {
		warned = append(warned, w.Path)
	}
	if want := []string{"emails_are_verified", "organizations[0].teams[0]", "organizations[1]"}; !slices.Equal(warned, want) {
		t.Errorf("warned of %q, want %q", warned, want)
	}
}

// apart is a connector whose API is served by a host of its own, as at github.com
// and SUB.ghe.com.
func apart(t *testing.T, change func(*github.Config)) *connectortest.Bench {
	t.Helper()
	var vendor *fake.GitHub
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { vendor.API().ServeHTTP(w, r) }))
	t.Cleanup(api.Close)
	s := subject()
	s.Fake = func(o fake.Options) *fake.Provider {
		vendor = fake.NewGitHub(o)
		vendor.SetAPIURL(api.URL)
		return vendor.Provider
	}
	return s.Open(t, func(setup *connectortest.Setup) {
		setup.Configure = func(c connectors.Config) {
			config := c.(*github.Config)
			config.APIURL = api.URL
			if change != nil {
				change(config)
			}
		}
	})
}

func TestTheAPIMayHaveAHostOfItsOwn(t *testing.T) {
	t.Parallel()
	b := apart(t, nil)
	b.Vendor.SignInAs("eve") // whose lists have two pages each
	id, up, err := b.SignIn(t)
	if err != nil || !slices.Equal(id.Profile.Groups, []string{"up:acme", "up:acme:admins"}) || id.Key.Issuer != b.URL {
		t.Fatalf("got %+v, %v", id, err)
	}
	base := strings.TrimPrefix(b.URL, "http://")
	for _, r := range b.Vendor.Requests() {
		signIn := strings.HasPrefix(r.Path, "/login/oauth/")
		if strings.Contains(r.Path, "/api/v3") || signIn != (r.Host == base) {
			t.Errorf("%s was asked at %s", r.Path, r.Host)
		}
	}
	// The check of a token belongs to the API as well.
	b.Vendor.RevokeTokens("eve")
	_, _, err = b.Connector.(connectors.Refresher).Refresh(t.Context(), id, up)
	connectortest.KindOf(t, err, connectors.Gone)
	if n := b.Vendor.Calls(fake.GitHubApplications); n != 1 {
		t.Errorf("the token was checked %d times", n)
	}
}

func TestServersThatDoNotVerifyAddresses(t *testing.T) {
	t.Parallel()
	for _, verified := range []bool{false, true} {
		b := apart(t, func(c *github.Config) { c.EmailsAreVerified = verified })
		b.Vendor.Misbehave(fake.GitHubUnverifiedEmails)
		id, up, err := b.SignIn(t)
		if err != nil || id.Profile.Email != "ada@example.com" || (id.Profile.EmailTrust == broker.EmailVerified) != verified {
			t.Errorf("%v: got %q, %s, %v", verified, id.Profile.Email, id.Profile.EmailTrust, err)
		}
		if strings.Contains(up.Report.EmailEvidence, "emails_are_verified") != verified {
			t.Errorf("%v: the evidence is said to be %q", verified, up.Report.EmailEvidence)
		}
		// Nobody reads what is sent to a noreply address, verified or not.
		b.Vendor.Update("ada", func(p *fake.Person) {
			p.GitHub.Emails = []fake.GitHubEmail{{Email: "1+a@users.noreply.ghes.example", Primary: true}}
		})
		id, up, err = b.SignIn(t)
		if err != nil || id.Profile.Email != "" || id.Profile.EmailTrust != broker.EmailUnknown || strings.Contains(up.Report.EmailEvidence, "verified") {
			t.Errorf("%v: got %q, %s, %q, %v", verified, id.Profile.Email, id.Profile.EmailTrust, up.Report.EmailEvidence, err)
		}
	}
}

func TestWhatAConnectorSaysOfItself(t *testing.T) {
	t.Parallel()
	grace := 5 * time.Minute
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Common.Domains, s.Common.RecheckInterval, s.Common.OutageGrace = []string{"acme.example"}, time.Hour, &grace
		s.Common.ClientSecretExpires = connectors.Date{Time: lastDay()}
	})
	d := b.Connector.Describe()
	if !slices.Equal(d.Domains, []string{"acme.example"}) || d.Recheck != (connectors.Recheck{Interval: time.Hour, OutageGrace: grace}) || len(d.Levels) != 0 {
		t.Errorf("got %+v", d)
	}
	ends := b.Connector.(connectors.Expirer).Expirations()
	if len(ends) != 1 || ends[0].What != "client_secret" || !ends[0].At.Equal(lastDay()) {
		t.Errorf("got %+v", ends)
	}
}

func lastDay() time.Time { return time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC) }
