package github_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/github"
)

// subject is the connector in front of an emulated Enterprise Server, whose
// organisation acme it admits.
func subject() connectortest.Subject {
	return connectortest.Subject{
		Fake: func(o fake.Options) *fake.Provider { return fake.NewGitHub(o).Provider },
		Config: func(c connectors.Common, base string) connectors.Config {
			return &github.Config{Common: c, BaseURL: base, Organizations: []github.Organization{{Name: "acme"}}}
		},
		Person: "ada", Other: "chloe",
		Key: func(p fake.Person, base string) (string, string) {
			return base, strconv.FormatInt(p.GitHub.ID, 10)
		},
		Groups: []string{"acme", "acme:site-reliability", "acme:platform"},
		Calls: map[fake.Endpoint]int{
			fake.Token: 1, fake.GitHubUser: 1, fake.GitHubEmails: 1, fake.GitHubMemberships: 1, fake.GitHubTeams: 1,
			// The parent of a team is remembered from the sign-in before.
			fake.GitHubTeamByID: 0,
		},
		Recheck: &connectortest.Recheck{
			Calls: map[fake.Endpoint]int{
				fake.GitHubUser: 1, fake.GitHubEmails: 1, fake.GitHubMemberships: 1, fake.GitHubTeams: 1,
				fake.GitHubTeamByID: 0,
			},
			Change: func(p *fake.Person) {
				p.Name, p.GitHub.Teams = "Ada Summer", []fake.GitHubTeam{*p.GitHub.Teams[0].Parent}
				p.GitHub.Emails = []fake.GitHubEmail{{Email: "summer@example.com", Primary: true}}
			},
			Somebody: misbehave(fake.GitHubReusedLogin),
		},
		GroupTrouble: map[connectortest.Cause]connectortest.Trouble{
			connectortest.Unavailable: {Vendor: misbehave(fake.At(fake.GitHubTeams, fake.ServerError))},
			connectortest.Denied:      {Vendor: misbehave(fake.At(fake.GitHubTeams, fake.NotFound))},
		},
		GroupNonsense: misbehave(fake.At(fake.GitHubTeams, fake.HTMLBody)),
		EmailFlag:     emailFlag("/api/v3/user/emails"),
	}
}

func misbehave(m fake.Misbehaviour) func(*fake.Provider) {
	return func(v *fake.Provider) { v.Misbehave(m) }
}

// emailFlag is the member verified of the primary address.
func emailFlag(path string) *connectortest.EmailFlag {
	serve := func(v *fake.Provider, row map[string]any) {
		v.Replace(path, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode([]map[string]any{row})
		}))
	}
	return &connectortest.EmailFlag{
		Set: func(v *fake.Provider, value any) {
			serve(v, map[string]any{"email": "ada@example.com", "primary": true, "verified": value})
		},
		Absent: func(v *fake.Provider) { serve(v, map[string]any{"email": "ada@example.com", "primary": true}) },
	}
}

// oauthSubject is an OAuth App whose API has an address of its own, without
// /api/v3, and whose rules are bound to numbers.
func oauthSubject() connectortest.Subject {
	s := subject()
	s.Fake = func(o fake.Options) *fake.Provider {
		f := fake.NewGitHub(o)
		f.SetAPIPath("/rest")
		return f.Provider
	}
	s.Config = func(c connectors.Common, base string) connectors.Config {
		return &github.Config{
			Common: c, BaseURL: base, APIURL: base + "/rest", App: "oauth",
			Organizations: []github.Organization{{Name: "acme", ID: 5001}},
		}
	}
	s.EmailFlag = emailFlag("/rest/user/emails")
	return s
}

// appSubject is a GitHub App: its tokens have no scopes, expire, and are renewed.
func appSubject() connectortest.Subject {
	s := subject()
	s.Unscoped = true
	s.Fake = func(o fake.Options) *fake.Provider {
		o.GitHub.App = true
		return fake.NewGitHub(o).Provider
	}
	s.Config = func(c connectors.Common, base string) connectors.Config {
		return &github.Config{
			Common: c, BaseURL: base, App: "github", GroupNames: "ids",
			Organizations: []github.Organization{{Name: "acme", Teams: []github.Team{{Slug: "platform"}, {Slug: "site-reliability"}, {Slug: "admins"}}}},
		}
	}
	s.Groups = []string{"5001", "5001:7002", "5001:7001"}
	s.Other = "eve"
	// A living token spares the refresh token: it is asked about when it is at its end.
	s.Recheck.After, s.Recheck.Rotates = 8*time.Hour, true
	s.Recheck.Calls[fake.Refresh] = 1
	s.GroupTrouble, s.GroupNonsense = nil, nil // the rules of admission rest on the same list
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]connectortest.Subject{
		"an Enterprise Server": subject(), "an OAuth App": oauthSubject(), "a GitHub App": appSubject(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, s)
		})
	}
}
