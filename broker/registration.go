package broker

import (
	"context"
	"errors"
	"time"
)

// Registration is a client that has registered itself (RFC 7591). Its ID is random
// and never used again.
type Registration struct {
	ClientID string
	// Revision counts the changes; the first is 1.
	Revision uint64
	// Metadata is the JSON object of RFC 7591 §2 as it was accepted: without client_id
	// and anything secret.
	Metadata []byte
	// Secret is the verifier of the client's secret in a form of package clientauth.
	// MACSecret is the secret itself of a client that signs with it (client_secret_jwt);
	// the store seals it. At most one of them is there.
	Secret    string
	MACSecret []byte
	// AccessToken is the registration_access_token's (RFC 7592 §3).
	AccessToken Digest
	CreatedAt   time.Time
	UsedAt      time.Time
	// Unused is how long after UsedAt the registration is forgotten; zero is never.
	Unused time.Duration
}

// Expired reports whether the client has not been used for too long. What has
// expired is as good as gone, whether or not it has been swept.
func (r *Registration) Expired(now time.Time) bool {
	return r.Unused > 0 && !now.Before(r.UsedAt.Add(r.Unused))
}

// Quota bounds how many clients one initial access token registers.
type Quota struct {
	// Token is the initial access token's.
	Token Digest
	// Limit is how many clients it is good for in all.
	Limit uint64
}

// ErrExhausted: the initial access token has registered as many clients as it may.
var ErrExhausted = errors.New("initial access token is used up")

// Registrations are made, read, replaced and deleted by whoever holds their token
// (RFC 7592), and forgotten when they are not used.
type Registrations interface {
	// Register stores the first revision and counts it against the quota if there is
	// one, in one commit. Errors: ErrExists, ErrExhausted.
	Register(ctx context.Context, r Registration, q *Quota, e Event) error
	// Registration answers ErrNotFound for an unknown ID and for one that has expired.
	Registration(ctx context.Context, clientID string, now time.Time) (Registration, error)
	// ReplaceRegistration stores r if its Revision is the one after that which is
	// stored. Errors: ErrNotFound, ErrConflict.
	ReplaceRegistration(ctx context.Context, r Registration, e Event) error
	// UseRegistration moves UsedAt and sets Unused: a client that is used may stay longer
	// than one that never was. ErrNotFound as in Registration.
	UseRegistration(ctx context.Context, clientID string, now time.Time, unused time.Duration) error
	// Unregister deletes the registration; without its client every grant is dead.
	Unregister(ctx context.Context, clientID string, e Event) error
}
