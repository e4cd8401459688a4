package github_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/github"
)

func TestTheReport(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, rules(
		github.Organization{Name: "acme", Teams: []github.Team{{Slug: "Platform"}, {Slug: "nobody"}}}, github.Organization{Name: "widgets-inc", ID: 5002}))
	_, up, err := b.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	r := up.Report
	if want := "GET /user/emails: the primary address, verified by GitHub"; r.EmailEvidence != want {
		t.Errorf("evidence %q", r.EmailEvidence)
	}
	if want := "GET /user/memberships/orgs (1 page), GET /user/teams (1 page)"; r.GroupSource != want {
		t.Errorf("groups from %q", r.GroupSource)
	}
	if !r.ServerTime.Equal(b.Clock.Now()) || !r.AskedAt.Equal(b.Clock.Now()) {
		t.Errorf("GitHub's clock %v, asked at %v", r.ServerTime, r.AskedAt)
	}
	want := []string{
		"The organization acme has the number 5001; with id: 5001 the rule stays about it whoever has the name.",
		"The team Platform of acme has the number 7001, for its id.",
	}
	if !slices.Equal(r.Notes, want) {
		t.Errorf("notes %q", r.Notes)
	}
	if secret, leaks := b.LeaksIn(fmt.Sprintf("%+v", r)); leaks {
		t.Errorf("the report holds %q", secret)
	}
	join(b, "ada", fake.GitHubOrganization{ID: 5004, Login: "acme-vault", SAML: true})
	if _, up, err = b.SignIn(t); err != nil || !strings.Contains(strings.Join(up.Report.Notes, " "), "SAML") {
		t.Errorf("withheld organisations are not reported: %q, %v", up.Report.Notes, err)
	}
}

func TestTheReportOfWhatIsNotRead(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Common.Scopes = []string{"read:user"}
		everybody(s)
	})
	_, up, err := b.SignIn(t)
	if err != nil || !strings.HasPrefix(up.Report.EmailEvidence, "none") || up.Report.GroupSource != "" {
		t.Errorf("got %+v, %v", up.Report, err)
	}
}

func TestKnownMistakesAreSaidInGitHubsWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code, callback string
		kind           connectors.Kind
		hints          []string
	}{
		{"redirect_uri_mismatch", "", connectors.Operator, []string{"MUST match the registered callback URL", connectortest.RedirectURI}},
		{"incorrect_client_credentials", "", connectors.Operator, []string{"client_id and/or client_secret passed are incorrect"}},
		{"bad_verification_code", "", connectors.Broken, []string{"The code passed is incorrect or expired."}},
		{"unverified_user_email", "", connectors.Declined, []string{"must have a verified primary email"}},
		{"application_suspended", "", connectors.Operator, []string{"Your application has been suspended"}},
		{"redirect_uri_mismatch", "callback", connectors.Operator, []string{"MUST match the registered callback URL", connectortest.RedirectURI}},
		{"application_suspended", "callback", connectors.Operator, []string{"Your application has been suspended"}},
		{"access_denied", "callback", connectors.Declined, []string{"denied your application access"}},
	} {
		t.Run(tt.callback+" "+tt.code, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			l := connectortest.NewLogin()
			answer := url.Values{"state": {l.State}, "error": {tt.code}, "error_description": {"prose of somebody's"}}
			if tt.callback == "" {
				answer = b.Begin(t, l)
				answers(`{"error":"` + tt.code + `","error_description":"prose of somebody's"}`)(b.Vendor)
			}
			_, _, err := b.Identify(t, answer, l)
			e := connectortest.KindOf(t, err, tt.kind)
			for _, hint := range tt.hints {
				if e.Code != tt.code || !strings.Contains(e.Hint, hint) {
					t.Errorf("got code %q, hint %q, want %q in it", e.Code, e.Hint, hint)
				}
			}
			if strings.Contains(e.Error(), "prose") {
				t.Errorf("the text that came along is passed on: %v", e)
			}
		})
	}
}

func TestApplicationsOfTheOtherKind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, app string
		isApp     bool
		want      string
	}{
		{"a GitHub App configured as an OAuth App", "oauth", true, "app: github"},
		{"an OAuth App configured as a GitHub App", "github", false, "app: oauth"},
		{"a GitHub App of which nothing is said", "", true, ""},
		{"an OAuth App of which nothing is said", "", false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, func(s *connectortest.Setup) {
				s.Vendor.GitHub.App = tt.isApp
				s.Configure = func(c connectors.Config) { c.(*github.Config).App = tt.app }
			})
			if tt.want == "" {
				b.MustSignIn(t)
				return
			}
			if e := b.Refused(t, connectors.Operator); !strings.Contains(e.Hint, tt.want) || b.Vendor.Calls(fake.GitHubUser) != 0 {
				t.Errorf("got hint %q after %d requests", e.Hint, b.Vendor.Calls(fake.GitHubUser))
			}
		})
	}
}

func TestAGitHubAppWithoutThePermissionForAddresses(t *testing.T) {
	t.Parallel()
	for _, f := range []fake.Fault{fake.Forbidden, fake.NotFound} {
		b := appSubject().Open(t, nil)
		b.Vendor.Misbehave(fake.At(fake.GitHubEmails, f))
		if e := b.Refused(t, connectors.Operator); !strings.Contains(e.Hint, "Email addresses") {
			t.Errorf("%s: got hint %q", f, e.Hint)
		}
	}
}

func TestAGitHubAppAsksForNoScopes(t *testing.T) {
	t.Parallel()
	b := appSubject().Open(t, nil)
	address, err := b.Connector.AuthorizationURL(t.Context(), connectortest.NewLogin())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Query().Has("scope") {
		t.Errorf("got %s", address)
	}
}

func TestUP14ATokenOfAnotherApplication(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Misbehave(fake.GitHubForeignToken)
	b.Refused(t, connectors.Broken)
	if n := b.Vendor.Calls(fake.GitHubEmails); n != 0 {
		t.Errorf("%d more requests were made with it", n)
	}
}

func TestASignInHasABudget(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	// Many teams, each with a parent of its own.
	b.Vendor.Update("ada", func(p *fake.Person) {
		p.GitHub.Teams = nil
		for i := range 200 {
			parent := &fake.GitHubTeam{ID: int64(20000 + i), Slug: fmt.Sprintf("parent-%d", i), Organization: acme()}
			p.GitHub.Teams = append(p.GitHub.Teams, fake.GitHubTeam{ID: int64(10000 + i), Slug: fmt.Sprintf("team-%d", i), Organization: acme(), Parent: parent})
		}
	})
	b.Refused(t, connectors.Operator)
	if n := len(b.Vendor.Requests()); n > 160 {
		t.Errorf("%d requests", n)
	}
}

func TestASecondaryLimitIsNoRefusal(t *testing.T) {
	t.Parallel()
	for m, wait := range map[fake.Misbehaviour]time.Duration{
		fake.GitHubSecondaryBare: time.Minute, fake.GitHubSecondary: 7 * time.Second, fake.GitHubAbuse: 7 * time.Second, fake.GitHubRateLimited: 30 * time.Minute,
	} {
		b := subject().Open(t, nil)
		b.Vendor.Misbehave(m)
		if e := b.Refused(t, connectors.Transient); e.RetryAfter != wait || !e.Unspent {
			t.Errorf("%s: to be left alone for %v, unspent %v", m, e.RetryAfter, e.Unspent)
		}
	}
}

func TestALimitThatIsJustOverIsNoRefusal(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Replace("/api/v3/user", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(b.Clock.Now().Unix()-1))
		w.WriteHeader(http.StatusForbidden)
	}))
	b.Refused(t, connectors.Transient)
}

func TestATokenEndpointThatLimitsUs(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Replace("/login/oauth/access_token", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "42")
		w.WriteHeader(http.StatusForbidden)
	}))
	if e := b.Refused(t, connectors.Transient); e.RetryAfter != 42*time.Second {
		t.Errorf("to be left alone for %v", e.RetryAfter)
	}
}
