package broker

import (
	"slices"
	"time"

	"gatehouse/broker/oauth"
)

// ExternalIssuer is somebody whose JWTs say which workload is calling: a CI system
// or a Kubernetes cluster (RFC 8693 §2.1, RFC 7523 §2.1). It is the operator's
// choice, and what its workloads may have is said here and not by them.
type ExternalIssuer struct {
	// ID is ours: tokens name the workload ID:SUBJECT.
	ID string
	// Issuer is the exact iss, Audiences are those of which one has to be in aud.
	Issuer    string
	Audiences []string
	// Claims all have to hold.
	Claims []ClaimRule
	// Clients may present its JWTs.
	Clients []string
	// Scopes that its workloads may have at most, and Resources they may be for;
	// without Resources every one that a scope belongs to.
	Scopes    oauth.Scopes
	Resources []string
	// MaxAge bounds how long ago a JWT was issued, MaxLifetime what we issue for it.
	MaxAge, MaxLifetime time.Duration
	// Once takes each JWT a single time, by its jti.
	Once bool
	// JWKS is its key set, JWKSURI where that is; with neither it is discovered.
	JWKS    []byte
	JWKSURI string
	// CAFile is the absolute path of a PEM bundle that is trusted when fetching,
	// instead of the system's.
	CAFile string
}

// ClaimRule is what a claim has to be: the whole of one of the patterns.
type ClaimRule struct {
	// Name of the claim or, with a slash in front, a JSON pointer into one (RFC 6901).
	Name string
	// Patterns are text in which * stands for anything but slashes and colons and **
	// for anything.
	Patterns []string
}

// Workload is the sub of tokens for a workload. No account and no client has such
// an identifier.
func (i *ExternalIssuer) Workload(subject string) string { return i.ID + ":" + subject }

// Takes reports whether the client may present JWTs of the issuer.
func (i *ExternalIssuer) Takes(clientID string) bool { return slices.Contains(i.Clients, clientID) }

// TokenExchange is what a client may do with tokens of others (RFC 8693). The zero
// value is nothing.
type TokenExchange struct {
	// People lets it exchange access tokens of people: its own, and those that are
	// addressed to it.
	People bool
	// Actors lets it name an actor; Impersonate lets it do without one when the token
	// is not its own.
	Actors      bool
	Impersonate bool
}
