// Package okta is the connector to Okta: quirks over connectors/oidc.
//
//   - The issuer is either the org's authorization server, https://acme.okta.com,
//     or a custom one, https://acme.okta.com/oauth2/default. They are different
//     issuers with different keys and claims, and the configured one has to match
//     to the byte: the same org can host others that anybody may use.
//   - Okta's ID tokens are thin when an access token comes along: email_verified,
//     groups and most of the profile are at userinfo only, so that is always asked.
//   - The groups claim is absent when no group matches the filter set at Okta. The
//     groups scope is asked for where the authorization server says it knows it.
//   - The access token's sub is the login, which can change; it is not looked at.
//   - Okta always sends auth_time, and acr when asked for one.
package okta

import (
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// Config is the section of a connector of type okta.
type Config struct {
	connectors.Common `yaml:",inline"`
	// Issuer is the authorization server, byte for byte as its discovery document
	// spells it.
	Issuer string `yaml:"issuer"`
	// GroupsClaim names the claim that holds the groups; "groups" when absent.
	GroupsClaim string `yaml:"groups_claim"`
	// TokenEndpointAuthMethod is client_secret_basic (default) or client_secret_post,
	// as the application is set up at Okta.
	TokenEndpointAuthMethod string `yaml:"token_endpoint_auth_method"`
}

// Base implements connectors.Config.
func (c *Config) Base() *connectors.Common { return &c.Common }

// Validate implements connectors.Config.
func (c *Config) Validate() []connectors.Problem {
	out := c.base().Validate()
	if u, err := url.Parse(c.Issuer); err == nil && strings.Contains(u.Host, "-admin.okta") {
		out = append(out, connectors.Problem{Path: "issuer", Message: "is the address of the admin console: leave out -admin"})
	}
	return out
}

func (c *Config) base() *oidc.Config {
	return &oidc.Config{
		Common: c.Common, Issuer: c.Issuer, GroupsClaim: c.GroupsClaim,
		Userinfo: oidc.UserinfoAlways, TokenEndpointAuthMethod: c.TokenEndpointAuthMethod,
	}
}

// Open implements connectors.Config.
func (c *Config) Open(env connectors.Environment) (connectors.Connector, error) {
	return oidc.Open(*c.base(), oidc.Quirks{
		Type: "okta", Name: "Okta", Reauthentication: connectors.ReauthProven,
		// With the client's ID an authorization server whose issuer follows the host
		// answers with the issuer that this client's tokens will carry.
		DiscoveryURL:  strings.TrimSuffix(c.Issuer, "/") + "/.well-known/openid-configuration?client_id=" + url.QueryEscape(c.ClientID),
		DefaultScopes: defaultScopes, Params: params, Admit: strongEnough, Classify: classify,
	}, env)
}

// defaultScopes: asking a custom authorization server for a scope it does not
// know fails the whole sign-in with invalid_scope.
func defaultScopes(supported []string) []string {
	scopes := []string{oauth.OpenID, oauth.Profile, oauth.Email}
	if slices.Contains(supported, oauth.Groups) {
		scopes = append(scopes, oauth.Groups)
	}
	return scopes
}

// params: Okta has no select_account.
func params(l connectors.Login, params url.Values) {
	params.Del("prompt")
	if l.ForceLogin {
		params.Set("prompt", "login")
	}
}

// strongEnough holds the acr to what was asked for: policies at Okta can let a
// person through with less. A value that ends in :ifpossible demands nothing.
func strongEnough(c *oidc.Claims, l connectors.Login) error {
	if len(l.ACRValues) == 0 || slices.ContainsFunc(l.ACRValues, func(v string) bool { return strings.HasSuffix(v, ":ifpossible") }) {
		return nil
	}
	if acr, ok := c.ID.String("acr"); ok && slices.Contains(l.ACRValues, acr) {
		return nil
	}
	return &connectors.Error{Kind: connectors.Unmet, Hint: "Okta authenticated the person less strongly than was asked for"}
}

// classify knows the codes of Okta's API shape and what access_denied means here.
func classify(f oidc.Failure) *connectors.Error {
	switch f.Code {
	case "E0000047":
		return &connectors.Error{Kind: connectors.Transient, Hint: "Okta limits our requests"}
	case "E0000007", "E0000022":
		return &connectors.Error{Kind: connectors.Operator, Hint: "Okta does not know this authorization server or endpoint: check issuer"}
	case "access_denied":
		if f.Step == oidc.AtCallback {
			return &connectors.Error{Kind: connectors.Declined, Hint: "the person is not assigned to the application at Okta, said no, or no access policy rule of the authorization server matches"}
		}
	case "invalid_scope":
		return &connectors.Error{Kind: connectors.Operator, Hint: "a scope is not defined on the authorization server: groups, for one, has to be added to a custom one; or set scopes"}
	}
	return nil
}
