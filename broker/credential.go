package broker

import (
	"context"
	"time"
)

// Credential is what the broker keeps to ask an upstream again about a person
// who is not present. There is one for each identity, and only where the
// connector re-checks.
//
// Most upstreams take a credential once and answer with the next. Whoever wants
// to ask therefore takes the lease first, durably, and a credential whose lease
// ran out without an answer counts as spent: it is never presented again, and the
// person signs in once more.
type Credential struct {
	Identity Digest
	// Sealed is what the connector handed out, sealed by package recheck for this
	// identity. Reusable says that presenting it twice does no harm.
	Sealed   []byte
	Reusable bool
	// AskedAt is when the upstream was last asked, as settled: a lease does not move
	// it. AnsweredAt is when it last vouched for the person. A sign-in is both.
	AskedAt    time.Time
	AnsweredAt time.Time
	// FailingSince is when the upstream stopped answering; zero while it answers.
	FailingSince time.Time
	// Lease names who is asking, until LeaseUntil; empty for nobody.
	Lease      string
	LeaseUntil time.Time
	// Spent: it was presented and the answer was lost.
	Spent bool
	// Forget is when nothing can rest on it any more. It moves forward only, for as
	// long as there is a credential.
	Forget time.Time
}

// NewCredential comes with a sign-in where the connector re-checks. One with
// Sealed takes the place of whatever is kept: asked and answered now, held by
// nobody, neither failing nor spent.
//
// Without Sealed the upstream handed out nothing, and the one that is kept stays,
// with its lease: the sign-in counts as an answer about the person, but a spent
// credential is not made whole by it and stays as it is.
type NewCredential struct {
	Sealed   []byte
	Reusable bool
	Forget   time.Time
}

// CredentialLease asks for the right to present a credential. Asked is the
// AskedAt that the caller has seen: if somebody has asked since, there is no lease.
type CredentialLease struct {
	Identity Digest
	// ID names the lease and is random. Without one, or with an end that is not
	// after Now, the verb answers an error and changes nothing.
	ID    string
	Asked time.Time
	Now   time.Time
	Until time.Time
}

// UpstreamAnswer is what became of asking an upstream about somebody.
type UpstreamAnswer uint8

const (
	// UpstreamSilent: no answer, or none that says anything about the person.
	UpstreamSilent UpstreamAnswer = iota
	// UpstreamVouches: the person is who they were.
	UpstreamVouches
	// UpstreamDenies: a definite no.
	UpstreamDenies
)

// Settlement is the end of a lease. One whose lease is no longer held changes
// nothing: a sign-in has brought a newer credential, or the answer took so long
// that the credential was given up. A lease that ran out is held until somebody
// else wants it, so that a late answer counts.
type Settlement struct {
	Identity Digest
	Lease    string
	Now      time.Time
	Answer   UpstreamAnswer

	// Profile replaces the identity's with UpstreamVouches; KeepGroups leaves its
	// groups as they are. When the person last signed in (SeenAt) stays.
	Profile    Profile
	KeepGroups bool
	// Sealed replaces the credential, and Reusable what was said of it; a new one is
	// not spent: with UpstreamVouches, and with UpstreamSilent where the upstream took
	// the old one and fell silent afterwards. nil keeps what there is.
	Sealed   []byte
	Reusable bool
	// Forget moves the credential's forward.
	Forget time.Time
	// Spent says with UpstreamSilent that the credential may have been used up.
	Spent bool
	// Grant is revoked and Session ended with UpstreamDenies, the credential is
	// deleted, and the identity's epoch moves, so that every other grant and session
	// resting on it is dead too. A grant of another identity and a session of another
	// account are left alone.
	Grant   string
	Session string
}

// Credentials are leased and settled.
type Credentials interface {
	// Credential reads the credential of an identity. ErrNotFound.
	Credential(ctx context.Context, identity Digest) (Credential, error)
	// LeaseCredential marks the credential as being presented, in one commit, and
	// returns it as it now stands. ErrConflict when somebody else holds the lease,
	// has asked meanwhile, or it is spent; ErrNotFound.
	//
	// A lease that ran out without an answer is taken over if the credential is
	// Reusable. Any other may have been presented: the verb marks it spent, commits
	// that, and answers ErrConflict.
	LeaseCredential(ctx context.Context, l CredentialLease) (Credential, error)
	// SettleCredential ends a lease in a commit of its own, and reports with false,
	// and no commit, that it was no longer held. The event is recorded with
	// UpstreamDenies only, as EventUpstreamDenied.
	SettleCredential(ctx context.Context, s Settlement, e Event) (bool, error)
}
