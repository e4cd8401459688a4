package configs

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

const (
	maxClientID = 255 // bytes; it is in every token
	maxSecrets  = 5   // each is tried, and a hash takes its time
	maxAudience = 10

	claimsFull    = "full"
	claimsMinimal = "minimal"
)

// validateClients checks every entry and that none is there twice.
func validateClients(list []Client, known oauth.Scopes) []connectors.Problem {
	var f faults
	first := make(map[string]int)
	for i := range list {
		c := &list[i]
		f.under(element("", i), c.validate(known))
		if other, taken := first[c.ClientID]; taken && c.ClientID != "" {
			f.add(element("", i)+".client_id", "is that of clients[%d] too: choose another", other)
		} else {
			first[c.ClientID] = i
		}
	}
	return f
}

// validate checks one client. known are the scopes there are.
func (c *Client) validate(known oauth.Scopes) []connectors.Problem {
	var f faults
	for _, p := range c.metadata().Validate(metadata.Rules{Scopes: known, KeysApart: c.JWKS != nil && c.JWKS.Path != ""}) {
		f.add(p.Member, "%s", p.Message)
	}
	c.validateID(&f)
	c.validateSecrets(&f)
	if v := c.IDTokenClaims; v != "" && v != claimsFull && v != claimsMinimal {
		f.add("id_token_claims", "must be full or minimal")
	}
	if c.Connectors != nil && len(c.Connectors) == 0 {
		f.add("connectors", "is an empty list, which would admit nobody: name connectors, or remove it to admit people of all")
	}
	c.validateAudience(&f)
	f.under("allow", c.Allow.Validate())
	f.under("lifetimes", c.Lifetimes.Validate())
	return f
}

func (c *Client) validateID(f *faults) {
	switch id := c.ClientID; {
	case id == "":
		f.add("client_id", "required: the name by which the application presents itself, such as wiki")
	case len(id) > maxClientID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }):
		f.add("client_id", "must be at most %d printable ASCII characters without spaces", maxClientID)
	case slices.Contains(reservedIDs(), id):
		f.add("client_id", "%s is reserved: choose another", id)
	case strings.Contains(id, "://"):
		// Client ID metadata documents: an entry here must not stand in for somebody's document.
		f.add("client_id", "must not be a URL: those name client metadata documents")
	}
}

func (c *Client) validateSecrets(f *faults) {
	switch m := oauth.AuthMethod(c.AuthMethod); {
	case m == "" || m == oauth.AuthMethodNone || m.UsesSecret():
	case m == oauth.AuthMethodPrivateKeyJWT:
		if c.ClientSecret != "" || c.ClientSecrets != nil {
			f.add("client_secret", "must be absent with private_key_jwt: the client proves itself with its key")
		}
		return
	default:
		return // what is wrong with it has been said
	}
	one, list := c.ClientSecret != "", c.ClientSecrets != nil
	switch {
	case c.public() && (one || list):
		f.add("client_secret", "must be absent when token_endpoint_auth_method is none: a public client cannot keep one")
	case one && list:
		f.add("client_secrets", "cannot be combined with client_secret: put all of them into client_secrets")
	case !c.public() && !one && len(c.ClientSecrets) == 0:
		f.add("client_secret", "required: env:NAME, file:PATH or what broker secret prints; for a public client set token_endpoint_auth_method: none")
	case len(c.ClientSecrets) > maxSecrets:
		f.add("client_secrets", "must be at most %d: remove those that are no longer used", maxSecrets)
	}
	if c.public() && c.RequirePKCE != nil && !*c.RequirePKCE {
		// RFC 9700 §2.1.1: without a secret nothing else ties the code to who asked for it.
		f.add("require_pkce", "must not be false for a public client: nothing else protects its codes")
	}
}

// validateAudience: an audience is named as a resource server is (RFC 8707 §2).
func (c *Client) validateAudience(f *faults) {
	switch {
	case c.Audience != nil && len(c.Audience) == 0:
		f.add("audience", "is an empty list: name somebody, or remove it")
	case len(c.Audience) > maxAudience:
		f.add("audience", "must have at most %d entries: all of them are in every token", maxAudience)
	}
	for i, a := range c.Audience {
		if !isResource(a) {
			f.add(element("audience", i), "must be an absolute URI without a fragment")
		} else if slices.Contains(c.Audience[:i], a) {
			f.add(element("audience", i), "is in the list already: remove it")
		}
	}
}

// scopes are those that have a meaning here.
func scopes() oauth.Scopes {
	return oauth.Scopes{oauth.OpenID, oauth.Profile, oauth.Email, oauth.Groups, oauth.OfflineAccess}
}

// Validate refuses rules that are there but say nothing: they would admit everybody.
func (a *Allow) Validate() []connectors.Problem {
	var f faults
	if a == nil {
		return f
	}
	if a.Groups == nil && a.EmailDomains == nil {
		f.add("", "is empty, which would admit everybody: name groups or email_domains, or remove it if that is meant")
	}
	for _, l := range []struct {
		key  string
		list []string
	}{{"groups", a.Groups}, {"email_domains", a.EmailDomains}} {
		if l.list != nil && len(l.list) == 0 {
			f.add(l.key, "is an empty list, which would admit everybody: fill it or remove it")
		}
	}
	for i, g := range a.Groups {
		if g == "" {
			f.add(element("groups", i), "is empty: name a group as this broker knows it, such as okta:staff")
		}
	}
	for i, d := range a.EmailDomains {
		if !isHostName(d) || !strings.Contains(d, ".") {
			f.add(element("email_domains", i), "must be a domain such as example.com")
		}
	}
	return f
}

// validateReferences checks that clients name connectors that are there.
func (c *Config) validateReferences() []connectors.Problem {
	var f faults
	for i, client := range c.Clients {
		f = append(f, c.unknownConnectors(client.Connectors, element("clients", i)+".connectors")...)
	}
	return f
}

// unknownConnectors checks a list of connectors by their ids.
func (c *Config) unknownConnectors(list []string, path string) []connectors.Problem {
	var f faults
	var ids []string
	for _, one := range c.Connectors {
		if one == nil {
			return nil // an entry that could not be read may be the one that is meant
		}
		ids = append(ids, one.Base().ID)
	}
	for i, id := range list {
		switch {
		case slices.Contains(list[:i], id):
			f.add(element(path, i), "is in the list already: remove it")
		case !slices.Contains(ids, id):
			hint := ""
			if near := nearest(id, ids); near != "" {
				hint = fmt.Sprintf("did you mean %s? ", near)
			}
			f.add(element(path, i), "is not the id of a connector: %sthere are %s", hint, strings.Join(ids, ", "))
		}
	}
	return f
}
