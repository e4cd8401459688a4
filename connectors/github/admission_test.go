package github_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/github"
)

// lenient answers every failure to read groups with this mode.
func lenient(mode connectors.GroupFailure, list ...github.Organization) func(*connectortest.Setup) {
	return func(s *connectortest.Setup) {
		s.Common.OnGroupFailure = connectors.GroupFailures{Unavailable: mode, Denied: mode, Incomplete: mode}
		rules(list...)(s)
	}
}

func TestUP21ARuleThatCannotBeReadAdmitsNobody(t *testing.T) {
	t.Parallel()
	whole := github.Organization{Name: "acme"}
	team := github.Organization{Name: "acme", Teams: []github.Team{{Slug: "platform"}}}
	parent := github.Organization{Name: "acme", Teams: []github.Team{{Slug: "engineering"}}}
	for _, tt := range []struct {
		name  string
		rules []github.Organization
		m     fake.Misbehaviour
		// admitted is so whatever on_group_failure says, unless that is refuse.
		admitted bool
	}{
		{"memberships cannot be read", []github.Organization{whole}, fake.At(fake.GitHubMemberships, fake.ServerError), false},
		{"memberships are forbidden", []github.Organization{whole}, fake.At(fake.GitHubMemberships, fake.Forbidden), false},
		{"memberships have no end", []github.Organization{whole}, fake.GitHubEndlessPages, false},
		{"teams cannot be read, and none is asked for", []github.Organization{whole}, fake.At(fake.GitHubTeams, fake.ServerError), true},
		{"teams are forbidden, and none is asked for", []github.Organization{whole}, fake.At(fake.GitHubTeams, fake.Forbidden), true},
		{"teams cannot be read, and one is asked for", []github.Organization{team}, fake.At(fake.GitHubTeams, fake.ServerError), false},
		{"lists are partial, and the team shows", []github.Organization{team}, fake.GitHubUnknownSSO, true},
		{"lists are partial, and the team does not show", []github.Organization{parent}, fake.GitHubUnknownSSO, false},
		{"a parent team hides, and it is asked for", []github.Organization{parent}, fake.GitHubSecretParents, false},
		{"a parent team hides, and none is asked for", []github.Organization{whole}, fake.GitHubSecretParents, true},
		{"one of two rules cannot be read", []github.Organization{{Name: "other"}, whole}, fake.At(fake.GitHubMembershipOf, fake.Forbidden), true},
		{"the answer about teams is nonsense, and none is asked for", []github.Organization{whole}, fake.At(fake.GitHubTeams, fake.HTMLBody), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, mode := range []connectors.GroupFailure{connectors.RefuseSignIn, connectors.NoGroups, connectors.KeepLast} {
				b := subject().Open(t, lenient(mode, tt.rules...))
				b.Vendor.Misbehave(tt.m)
				id, _, err := b.SignIn(t)
				if want := tt.admitted && mode != connectors.RefuseSignIn; want != (err == nil) {
					t.Errorf("%s: got %v", mode, err)
				}
				if err == nil && (len(id.Profile.Groups) != 0 || id.KeepGroups != (mode == connectors.KeepLast)) {
					t.Errorf("%s: got groups %q, kept %v", mode, id.Profile.Groups, id.KeepGroups)
				}
			}
		})
	}
}

func TestUP21OneRuleThatAdmitsIsEnough(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, lenient(connectors.NoGroups, github.Organization{Name: "acme-vault"}, github.Organization{Name: "acme"}))
	join(b, "ada", fake.GitHubOrganization{ID: 5004, Login: "acme-vault", SAML: true})
	if id := b.MustSignIn(t); len(id.Profile.Groups) != 0 {
		t.Errorf("a partial list became %q", id.Profile.Groups)
	}
	// But one that cannot be read is none.
	b.Vendor.SignInAs("finn")
	b.Refused(t, connectors.Operator)
}

func TestMembershipsThatDoNotShow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		s      connectortest.Subject
		change func(*connectortest.Bench)
		kind   connectors.Kind
		hint   string
	}{
		{"the OAuth app is not approved", oauthSubject(), restrict, connectors.Operator, "OAuth app policy"},
		{"the OAuth app is not approved, and the membership is 404", oauthSubject(), func(b *connectortest.Bench) {
			restrict(b)
			b.Vendor.Misbehave(fake.GitHubHidden)
		}, connectors.Operator, "OAuth app policy"},
		{"the GitHub App is not installed", appSubject(), func(b *connectortest.Bench) { b.Vendor.Misbehave(fake.GitHubNotInstalled) }, connectors.Operator, "install the GitHub App"},
		{"the GitHub App is not installed, and the membership is 404", appSubject(), func(b *connectortest.Bench) {
			b.Vendor.Misbehave(fake.GitHubNotInstalled, fake.GitHubHidden)
		}, connectors.Operator, "install the GitHub App"},
		{"SAML, and the membership is 404", subject(), func(b *connectortest.Bench) {
			b.Vendor.Update("ada", func(p *fake.Person) { p.GitHub.Organizations[0].Organization.SAML = true })
			b.Vendor.Misbehave(fake.GitHubHidden)
		}, connectors.Operator, "SAML"},
		{"the organisation has another name", subject(), func(b *connectortest.Bench) { call(b, map[int64]string{5001: "acme-now"}) }, connectors.Operator, "no organisation acme"},
		{"the person is not a member", subject(), func(b *connectortest.Bench) { b.Vendor.SignInAs("dana") }, connectors.NotAllowed, "not an active member"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := tt.s.Open(t, nil)
			tt.change(b)
			if e := b.Refused(t, tt.kind); !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("got hint %q, want something with %q", e.Hint, tt.hint)
			}
		})
	}
}

// restrict makes acme one that has not approved the OAuth app.
func restrict(b *connectortest.Bench) {
	for _, someone := range b.Vendor.People() {
		b.Vendor.Update(someone.ID, func(p *fake.Person) {
			for i := range p.GitHub.Organizations {
				p.GitHub.Organizations[i].Organization.Restricted = true
			}
		})
	}
}

func TestAGitHubAppKnowsStrangersOnceItHasSeenAMember(t *testing.T) {
	t.Parallel()
	b := appSubject().Open(t, nil)
	b.Vendor.SignInAs("dana")
	b.Refused(t, connectors.Operator)
	if err := b.Connector.Check(t.Context()); err != nil {
		t.Errorf("a stranger made the connector unhealthy: %v", err)
	}
	b.Vendor.SignInAs("ada")
	b.MustSignIn(t)
	b.Vendor.SignInAs("dana")
	b.Refused(t, connectors.NotAllowed)
}

func TestSAMLSaysNothingAboutTheConnector(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, rules(github.Organization{Name: "acme-vault"}))
	b.Vendor.SignInAs("finn")
	b.Refused(t, connectors.Operator)
	if err := b.Connector.Check(t.Context()); err != nil {
		t.Errorf("one person's session made the connector unhealthy: %v", err)
	}
}

func TestTheAddressOfASAMLSignInIsGitHubs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, header, shown string }{
		{"GitHub's", "required; url={base}/orgs/acme-vault/sso?authorization_request=secret-request", "{base}/orgs/acme-vault/sso"},
		{"another host", "required; url=https://evil.example/orgs/acme-vault/sso", ""},
		{"a host that looks alike", "required; url={base}.evil.example/orgs/acme-vault/sso", ""},
		{"with user information", "required; url=http://github.com@evil.example/orgs/acme-vault/sso", ""},
		{"another page", "required; url={base}/login/oauth/authorize", ""},
		{"another page of the organisation", "required; url={base}/orgs/acme-vault/people", ""},
		{"the organisation's page", "required; url={base}/orgs/acme-vault", ""},
		{"a page that only ends alike", "required; url={base}/acme-vault/sso", ""},
		{"a way out of the path", "required; url={base}/orgs/../../evil/sso", ""},
		{"another scheme", "required; url=javascript:alert(1)", ""},
		{"none", "required", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, rules(github.Organization{Name: "acme-vault"}))
			b.Vendor.SignInAs("finn")
			b.Vendor.Replace("/api/v3/user/memberships/orgs/acme-vault", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-GitHub-SSO", strings.ReplaceAll(tt.header, "{base}", b.URL))
				w.WriteHeader(http.StatusForbidden)
			}))
			e := b.Refused(t, connectors.Operator)
			_, shown, _ := strings.Cut(e.Hint, "sign in here again")
			if want := strings.ReplaceAll(tt.shown, "{base}", b.URL); strings.TrimPrefix(shown, ": ") != want || e.Code != "sso_required" {
				t.Errorf("got %q in %q", shown, e.Hint)
			}
			if strings.Contains(e.Error(), "secret-request") || strings.Contains(e.Error(), "evil") {
				t.Errorf("the error repeats what was sent: %v", e)
			}
		})
	}
}

func TestOrganisationsWithoutANumberAreNone(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"in the list":  `[{"state":"active","organization":{"login":"acme"}}]`,
		"zero":         `[{"state":"active","organization":{"login":"acme","id":0}}]`,
		"no such list": `[]`,
	} {
		b := subject().Open(t, nil)
		b.Vendor.Replace("/api/v3/user/memberships/orgs", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		b.Vendor.Replace("/api/v3/user/memberships/orgs/acme", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"state":"active","organization":{"login":"acme","id":0}}`)
		}))
		if _, _, err := b.SignIn(t); err == nil {
			t.Errorf("%s: signed in", name)
		} else {
			connectortest.KindOf(t, err, connectors.Broken)
		}
	}
}

func TestUP21AnInvitationInAListOfActiveMembershipsIsStillNone(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.SignInAs("ben")
	b.Vendor.Replace("/api/v3/user/memberships/orgs", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `[{"state":"pending","organization":{"login":"acme","id":5001}}]`)
	}))
	b.Refused(t, connectors.NotAllowed)
}

func TestTeamsThatLeadInCircles(t *testing.T) {
	t.Parallel()
	for name, parent := range map[string]string{
		"its own parent": `{"id":7001,"slug":"platform","parent":{"id":7001,"slug":"platform"}}`,
		"its own child":  `{"id":7001,"slug":"platform","parent":{"id":7002,"slug":"site-reliability"}}`,
	} {
		b := subject().Open(t, nil)
		b.Vendor.Replace("/api/v3/organizations/5001/team/7001", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, parent) }))
		if got := b.MustSignIn(t).Profile.Groups; !slices.Equal(got, []string{"up:acme", "up:acme:site-reliability", "up:acme:platform"}) {
			t.Errorf("%s: got groups %q", name, got)
		}
	}
	for name, parent := range map[string]string{
		"another team":              `{"id":7005,"slug":"platform","parent":null}`,
		"another organisation":      `{"id":7001,"slug":"platform","organization":{"id":5002},"parent":null}`,
		"a parent without a number": `{"id":7001,"slug":"platform","parent":{"slug":"owners"}}`,
	} {
		b := subject().Open(t, nil)
		b.Vendor.Replace("/api/v3/organizations/5001/team/7001", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, parent) }))
		_, _, err := b.SignIn(t)
		if err == nil {
			t.Errorf("%s: signed in", name)
			continue
		}
		connectortest.KindOf(t, err, connectors.Broken)
	}
}
