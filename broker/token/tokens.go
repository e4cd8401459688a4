package token

import (
	"context"
	"errors"

	"gatehouse/broker"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/internal/httpx"
)

// tokensOf mints what an outcome entitles to: an access token, and an ID token
// when openid was granted (OpenID Connect Core §3.1.3.3). A refresh has no nonce
// and keeps the auth_time of the sign-in (§12.2).
func tokensOf(ctx context.Context, m *mint.Minter, to Targets, r Request, o broker.Outcome, scopes oauth.Scopes, nonce string) (Tokens, error) {
	tokens, err := accessToken(ctx, m, to, r, o, scopes)
	if err != nil || !scopes.Has(oauth.OpenID) {
		return tokens, err
	}
	tokens.IDToken, err = m.IDToken(ctx, idTokenParams(r, o, scopes, nonce, tokens.AccessToken))
	return tokens, err
}

// Targets says whom access tokens are for (RFC 8707).
type Targets struct {
	Resources policy.Resources
	// Issuer is the broker itself.
	Issuer string

	// ready is the resource server whose keys are at hand to encrypt to.
	ready *broker.Resource
}

// unready is a token that would be encrypted to keys that may have to be fetched
// first: no verb can do that.
type unready struct{ to *broker.Resource }

// Error says what is missing.
func (unready) Error() string { return "the keys of a resource server are not at hand" }

// prepared runs a verb and, when it turns out that the access token has to be
// encrypted, fetches the keys and runs it once more: the first time it has refused,
// so that nothing is spent for a token that could not be made (I12).
func (t Targets) prepared(ctx context.Context, m *mint.Minter, verb func(Targets) (broker.Outcome, error)) (broker.Outcome, error) {
	outcome, err := verb(t)
	missing, ok := errors.AsType[unready](err)
	if !ok {
		return outcome, err
	}
	if err := ready(ctx, m, missing.to); err != nil {
		return broker.Outcome{}, err
	}
	t.ready = missing.to
	return verb(t)
}

// ready fetches the keys of a resource server whose tokens are encrypted; nil is one
// whose are not.
func ready(ctx context.Context, m *mint.Minter, to *broker.Resource) error {
	if err := m.ReadyFor(ctx, to); err != nil {
		return oauth.Errorf(oauth.TemporarilyUnavailable, "the keys to encrypt access tokens to cannot be had").Because(err)
	}
	return nil
}

// of returns the audience of a token with scopes, and the scopes that it keeps. granted
// are the resources of the grant.
func (t Targets) of(r Request, scopes oauth.Scopes, granted []string) ([]string, oauth.Scopes, error) {
	return t.Resources.Issued(t.Issuer, r.Client, scopes, r.Form.Values("resource"), granted)
}

func accessToken(ctx context.Context, m *mint.Minter, to Targets, r Request, o broker.Outcome, scopes oauth.Scopes) (Tokens, error) {
	audience, scopes, err := to.of(r, scopes, o.Grant.Resources)
	if err != nil {
		return Tokens{}, err
	}
	token, lifetime, err := m.AccessToken(ctx, mint.AccessTokenParams{Client: r.Client, Grant: o.Grant, Scopes: scopes,
		Audience: audience, Recipient: to.Resources.Recipient(audience), Now: r.Now})
	return Tokens{AccessToken: token, Lifetime: lifetime, Scopes: scopes, Event: o.Event}, err
}

func idTokenParams(r Request, o broker.Outcome, scopes oauth.Scopes, nonce, access string) mint.IDTokenParams {
	return mint.IDTokenParams{Client: r.Client, Grant: o.Grant, Scopes: scopes, Profile: o.Identity.Profile,
		Nonce: nonce, AccessToken: access, Now: r.Now}
}

// revoked is what a refused verb has committed all the same: the end of the grant,
// if a code or refresh token was presented again and there still was one.
func revoked(o broker.Outcome, err error) Tokens {
	replayed := errors.Is(err, broker.ErrCodeReplayed) || errors.Is(err, broker.ErrTokenReused)
	if !replayed || o.Grant == nil {
		return Tokens{}
	}
	return Tokens{Event: o.Event}
}

// authorize is what every grant runs on current records inside its commit. The
// account is known there and no earlier, so its limit is taken there too; a verb
// that runs it twice counts twice.
func authorize(r Request, to Targets, s broker.State, scopes oauth.Scopes, perAccount *httpx.Limiter) error {
	// Before anything is spent: a resource that cannot be had changes nothing.
	audience, _, err := to.of(r, scopes, s.Grant.Resources)
	if err != nil {
		return err
	}
	if recipient := to.Resources.Recipient(audience); recipient != nil && recipient != to.ready {
		return unready{recipient}
	}
	if err := policy.Authorize(r.Client, s, s.Grant.Scopes); err != nil {
		return err
	}
	if wait, ok := perAccount.Allow(s.Account.ID); !ok {
		return oauth.Errorf(oauth.TemporarilyUnavailable, "too many requests for this account").WithRetryAfter(wait)
	}
	return nil
}
