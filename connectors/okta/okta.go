// Package okta is the connector to Okta: quirks over connectors/oidc.
//
//   - The issuer is either the org's authorization server, https://acme.okta.com,
//     or a custom one, https://acme.okta.com/oauth2/default. They are different
//     issuers with different keys and claims, and the configured one has to match
//     to the byte: the same org can host others that anybody may use. With a custom
//     domain the issuer mode of the application (or of the custom server) decides
//     which host the issuer names.
//   - Okta's ID tokens are thin when an access token comes along: email_verified,
//     groups and most of the profile are at userinfo only, so that is always asked.
//   - The groups claim is absent when no group matches the filter set at Okta, and
//     with more than a hundred matches there are no tokens at all. Therefore groups
//     can be read from the management API instead, imported ones included.
//   - Groups go by name, and Everyone is one of them, as the claim has it too; put
//     into groups.allow what is to count. Whoever may create or import groups at Okta
//     chooses their names.
//   - The access token's sub is the login, which can change; it is not looked at.
//   - Okta always sends auth_time, and acr when asked for one.
//   - A refresh token may rotate, and presenting a replaced one after the grace period
//     revokes the newest: it is presented once.
package okta

import (
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// Open implements connectors.Config.
func (c *Config) Open(env connectors.Environment) (connectors.Connector, error) {
	quirks := oidc.Quirks{
		Type: "okta", Name: "Okta", Reauthentication: connectors.ReauthProven,
		// With the client's ID the document names the issuer that this client's tokens
		// carry, whatever the issuer mode: a host that does not fit the configured issuer
		// shows before anybody signs in.
		DiscoveryURL:  strings.TrimSuffix(c.Issuer, "/") + "/.well-known/openid-configuration?client_id=" + url.QueryEscape(c.ClientID),
		DefaultScopes: c.defaultScopes, Params: params, Classify: c.classify,
	}
	if c.asksAPI() {
		d, err := c.openDirectory(env)
		if err != nil {
			return nil, err
		}
		quirks.Groups = d.groups
	}
	return oidc.Open(*c.base(), quirks, env)
}

// defaultScopes: asking a custom authorization server for a scope it does not know
// fails the whole sign-in with invalid_scope. Where the API is asked the scope would
// do harm alone: of a person with too many groups no token tells.
func (c *Config) defaultScopes(supported []string) []string {
	scopes := []string{oauth.OpenID, oauth.Profile, oauth.Email}
	if !c.asksAPI() && slices.Contains(supported, oauth.Groups) {
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
