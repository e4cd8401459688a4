package broker

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gatehouse/broker/oauth"
)

// Client is a relying party. Field meanings are those of RFC 7591 §2 and OpenID
// Connect Registration §2; the zero value of every rule is the strict one.
type Client struct {
	ID   string
	Name string
	// Secrets are verifiers in the forms package clientauth writes and reads;
	// any of them authenticates, so that a secret can be replaced with overlap.
	// None with a secret method authenticates nobody.
	Secrets []string
	// AuthMethod empty means either of the two ways to send a secret.
	AuthMethod oauth.AuthMethod
	// MACSecrets are the secrets of a client that signs assertions with them
	// (client_secret_jwt); any of them will do. Nothing may log them.
	MACSecrets [][]byte
	// JWKS is the client's JWK set, or JWKSURI where it is (RFC 7591 §2); at most one
	// of them.
	JWKS    []byte
	JWKSURI string
	// RequestURIs are where the client may keep request objects; RequestObjectAlg is the
	// only algorithm it signs them with, any that is supported when empty.
	RequestURIs      []string
	RequestObjectAlg string
	// AssertionAlg is token_endpoint_auth_signing_alg: the only algorithm of the
	// client's assertions; any that is supported when empty.
	AssertionAlg string
	RedirectURIs []string
	PostLogout   []string
	// WebOrigins are the origins whose scripts may call the token, userinfo and
	// revocation endpoints.
	WebOrigins    []string
	GrantTypes    []oauth.GrantType
	ResponseTypes []oauth.ResponseType
	// ResponseModes the client may ask for; empty means all but web_message.
	ResponseModes []oauth.ResponseMode
	// Scopes the client may ask for; empty means all that are supported.
	Scopes oauth.Scopes
	// Connectors its users may come from; empty means all.
	Connectors []string
	// SkipConsent marks a first-party client.
	SkipConsent bool
	// PKCEOptional lets a confidential client omit the challenge.
	PKCEOptional bool
	Allow        Allow
	// UserInfoAlg is userinfo_signed_response_alg; empty for plain JSON.
	UserInfoAlg string
	// IntrospectionAlg is introspection_signed_response_alg (RFC 9701 §6); empty for
	// the default.
	IntrospectionAlg string
	// What is encrypted for the client, after it has been signed.
	IDTokenEncryption       Encryption
	UserInfoEncryption      Encryption
	IntrospectionEncryption Encryption
	// OpaqueAccessTokens makes the client's access tokens strings that only the broker
	// can read, instead of JWTs.
	OpaqueAccessTokens bool
	// Audience is whom its access tokens are for besides what follows from their
	// scopes, where a request names no resource.
	Audience []string
	// Sector is the sector identifier of a client with pairwise subjects (OpenID
	// Connect Core §8.1); empty for the public subject.
	Sector string
	// Registered marks a client that has registered itself: nobody here vouches for it.
	Registered bool
	// InitiateLoginURI is where a third party may have a sign-in begin (Core §4).
	InitiateLoginURI string
	// DefaultACRValues stand in for acr_values (Registration §2).
	DefaultACRValues []string
	// IDTokenAlg and AccessTokenAlg override the broker's signing algorithms.
	IDTokenAlg     string
	AccessTokenAlg string
	// MinimalIDToken keeps profile claims out of ID tokens.
	MinimalIDToken bool
	Lifetimes      Lifetimes
	// Exchange is what the client may do with tokens of others. MayAct is the client
	// that its access tokens name as one that may act for the person (RFC 8693 §4.4).
	Exchange      TokenExchange
	MayAct        string
	URI           string
	LogoURI       string
	PolicyURI     string
	TermsURI      string
	DefaultMaxAge time.Duration
}

// Lifetimes say how long what is issued lives. In a Client, zero means the
// broker's own.
type Lifetimes struct {
	Code, AccessToken, IDToken, RefreshToken, Session, SessionIdle time.Duration
}

// Or returns the lifetimes with those that are zero taken from base.
func (l Lifetimes) Or(base Lifetimes) Lifetimes {
	return Lifetimes{
		Code:         cmp.Or(l.Code, base.Code),
		AccessToken:  cmp.Or(l.AccessToken, base.AccessToken),
		IDToken:      cmp.Or(l.IDToken, base.IDToken),
		RefreshToken: cmp.Or(l.RefreshToken, base.RefreshToken),
		Session:      cmp.Or(l.Session, base.Session),
		SessionIdle:  cmp.Or(l.SessionIdle, base.SessionIdle),
	}
}

// Allow narrows who may use a client: membership of one of the groups, or a
// verified e-mail address in one of the domains. Both empty admits everybody
// the connectors admit; both given, both must hold.
type Allow struct {
	Groups       []string
	EmailDomains []string
}

// Public reports whether the client cannot keep a secret (RFC 6749 §2.1).
func (c *Client) Public() bool { return c.AuthMethod == oauth.AuthMethodNone }

// AllowsGrantType reports whether the client is registered for the grant type.
func (c *Client) AllowsGrantType(g oauth.GrantType) bool { return slices.Contains(c.GrantTypes, g) }

// AllowsResponseType reports whether the client is registered for the response type.
func (c *Client) AllowsResponseType(t oauth.ResponseType) bool {
	return slices.Contains(c.ResponseTypes, t)
}

// AllowsResponseMode reports whether answers may travel to the client that way when
// it asks for it. web_message has to be registered by name: it hands the answer to a
// page.
func (c *Client) AllowsResponseMode(m oauth.ResponseMode) bool {
	if len(c.ResponseModes) == 0 {
		return m != oauth.ResponseModeWebMessage
	}
	return slices.Contains(c.ResponseModes, m)
}

// AllowsConnector reports whether people of the connector may sign in to the client.
func (c *Client) AllowsConnector(id string) bool {
	return len(c.Connectors) == 0 || slices.Contains(c.Connectors, id)
}

// Clients finds clients by their ID: in the configuration, then wherever else
// they may be registered. Its answer is shared and must not be changed.
type Clients interface {
	// Client answers ErrNotFound for an ID nobody has.
	Client(ctx context.Context, id string) (*Client, error)
}
