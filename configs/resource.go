package configs

import (
	"net/url"
	"slices"

	"gatehouse/broker"
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
}

// validateResources checks every entry against the others and the clients.
func validateResources(list []Resource, clients []Client, issuer string) []connectors.Problem {
	var f faults
	for i, r := range list {
		path := element("", i)
		u, err := url.Parse(r.Resource)
		switch {
		case r.Resource == "":
			f.add(join(path, "resource"), "required: the identifier of the API, usually its URL, as clients and tokens name it")
		case err != nil || u.Scheme == "" || u.Fragment != "" || !oauthScopeText(r.Resource):
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
		if len(r.Scopes) == 0 {
			f.add(join(path, "scopes"), "required: the scopes that mean something to this API")
		}
		for j, s := range r.Scopes {
			switch parsed, err := oauth.ParseScopes(s); {
			case err != nil || len(parsed) != 1 || parsed[0] != s:
				f.add(element(join(path, "scopes"), j), "is not one scope: a word without spaces, quotes and backslashes")
			case scopes().Has(s):
				f.add(element(join(path, "scopes"), j), "%s is one of the broker's own", s)
			}
		}
	}
	return f
}

// oauthScopeText reports whether s is printable ASCII without spaces, as an aud in a header or form should be.
func oauthScopeText(s string) bool {
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
		out[i] = broker.Resource{URI: r.Resource, ClientID: r.Client, Scopes: slices.Clone(r.Scopes)}
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
