// Package azuread is the connector to Microsoft Entra ID (Azure AD): quirks over
// connectors/oidc.
//
//   - A connector believes the directories it lists and no other, whichever
//     endpoint people sign in at; tenant.go has the rule and the reasons.
//   - A person is tid and oid: the identity's issuer is the directory's
//     (…/{tid}/v2.0) and its subject the oid.
//   - Entra has no email_verified, and any administrator of any directory can put
//     any address on a user ("nOAuth"). Only xms_edov says that the domain is the
//     directory's own; without it an address is unknown. The user principal name is
//     not an address.
//   - Above 200 groups the token names a place to ask instead of the groups. That
//     place is never asked. The sign-in fails, or Microsoft Graph at graph_url is
//     asked where group_claims: graph says so.
//   - The secret goes into the body, as all of Microsoft's own examples have it.
//   - userinfo knows neither tid nor oid nor groups, so it is not asked.
package azuread

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

const (
	publicAuthority = "https://login.microsoftonline.com"
	// keyCooldown is what Microsoft asks for: on an unknown key at most once per five
	// minutes.
	keyCooldown = 5 * time.Minute
)

// The values of Config.GroupClaims.
const (
	groupsFromToken = "token"
	groupsFromGraph = "graph"
	groupsNone      = "none"
)

// Config is the section of a connector of type azuread.
type Config struct {
	connectors.Common `yaml:",inline"`
	// Tenant is the directory's ID, or organizations, common or consumers together
	// with AllowedTenants; organizations when it is absent and AllowedTenants is not.
	Tenant string `yaml:"tenant"`
	// AllowedTenants are the IDs of the directories whose people are admitted.
	AllowedTenants []string `yaml:"allowed_tenants"`
	// Authority is https://login.microsoftonline.com when absent; the national clouds
	// have others.
	Authority string `yaml:"authority"`
	// GraphURL is Microsoft Graph; the one of the authority's cloud when absent.
	GraphURL string `yaml:"graph_url"`
	// GroupClaims is token (default: the groups claim; a person with more groups than
	// fit cannot sign in), graph (those people's groups are asked of Graph, which
	// needs the scopes User.Read and GroupMember.Read.All), or none.
	GroupClaims string `yaml:"group_claims"`
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
	c.tenantProblems(add)
	for _, u := range []struct{ path, address string }{{"authority", c.Authority}, {"graph_url", c.GraphURL}} {
		if msg := connectors.CheckBaseURL(cmp.Or(u.address, publicAuthority)); msg != "" {
			add(u.path, "%s", msg)
		}
	}
	if !slices.Contains([]string{"", groupsFromToken, groupsFromGraph, groupsNone}, c.GroupClaims) {
		add("group_claims", "must be token, graph or none")
	} else if c.GroupClaims == groupsFromGraph && c.graph() == "" {
		add("graph_url", "required with group_claims: graph, as the authority is none of Microsoft's public ones")
	}
	if len(c.TrustedEmailDomains) > 0 && !c.single() {
		add("trusted_email_domains", "is for one directory: with several, any of their administrators could claim an address")
	}
	return out
}

func (c *Config) tenantProblems(add func(path, format string, args ...any)) {
	switch tenant := c.tenant(); {
	case tenant == "":
		add("tenant", "required unless allowed_tenants is set: the directory's ID from the overview page of Entra ID")
	case tenant == tenantCommon, tenant == tenantOrganizations:
		if len(c.AllowedTenants) == 0 {
			add("allowed_tenants", "required with tenant: %s, or every directory in the world could sign in", tenant)
		}
	case tenant == tenantConsumers:
		if slices.ContainsFunc(c.AllowedTenants, func(id string) bool { return id != personalAccounts }) {
			add("allowed_tenants", "must be absent with tenant: consumers, which is personal accounts alone")
		}
	case !isGUID(tenant):
		add("tenant", "must be the directory's ID (a GUID in lower case), organizations, common or consumers; a domain can move to another directory, so look up the ID on the overview page of Entra ID")
	case slices.ContainsFunc(c.AllowedTenants, func(id string) bool { return id != tenant }):
		add("allowed_tenants", "lists other directories than tenant: set tenant: organizations to admit several")
	}
	for i, id := range c.AllowedTenants {
		if !isGUID(id) {
			add(fmt.Sprintf("allowed_tenants[%d]", i), "must be a directory's ID (a GUID in lower case)")
		}
	}
}

// tenant is the segment of the endpoints.
func (c *Config) tenant() string {
	if c.Tenant == "" && len(c.AllowedTenants) > 0 {
		return tenantOrganizations
	}
	return c.Tenant
}

// single reports whether only one directory's people can come.
func (c *Config) single() bool { return isGUID(c.tenant()) || len(c.AllowedTenants) == 1 }

func (c *Config) authority() string {
	return strings.TrimRight(cmp.Or(c.Authority, publicAuthority), "/")
}

// directory is the rule, and the directory that the discovery document names:
// shared ones name the placeholder.
func (c *Config) directory() (d directory, documented string) {
	d = directory{authority: c.authority(), allowed: map[string]bool{}}
	for _, id := range c.AllowedTenants {
		d.allowed[id] = true
	}
	switch tenant := c.tenant(); tenant {
	case tenantCommon, tenantOrganizations:
		return d, placeholder
	case tenantConsumers:
		d.allowed[personalAccounts] = true
		return d, personalAccounts
	default:
		d.allowed[tenant] = true
		return d, tenant
	}
}

// Open implements connectors.Config.
func (c *Config) Open(env connectors.Environment) (connectors.Connector, error) {
	d, documented := c.directory()
	base := oidc.Config{Common: c.Common, Issuer: d.issuer(documented), Userinfo: oidc.UserinfoNever}
	g := groups{mode: cmp.Or(c.GroupClaims, groupsFromToken), graph: c.graph()}
	return oidc.Open(base, oidc.Quirks{
		Type: "azuread", Name: "Microsoft", Reauthentication: connectors.ReauthAsked,
		DiscoveryURL:    d.issuer(c.tenant()) + "/.well-known/openid-configuration",
		DocumentIssuers: d.documents(documented), SecretInBody: true,
		KeyCooldown: keyCooldown, DefaultScopes: g.scopes, Params: params,
		Issuer: d.check, ResponseIssuer: d.answers, Key: d.key, Email: email, Groups: g.read, Classify: classify,
	}, env)
}

// params: Entra takes one value of prompt, and no login_hint where the account is
// to be chosen. It has no acr_values.
func params(l connectors.Login, params url.Values) {
	params.Del("acr_values")
	switch {
	case l.ForceLogin:
		params.Set("prompt", "login")
	case l.SelectAccount:
		params.Del("login_hint")
	}
}

// email reads the signed address and xms_edov, "the e-mail's domain owner is
// verified". It has been seen as a number and as a string (ATTACKS UP-01).
func email(c *oidc.Claims) (string, broker.EmailTrust) {
	address, _ := c.ID.String("email")
	switch string(c.ID.Raw["xms_edov"]) {
	case `true`, `"true"`, `1`, `"1"`:
		return address, broker.EmailVerified
	}
	return address, broker.EmailUnknown
}
