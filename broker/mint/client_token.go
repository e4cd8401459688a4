package mint

import (
	"context"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// ClientTokenParams say what a client's own access token is for.
type ClientTokenParams struct {
	Client *broker.Client
	// Epoch is the client's: a token of an older one is dead (invariant I6).
	Epoch  uint64
	Scopes oauth.Scopes
	// Audience is who takes the token; empty means the broker itself.
	Audience []string
	Now      time.Time
}

// ClientToken returns an access token that a client has for itself (RFC 6749 §4.4, RFC 9068 §2.2) and how long it
// lives. Its sub is the client (RFC 9068 §5). It has no grant: nothing is stored for it, and whoever asks the broker
// about it is told by the client's epoch whether it is still good.
func (m *Minter) ClientToken(ctx context.Context, p ClientTokenParams) (token string, lifetime time.Duration, err error) {
	lifetime = or(p.Client.Lifetimes.AccessToken, m.lifetimes.AccessToken)
	audience := p.Audience
	if len(audience) == 0 {
		audience = []string{m.issuer}
	}
	claims := newPayload()
	claims.text("iss", m.issuer)
	claims.text("sub", p.Client.ID)
	claims.audience(audience)
	claims.time("exp", p.Now.Add(lifetime))
	claims.time("iat", p.Now)
	claims.text("jti", NewJTI())
	claims.text("client_id", p.Client.ID)
	claims.text("scope", p.Scopes.String())
	claims.number("client_epoch", p.Epoch)
	alg := or(p.Client.AccessTokenAlg, m.accessTokenAlg)
	token, err = m.sign(alg, accessTokenType, claims.done(), intent{subject: p.Client.ID, clientID: p.Client.ID, machine: true})
	return token, lifetime, err
}
