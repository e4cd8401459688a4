package fake

import (
	"crypto"
	"crypto/x509"
	"net/http"
	"slices"
	"time"
)

// Client is an application registered at the vendor: in practice the broker.
type Client struct {
	ID string
	// Secret is empty for a public client, which must then use PKCE.
	Secret string
	// Secrets are good too, as while one is being replaced.
	Secrets []string
	// AssertionKeys are what a client of the generic provider signs its assertions with
	// (private_key_jwt); with any, no secret is needed. ForeignAssertions are assertions
	// of a platform that it accepts as they are.
	AssertionKeys     []crypto.PublicKey
	ForeignAssertions []string
	// Name is shown on the sign-in page; the ID when empty.
	Name string
	// RedirectURIs are compared byte for byte, except by GitHub (see NewGitHub).
	RedirectURIs []string
	// PostLogoutRedirectURIs are where the vendor's end-session endpoint may return to.
	PostLogoutRedirectURIs []string
}

func (c Client) registered(redirectURI string) bool {
	return slices.Contains(c.RedirectURIs, redirectURI)
}

func (c Client) title() string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID
}

// Options configure a fake. Only Now is required; a fake without clients refuses
// every request the way the vendor refuses an unknown client.
type Options struct {
	// Now is the fake's clock: tokens, codes and sessions live by it.
	Now     func() time.Time
	Clients []Client
	// People replace the vendor's own cast (GooglePeople and so on).
	People []Person

	// SignInAs names a person who is taken to sign in at once, so that a test never
	// sees the page. Provider.SignInAs changes it later.
	SignInAs string
	// AutoApprove does the same request by request; an empty answer shows the page.
	// It comes before SignInAs.
	AutoApprove func(r *http.Request) (personID string)
	// TrustLoginHint lets a login_hint that names a person stand for that person's
	// choice on the page. Without it the hint only puts the person first, as at the vendors.
	TrustLoginHint bool

	// Keys is a pool to share between fakes, so that RSA keys are made once. Nil
	// means a pool of its own.
	Keys *KeyPool
	// Delay is how long the fault Slow holds an answer and how long Drip spends on
	// one; 30 seconds when zero. The request's context ends both.
	Delay time.Duration
	// Elsewhere is the base URL that hostile answers point at (next pages, moved
	// endpoints, redirects), so that a test can listen there and assert that nobody
	// calls; https://elsewhere.invalid when empty.
	Elsewhere string

	OIDC   OIDCOptions
	Google GoogleOptions
	Okta   OktaOptions
	Entra  EntraOptions
	GitHub GitHubOptions
}

// OIDCOptions are the generic provider's switches.
type OIDCOptions struct {
	// Algorithm is "RS256" (default) or "ES256", which makes its keys at no cost.
	Algorithm string
	// ResponseIssuer adds iss to authorization responses and says so in discovery
	// (RFC 9207).
	ResponseIssuer bool
	// RotateRefreshTokens replaces a refresh token at each use; using a replaced one
	// ends the grant (RFC 9700 §4.14.2).
	RotateRefreshTokens bool
	// RotationGrace is how long a replaced token still works; zero: not at all.
	RotationGrace time.Duration
	// RepeatRefreshToken sends the token that was presented back with the answer, where
	// it is not replaced.
	RepeatRefreshToken bool
	// ThinIDToken leaves profile, e-mail and groups to the userinfo endpoint.
	ThinIDToken bool
	// NoPKCE hides PKCE in discovery and ignores the challenge, as old providers do.
	NoPKCE bool
}

// EntraOptions are Entra ID's switches.
type EntraOptions struct {
	// Tenants are the directories that exist; EntraTenants when nil.
	Tenants []EntraTenant
	// NoGroupsClaim is the registration without groupMembershipClaims.
	NoGroupsClaim bool
	// OptionalClaims are those configured on the registration, out of email,
	// xms_edov, sid, login_hint and auth_time; the first four when nil.
	OptionalClaims []string
	// Certificates are those uploaded to the registration; Workload is its federated
	// identity credential, nil for none.
	Certificates []*x509.Certificate
	Workload     *EntraWorkload
	// GraphPage is how many rows a page of Graph holds at most; 999 when zero.
	GraphPage int
}

// GitHubOptions are GitHub's switches.
type GitHubOptions struct {
	// App makes the client a GitHub App with expiring user tokens: ghu_ and ghr_
	// instead of gho_, and no scopes.
	App bool
}
