package azuread

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gatehouse/connectors"
)

// The values of Config.GroupClaims.
const (
	groupsFromToken = "token"
	groupsFromGraph = "graph"
	graphAlways     = "graph_always"
	groupsNone      = "none"
)

// The values of Config.GraphMethod, as Microsoft Graph calls them.
const (
	getMemberGroups    = "getMemberGroups"
	transitiveMemberOf = "transitiveMemberOf"
)

// Config is the section of a connector of type azuread.
type Config struct {
	connectors.Common `yaml:",inline"`
	// Tenant is the directory's ID, or organizations, common or consumers together
	// with AllowedTenants; organizations when it is absent and AllowedTenants is not.
	Tenant string `yaml:"tenant"`
	// AllowedTenants are the directories whose people are admitted. Where at least two
	// have names, the chooser offers each, and people sign in at its own endpoint.
	AllowedTenants []Tenant `yaml:"allowed_tenants"`
	// Authority is https://login.microsoftonline.com when absent; the national clouds
	// have others.
	Authority string `yaml:"authority"`
	// GraphURL is Microsoft Graph; when absent, the one that discovery names, if it is
	// one of the authority's cloud.
	GraphURL string `yaml:"graph_url"`
	// DomainHint is sent along, so that Entra shows that domain's own sign-in page.
	DomainHint string `yaml:"domain_hint"`

	// GroupClaims is token (default: the groups claim; a person with more groups than
	// fit is a matter of on_group_failure.incomplete), graph (those people's groups are
	// asked of Graph, which needs the scopes User.Read and GroupMember.Read.All),
	// graph_always (everybody's are), or none.
	GroupClaims string `yaml:"group_claims"`
	// GraphMethod is getMemberGroups (default, up to 11,000 groups in one answer) or
	// transitiveMemberOf (any number, in pages).
	GraphMethod string `yaml:"graph_method"`
	// GroupNames calls groups by their display names instead of their IDs. Names are not
	// unique: whoever may create groups in the directory can give one any name.
	GroupNames bool `yaml:"group_names"`
	// SecurityGroupsOnly leaves Microsoft 365 groups out of what Graph answers, as the
	// registration does whose groups claim is of security groups.
	SecurityGroupsOnly bool `yaml:"security_groups_only"`
	// AppRoles adds the app roles that the person is assigned, as role:NAME.
	AppRoles bool `yaml:"app_roles"`

	// ClientKey and ClientCertificate are files in PEM that take the place of the
	// secret: the private key of a certificate uploaded to the registration, and that
	// certificate.
	ClientKey         string `yaml:"client_key"`
	ClientCertificate string `yaml:"client_certificate"`
	// FederatedTokenFile takes the place of the secret too: a file in which the platform
	// keeps a token that the registration trusts (federated credential). env:NAME takes
	// the path from the environment.
	FederatedTokenFile string `yaml:"federated_token_file"`
}

// Base implements connectors.Config.
func (c *Config) Base() *connectors.Common { return &c.Common }

// problems collects what is wrong.
type problems []connectors.Problem

func (p *problems) add(path, format string, args ...any) {
	*p = append(*p, connectors.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// Validate implements connectors.Config.
func (c *Config) Validate() []connectors.Problem {
	out := problems(c.Problems())
	c.clientProblems(&out)
	c.tenantProblems(&out)
	for _, u := range []struct{ path, address string }{{"authority", c.Authority}, {"graph_url", c.GraphURL}} {
		if msg := connectors.CheckBaseURL(cmp.Or(u.address, publicAuthority)); msg != "" {
			out.add(u.path, "%s", msg)
		}
	}
	c.groupProblems(&out)
	if len(c.TrustedEmailDomains) > 0 && !c.single() {
		out.add("trusted_email_domains", "is for one directory: with several, any of their administrators could claim an address")
	}
	if c.DomainHint != "" && c.DomainHint != tenantOrganizations && c.DomainHint != tenantConsumers {
		// What is a domain behind an @ is one here.
		if domain, ok := connectors.EmailDomain("somebody@" + c.DomainHint); !ok || domain != c.DomainHint {
			out.add("domain_hint", "must be a domain in lower case, such as contoso.com, or organizations or consumers")
		}
	}
	return out
}

func (c *Config) groupProblems(out *problems) {
	if !slices.Contains([]string{"", groupsFromToken, groupsFromGraph, graphAlways, groupsNone}, c.GroupClaims) {
		out.add("group_claims", "must be token, graph, graph_always or none")
		return
	}
	if !slices.Contains([]string{"", getMemberGroups, transitiveMemberOf}, c.GraphMethod) {
		out.add("graph_method", "must be getMemberGroups or transitiveMemberOf")
	}
	if !c.asksGraph() {
		for _, key := range []struct {
			path string
			set  bool
		}{{"graph_method", c.GraphMethod != ""}, {"group_names", c.GroupNames}, {"security_groups_only", c.SecurityGroupsOnly}} {
			if key.set {
				out.add(key.path, "is for what Microsoft Graph is asked: set group_claims to graph or graph_always too")
			}
		}
		return
	}
	switch {
	case c.tenant() == tenantConsumers:
		out.add("group_claims", "must be token or none with tenant: consumers: personal accounts have no groups")
	case c.GraphURL == "" && len(knownGraphs(c.authority())) == 0:
		out.add("graph_url", "required with group_claims: %s, as the authority is none of Microsoft's public ones", c.GroupClaims)
	}
}

// asksGraph reports whether Graph is asked about anybody.
func (c *Config) asksGraph() bool {
	return c.GroupClaims == groupsFromGraph || c.GroupClaims == graphAlways
}

// single reports whether only one directory's people can come.
func (c *Config) single() bool { return isGUID(c.tenant()) || len(c.AllowedTenants) == 1 }

func (c *Config) authority() string {
	return strings.TrimRight(cmp.Or(c.Authority, publicAuthority), "/")
}

// groups is how groups are read.
func (c *Config) groups(env connectors.Environment) groups {
	if c.GroupNames {
		env.Log.Warn("group_names is on: names of groups are not unique, and whoever may create groups in the directory chooses them", "connector", c.ID)
	}
	return groups{
		mode: cmp.Or(c.GroupClaims, groupsFromToken), names: c.GroupNames, roles: c.AppRoles,
		graph: graph{
			url: strings.TrimRight(c.GraphURL, "/"), authority: c.authority(), now: env.Now,
			method: cmp.Or(c.GraphMethod, getMemberGroups), securityOnly: c.SecurityGroupsOnly, names: c.GroupNames,
		},
	}
}

// References implements connectors.Referrer.
func (c *Config) References() []connectors.Reference {
	return connectors.NamedFiles(
		connectors.Reference{Key: "client_key", File: c.ClientKey, Private: true},
		connectors.Reference{Key: "client_certificate", File: c.ClientCertificate},
		connectors.Reference{Key: "federated_token_file", File: c.FederatedTokenFile, Private: true})
}
