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
//     place is never asked. The sign-in fails, or Microsoft Graph is asked, at an
//     address out of the configuration.
//   - Groups are called by their IDs. Names are not unique in a directory, and
//     whoever may make groups chooses them; groups.go says what that means.
//   - The secret goes into the body, as all of Microsoft's own examples have it; a
//     certificate or a platform's own token takes its place.
//   - userinfo knows neither tid nor oid nor groups, so it is not asked.
package azuread

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// keyCooldown is what Microsoft asks for: on an unknown key at most once per five
// minutes.
const keyCooldown = 5 * time.Minute

// Open implements connectors.Config.
func (c *Config) Open(env connectors.Environment) (connectors.Connector, error) {
	d, documented := c.directory()
	auth, err := c.clientAuth(env)
	if err != nil {
		return nil, err
	}
	base := oidc.Config{Common: c.Common, ClientAuth: auth, Issuer: d.issuer(documented), Userinfo: oidc.UserinfoNever}
	g := c.groups(env)
	q := oidc.Quirks{
		Type: "azuread", Name: "Microsoft", Reauthentication: connectors.ReauthAsked,
		DiscoveryURL:    d.issuer(c.tenant()) + "/.well-known/openid-configuration",
		DocumentIssuers: d.documents(documented), SecretInBody: true,
		KeyCooldown: keyCooldown, DefaultScopes: c.scopes, Params: c.params, Demand: demand, ACR: contexts,
		// "Refresh tokens in the Microsoft identity platform": the old one is not revoked
		// when it is used to fetch a new one.
		StaticRefresh: true, Granted: granted,
		Issuer: d.check, ResponseIssuer: d.answers, Admit: d.chosen, Key: d.key, Endpoint: d.endpoint(c.tenant()),
		Email: email, Groups: g.read, Classify: classify,
	}
	provider, err := oidc.Open(base, q, env)
	if err != nil {
		return nil, err
	}
	return &connector{Provider: provider, directory: d, choices: c.choices()}, nil
}

// scopes are those of one resource, as Entra wants it: Graph's beside OpenID's, and
// no more than what is asked needs.
func (c *Config) scopes([]string) []string {
	scopes := []string{oauth.OpenID, oauth.Profile, oauth.Email}
	if c.asksGraph() {
		scopes = append(scopes, "User.Read", "GroupMember.Read.All")
	}
	return scopes
}

// params: Entra takes one value of prompt, and no login_hint where the account is
// to be chosen. It has no acr_values.
func (c *Config) params(l connectors.Login, params url.Values) {
	params.Del("acr_values")
	if c.DomainHint != "" {
		params.Set("domain_hint", c.DomainHint)
	}
	switch {
	case l.ForceLogin:
		params.Set("prompt", "login")
	case l.SelectAccount:
		params.Del("login_hint")
	}
}

// granted is Quirks.Granted: what was asked for as User.Read is answered with its
// resource before it, https://graph.microsoft.com/User.Read.
func granted(asked string, granted []string) bool {
	return slices.ContainsFunc(granted, func(scope string) bool {
		_, name, found := strings.Cut(strings.TrimPrefix(scope, "https://"), "/")
		return scope == asked || found && name == asked
	})
}

// email reads the signed address and xms_edov, "the e-mail's domain owner is
// verified". It has been seen as a number and as a string (ATTACKS UP-01).
func email(c *oidc.Claims) (string, broker.EmailTrust) {
	const add = " (App registrations > the application > Token configuration > Add optional claim > ID > "
	address, _ := c.ID.String("email")
	if address == "" {
		c.Evidence("none: the ID token has no claim email" + add + "email)")
		return "", broker.EmailUnknown
	}
	switch string(c.ID.Raw["xms_edov"]) {
	case `true`, `"true"`, `1`, `"1"`:
		c.Evidence("xms_edov in the ID token: the address is of a domain that its directory has proven to own")
		return address, broker.EmailVerified
	}
	c.Evidence("none: the ID token does not say with xms_edov that the domain is proven" + add + "xms_edov)")
	return address, broker.EmailUnknown
}

// contextClaim is the claim of authentication contexts, in which Conditional Access
// says what the person has satisfied ("Developer guide to Conditional Access
// authentication context").
const contextClaim = "acrs"

// demand asks for the first authentication context among the values: Entra takes
// one. Anything else means nothing there and is not sent.
func demand(values []string, params url.Values) {
	params.Del("acr_values")
	first := slices.IndexFunc(values, isContext)
	if first < 0 {
		return
	}
	params.Set("claims", `{"id_token":{"`+contextClaim+`":{"essential":true,"value":"`+values[first]+`"}}}`)
}

// isContext accepts c1 to c99.
func isContext(s string) bool {
	number, ok := strings.CutPrefix(s, "c")
	if !ok || len(number) == 0 || len(number) > 2 || number[0] == '0' {
		return false
	}
	return !strings.ContainsFunc(number, func(r rune) bool { return r < '0' || r > '9' })
}

// contexts are the signed authentication contexts.
func contexts(c *oidc.Claims) []string {
	values, _ := c.ID.Strings(contextClaim)
	return slices.DeleteFunc(values, func(v string) bool { return !isContext(v) })
}
