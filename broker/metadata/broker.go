package metadata

import (
	"fmt"
	"slices"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// Broker converts metadata that [Client.Validate] finds no fault with: all but the ID,
// secrets and what operators grant. Grant types that are absent are the
// authorization_code, response types that are absent are code if there are codes at
// all (RFC 7591 §2). An error means that they are not valid.
func (c *Client) Broker() (broker.Client, error) {
	out := broker.Client{
		Name:             c.ClientName,
		AuthMethod:       oauth.AuthMethod(c.AuthMethod),
		AssertionAlg:     c.AssertionAlg,
		JWKS:             slices.Clone(c.JWKS),
		JWKSURI:          c.JWKSURI,
		RequestURIs:      slices.Clone(c.RequestURIs),
		RequestObjectAlg: c.RequestObjectAlg,
		RedirectURIs:     slices.Clone(c.RedirectURIs),
		PostLogout:       slices.Clone(c.PostLogout),
		WebOrigins:       slices.Clone(c.WebOrigins),
		GrantTypes:       words[oauth.GrantType](c.GrantTypes),
		ResponseTypes:    words[oauth.ResponseType](c.ResponseTypes),
		ResponseModes:    words[oauth.ResponseMode](c.ResponseModes),
		IDTokenAlg:       c.IDTokenAlg,
		AccessTokenAlg:   c.AccessTokenAlg,
		UserInfoAlg:      c.UserInfoAlg,
		IntrospectionAlg: c.IntrospectionAlg,
		DefaultACRValues: slices.Clone(c.DefaultACRValues),
		InitiateLoginURI: c.InitiateLoginURI,
		URI:              c.ClientURI,
		LogoURI:          c.LogoURI,
		PolicyURI:        c.PolicyURI,
		TermsURI:         c.TermsURI,

		IDTokenEncryption:       Encryption(c.IDTokenKeyAlg, c.IDTokenEnc),
		UserInfoEncryption:      Encryption(c.UserInfoKeyAlg, c.UserInfoEnc),
		IntrospectionEncryption: Encryption(c.IntrospectKeyAlg, c.IntrospectionEnc),
		OpaqueAccessTokens:      c.AccessTokenFormat == opaque,
	}
	if c.GrantTypes == nil {
		out.GrantTypes = []oauth.GrantType{oauth.GrantTypeAuthorizationCode}
	}
	if c.ResponseTypes == nil && c.codes() {
		out.ResponseTypes = []oauth.ResponseType{oauth.ResponseTypeCode}
	}
	if c.DefaultMaxAge != nil {
		out.DefaultMaxAge = time.Duration(*c.DefaultMaxAge) * time.Second
	}
	var err error
	if out.Sector, err = c.sector(); err != nil {
		return broker.Client{}, fmt.Errorf("sector_identifier_uri: %w", err)
	}
	if c.Scope != nil {
		if out.Scopes, err = oauth.ParseScopes(*c.Scope); err != nil {
			return broker.Client{}, err
		}
	}
	return out, nil
}

// words converts a list; nil for an empty one.
func words[T ~string](list []string) []T {
	var out []T
	for _, s := range list {
		out = append(out, T(s))
	}
	return out
}
