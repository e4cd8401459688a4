package okta

import (
	"net/url"
	"slices"
	"strings"

	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// The values of Config.GroupsFrom.
const (
	groupsFromClaim = "claim"
	groupsFromAPI   = "api"
)

// Config is the section of a connector of type okta.
type Config struct {
	connectors.Common `yaml:",inline"`
	// ClientAuth takes the place of the secret where the application at Okta
	// authenticates with "Public key / Private key".
	oidc.ClientAuth `yaml:",inline"`
	// Issuer is the authorization server, byte for byte as its discovery document
	// spells it.
	Issuer string `yaml:"issuer"`
	// TokenEndpointAuthMethod is client_secret_basic (default), client_secret_post or
	// private_key_jwt, as the application is set up at Okta.
	TokenEndpointAuthMethod string `yaml:"token_endpoint_auth_method"`

	// GroupsFrom is claim (default) or api: Okta's management API, which knows of
	// imported groups and of more than a hundred.
	GroupsFrom string `yaml:"groups_from"`
	// GroupsClaim names the claim that holds the groups; "groups" when absent.
	GroupsClaim string `yaml:"groups_claim"`
	// GroupTypes are the types of groups that count where the API is asked: OKTA_GROUP,
	// APP_GROUP (imported) and BUILT_IN (Everyone); all when absent.
	GroupTypes []string `yaml:"group_types"`
	// OrgURL is the org's own address for the API, such as https://acme.okta.com; the
	// issuer's host when absent.
	OrgURL string `yaml:"org_url"`
	// APIToken authenticates at the API (Security > API > Tokens); several are tried in
	// order while one replaces another.
	APIToken connectors.Secrets `yaml:"api_token"`
	// APIClientID takes the place of APIToken: an application of the type API Services
	// with the scope okta.users.read. APIClientKey is a file with its private key in
	// PEM, APIClientKeyID the key's kid.
	APIClientID    string `yaml:"api_client_id"`
	APIClientKey   string `yaml:"api_client_key"`
	APIClientKeyID string `yaml:"api_client_key_id"`
}

// Base implements connectors.Config.
func (c *Config) Base() *connectors.Common { return &c.Common }

func (c *Config) asksAPI() bool { return c.GroupsFrom == groupsFromAPI }

func (c *Config) base() *oidc.Config {
	return &oidc.Config{
		Common: c.Common, ClientAuth: c.ClientAuth, Issuer: c.Issuer, GroupsClaim: c.GroupsClaim,
		Userinfo: oidc.UserinfoAlways, TokenEndpointAuthMethod: c.TokenEndpointAuthMethod,
	}
}

type problems []connectors.Problem

func (p *problems) add(path, message string) {
	*p = append(*p, connectors.Problem{Path: path, Message: message})
}

// Validate implements connectors.Config.
func (c *Config) Validate() []connectors.Problem {
	out := problems(c.base().Validate())
	if message := issuerProblem(c.Issuer); message != "" {
		out.add("issuer", message)
	}
	switch c.GroupsFrom {
	case "", groupsFromClaim:
		c.checkClaim(&out)
	case groupsFromAPI:
		c.checkAPI(&out)
	default:
		out.add("groups_from", "must be claim or api")
	}
	return out
}

// issuerProblem finds the addresses that people copy by mistake.
func issuerProblem(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	switch path := u.Path; {
	case strings.Contains(u.Host, "-admin.okta"): // oktapreview and okta-emea too
		return "is the address of the admin console: leave out -admin"
	case strings.HasSuffix(path, "/"):
		return "must not end with a slash: Okta's issuers do not"
	case path == "/oauth2":
		return "is neither the org's authorization server, which is the address without /oauth2, nor a custom one, which has its ID behind that"
	case strings.Contains(path, "/.well-known/"), strings.Contains(path, "/v1/"):
		return "is the address of an endpoint: leave out what comes behind the authorization server"
	}
	return ""
}

// checkClaim: what belongs to the API has no effect without it, and somebody meant
// it to have one.
func (c *Config) checkClaim(out *problems) {
	for _, one := range []struct {
		key string
		set bool
	}{
		{"group_types", len(c.GroupTypes) > 0}, {"org_url", c.OrgURL != ""}, {"api_token", len(c.APIToken) > 0},
		{"api_client_id", c.APIClientID != ""}, {"api_client_key", c.APIClientKey != ""}, {"api_client_key_id", c.APIClientKeyID != ""},
	} {
		if one.set {
			out.add(one.key, "is for groups_from: api, which is absent")
		}
	}
}

func (c *Config) checkAPI(out *problems) {
	if c.GroupsClaim != "" {
		out.add("groups_claim", "must be absent with groups_from: api")
	}
	for _, kind := range c.GroupTypes {
		if !slices.Contains([]string{"OKTA_GROUP", "APP_GROUP", "BUILT_IN"}, kind) {
			out.add("group_types", "must be some of OKTA_GROUP, APP_GROUP and BUILT_IN")
			break
		}
	}
	if c.OrgURL != "" {
		if message := connectors.CheckBaseURL(c.OrgURL); message != "" {
			out.add("org_url", message)
		} else if u, err := url.Parse(c.OrgURL); err != nil || strings.Trim(u.Path, "/") != "" {
			out.add("org_url", "must have no path, such as https://acme.okta.com")
		}
	}
	switch {
	case len(c.APIToken) > 0 && c.APIClientID != "":
		out.add("api_client_id", "must be absent with api_token: one of them is enough")
	case len(c.APIToken) == 0 && c.APIClientID == "":
		out.add("api_token", "required with groups_from: api, or else api_client_id with api_client_key")
	case c.APIClientID != "" && c.APIClientKey == "":
		out.add("api_client_key", "required with api_client_id: Okta takes no secret for its own API")
	}
	if c.APIClientID == "" && (c.APIClientKey != "" || c.APIClientKeyID != "") {
		out.add("api_client_key", "belongs to api_client_id, which is absent")
	}
}

// References implements connectors.Referrer.
func (c *Config) References() []connectors.Reference {
	out := append(c.ClientAuth.References(),
		connectors.NamedFiles(connectors.Reference{Key: "api_client_key", File: c.APIClientKey, Private: true})...)
	for _, secret := range c.APIToken {
		out = append(out, connectors.Reference{Key: "api_token", Secret: secret})
	}
	return out
}
