package metadata

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker/oauth"
)

const (
	maxMaxAge = 366 * 24 * 60 * 60

	native = "native"
	opaque = "opaque"
)

// problems collects what is wrong.
type problems []Problem

func (p *problems) add(member, format string, args ...any) {
	*p = append(*p, Problem{member, fmt.Sprintf(format, args...)})
}

// element names the entry of a list.
func element(member string, i int) string { return fmt.Sprintf("%s[%d]", member, i) }

// Validate returns everything that is wrong, which is nothing for metadata that can be
// converted with [Client.Broker].
func (c *Client) Validate(r Rules) []Problem {
	var p problems
	c.validateLengths(&p)
	c.validateTexts(&p)
	c.validateKind(&p)
	c.validateKeys(&p, r)
	c.validateEncryption(&p)
	c.validateGrantTypes(&p)
	c.validateResponseTypes(&p)
	c.validateResponseModes(&p)
	c.validateTokens(&p)
	c.validateScope(&p, r.Scopes)
	c.validateRedirectURIs(&p)
	c.validateOrigins(&p)
	c.validateSubject(&p)
	c.validatePages(&p)
	return p
}

// validateKind checks what sort of client it is.
func (c *Client) validateKind(p *problems) {
	if t := c.ApplicationType; t != "" && t != "web" && t != native {
		p.add("application_type", "must be web or native")
	}
	switch oauth.AuthMethod(c.AuthMethod) {
	case "", oauth.AuthMethodClientSecretBasic, oauth.AuthMethodClientSecretPost, oauth.AuthMethodClientSecretJWT, oauth.AuthMethodPrivateKeyJWT, oauth.AuthMethodNone:
	default:
		p.add("token_endpoint_auth_method", "must be client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt or none")
	}
}

func (c *Client) public() bool { return oauth.AuthMethod(c.AuthMethod) == oauth.AuthMethodNone }

func (c *Client) grants(g oauth.GrantType) bool { return slices.Contains(c.GrantTypes, string(g)) }

// codes reports whether the client redeems authorization codes, as one that names no
// grant types does (RFC 7591 §2).
func (c *Client) codes() bool {
	return c.GrantTypes == nil || c.grants(oauth.GrantTypeAuthorizationCode)
}

// interactive reports whether people are sent to the client's redirect URIs.
func (c *Client) interactive() bool { return c.codes() || c.grants(oauth.GrantTypeImplicit) }

func (c *Client) validateGrantTypes(p *problems) {
	for i, g := range c.GrantTypes {
		switch oauth.GrantType(g) {
		case oauth.GrantTypeAuthorizationCode, oauth.GrantTypeRefreshToken, oauth.GrantTypeDeviceCode:
		case oauth.GrantTypeClientCredentials:
			if c.public() {
				p.add(element("grant_types", i), "client_credentials is not for a public client (RFC 6749 section 4.4)")
			}
		case "password":
			p.add(element("grant_types", i), "password is refused: people type passwords at their own provider only (RFC 9700 section 2.4)")
		case oauth.GrantTypeImplicit: // validateResponseTypes
		case oauth.GrantTypeTokenExchange, oauth.GrantTypeJWTBearer: // what they exchange is the operator's to grant
		default:
			p.add(element("grant_types", i), "must be authorization_code, refresh_token, client_credentials, implicit, %s, %s or %s",
				oauth.GrantTypeDeviceCode, oauth.GrantTypeTokenExchange, oauth.GrantTypeJWTBearer)
		}
	}
	if c.grants(oauth.GrantTypeRefreshToken) && !c.codes() && !c.grants(oauth.GrantTypeDeviceCode) {
		p.add("grant_types", "refresh_token is of no use without authorization_code or %s: nothing else gives refresh tokens", oauth.GrantTypeDeviceCode)
	}
}

// validateResponseTypes holds them against the grant types they need (OpenID Connect
// Registration §2).
func (c *Client) validateResponseTypes(p *problems) {
	for i, t := range c.ResponseTypes {
		kind, err := oauth.ParseResponseType(t)
		tokens := kind.Has(oauth.ResponseTypeToken) || kind.Has(oauth.ResponseTypeIDToken)
		switch {
		case err != nil || kind == oauth.ResponseTypeNone:
			p.add(element("response_types", i), "must be made of code, id_token and token")
		case string(kind) != t:
			p.add(element("response_types", i), "is written %q in the specifications: write it so", kind)
		case tokens && !c.grants(oauth.GrantTypeImplicit):
			p.add(element("response_types", i), "hands out tokens in the browser: if that is meant, add implicit to grant_types")
		case kind.Has(oauth.ResponseTypeCode) && !c.codes():
			p.add(element("response_types", i), "needs authorization_code among grant_types")
		}
	}
	if c.ResponseTypes != nil && len(c.ResponseTypes) == 0 && c.interactive() {
		p.add("response_types", "is an empty list: remove it or write [code]")
	}
	if c.grants(oauth.GrantTypeImplicit) && !slices.ContainsFunc(c.ResponseTypes, func(t string) bool { return t != string(oauth.ResponseTypeCode) }) {
		p.add("grant_types", "implicit needs response_types that it is for, such as id_token: code is the better choice for every new application")
	}
}

func (c *Client) validateResponseModes(p *problems) {
	for i, m := range c.ResponseModes {
		switch oauth.ResponseMode(m) {
		case oauth.ResponseModeQuery, oauth.ResponseModeFragment, oauth.ResponseModeFormPost, oauth.ResponseModeWebMessage:
		default:
			p.add(element("response_modes", i), "must be query, fragment, form_post or web_message")
		}
	}
	if c.ResponseModes != nil && len(c.ResponseModes) == 0 {
		p.add("response_modes", "is an empty list: name modes, or remove it to allow query, fragment and form_post")
	}
}

// SigningAlgorithms are those that the broker signs with.
func SigningAlgorithms() []string { return []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} }

func (c *Client) validateTokens(p *problems) {
	for _, one := range []struct{ member, alg string }{
		{"id_token_signed_response_alg", c.IDTokenAlg}, {"userinfo_signed_response_alg", c.UserInfoAlg},
		{"introspection_signed_response_alg", c.IntrospectionAlg}, {"access_token_signed_response_alg", c.AccessTokenAlg},
	} {
		if one.alg != "" && !slices.Contains(SigningAlgorithms(), one.alg) {
			p.add(one.member, "must be one of %s", strings.Join(SigningAlgorithms(), ", "))
		}
	}
	switch {
	case c.AccessTokenFormat != "" && c.AccessTokenFormat != "jwt" && c.AccessTokenFormat != opaque:
		p.add("access_token_format", "must be jwt or opaque")
	case c.AccessTokenFormat == opaque && c.AccessTokenAlg != "":
		p.add("access_token_signed_response_alg", "is for access tokens that are JWTs, and access_token_format is opaque")
	}
	if a := c.DefaultMaxAge; a != nil && (*a < 1 || *a > maxMaxAge) {
		p.add("default_max_age", "must be a number of seconds from 1 to %d", maxMaxAge)
	}
	for i, acr := range c.DefaultACRValues {
		// They take the place of acr_values, whose values are separated by spaces (Core
		// §3.1.2.1).
		if acr == "" || !isWord(acr, maxText) {
			p.add(element("default_acr_values", i), "must be one value of acr, without spaces, of at most %d bytes", maxText)
		}
	}
}

func (c *Client) validateScope(p *problems, known oauth.Scopes) {
	if c.Scope == nil {
		return
	}
	asked, err := oauth.ParseScopes(*c.Scope)
	unknown := asked.Without(known...)
	switch {
	case err != nil:
		p.add("scope", "%s", oauth.From(err).Description)
	case len(asked) == 0:
		p.add("scope", "is empty: name scopes separated by spaces, or remove it to allow all")
	case len(unknown) > 0:
		p.add("scope", "%s is not known here: there are %s", unknown[0], known)
	}
}

func (c *Client) validateRedirectURIs(p *problems) {
	if len(c.RedirectURIs) == 0 && c.interactive() {
		p.add("redirect_uris", "required: where the application receives its codes, byte for byte as it will send it")
	}
	for _, l := range []struct {
		member string
		list   []string
	}{{"redirect_uris", c.RedirectURIs}, {"post_logout_redirect_uris", c.PostLogout}} {
		for i, uri := range l.list {
			if err := oauth.ValidateRedirectURI(uri, c.ApplicationType == native); err != nil {
				p.add(element(l.member, i), "%s", oauth.From(err).Description)
			} else if slices.Contains(l.list[:i], uri) {
				p.add(element(l.member, i), "is in the list already: remove it")
			}
		}
	}
}

// validateOrigins: an origin is what a browser sends as such (RFC 6454 §6.2), and is
// compared with that byte for byte.
func (c *Client) validateOrigins(p *problems) {
	for i, origin := range c.WebOrigins {
		u, err := url.Parse(origin)
		good := err == nil && !strings.Contains(origin, "*") && u.Host != "" && origin == u.Scheme+"://"+u.Host && origin == strings.ToLower(origin) && u.User == nil &&
			(u.Scheme == "https" && u.Port() != "443" || u.Scheme == "http" && isLoopback(u.Hostname()))
		if !good {
			p.add(element("web_origins", i), "must be an origin such as https://app.example.com, in lower case and without a path (http only on localhost)")
		}
	}
}
