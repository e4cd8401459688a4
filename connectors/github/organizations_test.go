package github_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/github"
)

// rules admits by these rules.
func rules(list ...github.Organization) func(*connectortest.Setup) {
	return func(s *connectortest.Setup) {
		s.Configure = func(c connectors.Config) { c.(*github.Config).Organizations = list }
	}
}

func TestUP21RulesOfAdmission(t *testing.T) {
	t.Parallel()
	acme := github.Organization{Name: "acme"}
	for _, tt := range []struct {
		name   string
		person string
		rules  []github.Organization
		groups []string // nil: not admitted
	}{
		{"a member", "ada", []github.Organization{acme}, []string{"up:acme", "up:acme:site-reliability", "up:acme:platform"}},
		{"case does not count, and the rule's spelling is the group's", "ada", []github.Organization{{Name: "ACME"}}, []string{"up:ACME", "up:ACME:site-reliability", "up:ACME:platform"}},
		{"a pending invitation is not membership", "ben", []github.Organization{acme}, nil},
		{"a member without a team", "chloe", []github.Organization{acme}, []string{"up:acme"}},
		{"a member without the team", "chloe", []github.Organization{{Name: "acme", Teams: []github.Team{{Slug: "platform"}}}}, nil},
		{"the team", "ada", []github.Organization{{Name: "acme", Teams: []github.Team{{Slug: "site-reliability"}}}}, []string{"up:acme", "up:acme:site-reliability", "up:acme:platform"}},
		{"the parent of the team", "ada", []github.Organization{{Name: "acme", Teams: []github.Team{{Slug: "Platform"}}}}, []string{"up:acme", "up:acme:site-reliability", "up:acme:platform"}},
		{"nobody's organisation", "dana", []github.Organization{acme}, nil},
		{"one of two organisations", "ada", []github.Organization{{Name: "other"}, acme}, []string{"up:acme", "up:acme:site-reliability", "up:acme:platform"}},
		{"behind 129 others", "eve", []github.Organization{acme}, []string{"up:acme", "up:acme:admins"}},
		{"the same slug elsewhere is another team", "eve", []github.Organization{{Name: "club-000", Teams: []github.Team{{Slug: "admins"}}}}, nil},
		{"the same slug in two organisations", "eve", []github.Organization{{Name: "acme", Teams: []github.Team{{Slug: "admins"}}}, {Name: "widgets-inc", Teams: []github.Team{{Slug: "nobody"}}}}, []string{"up:acme", "up:acme:admins", "up:widgets-inc", "up:widgets-inc:admins"}},
		{"UP-19 the number that was meant", "ada", []github.Organization{{Name: "acme", ID: 5001}}, []string{"up:acme", "up:acme:site-reliability", "up:acme:platform"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, rules(tt.rules...))
			b.Vendor.SignInAs(tt.person)
			if tt.groups == nil {
				b.Refused(t, connectors.NotAllowed)
				return
			}
			if got := b.MustSignIn(t).Profile.Groups; !slices.Equal(got, tt.groups) {
				t.Errorf("got groups %q, want %q", got, tt.groups)
			}
		})
	}
}

func TestUP19ANameThatChangedHands(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, rules(github.Organization{Name: "acme", ID: 4999}))
	b.Refused(t, connectors.Operator)
}

func TestUP21OrganisationsThatAreHidden(t *testing.T) {
	t.Parallel()
	t.Run("SAML is due", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, rules(github.Organization{Name: "acme-vault"}))
		b.Vendor.SignInAs("finn")
		if e := b.Refused(t, connectors.Operator); e.Code != "sso_required" {
			t.Errorf("got code %q", e.Code)
		}
	})
	t.Run("SAML is due, and the person is in another organisation of the rules", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, rules(github.Organization{Name: "acme-vault"}, github.Organization{Name: "acme"}))
		join(b, "ada", fake.GitHubOrganization{ID: 5004, Login: "acme-vault", SAML: true})
		if e := b.Refused(t, connectors.Operator); e.Code != "sso_required" {
			t.Errorf("got code %q", e.Code)
		}
	})
	t.Run("SAML of an organisation that is nobody's business", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, nil)
		join(b, "ada", fake.GitHubOrganization{ID: 5004, Login: "acme-vault", SAML: true})
		b.MustSignIn(t)
	})
	t.Run("the organisation has not approved the app", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, rules(github.Organization{Name: "shy"}))
		join(b, "ada", fake.GitHubOrganization{ID: 5005, Login: "shy", Restricted: true})
		b.Refused(t, connectors.Operator)
	})
	t.Run("all groups are wanted and some withheld", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, func(s *connectortest.Setup) {
			s.Common.Scopes = []string{"read:user", "user:email", "read:org"}
			rules()(s)
		})
		if g := b.MustSignIn(t).Profile.Groups; len(g) != 3 {
			t.Errorf("got groups %q", g)
		}
		b.Vendor.Misbehave(fake.GitHubPartial)
		if e := b.Refused(t, connectors.Operator); e.Code != "sso_required" {
			t.Errorf("got code %q", e.Code)
		}
	})
}

// join makes a person a member of another organisation.
func join(b *connectortest.Bench, person string, org fake.GitHubOrganization) {
	b.Vendor.Update(person, func(p *fake.Person) {
		p.GitHub.Organizations = append(p.GitHub.Organizations, fake.GitHubMembership{Organization: org})
	})
}

func TestUP21WithheldEntriesOfAnOrganisationOfTheRules(t *testing.T) {
	t.Parallel()
	for header, fine := range map[string]bool{
		"":                                      true,
		"partial-results; organizations=1,2":    true,
		"partial-results; organizations=1,5001": false,
		"partial-results; organizations=":       false,
		"partial-results":                       false,
		"partial-results; organizations=acme":   false,
		"something new":                         false,
	} {
		b := subject().Open(t, nil)
		b.Vendor.Replace("/api/v3/user/teams", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if header != "" {
				w.Header().Set("X-GitHub-SSO", header)
			}
			fmt.Fprint(w, "[]")
		}))
		if _, _, err := b.SignIn(t); fine != (err == nil) {
			t.Errorf("%q: got %v", header, err)
		}
	}
}

func TestUP21AListThatCannotBeReadIsNotAShorterOne(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		m    fake.Misbehaviour
		kind connectors.Kind
	}{
		{"rate limit", fake.GitHubRateLimited, connectors.Transient},
		{"secondary limit", fake.GitHubSecondary, connectors.Transient},
		{"SAML for everything", fake.GitHubSAMLRequired, connectors.Operator},
		{"the next page elsewhere", fake.GitHubLinkElsewhere, connectors.Broken},
		{"pages without end", fake.GitHubEndlessPages, connectors.Broken},
		{"memberships forbidden", fake.At(fake.GitHubMemberships, fake.Forbidden), connectors.Operator},
		{"teams forbidden", fake.At(fake.GitHubTeams, fake.Forbidden), connectors.Operator},
		{"memberships not found", fake.At(fake.GitHubMemberships, fake.NotFound), connectors.Operator},
		{"teams not found", fake.At(fake.GitHubTeams, fake.NotFound), connectors.Operator},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
			t.Cleanup(stranger.Close)
			b := subject().Open(t, nil)
			b.Vendor.SetElsewhere(stranger.URL)
			b.Vendor.Misbehave(tt.m)
			e := b.Refused(t, tt.kind)
			switch tt.m {
			case fake.GitHubRateLimited:
				if e.RetryAfter != 30*time.Minute {
					t.Errorf("to be left alone for %v", e.RetryAfter)
				}
			case fake.GitHubSecondary:
				if e.RetryAfter != 7*time.Second {
					t.Errorf("to be left alone for %v", e.RetryAfter)
				}
			}
		})
	}
}

func TestOneMembershipThatCannotBeReadIsNotNone(t *testing.T) {
	t.Parallel()
	for f, kind := range map[fake.Fault]connectors.Kind{
		fake.ServerError: connectors.Transient, fake.Forbidden: connectors.Operator, fake.HTMLBody: connectors.Broken, fake.EmptyBody: connectors.Broken,
	} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			b.Vendor.SignInAs("dana") // who is in no list, so that acme is asked for by itself
			b.Vendor.Misbehave(fake.At(fake.GitHubMembershipOf, f))
			b.Refused(t, kind)
		})
	}
}

func TestAMembershipOfAnotherOrganisationIsNoAnswer(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.SignInAs("dana")
	b.Vendor.Replace("/api/v3/user/memberships/orgs/acme", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"state":"active","organization":{"login":"evil","id":1}}`)
	}))
	b.Refused(t, connectors.Broken)
}

func TestAnOrganisationThatWasRenamed(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.SignInAs("dana")
	b.Vendor.Replace("/api/v3/user/memberships/orgs/acme", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/organizations/5001", http.StatusMovedPermanently)
	}))
	if e := b.Refused(t, connectors.Operator); !strings.Contains(e.Hint, "another name") {
		t.Errorf("got hint %q", e.Hint)
	}
}
