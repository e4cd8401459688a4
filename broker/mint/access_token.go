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
	Now      time.Time
}

// AccessToken returns an RFC 9068 access token of the grant and how long it lives. Besides the claims of §2.2 it has
// grant_id, by which the broker finds the grant again, and sid (OpenID Connect Back-Channel Logout §2.1).
func (m *Minter) AccessToken(ctx context.Context, p AccessTokenParams) (token string, lifetime time.Duration, err error) {
	if err := within(p.Client, p.Grant, p.Scopes); err != nil {
		return "", 0, err
	}
	lifetime = or(p.Client.Lifetimes.AccessToken, m.lifetimes.AccessToken)
	audience := p.Audience
	if len(audience) == 0 {
		audience = []string{m.issuer}
	}
	claims := newPayload()
	claims.text("iss", m.issuer)
	claims.text("sub", p.Grant.AccountID)
	claims.audience(audience)
	claims.time("exp", p.Now.Add(lifetime))
	claims.time("iat", p.Now)
	claims.text("jti", NewJTI())
	claims.text("client_id", p.Client.ID)
	claims.text("scope", p.Scopes.String())
	claims.time("auth_time", p.Grant.AuthTime)
	claims.text("acr", p.Grant.ACR)
	claims.texts("amr", p.Grant.AMR)
	claims.text("sid", p.Grant.SessionID)
	claims.text("grant_id", p.Grant.ID)
	claims.mayAct(p.Client.MayAct)
	alg := or(p.Client.AccessTokenAlg, m.accessTokenAlg)
	token, err = m.sign(alg, accessTokenType, claims.done(), intent{subject: p.Grant.AccountID, clientID: p.Client.ID})
	return token, lifetime, err
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
