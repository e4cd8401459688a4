package mint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// ErrBeyondGrant: what is to be issued is not the grant's to give: a scope it lacks, or to another client. It is a
// mistake in the program, caught before a token exists (invariant I7).
var ErrBeyondGrant = errors.New("mint: beyond the grant")

// accessTokenType is the typ of RFC 9068 §2.1.
const accessTokenType = "at+jwt"

// AccessTokenParams say what an access token is for.
type AccessTokenParams struct {
	Client *broker.Client
	Grant  *broker.Grant
	// Scopes of this token, within those of the grant.
	Scopes oauth.Scopes
	// Audience is who takes the token; empty means the broker itself.
	Audience []string
	// Recipient is the resource server that the token is encrypted for, if it has an Encryption; its URI is the one
	// Audience then. nil and one without an Encryption are the same.
	Recipient *broker.Resource
	Now       time.Time
}

// AccessToken returns an RFC 9068 access token of the grant and how long it lives. Besides the claims of §2.2 it has
// grant_id, by which the broker finds the grant again, and sid (OpenID Connect Back-Channel Logout §2.1).
func (m *Minter) AccessToken(ctx context.Context, p AccessTokenParams) (token string, lifetime time.Duration, err error) {
	if err := within(p.Client, p.Grant, p.Scopes); err != nil {
		return "", 0, err
	}
	a := access{
		client: p.Client, intent: m.about(p.Client, p.Grant.AccountID), audience: m.audience(p.Audience), recipient: p.Recipient,
		scopes: p.Scopes, now: p.Now, lifetime: or(p.Client.Lifetimes.AccessToken, m.lifetimes.AccessToken),
	}
	claims := m.common(&a)
	claims.authentication(p.Grant, m.subjects.Session(p.Client, p.Grant.SessionID))
	claims.mayAct(p.Client.MayAct)
	token, err = m.issue(ctx, &a, claims.done())
	return token, a.lifetime, err
}

// within holds what is to be issued to the grant.
func within(client *broker.Client, grant *broker.Grant, scopes oauth.Scopes) error {
	switch {
	case grant.ClientID != client.ID:
		return fmt.Errorf("%w: it is another client's", ErrBeyondGrant)
	case !grant.Scopes.Contains(scopes):
		return fmt.Errorf("%w: it lacks a scope", ErrBeyondGrant)
	}
	return nil
}

// audience is who takes a token: the broker itself if nobody is named.
func (m *Minter) audience(named []string) []string {
	if len(named) == 0 {
		return []string{m.issuer}
	}
	return named
}

// access is what access tokens of every kind have: those of persons, of clients, in exchange and of workloads.
type access struct {
	client    *broker.Client
	intent    intent
	audience  []string
	recipient *broker.Resource
	scopes    oauth.Scopes
	now       time.Time
	lifetime  time.Duration
}

// common begins the payload with the claims of RFC 9068 §2.2 that every kind has.
func (m *Minter) common(a *access) payload {
	claims := newPayload()
	claims.text("iss", m.issuer)
	claims.text("sub", a.intent.subject)
	claims.audience(a.audience)
	claims.time("exp", a.now.Add(a.lifetime))
	claims.time("iat", a.now)
	claims.text("jti", NewJTI())
	claims.text("client_id", a.client.ID)
	claims.text("scope", a.scopes.String())
	return claims
}

// authentication writes how and when the person of a grant signed in (RFC 9068 §2.2.1), by which sid the client knows
// the session, and by which name the broker finds the grant again.
func (p *payload) authentication(g *broker.Grant, session string) {
	p.time("auth_time", g.AuthTime)
	p.text("acr", g.ACR)
	p.texts("amr", g.AMR)
	p.text("sid", session)
	p.text("grant_id", g.ID)
}

// issue gives the claims the form that they travel in. The resource server's wish comes before the client's: what it
// is sent encrypted the client cannot read either.
func (m *Minter) issue(ctx context.Context, a *access, claims []byte) (string, error) {
	alg := or(a.client.AccessTokenAlg, m.accessTokenAlg)
	switch {
	case a.recipient != nil && !a.recipient.Encryption.IsZero():
		return m.encryptAccess(ctx, a, alg, claims)
	case a.client.OpaqueAccessTokens:
		return m.sealAccess(claims, a.intent)
	}
	return m.sign(alg, accessTokenType, claims, a.intent)
}

// sign is the only way to a signature: what the linter refuses is not signed.
func (m *Minter) sign(alg, typ string, claims []byte, i intent) (string, error) {
	if err := m.linter.check(typ, claims, i); err != nil {
		return "", err
	}
	token, err := m.ring.Sign(alg, typ, claims)
	if err != nil {
		return "", fmt.Errorf("mint: signing with %s: %w", alg, err)
	}
	return token, nil
}
