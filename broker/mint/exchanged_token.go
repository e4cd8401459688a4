package mint

import (
	"context"
	"fmt"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// MaxActors bounds the chain of an act claim: who passes a task on more often has a loop.
const MaxActors = 5

// Actor is the act claim (RFC 8693 §4.1): who acts for the subject, and for whom that one acts.
type Actor struct {
	Subject string
	Before  *Actor
}

// Depth is the length of the chain.
func (a *Actor) Depth() int {
	n := 0
	for ; a != nil; a = a.Before {
		n++
	}
	return n
}

// ExchangeParams say what an access token that is issued for another one is for (RFC 8693).
type ExchangeParams struct {
	// Client gets the token, Epoch is its own.
	Client *broker.Client
	Epoch  uint64
	Scopes oauth.Scopes
	// Audience is who takes the token. There is no default: it is derived from what was presented.
	Audience []string
	// Recipient is as in [AccessTokenParams].
	Recipient *broker.Resource
	Actor     *Actor
	Now       time.Time
	// NotAfter is when what was presented ends: nothing derived from it lives longer (invariant I7).
	NotAfter time.Time
}

// ExchangedToken returns an access token about the person of a grant for another client than the grant's, or for the
// same one in another form. It keeps the grant's ID, so that it dies with the grant, and has the epoch of the client it
// is for, so that it dies with that one too. Its sub is the one by which that client knows the person.
func (m *Minter) ExchangedToken(ctx context.Context, p ExchangeParams, grant *broker.Grant) (token string, lifetime time.Duration, err error) {
	if !grant.Scopes.Contains(p.Scopes) {
		return "", 0, fmt.Errorf("%w: it lacks a scope", ErrBeyondGrant)
	}
	about := m.about(p.Client, grant.AccountID)
	about.exchanged = true
	a, claims, err := m.derived(p, about)
	if err != nil {
		return "", 0, err
	}
	claims.authentication(grant, m.subjects.Session(p.Client, grant.SessionID))
	token, err = m.issue(ctx, &a, claims.done())
	return token, a.lifetime, err
}

// WorkloadToken returns an access token about a workload that an external issuer vouches for. There is no grant: the
// configuration of the issuer and the epoch of the client say whether it is still good.
func (m *Minter) WorkloadToken(ctx context.Context, p ExchangeParams, issuer *broker.ExternalIssuer, subject string) (token string, lifetime time.Duration, err error) {
	a, claims, err := m.derived(p, intent{subject: issuer.Workload(subject), clientID: p.Client.ID, machine: true, issuer: issuer.ID})
	if err != nil {
		return "", 0, err
	}
	claims.text("external_issuer", issuer.ID)
	token, err = m.issue(ctx, &a, claims.done())
	return token, a.lifetime, err
}

// derived writes what both have.
func (m *Minter) derived(p ExchangeParams, about intent) (access, payload, error) {
	lifetime := min(or(p.Client.Lifetimes.AccessToken, m.lifetimes.AccessToken), p.NotAfter.Sub(p.Now))
	if lifetime < time.Second || len(p.Audience) == 0 { // times are written in whole seconds
		return access{}, nil, fmt.Errorf("%w: it is over, or for nobody", ErrBeyondGrant)
	}
	a := access{client: p.Client, intent: about, audience: p.Audience, recipient: p.Recipient, scopes: p.Scopes, now: p.Now, lifetime: lifetime}
	claims := m.common(&a)
	claims.number("client_epoch", p.Epoch)
	claims.actor(p.Actor)
	return a, claims, nil
}

// actor writes the chain, the latest outermost (RFC 8693 §4.1).
func (p *payload) actor(a *Actor) {
	if a == nil {
		return
	}
	p.name("act")
	inner := payload("{")
	inner.text("sub", a.Subject)
	inner.actor(a.Before)
	*p = append(*p, inner.done()...)
}

// mayAct writes who may act for the subject (RFC 8693 §4.4).
func (p *payload) mayAct(clientID string) {
	if clientID == "" {
		return
	}
	p.name("may_act")
	inner := payload("{")
	inner.text("sub", clientID)
	*p = append(*p, inner.done()...)
}
