package configs

import (
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/connectors"
)

// Resource is a resource server: an API that takes access tokens of this broker (RFC 8707).
type Resource struct {
	// Resource is its resource indicator, the aud of tokens for it.
	Resource string `yaml:"resource"`
	// Client is the client_id with which it asks /introspect; absent when it checks signatures itself.
	Client string `yaml:"client"`
	// Scopes mean something to it and to no other, unless two list the same.
	Scopes []string `yaml:"scopes"`
	// AccessTokenKeyAlg has access tokens for it encrypted to the keys of Client; AccessTokenEnc is A128CBC-HS256 when
	// empty.
	AccessTokenKeyAlg string `yaml:"access_token_encrypted_response_alg"`
	AccessTokenEnc    string `yaml:"access_token_encrypted_response_enc"`
}

func (r *Resource) encrypted() bool { return r.AccessTokenKeyAlg != "" }

// validateResources checks every entry against the others and the clients.
func validateResources(list []Resource, clients []Client, issuer string) []connectors.Problem {
	var f faults
	for i, r := range list {
		path := element("", i)
		switch {
		case r.Resource == "":
			f.add(join(path, "resource"), "required: the identifier of the API, usually its URL, as clients and tokens name it")
		case !isResource(r.Resource):
			f.add(join(path, "resource"), "must be an absolute URI without a fragment (RFC 8707 section 2)")
		case r.Resource == issuer:
			f.add(join(path, "resource"), "is the issuer: its scopes are the broker's own")
		case slices.ContainsFunc(list[:i], func(o Resource) bool { return o.Resource == r.Resource }):
			f.add(join(path, "resource"), "is listed already: put all of its scopes into one entry")
		}
		at := slices.IndexFunc(clients, func(c Client) bool { return c.ClientID == r.Client })
		switch {
		case r.Client == "":
		case at < 0:
			f.add(join(path, "client"), "is no client_id of the clients section")
		case clients[at].public():
			f.add(join(path, "client"), "is a public client: to introspect, a resource server has to authenticate")
		}
		f.under(path, r.validateScopes())
		if at >= 0 {
			f.under(path, r.validateEncryption(&clients[at]))
		} else {
			f.under(path, r.validateEncryption(nil))
		}
	}
	return f
}

func (r *Resource) validateScopes() []connectors.Problem {
	var f faults
	if len(r.Scopes) == 0 {
		f.add("scopes", "required: the scopes that mean something to this API")
	}
	for j, s := range r.Scopes {
		switch parsed, err := oauth.ParseScopes(s); {
		case err != nil || len(parsed) != 1 || parsed[0] != s:
			f.add(element("scopes", j), "is not one scope: a word without spaces, quotes and backslashes")
		case scopes().Has(s):
			f.add(element("scopes", j), "%s is one of the broker's own", s)
		}
	}
	return f
}

// noKey is said of a client whose keys do not do for a resource server.
const noKey = "needs a key among the jwks of its client that something can be encrypted to with it"

// validateEncryption: the keys are those of the client that the resource server is; nil when there is none.
func (r *Resource) validateEncryption(client *Client) []connectors.Problem {
	var f faults
	const member = "access_token_encrypted_response_alg"
	for _, p := range metadata.CheckEncryption("access_token", r.AccessTokenKeyAlg, r.AccessTokenEnc) {
		f.add(p.Member, "%s", p.Message)
	}
	switch {
	case !r.encrypted() || len(f) > 0:
	case client == nil || client.JWKS == nil && client.JWKSURI == "":
		f.add(member, "needs a client with jwks or jwks_uri: access tokens are encrypted to its keys")
	case client.JWKS != nil && client.JWKS.Path == "" && metadata.CheckKeySet(client.JWKS.Text, false, r.AccessTokenKeyAlg) != nil:
		f.add(member, "%s", noKey)
	}
	return f
}

// isResource reports whether s is an absolute URI without a fragment, not even an empty one (RFC 8707 §2, RFC 3986
// §4.3).
func isResource(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && len(s) > len(u.Scheme)+1 && !strings.Contains(s, "#") && isWord(s)
}

// isWord reports whether s is printable ASCII without spaces, as an iss or aud should be.
func isWord(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// BrokerResources returns the resource servers as the rest of the program knows them.
func (c *Config) BrokerResources() policy.Resources {
	out := make(policy.Resources, len(c.Resources))
	for i, r := range c.Resources {
		out[i] = broker.Resource{URI: r.Resource, ClientID: r.Client, Scopes: slices.Clone(r.Scopes), Encryption: metadata.Encryption(r.AccessTokenKeyAlg, r.AccessTokenEnc)}
	}
	return out
}

// scopes are the broker's own and those of its resource servers.
func (c *Config) scopes() oauth.Scopes {
	all := scopes()
	for _, r := range c.Resources {
		for _, s := range r.Scopes {
			if !all.Has(s) {
				all = append(all, s)
			}
		}
	}
	return all
}
