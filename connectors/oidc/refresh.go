package oidc

import (
	"context"
	"encoding/json"
	"errors"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// Refresh implements connectors.Refresher with the refresh token of OIDC Core §12.
// All of it together takes no longer than one exchange may.
func (p *Provider) Refresh(ctx context.Context, prior broker.Identity, u connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	if u.RefreshToken == "" {
		return broker.Identity{}, connectors.Upstream{}, &connectors.Error{
			Kind: connectors.Operator, Unspent: true,
			Hint: "the upstream handed out no refresh token at the sign-in: allow the refresh token grant (offline access) for the client there",
		}
	}
	m, err := p.metadata.get(ctx)
	if err != nil {
		return broker.Identity{}, connectors.Upstream{}, unsent(err)
	}
	keys := &keySource{p: p, asked: p.keys.serial()}
	report := &connectors.Report{}
	next, err := p.renew(ctx, &m.value, u, report)
	if err != nil {
		return broker.Identity{}, connectors.Upstream{}, err
	}
	v := visit{m: &m.value, login: connectors.Login{Choice: u.Choice}, accessToken: next.AccessToken, report: report, prior: &prior}
	identity, err := p.recognise(ctx, next.IDToken, v, redeemed{nonce: u.Nonce, accessToken: next.AccessToken, keys: keys})
	if err != nil {
		return broker.Identity{}, next, spent(err)
	}
	next.Report = *report
	p.health.Note(nil)
	return identity, next, nil
}

// renew presents the refresh token. What the answer does not repeat stays (RFC 6749
// §6): a refresh token that is not replaced remains good.
func (p *Provider) renew(ctx context.Context, m *metadata, u connectors.Upstream, report *connectors.Report) (connectors.Upstream, error) {
	next, err := p.ask(ctx, tokenRequest{
		step: AtRefresh, report: report,
		exchange: connectors.Exchange{Config: p.oauth(m, u.Choice), RefreshToken: u.RefreshToken},
	})
	if err != nil {
		return connectors.Upstream{}, err
	}
	if next.RefreshToken == "" {
		next.RefreshToken = u.RefreshToken
	}
	if next.Scopes == nil {
		next.Scopes = u.Scopes
	}
	next.Choice, next.Nonce, next.Reusable = u.Choice, u.Nonce, p.quirks.StaticRefresh
	return next, nil
}

// recognise finds out whether the refreshed tokens are about the person they were
// about, and what is new.
func (p *Provider) recognise(ctx context.Context, idToken string, v visit, r redeemed) (broker.Identity, error) {
	var claims *Claims
	var err error
	if idToken != "" {
		claims, err = p.verifyIDToken(ctx, idToken, r)
	} else {
		claims, err = p.unsignedClaims(ctx, v)
	}
	if err != nil {
		return broker.Identity{}, err
	}
	claims.report = v.report
	return p.learn(ctx, claims, v)
}

// unsignedClaims are those of a refresh without an ID token, which OIDC Core §12.2
// allows: userinfo says about whom the tokens are.
func (p *Provider) unsignedClaims(ctx context.Context, v visit) (*Claims, error) {
	if p.quirks.Key != nil || p.quirks.Admit != nil {
		return nil, broken(nil, "the upstream refreshed without an ID token, which this connector's rules rest on: check that openid is among the scopes")
	}
	if p.config.Userinfo == UserinfoNever {
		return nil, &connectors.Error{Kind: connectors.Operator, Hint: "the upstream refreshes without an ID token, so userinfo has to be asked: remove userinfo: never"}
	}
	info, err := p.askUserinfo(ctx, v.m, v.accessToken)
	if err != nil {
		return nil, err
	}
	if sub, _ := info.String("sub"); sub != v.prior.Key.Subject {
		return nil, &connectors.Error{Kind: connectors.Gone, Hint: "the upstream refreshed the tokens of somebody else"}
	}
	known := &jose.Claims{Issuer: p.config.Issuer, Subject: v.prior.Key.Subject, Raw: map[string]json.RawMessage{}}
	return &Claims{ID: known, Userinfo: info, unsigned: true}, nil
}

// unsent marks a failure from before the refresh token was presented.
func unsent(err error) error { return marked(err, true) }

// spent marks a failure from after the upstream has taken the refresh token.
func spent(err error) error { return marked(err, false) }

func marked(err error, unspent bool) error {
	var e *connectors.Error
	if !errors.As(err, &e) {
		return err
	}
	copied := *e
	copied.Unspent = unspent
	return &copied
}
