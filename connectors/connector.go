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
	ACRValues     []string
}

// Upstream is what the upstream handed out besides the identity. It is kept
// only, and sealed, where upstream re-check is on.
type Upstream struct {
	AccessToken  string
	RefreshToken string
	IDToken      string
	Expiry       time.Time
	Scopes       []string
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
	Refresh(ctx context.Context, u Upstream) (broker.Identity, Upstream, error)
}
