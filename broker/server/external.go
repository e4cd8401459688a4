package server

import (
	"fmt"

	"gatehouse/broker"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/external"
	"gatehouse/broker/introspection"
	"gatehouse/broker/jose"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/token"
	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/internal/httpx"
)

// externalIssuers makes the external issuers of a configuration. Where their keys
// are the operator has said, so that they may be on a private network; each is
// fetched by a client of its own, with the roots that it is trusted by.
func (s *Server) externalIssuers(c *configs.Config) (*external.Issuers, error) {
	list, err := c.BrokerExternalIssuers()
	if err != nil {
		return nil, err
	}
	sources := map[string]jose.KeySource{}
	for i := range list {
		issuer := &list[i]
		fetcher, err := connectors.NewFetcher(issuer.CAFile)
		if err != nil {
			return nil, fmt.Errorf("external issuer %s: %w", issuer.ID, err)
		}
		sources[issuer.ID] = external.Keys(&clientkeys.Cache{Fetch: external.Fetch(fetcher, issuer), Now: s.now}, issuer)
	}
	return external.New(list, func(i *broker.ExternalIssuer) jose.KeySource { return sources[i.ID] }, s.now), nil
}

// lookup finds out what tokens of ours are.
func (s *Server) lookup(rt *runtime, minter *mint.Minter) *introspection.Tokens {
	return &introspection.Tokens{Mint: minter, Clients: rt.lookup, Grants: s.store, Switches: s.store, Onces: s.store, External: rt.external.Issuer}
}

// exchanges are the grants that take somebody else's token. They are there if a
// client is registered for them: otherwise they are not supported.
func (s *Server) exchanges(rt *runtime, minter *mint.Minter, targets token.Targets, perAccount *httpx.Limiter) []token.GrantHandler {
	workloads := &token.Workloads{Issuers: rt.external, Switches: s.store, Onces: s.store, Mint: minter, Targets: targets}
	var out []token.GrantHandler
	for _, h := range []token.GrantHandler{
		&token.TokenExchange{Live: s.lookup(rt, minter).Access, Clients: rt.lookup, Workloads: workloads, PerAccount: perAccount},
		&token.JWTBearer{Workloads: workloads},
	} {
		if rt.clients.use(h.GrantType()) {
			out = append(out, h)
		}
	}
	return out
}

// use reports whether some client is registered for a grant type.
func (c clients) use(g oauth.GrantType) bool {
	for _, client := range c {
		if client.AllowsGrantType(g) {
			return true
		}
	}
	return false
}
