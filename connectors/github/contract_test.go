package github_test

import (
	"strconv"
	"testing"

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
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, subject())
}
