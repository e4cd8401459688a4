package server

import (
	"slices"

	"gatehouse/broker/discovery"
	"gatehouse/broker/oauth"
)

// enabled is what the clients of a runtime have been given: discovery advertises
// that and no more.
func enabled(rt *runtime) discovery.Enabled {
	e := discovery.Enabled{Scopes: rt.config.BrokerResources().Scopes(), IDTokenAlgs: []string{rt.config.Signing.IDToken}, ResponseTypes: []string{string(oauth.ResponseTypeCode)}}
	add := func(list *[]string, value string) {
		if value != "" && !slices.Contains(*list, value) {
			*list = append(*list, value)
		}
	}
	for _, client := range rt.clients {
		add(&e.IDTokenAlgs, client.IDTokenAlg)
		add(&e.UserInfoAlgs, client.UserInfoAlg)
		for _, t := range client.ResponseTypes {
			add(&e.ResponseTypes, string(t))
		}
		e.WebMessage = e.WebMessage || client.AllowsResponseMode(oauth.ResponseModeWebMessage)
		if client.AllowsGrantType(oauth.GrantTypeImplicit) {
			e.Implicit = true
		}
	}
	e.TokenExchange, e.JWTBearer = rt.clients.use(oauth.GrantTypeTokenExchange), rt.clients.use(oauth.GrantTypeJWTBearer)
	slices.Sort(e.IDTokenAlgs[1:])
	slices.Sort(e.UserInfoAlgs)
	slices.Sort(e.ResponseTypes[1:])
	return e
}
