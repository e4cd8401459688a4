package configs

import (
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// TokenExchange is what a client may do with tokens of others (RFC 8693). What is absent it may not.
type TokenExchange struct {
	// People lets it exchange access tokens of people: its own, and those addressed to a resource server it is.
	People bool `yaml:"people"`
	// Actors lets it name whoever has a token as the actor.
	Actors bool `yaml:"actors"`
	// Impersonate lets it do without an actor.
	Impersonate bool `yaml:"impersonate"`
}

// broker converts.
func (t *TokenExchange) broker() broker.TokenExchange {
	if t == nil {
		return broker.TokenExchange{}
	}
	return broker.TokenExchange{People: t.People, Actors: t.Actors, Impersonate: t.Impersonate}
}

func (c *Client) grants(g oauth.GrantType) bool { return slices.Contains(c.GrantTypes, string(g)) }

// validateExchanges checks what clients may do with tokens of others, and that each grant type is of use to them.
func (c *Config) validateExchanges() []connectors.Problem {
	var f faults
	for i := range c.Clients {
		one, path := &c.Clients[i], element("clients", i)
		named := slices.ContainsFunc(c.ExternalIssuers, func(e ExternalIssuer) bool { return slices.Contains(e.Clients, one.ClientID) })
		exchange := one.grants(oauth.GrantTypeTokenExchange)
		people := one.TokenExchange != nil && one.TokenExchange.People
		if exchange && !people && !named {
			f.add(join(path, "grant_types"), "token-exchange has nothing to exchange: set token_exchange: {people: true}, or name the client in external_issuers")
		}
		if one.grants(oauth.GrantTypeJWTBearer) && !named {
			f.add(join(path, "grant_types"), "jwt-bearer is for the JWTs of external_issuers, and none of them names this client")
		}
		switch t := one.TokenExchange; {
		case t == nil:
		case !exchange:
			f.add(join(path, "token_exchange"), "needs %s among grant_types", oauth.GrantTypeTokenExchange)
		case *t == (TokenExchange{}):
			f.add(join(path, "token_exchange"), "allows nothing: set people or actors, or remove it")
		case t.People && one.public():
			f.add(join(path, "token_exchange.people"), "is not for a public client: whoever finds a token could exchange it")
		case t.Impersonate && !t.People:
			f.add(join(path, "token_exchange.impersonate"), "is for access tokens of people: set people too")
		}
		if id := one.MayAct; id != "" {
			at := slices.IndexFunc(c.Clients, func(o Client) bool { return o.ClientID == id })
			if at < 0 || id == one.ClientID || c.Clients[at].public() {
				f.add(join(path, "may_act"), "must be the client_id of another client, which is not public")
			}
		}
	}
	return f
}
