package configs

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
	"gatehouse/broker/outbound"
	"gatehouse/connectors"
)

const (
	maxClientID   = 255 // bytes; it is in every token
	maxClientName = 100 // bytes; it is on the consent page
	maxSecrets    = 5   // each is tried, and a hash takes its time
	maxMaxAge     = 366 * 24 * 60 * 60

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
	c.validateName(&f)
	c.validateSecrets(&f)
	c.validateKeys(&f)
	c.validateProtocol(&f)
	c.validateScope(&f, known)
	c.validateRedirectURIs(&f)
	c.validateOrigins(&f)
	c.validatePages(&f)
	f.under("allow", c.Allow.Validate())
	f.under("lifetimes", c.Lifetimes.Validate())
	return f
}

func (c *Client) validateName(f *faults) {
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
	if len(c.ClientName) > maxClientName {
		f.add("client_name", "must be at most %d bytes: it is shown on pages", maxClientName)
	}
	if t := c.ApplicationType; t != "" && t != "web" && t != "native" {
		f.add("application_type", "must be web or native")
	}
}

func (c *Client) validateSecrets(f *faults) {
	switch m := oauth.AuthMethod(c.AuthMethod); m {
	case "", oauth.AuthMethodClientSecretBasic, oauth.AuthMethodClientSecretPost, oauth.AuthMethodClientSecretJWT, oauth.AuthMethodNone:
	case oauth.AuthMethodPrivateKeyJWT:
		if c.ClientSecret != "" || c.ClientSecrets != nil {
			f.add("client_secret", "must be absent with private_key_jwt: the client proves itself with its key")
		}
		return
	default:
		f.add("token_endpoint_auth_method", "must be client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt or none")
		return
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

// validateKeys: whoever signs assertions needs keys, and nobody else does (RFC 7591 §2).
func (c *Client) validateKeys(f *faults) {
	method := oauth.AuthMethod(c.AuthMethod)
	switch {
	case c.JWKS != nil && c.JWKSURI != "":
		f.add("jwks_uri", "cannot be combined with jwks")
	case method == oauth.AuthMethodPrivateKeyJWT && c.JWKS == nil && c.JWKSURI == "":
		f.add("jwks", "required with private_key_jwt: the client's public keys, or jwks_uri where they are")
	}
	if c.JWKSURI != "" && outbound.CheckURL(c.JWKSURI) != nil {
		f.add("jwks_uri", "must be an https URL")
	}
	for i, uri := range c.RequestURIs {
		if outbound.CheckURL(uri) != nil {
			f.add(element("request_uris", i), "must be an https URL")
		}
	}
	if alg := c.RequestObjectAlg; alg != "" && !slices.Contains(jose.Recommended(), jose.Algorithm(alg)) {
		f.add("request_object_signing_alg", "must be one of RS256, PS256, ES256, ES384 and EdDSA")
	}
	if (c.RequestURIs != nil || c.RequestObjectAlg != "") && c.JWKS == nil && c.JWKSURI == "" {
		f.add("jwks", "required where the client signs requests, or jwks_uri")
	}
	signs := method == oauth.AuthMethodPrivateKeyJWT || method == oauth.AuthMethodClientSecretJWT
	if alg := c.AssertionAlg; alg != "" {
		symmetric := strings.HasPrefix(alg, "HS")
		switch {
		case !signs:
			f.add("token_endpoint_auth_signing_alg", "is for private_key_jwt and client_secret_jwt")
		case !slices.Contains(assertionAlgorithms(), jose.Algorithm(alg)), symmetric != (method == oauth.AuthMethodClientSecretJWT):
			f.add("token_endpoint_auth_signing_alg", "is not an algorithm for %s", method)
		}
	}
}

// assertionAlgorithms are those that package clientauth verifies.
func assertionAlgorithms() []jose.Algorithm {
	return append(jose.Recommended(), jose.HS256, jose.HS384, jose.HS512)
}

func (c *Client) validateProtocol(f *faults) {
	for i, g := range c.GrantTypes {
		switch oauth.GrantType(g) {
		case oauth.GrantTypeAuthorizationCode, oauth.GrantTypeRefreshToken:
		case oauth.GrantTypeClientCredentials:
			if c.public() {
				f.add(element("grant_types", i), "client_credentials is not for a public client (RFC 6749 section 4.4)")
			}
		case "password":
			f.add(element("grant_types", i), "password is refused: people type passwords at their own provider only (RFC 9700 section 2.4)")
		case oauth.GrantTypeImplicit: // validateResponseTypes
		case oauth.GrantTypeTokenExchange, oauth.GrantTypeJWTBearer: // validateExchanges
		case oauth.GrantTypeDeviceCode:
			f.add(element("grant_types", i), "%s is not supported by this version: remove it", g)
		default:
			f.add(element("grant_types", i), "must be authorization_code, refresh_token, client_credentials, implicit, %s or %s", oauth.GrantTypeTokenExchange, oauth.GrantTypeJWTBearer)
		}
	}
	if slices.Contains(c.GrantTypes, string(oauth.GrantTypeRefreshToken)) && !c.codes() {
		f.add("grant_types", "refresh_token is of no use without authorization_code: nothing else gives refresh tokens")
	}
	c.validateResponseTypes(f)
	if c.ResponseTypes != nil && len(c.ResponseTypes) == 0 {
		f.add("response_types", "is an empty list: remove it or write [code]")
	}
	if c.IDTokenAlg != "" {
		validateAlgorithm(f, "id_token_signed_response_alg", c.IDTokenAlg)
	}
	if c.UserInfoAlg != "" {
		validateAlgorithm(f, "userinfo_signed_response_alg", c.UserInfoAlg)
	}
	if c.AccessTokenAlg != "" {
		validateAlgorithm(f, "access_token_signed_response_alg", c.AccessTokenAlg)
	}
	if v := c.IDTokenClaims; v != "" && v != claimsFull && v != claimsMinimal {
		f.add("id_token_claims", "must be full or minimal")
	}
	if a := c.DefaultMaxAge; a != nil && (*a < 1 || *a > maxMaxAge) {
		f.add("default_max_age", "must be a number of seconds from 1 to %d", maxMaxAge)
	}
	if c.Connectors != nil && len(c.Connectors) == 0 {
		f.add("connectors", "is an empty list, which would admit nobody: name connectors, or remove it to admit people of all")
	}
}

// validateResponseTypes holds them against the grant types they need (OpenID Connect Registration §2).
func (c *Client) validateResponseTypes(f *faults) {
	for i, t := range c.ResponseTypes {
		kind, err := oauth.ParseResponseType(t)
		tokens := kind.Has(oauth.ResponseTypeToken) || kind.Has(oauth.ResponseTypeIDToken)
		switch {
		case err != nil || kind == oauth.ResponseTypeNone:
			f.add(element("response_types", i), "must be made of code, id_token and token")
		case string(kind) != t:
			f.add(element("response_types", i), "is written %q in the specifications: write it so", kind)
		case tokens && !slices.Contains(c.GrantTypes, string(oauth.GrantTypeImplicit)):
			f.add(element("response_types", i), "hands out tokens in the browser: if that is meant, add implicit to grant_types")
		case kind.Has(oauth.ResponseTypeCode) && !c.codes():
			f.add(element("response_types", i), "needs authorization_code among grant_types")
		}
	}
	for i, m := range c.ResponseModes {
		switch oauth.ResponseMode(m) {
		case oauth.ResponseModeQuery, oauth.ResponseModeFragment, oauth.ResponseModeFormPost, oauth.ResponseModeWebMessage:
		default:
			f.add(element("response_modes", i), "must be query, fragment, form_post or web_message")
		}
	}
	if c.ResponseModes != nil && len(c.ResponseModes) == 0 {
		f.add("response_modes", "is an empty list: name modes, or remove it to allow query, fragment and form_post")
	}
	if c.GrantTypes != nil && slices.Contains(c.GrantTypes, string(oauth.GrantTypeImplicit)) && !slices.ContainsFunc(c.ResponseTypes, func(t string) bool { return t != string(oauth.ResponseTypeCode) }) {
		f.add("grant_types", "implicit needs response_types that it is for, such as id_token: code is the better choice for every new application")
	}
}

// codes reports whether the client redeems authorization codes.
func (c *Client) codes() bool {
	return c.GrantTypes == nil || slices.Contains(c.GrantTypes, string(oauth.GrantTypeAuthorizationCode))
}

// scopes are those that have a meaning here.
func scopes() oauth.Scopes {
	return oauth.Scopes{oauth.OpenID, oauth.Profile, oauth.Email, oauth.Groups, oauth.OfflineAccess}
}

// interactive reports whether people sign in to the client.
func (c *Client) interactive() bool {
	return c.codes() || slices.Contains(c.GrantTypes, string(oauth.GrantTypeImplicit))
}

func (c *Client) validateScope(f *faults, known oauth.Scopes) {
	if c.Scope == nil {
		return
	}
	asked, err := oauth.ParseScopes(*c.Scope)
	unknown := asked.Without(known...)
	switch {
	case err != nil:
		f.add("scope", "%s", oauth.From(err).Description)
	case len(asked) == 0:
		f.add("scope", "is empty: name scopes separated by spaces, or remove it to allow all")
	case len(unknown) > 0:
		f.add("scope", "%s is not known here: there are %s", unknown[0], known)
	}
}

func (c *Client) validateRedirectURIs(f *faults) {
	if len(c.RedirectURIs) == 0 && c.interactive() {
		f.add("redirect_uris", "required: where the application receives its codes, byte for byte as it will send it")
	}
	native := c.ApplicationType == "native"
	for _, l := range []struct {
		key  string
		list []string
	}{{"redirect_uris", c.RedirectURIs}, {"post_logout_redirect_uris", c.PostLogout}} {
		for i, uri := range l.list {
			if err := oauth.ValidateRedirectURI(uri, native); err != nil {
				f.add(element(l.key, i), "%s", oauth.From(err).Description)
			} else if slices.Contains(l.list[:i], uri) {
				f.add(element(l.key, i), "is in the list already: remove it")
			}
		}
	}
}

// validateOrigins: an origin is what a browser sends as such (RFC 6454 §6.2), and is compared with that byte for byte.
func (c *Client) validateOrigins(f *faults) {
	for i, origin := range c.WebOrigins {
		u, err := url.Parse(origin)
		good := err == nil && !strings.Contains(origin, "*") && u.Host != "" && origin == u.Scheme+"://"+u.Host && origin == strings.ToLower(origin) && u.User == nil &&
			(u.Scheme == "https" && u.Port() != "443" || u.Scheme == "http" && connectors.IsLoopback(u.Hostname()))
		if !good {
			f.add(element("web_origins", i), "must be an origin such as https://app.example.com, in lower case and without a path (http only on localhost)")
		}
	}
}

// validatePages checks the addresses that people are shown or sent to.
func (c *Client) validatePages(f *faults) {
	for _, p := range []struct{ key, uri string }{
		{"client_uri", c.ClientURI}, {"logo_uri", c.LogoURI}, {"policy_uri", c.PolicyURI}, {"tos_uri", c.TermsURI},
	} {
		if p.uri == "" {
			continue
		}
		u, err := url.Parse(p.uri)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !connectors.IsLoopback(u.Hostname())) {
			f.add(p.key, "must be an https URL (http only on localhost)")
		}
	}
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
	var ids []string
	for _, one := range c.Connectors {
		if one == nil {
			return nil // an entry that could not be read may be the one that is meant
		}
		ids = append(ids, one.Base().ID)
	}
	for i, client := range c.Clients {
		for j, id := range client.Connectors {
			path := element(element("clients", i)+".connectors", j)
			switch {
			case slices.Contains(client.Connectors[:j], id):
				f.add(path, "is in the list already: remove it")
			case !slices.Contains(ids, id):
				hint := ""
				if near := nearest(id, ids); near != "" {
					hint = fmt.Sprintf("did you mean %s? ", near)
				}
				f.add(path, "is not the id of a connector: %sthere are %s", hint, strings.Join(ids, ", "))
			}
		}
	}
	return f
}
