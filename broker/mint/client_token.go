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
	// Recipient is as in [AccessTokenParams].
	Recipient *broker.Resource
	Now       time.Time
}

// ClientToken returns an access token that a client has for itself (RFC 6749 §4.4, RFC 9068 §2.2) and how long it
// lives. Its sub is the client (RFC 9068 §5). It has no grant: nothing is stored for it, and whoever asks the broker
// about it is told by the client's epoch whether it is still good.
func (m *Minter) ClientToken(ctx context.Context, p ClientTokenParams) (token string, lifetime time.Duration, err error) {
	a := access{
		client: p.Client, intent: intent{subject: p.Client.ID, clientID: p.Client.ID, machine: true}, audience: m.audience(p.Audience),
		recipient: p.Recipient, scopes: p.Scopes, now: p.Now, lifetime: or(p.Client.Lifetimes.AccessToken, m.lifetimes.AccessToken),
	}
	claims := m.common(&a)
	claims.number("client_epoch", p.Epoch)
	token, err = m.issue(ctx, &a, claims.done())
	return token, a.lifetime, err
}
