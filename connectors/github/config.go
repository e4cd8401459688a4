package github

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gatehouse/connectors"
)

const publicURL = "https://github.com"

// The scopes that have a meaning here.
const (
	scopeProfile       = "read:user"
	scopeEmail         = "user:email"
	scopeOrganizations = "read:org"
)

// Config is the section of a connector of type github.
type Config struct {
	connectors.Common `yaml:",inline"`
	// BaseURL is where people sign in: https://github.com when absent,
	// https://SUB.ghe.com, or the address of an Enterprise Server.
	BaseURL string `yaml:"base_url"`
	// APIURL is the REST API; derived from BaseURL when absent.
	APIURL string `yaml:"api_url"`
	// Organizations admit their active members, of the listed teams where teams are
	// listed. When absent everybody with an account is admitted.
	Organizations []Organization `yaml:"organizations"`
}

// Organization is one rule of admission.
type Organization struct {
	// Name is the organisation's login; case does not count.
	Name string `yaml:"name"`
	// ID, when set, is the organisation's number: a name can be given up and be
	// registered by somebody else, a number cannot.
	ID int64 `yaml:"id"`
	// Teams are slugs. Members of a child team are members of its parent.
	Teams []string `yaml:"teams"`
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
	if c.BaseURL != "" {
		if msg := connectors.CheckBaseURL(c.BaseURL); msg != "" {
			add("base_url", "%s", msg)
		} else if strings.HasPrefix(hostOf(c.BaseURL), "api.") {
			add("base_url", "is where people sign in; the API's address goes into api_url")
		}
	}
	if c.APIURL != "" {
		if msg := connectors.CheckBaseURL(c.APIURL); msg != "" {
			add("api_url", "%s", msg)
		}
	}
	if len(c.TrustedEmailDomains) > 0 && canonicalURL(cmp.Or(c.BaseURL, publicURL)) == publicURL {
		add("trusted_email_domains", "is for servers with one organisation's people; github.com verifies addresses itself")
	}
	c.organizationProblems(add)
	return out
}

func (c *Config) organizationProblems(add func(path, format string, args ...any)) {
	seen := map[string]bool{}
	for i, o := range c.Organizations {
		path := fmt.Sprintf("organizations[%d]", i)
		switch {
		case !isName(o.Name):
			add(path+".name", "required: the organisation's name as in the address of its page, such as acme")
		case seen[lower(o.Name)]:
			add(path+".name", "is listed twice: put all teams into one entry")
		}
		seen[lower(o.Name)] = true
		if o.ID < 0 {
			add(path+".id", "must be the organisation's number")
		}
		for j, team := range o.Teams {
			if !isName(team) {
				add(fmt.Sprintf("%s.teams[%d]", path, j), "must be a team's slug as in the address of its page, such as platform")
			}
		}
	}
}

// isName accepts what can stand for one segment of a path, as logins and slugs do.
func isName(s string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(s, ".") != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	})
}

// scopes are those asked for: the configured ones or what profile and e-mail
// need, and read:org where there are rules about organisations.
func (c *Config) scopes() []string {
	scopes := slices.Clone(c.Scopes)
	if len(scopes) == 0 {
		scopes = []string{scopeProfile, scopeEmail}
	}
	if len(c.Organizations) > 0 && !grants(scopes, scopeOrganizations) {
		scopes = append(scopes, scopeOrganizations)
	}
	return scopes
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

// canonicalURL is the base URL in its one spelling; it is part of every identity.
func canonicalURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // Validate has refused it
	}
	u.Host = lower(u.Host)
	if u.Scheme == "https" {
		u.Host = strings.TrimSuffix(u.Host, ":443")
	} else {
		u.Host = strings.TrimSuffix(u.Host, ":80")
	}
	return strings.TrimRight(u.String(), "/")
}

// deriveAPI returns the API of a base URL: github.com and SUB.ghe.com have a host
// of their own for it, an Enterprise Server a path.
func deriveAPI(base string) string {
	host := hostOf(base)
	switch {
	case host == "github.com":
		return "https://api.github.com"
	case strings.HasSuffix(host, ".ghe.com"):
		return "https://api." + host
	}
	return base + "/api/v3"
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return lower(u.Host)
}

// lower folds A to Z alone, as GitHub's names are ASCII.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
