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
//   - The secret goes into the body, as all of Google's own examples have it:
//     client_secret_basic is offered too, but seldom tried.
//   - Google has no prompt=login, no max_age, no auth_time and no acr: it can
//     neither be asked to authenticate again nor prove that it did.
package google

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

const (
	publicIssuer = "https://accounts.google.com"
	// legacyIssuer is what some of Google's tokens say instead.
	legacyIssuer = "accounts.google.com"
)

// Config is the section of a connector of type google.
type Config struct {
	connectors.Common `yaml:",inline"`
	// Issuer is https://accounts.google.com when absent.
	Issuer string `yaml:"issuer"`
	// HostedDomains admit the accounts of these Workspace domains. When absent
	// everybody with a Google account is admitted.
	HostedDomains []string `yaml:"hosted_domains"`
}

// Base implements connectors.Config.
func (c *Config) Base() *connectors.Common { return &c.Common }

// Validate implements connectors.Config.
func (c *Config) Validate() []connectors.Problem {
	base := c.base()
	out := base.Validate()
	for i, d := range c.HostedDomains {
		if domain, ok := connectors.EmailDomain("x@" + d); !ok || domain != d {
			out = append(out, connectors.Problem{Path: fmt.Sprintf("hosted_domains[%d]", i), Message: "must be a Workspace domain in lower case, such as example.com"})
		}
	}
	if i := slices.Index(c.Scopes, oauth.OfflineAccess); i >= 0 {
		out = append(out, connectors.Problem{Path: fmt.Sprintf("scopes[%d]", i), Message: "Google has no offline_access scope and refuses requests with it"})
	}
	if len(c.TrustedEmailDomains) > 0 {
		out = append(out, connectors.Problem{Path: "trusted_email_domains", Message: "is for upstreams with one organisation's people; Google has everybody's, and says itself which addresses it speaks for"})
	}
	return out
}

func (c *Config) base() *oidc.Config {
	return &oidc.Config{Common: c.Common, Issuer: cmp.Or(c.Issuer, publicIssuer)}
}

// Open implements connectors.Config.
func (c *Config) Open(env connectors.Environment) (connectors.Connector, error) {
	base := c.base()
	q := quirks{issuer: base.Issuer, domains: slices.Clone(c.HostedDomains)}
	return oidc.Open(*base, oidc.Quirks{
		Type: "google", Name: "Google", Reauthentication: connectors.ReauthImpossible, SecretInBody: true,
		Params: q.params, Issuer: q.checkIssuer, Admit: q.admit, Email: email, Classify: classify,
	}, env)
}

type quirks struct {
	issuer  string
	domains []string
}

// params: of prompt Google knows none, consent and select_account. Choosing the
// account is the nearest to signing in again.
func (q quirks) params(l connectors.Login, params url.Values) {
	params.Del("prompt")
	params.Del("max_age")
	params.Del("acr_values")
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
		return address, evidence
	}
	if domain, ok := connectors.EmailDomain(address); ok && domain == "gmail.com" {
		return address, evidence
	}
	return address, broker.EmailUnknown
}

// classify knows the policies of a Workspace that Google names in its errors.
func classify(f oidc.Failure) *connectors.Error {
	switch f.Code {
	case "admin_policy_enforced":
		return &connectors.Error{Kind: connectors.Operator, Hint: "the Workspace administrator blocks this application: have it allowed under API controls"}
	case "org_internal":
		return &connectors.Error{Kind: connectors.NotAllowed, Hint: "the application is registered as Internal, and the person is of another organisation"}
	case "disallowed_useragent":
		return &connectors.Error{Kind: connectors.Declined, Hint: "Google refuses embedded browsers"}
	}
	return nil
}
