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
	Actor    *Actor
	Now      time.Time
	// NotAfter is when what was presented ends: nothing derived from it lives longer (invariant I7).
	NotAfter time.Time
}

// ExchangedToken returns an access token about the person of a grant for another client than the grant's, or for the
// same one in another form. It keeps the grant's ID, so that it dies with the grant, and has the epoch of the client it
// is for, so that it dies with that one too.
func (m *Minter) ExchangedToken(ctx context.Context, p ExchangeParams, grant *broker.Grant) (token string, lifetime time.Duration, err error) {
	if !grant.Scopes.Contains(p.Scopes) {
		return "", 0, fmt.Errorf("%w: it lacks a scope", ErrBeyondGrant)
	}
	claims, lifetime, err := m.derived(p, grant.AccountID)
	if err != nil {
		return "", 0, err
	}
	claims.time("auth_time", grant.AuthTime)
	claims.text("acr", grant.ACR)
	claims.texts("amr", grant.AMR)
	claims.text("sid", grant.SessionID)
	claims.text("grant_id", grant.ID)
	token, err = m.sign(or(p.Client.AccessTokenAlg, m.accessTokenAlg), accessTokenType, claims.done(),
		intent{subject: grant.AccountID, clientID: p.Client.ID, exchanged: true})
	return token, lifetime, err
}

// WorkloadToken returns an access token about a workload that an external issuer vouches for. There is no grant: the
// configuration of the issuer and the epoch of the client say whether it is still good.
func (m *Minter) WorkloadToken(ctx context.Context, p ExchangeParams, issuer *broker.ExternalIssuer, subject string) (token string, lifetime time.Duration, err error) {
	sub := issuer.Workload(subject)
	claims, lifetime, err := m.derived(p, sub)
	if err != nil {
		return "", 0, err
	}
	claims.text("external_issuer", issuer.ID)
	token, err = m.sign(or(p.Client.AccessTokenAlg, m.accessTokenAlg), accessTokenType, claims.done(),
		intent{subject: sub, clientID: p.Client.ID, machine: true, issuer: issuer.ID})
	return token, lifetime, err
}

// derived writes what both have.
func (m *Minter) derived(p ExchangeParams, subject string) (payload, time.Duration, error) {
	lifetime := min(or(p.Client.Lifetimes.AccessToken, m.lifetimes.AccessToken), p.NotAfter.Sub(p.Now))
	expires := p.Now.Add(lifetime)
	if lifetime < time.Second || len(p.Audience) == 0 { // times are written in whole seconds
		return nil, 0, fmt.Errorf("%w: it is over, or for nobody", ErrBeyondGrant)
	}
	claims := newPayload()
	claims.text("iss", m.issuer)
	claims.text("sub", subject)
	claims.audience(p.Audience)
	claims.time("exp", expires)
	claims.time("iat", p.Now)
	claims.text("jti", NewJTI())
	claims.text("client_id", p.Client.ID)
	claims.text("scope", p.Scopes.String())
	claims.number("client_epoch", p.Epoch)
	claims.actor(p.Actor)
	return claims, lifetime, nil
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
