// Package connectors is the contract between the broker and the identity
// providers people already have.
//
// A connector is an adapter to one configured upstream. It turns a Login that
// package login has made into an authorization URL, and the upstream's callback
// into an Identity. It keeps nothing between the two: state, nonce and PKCE
// verifier are made once, by login, and travel sealed in the browser.
//
// A connector opens lazily: making one does no I/O, so that an upstream that is
// down stops neither start-up nor the others. Everything it fetches is bounded in
// time and size. "Could not read groups" is a failed sign-in, never "no groups".
package connectors

import (
	"context"
	"net/url"
	"time"

	"gatehouse/broker"
)

// Login is one attempt to sign in through an upstream. State, Nonce and
// CodeVerifier are fresh for each attempt and bound to the browser by login.
type Login struct {
	State        string
	Nonce        string
	CodeVerifier string
	RedirectURI  string
	LoginHint    string
	// ForceLogin asks for the credentials again (prompt=login); SelectAccount for
	// the upstream's account chooser. MaxAge, when HasMaxAge, is passed on.
	ForceLogin    bool
	SelectAccount bool
	HasMaxAge     bool
	MaxAge        time.Duration
	// ACRValues are the levels the client asks for, in its order of preference and in
	// its own words: Common.Assurance translates.
	ACRValues []string
	// UILocales is passed on where the upstream takes it.
	UILocales string
	// Choice is the Key of the Choice that the person made; empty for none.
	Choice string
}

// Upstream is what the upstream handed out besides the identity. It is kept
// only, and sealed, where upstream re-check is on.
type Upstream struct {
	AccessToken  string    `json:"a,omitempty"`
	RefreshToken string    `json:"r,omitempty"`
	IDToken      string    `json:"-"`
	Expiry       time.Time `json:"e,omitzero"`
	Scopes       []string  `json:"s,omitempty"`
	// Choice is the Login's: where the tokens came from is where they are refreshed.
	Choice string `json:"c,omitempty"`
	// Reusable: asking with it does not use it up, so that it may be presented again
	// when the answer is lost.
	Reusable bool `json:"u,omitempty"`
	// Nonce is the Login's: a refreshed ID token may repeat it, and no other (OIDC Core
	// §12.2).
	Nonce string `json:"n,omitempty"`
	// Report is for people who look for a mistake in the configuration; it is not kept.
	Report Report `json:"-"`
}

// Report says how an identity came about, in words for `broker connector test`.
// It holds no token and no secret.
type Report struct {
	// EmailEvidence says what the e-mail trust rests on; GroupSource where the groups
	// come from, such as "the claim groups of the ID token" or "Microsoft Graph,
	// transitiveMemberOf, 3 pages".
	EmailEvidence string
	GroupSource   string
	// ServerTime is the upstream's clock (its Date header) when it answered at
	// AskedAt; zero when it did not say.
	ServerTime time.Time
	AskedAt    time.Time
	// Notes are further things worth knowing, a sentence each.
	Notes []string
}

// Reauthentication says what a connector can do about prompt=login and max_age.
type Reauthentication uint8

const (
	// ReauthImpossible: the upstream cannot be made to ask again.
	ReauthImpossible Reauthentication = iota
	// ReauthAsked: the upstream is asked, but gives no proof that it did.
	ReauthAsked
	// ReauthProven: a signed auth_time proves it.
	ReauthProven
)

// Description is what the broker and its pages need to know of a connector
// without any I/O.
type Description struct {
	// ID is the configured id: part of the callback path and of every identity.
	ID string
	// Type is the configured type, such as "google"; Name is what people see.
	Type string
	Name string
	// Reauthentication is what the upstream can do; BestEffort (configured)
	// accepts less than proof.
	Reauthentication Reauthentication
	BestEffort       bool
	// Levels are the assurance levels this connector knows, strongest first: those of
	// Common.Assurance. Demanding another one of it is in vain.
	Levels []string
	// NoACR: without Levels the upstream is asked for the client's own acr values, and
	// its own are passed on; but this one knows of none, and no demand can be met.
	NoACR bool
	// Domains route people with such an e-mail address here (Common.Domains).
	Domains []string
	// Choices are what the chooser offers instead of one entry, such as several
	// directories of one Entra connector; usually none.
	Choices []Choice
	// Recheck is the configured re-check; its Interval is zero where there is none.
	Recheck Recheck
}

// Choice is one of several entries that a connector has in the chooser.
type Choice struct {
	// Key travels in the URL and comes back as Login.Choice: a-z, 0-9 and -.
	Key  string
	Name string
}

// Connector is an adapter to one upstream. It is safe for concurrent use.
type Connector interface {
	Describe() Description
	// AuthorizationURL is where the browser goes. It may have to read the
	// upstream's discovery document; its error is an *Error.
	AuthorizationURL(ctx context.Context, l Login) (string, error)
	// Identify exchanges the code of the callback and answers who signed in. The
	// caller has matched the callback's state with l.State. Its error is an *Error.
	Identify(ctx context.Context, callback url.Values, l Login) (broker.Identity, Upstream, error)
	// Check reports the upstream's health as far as can be told cheaply: nil, or
	// why the last attempt to reach it failed.
	Check(ctx context.Context) error
}

// Refresher is implemented where an upstream can be asked again about a person
// who is not present.
type Refresher interface {
	// Refresh presents what Identify or the last Refresh handed out. prior is the
	// identity as it is known; what the upstream does not repeat is taken from it.
	// The answered identity has prior's key: a subject that differs is a Gone.
	//
	// Its error is an *Error. Gone, NotAllowed, Declined, Interaction and Unmet say that
	// the upstream no longer vouches for the person. Every other kind says nothing
	// about them, and Error.Unspent whether the credential may be presented again. An
	// Upstream that comes with an error replaces the one that was presented: the upstream
	// had answered before something else went wrong.
	Refresh(ctx context.Context, prior broker.Identity, u Upstream) (broker.Identity, Upstream, error)
}

// Expirer is implemented by connectors that hold something that expires.
type Expirer interface {
	// Expirations lists certificates, and secrets whose end is configured.
	Expirations() []Expiration
}

// Expiration is the end of something the broker authenticates with at an upstream.
type Expiration struct {
	// What names it by its configuration key, such as "client_certificate".
	What string
	At   time.Time
}
