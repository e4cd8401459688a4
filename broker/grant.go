package broker

import (
	"time"

	"gatehouse/broker/oauth"
)

// Epochs are the counters something was born under.
type Epochs struct {
	Account, Identity, Session, Client, Connector uint64
}

// Grant is the durable record that an account let a client act or know: one
// sign-in or consent, and everything issued under it. Its ID is in every access
// token, so that whoever asks us sees a revocation at once. A revoked grant is
// deleted: no record means no rights.
type Grant struct {
	ID        string
	ClientID  string
	AccountID string
	SessionID string
	// Connector and Identity name the sign-in the grant rests on.
	Connector string
	Identity  Digest
	Epochs    Epochs
	Scopes    oauth.Scopes
	// Resources are those that the person was asked for (RFC 8707 §2.1); empty means
	// all that the scopes belong to.
	Resources []string
	// Claims were asked for besides those of the scopes.
	Claims    ClaimsRequest
	AuthTime  time.Time
	ACR       string
	AMR       []string
	CreatedAt time.Time
	// Offline grants outlive the session's sign-out (Back-Channel Logout §2.7)
	// and have refresh tokens.
	Offline bool
	Refresh Refresh
	// Forget is when nothing issued under the grant can be alive any more.
	Forget time.Time
}

// Refresh is the state of a grant's refresh token family. Only the current and
// the previous token are kept: the endpoint proves a presented token to be of
// the family by its authentication code, so any other is a spent one.
type Refresh struct {
	Current    Digest
	Generation uint32
	Expires    time.Time
	// Previous may be presented once more within the retry window, and is then
	// answered with Successor: the current token, sealed under a key that only a
	// holder of the previous one can derive.
	Previous  Digest
	Successor []byte
	SpentAt   time.Time
	Retried   bool
}

// Code is an authorization code (RFC 6749 §4.1.2). It is remembered after use,
// until what was issued for it has expired, so that a replay is recognised.
type Code struct {
	Key         ExpiringKey
	GrantID     string
	ClientID    string
	RedirectURI string
	// RedirectURISent says whether the authorization request named the redirect
	// URI; if so the token request must repeat it (RFC 6749 §4.1.3).
	RedirectURISent bool
	Challenge       string
	Nonce           string
	Expires         time.Time
	Spent           bool
	SpentAt         time.Time
}
