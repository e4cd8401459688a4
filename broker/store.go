package broker

import (
	"context"
	"time"
)

// Store is the sum of the roles. Endpoints take the roles they need, never
// Store.
//
// Every verb is one commit, or none when it answers an error other than
// ErrCodeReplayed and ErrTokenReused (and the ErrConflict with which
// LeaseCredential marks a credential spent). Functions handed to a verb are pure,
// see current records, run inside the transaction and may run twice. A verb that
// is given an Event records it in the commit of what it writes, and consumes its
// Once keys there.
type Store interface {
	Logins
	Sessions
	Codes
	Devices
	RefreshTokens
	Grants
	Accounts
	Consents
	Credentials
	Registrations
	Switches
	Onces
	Keys
	Salts
	Events
	Sweeper
	// Ready reports nil while the store takes changes.
	Ready() error
	Close() error
}

// Once is something that may be presented a single time: a flow's state, the
// jti of a proof or assertion, a request_uri. Its key is hashed by the caller
// with what kind it is and whose.
type Once struct {
	Key     Digest
	Expires time.Time
}

// Verdict is what a decider makes of a State.
type Verdict uint8

const (
	// Refuse changes nothing; Decision.Err says why. It is the zero value.
	Refuse Verdict = iota
	// Ask records the sign-in but no grant: something is still asked of the person.
	Ask
	// Issue records the sign-in, the grant and the code.
	Issue
)

// Decision is the answer of a decider.
type Decision struct {
	Verdict Verdict
	Err     error
	// ACR is what the grant says of how the person authenticated, where a client
	// demanded less than the sign-in proves; empty for what the sign-in says.
	ACR string
}

// Outcome is what a verb did: the records as they now stand.
type Outcome struct {
	State
	Verdict Verdict
	// Successor is the sealed current refresh token, when a rotation was the one
	// permitted retry. Nothing was changed then but that it has been used.
	Successor []byte
	Event     Event
}

// NewSession is what a sign-in brings along for the session it starts or
// renews. ID is used when the browser has no session of this account; Secret is
// always the new cookie secret.
type NewSession struct {
	ID        string
	Secret    Digest
	Expires   time.Time
	IdleUntil time.Time
	Forget    time.Time
}

// Issuance is the grant to store, and the code, or the user code of the device, by
// which the client comes to it. The verb fills in the account, the session, the
// sign-in and the epochs of the grant.
type Issuance struct {
	Grant Grant
	Code  Code
	// Device approves the device authorization with this user code, which has to be
	// the client's and to be undecided (or the verb answers ErrNotFound), and to have
	// asked for the scopes and resources of the grant (ErrConflict). There is no code
	// then. It needs a decision within the flow, so CompleteLogin refuses it.
	Device Digest
}

// Login is an upstream sign-in that has succeeded.
type Login struct {
	Now      time.Time
	Once     []Once
	Identity Identity
	// AccountID is a random identifier, used when the identity is new and the one
	// it proposes is taken.
	AccountID string
	// Presented is the session the browser came with. If it is live and of the
	// same account it is renewed; if of another it ends in the same commit.
	Presented SessionRef
	Session   NewSession
	// ClientID is the client the person signs in for; empty for the broker's own
	// pages, in which case there is no Issue.
	ClientID string
	Issue    Issuance
	// Credential is kept to ask the upstream again; with nil, one that is kept is
	// forgotten. If the verb refuses, nothing becomes of it.
	Credential *NewCredential
	Event      Event
}

// Authorization is an issuance to a browser that is signed in already: after
// consent, or silently by single sign-on.
type Authorization struct {
	Now  time.Time
	Once []Once
	// Presented must be live, or the verb answers ErrNotFound.
	Presented SessionRef
	IdleUntil time.Time
	// Connector is the sign-in of the session to rest the grant on.
	Connector string
	ClientID  string
	// Consent is what was just agreed to, added in the same commit to what was agreed
	// to before; nil when nothing was asked.
	Consent *Consent
	Issue   Issuance
	Event   Event
}

// Logins complete sign-ins.
type Logins interface {
	// CompleteLogin records an upstream sign-in: finds or makes the account,
	// updates the identity's profile, starts or renews the session and, if decide
	// says Issue, stores grant and code. State shows the records as they will be
	// if it is not refused. Errors: ErrOnceUsed, ErrConflict, ErrGroupsUnknown,
	// Decision.Err.
	CompleteLogin(ctx context.Context, l Login, decide func(State) Decision) (Outcome, error)
	// CompleteAuthorization stores grant and code, the consent if one was given,
	// and the session's use. Ask is treated as Refuse. Errors: ErrNotFound,
	// ErrOnceUsed, ErrConflict, Decision.Err.
	CompleteAuthorization(ctx context.Context, a Authorization, decide func(State) Decision) (Outcome, error)
}

// Sessions are looked up by what the cookie proves and ended by their ID.
type Sessions interface {
	// Session reads a session with the account and, for the client and the
	// session's sign-in through connector, the switches, identity and consent.
	// With an empty connector the latest sign-in is taken; State.Identity tells
	// which. ErrNotFound when the secret is wrong or the session is not live.
	Session(ctx context.Context, ref SessionRef, clientID, connector string, now time.Time) (State, error)
	// EndSession leaves a tombstone until the session's Forget. Ending twice or
	// an unknown one is ErrNotFound.
	EndSession(ctx context.Context, id string, e Event) (Session, error)
}

// NewRefresh is a refresh token to store.
type NewRefresh struct {
	Digest  Digest
	Expires time.Time
	// Forget is when everything issued along with it is over.
	Forget time.Time
}

// Redemption is the presentation of an authorization code by a client that has
// authenticated.
type Redemption struct {
	Now      time.Time
	Once     []Once
	Key      ExpiringKey
	ClientID string
	// Bound checks what the code is bound to: redirect URI, PKCE, proof key. Its
	// error is returned and nothing changes, spent or not, so that a stranger who
	// saw a code cannot have the grant revoked.
	Bound func(Code) error
	// Next is stored if the grant is offline.
	Next  NewRefresh
	Event Event
}

// Codes are redeemed once.
type Codes interface {
	// RedeemCode spends the code if check agrees and stores Next, in one commit.
	// Exactly one call ever succeeds. A replay by the client it was issued to
	// revokes the grant, commits that, and returns ErrCodeReplayed (RFC 6749
	// §4.1.2). An unknown, foreign or expired code is ErrNotFound and changes
	// nothing.
	RedeemCode(ctx context.Context, r Redemption, check func(State) error) (Outcome, error)
}

// Rotation is the presentation of a refresh token by a client that has
// authenticated. The caller has proved by its authentication code that the
// token was issued by us for this grant.
type Rotation struct {
	Now       time.Time
	Once      []Once
	GrantID   string
	ClientID  string
	Presented Digest
	// Next replaces the presented token; nil leaves it in place (sender-constrained
	// clients are not rotated).
	Next *NewRefresh
	// Successor is Next sealed under a key derived from the presented token.
	Successor []byte
	// Retry is how long the previous token may be presented once more; zero never
	// looks at the clock.
	Retry time.Duration
	// Settle is what the upstream answered when it was asked just before, in the same
	// commit: check sees the profile it brought. nil when the upstream was not asked.
	//
	// It answers UpstreamVouches about the identity of the grant; any other is an
	// error and changes nothing. If its lease is no longer held it is left out, and
	// the rotation goes on with the profile that is stored. If the verb refuses, or
	// revokes, it is not settled.
	Settle *Settlement
	Event  Event
}

// RefreshTokens rotate.
type RefreshTokens interface {
	// RotateRefreshToken spends Presented and stores Next. Presenting a spent token
	// revokes the grant, commits that, and returns ErrTokenReused (RFC 9700
	// §4.14.2), except for the one retry within Retry, which returns the sealed
	// successor. An unknown or foreign grant and an expired token are ErrNotFound
	// and change nothing.
	RotateRefreshToken(ctx context.Context, r Rotation, check func(State) error) (Outcome, error)
}

// Grants are read by whoever holds a token and revoked by whoever may.
type Grants interface {
	// Grant reads a grant and every record that bears on it; it does not judge.
	Grant(ctx context.Context, id string, now time.Time) (State, error)
	// RevokeGrant deletes the grant: everything issued under it is dead.
	RevokeGrant(ctx context.Context, id string, e Event) error
}

// Accounts are found by ID. Disabling ends everything issued before; enabling
// revives nothing.
type Accounts interface {
	Account(ctx context.Context, id string) (Account, []LinkedIdentity, error)
	SetAccountDisabled(ctx context.Context, id string, disabled bool, e Event) error
	// EndAccount signs the account out everywhere.
	EndAccount(ctx context.Context, id string, e Event) error
}

// Consents are given in CompleteAuthorization and withdrawn here.
type Consents interface {
	Consent(ctx context.Context, accountID, clientID string) (Consent, error)
	WithdrawConsent(ctx context.Context, accountID, clientID string, e Event) error
}

// Switches turn clients and connectors off and on. Turning off moves the epoch.
type Switches interface {
	Switch(ctx context.Context, kind SwitchKind, id string) (Switch, error)
	SetSwitch(ctx context.Context, kind SwitchKind, id string, disabled bool, e Event) error
}

// Onces are consumed by the commit of the fact they belong to. These verbs are for
// what has no other fact: a client that authenticates with an assertion and changes
// nothing, and a single access token that is denied until it expires.
type Onces interface {
	// UseOnce consumes all of the keys, or none and answers ErrOnceUsed. The event, if
	// there is one, is recorded in the same commit.
	UseOnce(ctx context.Context, keys []Once, e *Event) error
	// OnceUsed reports whether the key has been consumed. Its Expires must be that of
	// the consumption.
	OnceUsed(ctx context.Context, o Once) (bool, error)
}

// Keys are read and replaced as a set, by compare-and-swap.
type Keys interface {
	Keys(ctx context.Context) ([]Key, uint64, error)
	// ReplaceKeys stores the set if version is still current, else ErrConflict.
	ReplaceKeys(ctx context.Context, version uint64, set []Key, e Event) error
}

// Salts are random secrets of this installation.
type Salts interface {
	// PairwiseSalt is what makes pairwise subjects unlinkable (OpenID Connect Core
	// §8.1): 32 bytes, made once and the same ever after, sealed at rest.
	PairwiseSalt(ctx context.Context) ([]byte, error)
}

// Events are read in order of writing.
type Events interface {
	// Events returns at most limit events after the cursor, and the next cursor;
	// an empty cursor begins with the oldest.
	Events(ctx context.Context, cursor string, limit int) ([]Event, string, error)
}

// Sweeper forgets what may be forgotten.
type Sweeper interface {
	// Sweep removes at most limit expired records in one commit and returns how
	// many it looked at; fewer than limit means there is nothing more to do now.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}
