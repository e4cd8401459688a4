package oidc

import (
	"context"
	"net/url"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// Identify implements connectors.Connector. All of it together takes no longer
// than one exchange may.
func (p *Provider) Identify(ctx context.Context, callback url.Values, l connectors.Login) (broker.Identity, connectors.Upstream, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	identity, upstream, err := p.identify(ctx, callback, l)
	if err != nil {
		return broker.Identity{}, connectors.Upstream{}, err
	}
	p.health.Note(nil)
	return identity, upstream, nil
}

func (p *Provider) identify(ctx context.Context, callback url.Values, l connectors.Login) (id broker.Identity, up connectors.Upstream, err error) {
	m, err := p.metadata.get(ctx)
	if err != nil {
		return id, up, err
	}
	code, err := p.code(callback, l, &m.value)
	if err != nil {
		return id, up, err
	}
	keys := &keySource{p: p, asked: p.keys.serial()}
	report := &connectors.Report{}
	up, err = p.redeem(ctx, &m.value, code, l, report)
	if err != nil {
		return id, up, err
	}
	claims, err := p.verifyIDToken(ctx, up.IDToken, l, redeemed{code: code, accessToken: up.AccessToken, keys: keys})
	if err != nil {
		return id, up, err
	}
	if p.quirks.Admit != nil {
		if err := p.quirks.Admit(claims, l); err != nil {
			return id, up, err
		}
	}
	if p.wantsUserinfo(claims, &m.value) {
		if claims.Userinfo, err = p.userinfo(ctx, &m.value, claims, up.AccessToken); err != nil {
			return id, up, err
		}
	}
	id, err = p.identity(ctx, claims, API{fetcher: p.fetcher, accessToken: up.AccessToken, now: p.now, report: report, metadata: &m.value})
	up.Report = *report
	return id, up, err
}
