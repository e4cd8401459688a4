package configs

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

// Client is an application that signs people in through the broker. Keys are the metadata names of RFC 7591 §2 and
// OpenID Connect Registration §2 where those have one.
type Client struct {
	ClientID   string `yaml:"client_id"`
	ClientName string `yaml:"client_name"`
	// ClientSecret, or ClientSecrets while one replaces another. Each may be a bcrypt or argon2id hash instead.
	ClientSecret  Secret   `yaml:"client_secret"`
	ClientSecrets []Secret `yaml:"client_secrets"`
	// AuthMethod may be left out of a client with a secret: it may then send it either way.
	AuthMethod string `yaml:"token_endpoint_auth_method"`
	// AssertionAlg is the only algorithm of the client's assertions; empty means any that is supported.
	AssertionAlg string `yaml:"token_endpoint_auth_signing_alg"`
	// JWKS, or JWKSURI where it is to be fetched, are the public keys that it signs with, or that something is encrypted to.
	JWKS    *JWKS  `yaml:"jwks"`
	JWKSURI string `yaml:"jwks_uri"`
	// RequestURIs are the addresses of the request objects that /authorize may fetch.
	RequestURIs []string `yaml:"request_uris"`
	// RequestObjectAlg is the only algorithm of the client's request objects; empty means any that is supported.
	RequestObjectAlg string   `yaml:"request_object_signing_alg"`
	RedirectURIs     []string `yaml:"redirect_uris"`
	PostLogout       []string `yaml:"post_logout_redirect_uris"`
	// WebOrigins are the origins of pages whose scripts call the token, userinfo and revocation endpoints.
	WebOrigins    []string `yaml:"web_origins"`
	GrantTypes    []string `yaml:"grant_types"`
	ResponseTypes []string `yaml:"response_types"`
	// ResponseModes the client may ask for; all but web_message when empty.
	ResponseModes []string `yaml:"response_modes"`
	// Scope is the list of scopes the client may ask for, separated by spaces; all that there are when empty.
	Scope *string `yaml:"scope"`
	// Connectors its people may come from; nil means all.
	Connectors  []string `yaml:"connectors"`
	SkipConsent bool     `yaml:"skip_consent"`
	// RequirePKCE is true when nil.
	RequirePKCE    *bool  `yaml:"require_pkce"`
	Allow          *Allow `yaml:"allow"`
	IDTokenAlg     string `yaml:"id_token_signed_response_alg"`
	AccessTokenAlg string `yaml:"access_token_signed_response_alg"`
	// AccessTokenFormat is jwt (also when empty) or opaque.
	AccessTokenFormat string `yaml:"access_token_format"`
	// UserInfoAlg has userinfo answered as a signed JWT; JSON when empty.
	UserInfoAlg string `yaml:"userinfo_signed_response_alg"`
	// IntrospectionAlg signs the JWTs with which introspection answers; the broker's own choice when empty.
	IntrospectionAlg string `yaml:"introspection_signed_response_alg"`
	// What is encrypted for the client: with an alg. An enc that is absent beside it is A128CBC-HS256.
	IDTokenKeyAlg    string          `yaml:"id_token_encrypted_response_alg"`
	IDTokenEnc       string          `yaml:"id_token_encrypted_response_enc"`
	UserInfoKeyAlg   string          `yaml:"userinfo_encrypted_response_alg"`
	UserInfoEnc      string          `yaml:"userinfo_encrypted_response_enc"`
	IntrospectKeyAlg string          `yaml:"introspection_encrypted_response_alg"`
	IntrospectionEnc string          `yaml:"introspection_encrypted_response_enc"`
	IDTokenClaims    string          `yaml:"id_token_claims"`
	Lifetimes        ClientLifetimes `yaml:"lifetimes"`
	// Audience is whom its access tokens are for besides what follows from their scopes, where a request names nobody.
	Audience []string `yaml:"audience"`
	// SubjectType is public (also when empty) or pairwise, in the sector of SectorURI's host or of the redirect URIs'.
	SubjectType string `yaml:"subject_type"`
	SectorURI   string `yaml:"sector_identifier_uri"`
	// TokenExchange is what it may do with tokens of others; nil is nothing.
	TokenExchange *TokenExchange `yaml:"token_exchange"`
	// MayAct is the client that its access tokens allow to act for the person.
	MayAct string `yaml:"may_act"`
	// ApplicationType is web (also when empty) or native, which may use a scheme of its own in redirect URIs.
	ApplicationType string `yaml:"application_type"`
	// DefaultMaxAge is in seconds; nil means no limit.
	DefaultMaxAge *int `yaml:"default_max_age"`
	// RequireAuthTime asks for what every ID token has.
	RequireAuthTime *bool `yaml:"require_auth_time"`
	// DefaultACRValues stand in for acr_values.
	DefaultACRValues []string `yaml:"default_acr_values"`
	// InitiateLoginURI is where a third party may have a sign-in begin.
	InitiateLoginURI string `yaml:"initiate_login_uri"`
	// Contacts, SoftwareID and SoftwareVersion are for whoever reads the file.
	Contacts        []string `yaml:"contacts"`
	SoftwareID      string   `yaml:"software_id"`
	SoftwareVersion string   `yaml:"software_version"`
	ClientURI       string   `yaml:"client_uri"`
	LogoURI         string   `yaml:"logo_uri"`
	PolicyURI       string   `yaml:"policy_uri"`
	TermsURI        string   `yaml:"tos_uri"`
}

// Allow narrows who may use a client. Both rules given, both must hold.
type Allow struct {
	Groups       []string `yaml:"groups"`
	EmailDomains []string `yaml:"email_domains"`
}

// secrets are the references of the client.
func (c *Client) secrets() []Secret {
	if c.ClientSecret != "" {
		return []Secret{c.ClientSecret}
	}
	return c.ClientSecrets
}

func (c *Client) public() bool { return oauth.AuthMethod(c.AuthMethod) == oauth.AuthMethodNone }

// BrokerClients returns the clients as the rest of the program knows them. Their secrets are replaced by what digest
// makes of each; hashes pass as they are. An error is about a secret that can no longer be read, or is digest's.
func (c *Config) BrokerClients(digest func(secret string) (string, error)) ([]broker.Client, error) {
	out := make([]broker.Client, len(c.Clients))
	var err error
	for i := range c.Clients {
		one := &c.Clients[i]
		if out[i], err = one.broker(); err != nil {
			return nil, fmt.Errorf("client %s: %w", one.ClientID, err)
		}
		if one.JWKS != nil {
			if out[i].JWKS, err = c.readJWKS(one.JWKS); err != nil {
				return nil, fmt.Errorf("client %s: jwks: %w", one.ClientID, err)
			}
		}
		for _, reference := range one.secrets() {
			value, err := c.Resolve(string(reference))
			if err != nil {
				return nil, fmt.Errorf("client %s: %w", one.ClientID, err)
			}
			if oauth.AuthMethod(one.AuthMethod) == oauth.AuthMethodClientSecretJWT {
				out[i].MACSecrets = append(out[i].MACSecrets, []byte(value))
				continue
			}
			if !isHashed(value) {
				if value, err = digest(value); err != nil {
					return nil, fmt.Errorf("client %s: %w", one.ClientID, err)
				}
			}
			out[i].Secrets = append(out[i].Secrets, value)
		}
	}
	return out, nil
}

// metadata are what the entry has in common with a client that registers itself.
func (c *Client) metadata() *metadata.Client {
	out := &metadata.Client{
		RedirectURIs:     c.RedirectURIs,
		AuthMethod:       c.AuthMethod,
		AssertionAlg:     c.AssertionAlg,
		GrantTypes:       orList(c.GrantTypes, defaultGrantTypes()),
		ResponseTypes:    c.ResponseTypes,
		ResponseModes:    c.ResponseModes,
		ClientName:       c.ClientName,
		ClientURI:        c.ClientURI,
		LogoURI:          c.LogoURI,
		PolicyURI:        c.PolicyURI,
		TermsURI:         c.TermsURI,
		Scope:            c.Scope,
		JWKSURI:          c.JWKSURI,
		ApplicationType:  c.ApplicationType,
		IDTokenAlg:       c.IDTokenAlg,
		UserInfoAlg:      c.UserInfoAlg,
		RequestObjectAlg: c.RequestObjectAlg,
		RequestURIs:      c.RequestURIs,
		DefaultMaxAge:    c.DefaultMaxAge,
		PostLogout:       c.PostLogout,
		WebOrigins:       c.WebOrigins,
		AccessTokenAlg:   c.AccessTokenAlg,

		AccessTokenFormat: c.AccessTokenFormat,
		IntrospectionAlg:  c.IntrospectionAlg,
		IDTokenKeyAlg:     c.IDTokenKeyAlg,
		IDTokenEnc:        c.IDTokenEnc,
		UserInfoKeyAlg:    c.UserInfoKeyAlg,
		UserInfoEnc:       c.UserInfoEnc,
		IntrospectKeyAlg:  c.IntrospectKeyAlg,
		IntrospectionEnc:  c.IntrospectionEnc,
		SubjectType:       c.SubjectType,
		SectorURI:         c.SectorURI,
		RequireAuthTime:   c.RequireAuthTime,
		DefaultACRValues:  c.DefaultACRValues,
		InitiateLoginURI:  c.InitiateLoginURI,
		Contacts:          c.Contacts,
		SoftwareID:        c.SoftwareID,
		SoftwareVersion:   c.SoftwareVersion,
	}
	if c.JWKS != nil {
		out.JWKS = c.JWKS.Text
	}
	return out
}

// broker converts all but the secrets, and keys that are in a file.
func (c *Client) broker() (broker.Client, error) {
	out, err := c.metadata().Broker()
	if err != nil {
		return broker.Client{}, err
	}
	out.ID = c.ClientID
	out.Name = orElse(out.Name, c.ClientID)
	out.Connectors = slices.Clone(c.Connectors)
	out.SkipConsent = c.SkipConsent
	out.PKCEOptional = c.RequirePKCE != nil && !*c.RequirePKCE
	out.MinimalIDToken = c.IDTokenClaims == claimsMinimal
	out.Lifetimes = c.Lifetimes.broker()
	out.Exchange = c.TokenExchange.broker()
	out.MayAct = c.MayAct
	out.Audience = slices.Clone(c.Audience)
	if c.Allow != nil {
		out.Allow = broker.Allow{Groups: slices.Clone(c.Allow.Groups), EmailDomains: lowerAll(c.Allow.EmailDomains)}
	}
	return out, nil
}

func defaultGrantTypes() []string {
	return []string{string(oauth.GrantTypeAuthorizationCode), string(oauth.GrantTypeRefreshToken)}
}

func orElse(s, absent string) string {
	if s == "" {
		return absent
	}
	return s
}

func orList(list, absent []string) []string {
	if list == nil {
		return absent
	}
	return list
}

func lowerAll(list []string) []string {
	out := slices.Clone(list)
	for i, s := range out {
		out[i] = strings.ToLower(s) // ASCII, as validated
	}
	return out
}
