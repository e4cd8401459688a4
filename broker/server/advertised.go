package server

import (
	"cmp"
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/discovery"
	"gatehouse/broker/jose"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
	"gatehouse/broker/registration"
	"gatehouse/configs"
)

// enabled is what the clients of a runtime have been given: discovery advertises
// that and no more.
func enabled(rt *runtime) discovery.Enabled {
	resources := rt.config.BrokerResources()
	e := discovery.Enabled{Scopes: resources.Scopes(), IDTokenAlgs: []string{rt.config.Signing.IDToken},
		ResponseTypes: []string{string(oauth.ResponseTypeCode)}}
	add := func(list *[]string, value string) {
		if value != "" && !slices.Contains(*list, value) {
			*list = append(*list, value)
		}
	}
	for _, client := range rt.clients {
		add(&e.IDTokenAlgs, client.IDTokenAlg)
		add(&e.UserInfoAlgs, client.UserInfoAlg)
		asks := len(resources.Of(client.ID)) > 0 || client.IntrospectionAlg != "" || !client.IntrospectionEncryption.IsZero()
		if asks {
			add(&e.IntrospectionAlgs, cmp.Or(client.IntrospectionAlg, introspectionAlg(rt.config)))
		}
		e.IDTokenEncryption = appendEncryption(e.IDTokenEncryption, client.IDTokenEncryption)
		e.UserInfoEncryption = appendEncryption(e.UserInfoEncryption, client.UserInfoEncryption)
		e.IntrospectionEncryption = appendEncryption(e.IntrospectionEncryption, client.IntrospectionEncryption)
		e.Pairwise = e.Pairwise || client.Sector != ""
		for _, t := range client.ResponseTypes {
			add(&e.ResponseTypes, string(t))
		}
		e.WebMessage = e.WebMessage || client.AllowsResponseMode(oauth.ResponseModeWebMessage)
		if client.AllowsGrantType(oauth.GrantTypeImplicit) {
			e.Implicit = true
		}
	}
	e.TokenExchange, e.JWTBearer = rt.clients.use(oauth.GrantTypeTokenExchange), rt.clients.use(oauth.GrantTypeJWTBearer)
	e.Device = rt.devices()
	if rt.registered != nil {
		registrable(&e, rt.registered.Policy)
	}
	for _, upstream := range rt.upstreams {
		for _, level := range upstream.Levels {
			add(&e.ACRValues, level)
		}
	}
	slices.Sort(e.IDTokenAlgs[1:])
	slices.Sort(e.IntrospectionAlgs)
	slices.Sort(e.UserInfoAlgs)
	slices.Sort(e.ResponseTypes[1:])
	return e
}

func appendEncryption(list []broker.Encryption, one broker.Encryption) []broker.Encryption {
	if one.IsZero() || slices.Contains(list, one) {
		return list
	}
	return append(list, one)
}

// introspectionAlg signs answers of introspection for clients that name no algorithm:
// RS256 (RFC 9701 §6), where there is a key for it.
func introspectionAlg(c *configs.Config) string {
	if slices.Contains(c.SigningAlgorithms(), "RS256") {
		return "RS256"
	}
	return c.Signing.IDToken
}

// registrable adds what clients may register for: the next one may use it.
func registrable(e *discovery.Enabled, policy registration.Policy) {
	add := func(list []string, values []string) []string {
		for _, v := range values {
			if !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
		return list
	}
	e.Registration, e.Pairwise = true, true
	e.IDTokenAlgs = add(e.IDTokenAlgs, metadata.SigningAlgorithms())
	e.UserInfoAlgs = add(e.UserInfoAlgs, metadata.SigningAlgorithms())
	e.IntrospectionAlgs = add(e.IntrospectionAlgs, metadata.SigningAlgorithms())
	for _, alg := range jose.KeyAlgorithms() {
		for _, enc := range jose.ContentEncryptions() {
			one := broker.Encryption{Alg: string(alg), Enc: string(enc)}
			e.IDTokenEncryption = appendEncryption(e.IDTokenEncryption, one)
			e.UserInfoEncryption = appendEncryption(e.UserInfoEncryption, one)
			e.IntrospectionEncryption = appendEncryption(e.IntrospectionEncryption, one)
		}
	}
	if slices.Contains(policy.GrantTypes, oauth.GrantTypeImplicit) {
		e.Implicit = true
		e.ResponseTypes = add(e.ResponseTypes, []string{"id_token", "token", "id_token token", "code id_token", "code token", "code id_token token"})
	}
}
