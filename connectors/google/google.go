// Package google is the connector to Google accounts and Google Workspace: quirks
// over connectors/oidc.
//
//   - Who may sign in is decided by the signed claim hd alone. The request
//     parameter of the same name is a hint for Google's page that anybody can
//     remove, and an e-mail address in the domain proves no membership: consumer
//     accounts can have one.
//   - An address is verified only where Google speaks for its domain: @gmail.com,
//     or email_verified together with hd. Any other address was verified once, on
//     some day in the past, and counts as unknown.
//   - Tokens may carry the legacy issuer "accounts.google.com". Identities always
//     carry the configured one, so the spelling makes nobody a second person.
//   - No token tells groups. They are read from the Cloud Identity or the Directory
//     API, by the person's own token or a service account's, with a key or without.
//   - Google has no prompt=login, no max_age, no auth_time, no acr and no amr: it can
//     neither be asked to authenticate again nor prove that or how it did.
package google

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// legacyIssuer is what some of Google's tokens say instead.
const legacyIssuer = "accounts.google.com"

// Open implements connectors.Config.
func (c *Config) Open(env connectors.Environment) (connectors.Connector, error) {
	base := c.base()
	r := &reader{
		from: c.groupsFrom(), key: c.GroupKey, now: env.Now,
		identity:  cloudIdentity{base: baseURL(c.CloudIdentityURL, publicCloudIdentity), nested: c.NestedGroups},
		directory: &directory{base: baseURL(c.DirectoryURL, publicDirectory), nested: c.NestedGroups, now: env.Now, above: connectors.Kept[nesting, []group]{Now: env.Now}},
	}
	if c.ServiceAccount != nil {
		fetcher, err := c.OpenFetcher(env)
		if err != nil {
			return nil, err
		}
		if r.account, err = openAccount(c, env, fetcher); err != nil {
			return nil, err
		}
	}
	q := quirks{issuer: base.Issuer, domains: slices.Clone(c.HostedDomains), asPerson: c.asksAsPerson()}
	hooks := oidc.Quirks{
		Type: "google", Name: "Google", Reauthentication: connectors.ReauthImpossible, NoACR: true, SecretInBody: true,
		DefaultScopes: q.scopes, Params: q.params, Granted: granted,
		Demand:       func([]string, url.Values) {}, // Google takes no acr_values
		OfflineScope: "-", OfflineParams: url.Values{"access_type": {"offline"}, "prompt": {"consent"}}, StaticRefresh: true,
		Issuer: q.checkIssuer, Admit: q.admit, Email: email, Groups: r.read, Classify: classify,
	}
	if c.ConsentOnce {
		hooks.OfflineParams.Del("prompt")
	}
	if c.CheckSuspended {
		hooks.Recheck = r.recheck
	}
	return oidc.Open(*base, hooks, env)
}

func baseURL(configured, public string) string {
	return strings.TrimRight(cmp.Or(configured, public), "/")
}

type quirks struct {
	issuer  string
	domains []string
	// asPerson: groups are read with the token of who signs in.
	asPerson bool
}

func (q quirks) scopes([]string) []string {
	scopes := []string{oauth.OpenID, oauth.Profile, oauth.Email}
	if q.asPerson {
		scopes = append(scopes, cloudIdentityScope)
	}
	return scopes
}

// granted: Google calls two scopes by other names than it takes.
func granted(asked string, list []string) bool {
	return slices.Contains(list, asked) || slices.Contains(list, "https://www.googleapis.com/auth/userinfo."+asked)
}

// params: of prompt Google knows none, consent and select_account alone. Choosing
// the account is the nearest to signing in again.
func (q quirks) params(l connectors.Login, params url.Values) {
	params.Del("max_age")
	if l.ForceLogin || l.SelectAccount {
		params.Set("prompt", "select_account")
	}
	switch len(q.domains) {
	case 0:
	case 1:
		params.Set("hd", q.domains[0])
	default:
		params.Set("hd", "*")
	}
}

// checkIssuer accepts the issuer with and without its scheme, as Google's own
// verification guide does; the keys are those of the configured issuer either way.
func (q quirks) checkIssuer(c *oidc.Claims) error {
	_, bare, _ := strings.Cut(q.issuer, "://")
	switch c.ID.Issuer {
	case q.issuer, bare, legacyIssuer:
		return nil
	}
	return &connectors.Error{Kind: connectors.Broken, Hint: "the ID token was issued by somebody else than " + q.issuer}
}

// admit compares the signed hd claim (ATTACKS UP-17).
func (q quirks) admit(c *oidc.Claims, _ connectors.Login) error {
	if len(q.domains) == 0 {
		return nil
	}
	if hd, ok := c.ID.String("hd"); ok && slices.Contains(q.domains, hd) {
		return nil
	}
	return &connectors.Error{Kind: connectors.NotAllowed, Code: "hosted_domain", Hint: "the account belongs to none of hosted_domains"}
}

// email trusts what Google verifies where Google is authoritative.
func email(c *oidc.Claims) (string, broker.EmailTrust) {
	address, evidence := oidc.StandardEmail(c)
	if evidence != broker.EmailVerified {
		return address, evidence
	}
	if hd, ok := c.ID.String("hd"); ok && hd != "" {
		c.Evidence("email_verified together with hd: an account of the Workspace " + c.Text("hd"))
		return address, evidence
	}
	if domain, ok := connectors.EmailDomain(address); ok && domain == "gmail.com" {
		c.Evidence("email_verified, and gmail.com is Google's own domain")
		return address, evidence
	}
	c.Evidence("email_verified without hd: the address was verified once, by somebody who may have lost it since")
	return address, broker.EmailUnknown
}
