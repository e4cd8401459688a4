package github

import (
	"cmp"
	"fmt"
	"slices"

	"gatehouse/connectors"
)

// The scopes that have a meaning here.
const (
	scopeProfile       = "read:user"
	scopeEmail         = "user:email"
	scopeOrganizations = "read:org"
)

// The values of Config.App and Config.GroupNames.
const (
	oauthApp  = "oauth"
	githubApp = "github"

	groupsByName   = "names"
	groupsByNumber = "ids"
)

// Config is the section of a connector of type github.
type Config struct {
	connectors.Common `yaml:",inline"`
	// BaseURL is where people sign in: https://github.com when absent,
	// https://SUB.ghe.com, or the address of an Enterprise Server.
	BaseURL string `yaml:"base_url"`
	// APIURL is the REST API; derived from BaseURL when absent.
	APIURL string `yaml:"api_url"`
	// App is what the client is registered as: "oauth" for an OAuth App, "github" for a
	// GitHub App, which has permissions instead of scopes. When absent the token tells.
	App string `yaml:"app"`
	// EmailsAreVerified says of an Enterprise Server that does not verify addresses
	// itself that somebody else does, such as the directory it signs people in with:
	// the primary address counts as verified then.
	EmailsAreVerified bool `yaml:"emails_are_verified"`
	// GroupNames is "names" (default: acme and acme:platform) or "ids" (5001 and
	// 5001:7001), which no rename changes.
	GroupNames string `yaml:"group_names"`
	// Organizations admit their active members, of the listed teams where teams are
	// listed. When absent everybody with an account is admitted.
	Organizations []Organization `yaml:"organizations"`
}

// Base implements connectors.Config.
func (c *Config) Base() *connectors.Common { return &c.Common }

// Validate implements connectors.Config.
func (c *Config) Validate() []connectors.Problem {
	out := c.Problems()
	add := func(path, format string, args ...any) {
		out = append(out, connectors.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if len(c.ClientSecret) == 0 {
		add("client_secret", "required, as env:NAME, file:PATH or the secret itself")
	}
	c.hostProblems(add)
	if !slices.Contains([]string{"", oauthApp, githubApp}, c.App) {
		add("app", "must be oauth (an OAuth App) or github (a GitHub App)")
	}
	if c.App == githubApp && len(c.Scopes) > 0 {
		add("scopes", "must be absent: a GitHub App has permissions, which are set where it is registered")
	}
	kind := kindOf(canonicalURL(cmp.Or(c.BaseURL, publicURL)))
	if c.EmailsAreVerified && kind != serverHost {
		add("emails_are_verified", "is for an Enterprise Server that does not verify addresses; github.com and ghe.com do it themselves")
	}
	if len(c.TrustedEmailDomains) > 0 && kind == publicHost {
		add("trusted_email_domains", "is for servers with one organisation's people; github.com verifies addresses itself")
	}
	if len(c.Assurance) > 0 {
		add("assurance", "must be absent: GitHub does not say how somebody signed in, so no level can be proven")
	}
	if !slices.Contains([]string{"", groupsByName, groupsByNumber}, c.GroupNames) {
		add("group_names", "must be names or ids")
	}
	c.organizationProblems(add)
	return out
}

// scopes are those asked for: the configured ones or what profile and e-mail
// need, and read:org where there are rules about organisations. A GitHub App has
// none.
func (c *Config) scopes() []string {
	if c.App == githubApp {
		return nil
	}
	scopes := slices.Clone(c.Scopes)
	if len(scopes) == 0 {
		scopes = []string{scopeProfile, scopeEmail}
	}
	if len(c.Organizations) > 0 && !grants(scopes, scopeOrganizations) {
		scopes = append(scopes, scopeOrganizations)
	}
	return scopes
}

// readsEmail and readsOrganizations say what is asked of the API.
func (c *Config) readsEmail() bool {
	return c.App == githubApp || grants(c.scopes(), scopeEmail)
}

func (c *Config) readsOrganizations() bool {
	return len(c.Organizations) > 0 || grants(c.scopes(), scopeOrganizations)
}

// grants reports whether a list of scopes includes one, by itself or by a wider
// one: GitHub answers with the widest only.
func grants(scopes []string, needed string) bool {
	wider := map[string][]string{
		scopeEmail:         {"user"},
		scopeProfile:       {"user"},
		scopeOrganizations: {"write:org", "admin:org"},
	}
	return slices.Contains(scopes, needed) || slices.ContainsFunc(wider[needed], func(s string) bool { return slices.Contains(scopes, s) })
}
