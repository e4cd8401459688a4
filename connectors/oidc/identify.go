package oidc

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
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
	claims, err := p.verifyIDToken(ctx, up.IDToken, redeemed{code: code, nonce: l.Nonce, accessToken: up.AccessToken, keys: keys})
	if err != nil {
		return id, up, err
	}
	claims.report = report
	v := visit{m: &m.value, login: l, accessToken: up.AccessToken, report: report}
	if id, err = p.learn(ctx, claims, v); err != nil {
		return id, up, err
	}
	p.noteTokens(&m.value, up, report)
	up.Nonce, up.Report = l.Nonce, *report
	return id, up, nil
}

// visit is what the mapping of claims needs to know of a sign-in or a refresh.
type visit struct {
	m           *metadata
	login       connectors.Login
	accessToken string
	report      *connectors.Report
	// prior is set with a refresh.
	prior *broker.Identity
}

// learn applies the connector's rules to verified claims, asks for what they lack,
// and makes an identity of them.
func (p *Provider) learn(ctx context.Context, claims *Claims, v visit) (broker.Identity, error) {
	if p.quirks.Admit != nil {
		if err := p.quirks.Admit(claims, v.login); err != nil {
			return broker.Identity{}, err
		}
	}
	// Before anything is asked about them.
	key, err := p.key(claims, v.prior)
	if err != nil {
		return broker.Identity{}, err
	}
	api := API{fetcher: p.fetcher, accessToken: v.accessToken, now: p.now, report: v.report, metadata: v.m}
	if v.prior != nil && p.quirks.Recheck != nil {
		if err := p.quirks.Recheck(ctx, claims, api); err != nil {
			return broker.Identity{}, err
		}
	}
	if claims.Userinfo == nil && p.wantsUserinfo(claims, v.m) {
		if claims.Userinfo, err = p.userinfo(ctx, v.m, claims, v.accessToken); err != nil {
			return broker.Identity{}, err
		}
	}
	return p.identity(ctx, key, claims, api, v.prior)
}

// noteTokens says what is worth knowing of the tokens of a sign-in.
func (p *Provider) noteTokens(m *metadata, up connectors.Upstream, report *connectors.Report) {
	note := func(format string, args ...any) { report.Notes = append(report.Notes, fmt.Sprintf(format, args...)) }
	granted := p.quirks.Granted
	if granted == nil {
		granted = func(asked string, granted []string) bool { return slices.Contains(granted, asked) }
	}
	var missing []string
	for _, scope := range p.scopes(m) {
		// The ID token and the refresh token are there to see, or not.
		if scope != oauth.OpenID && scope != p.offlineScope() && !granted(scope, up.Scopes) {
			missing = append(missing, scope)
		}
	}
	if len(missing) > 0 {
		note("The upstream did not grant every scope that was asked for: %s is missing.", strings.Join(missing, ", "))
	}
	if !p.rechecks() || up.RefreshToken != "" {
		return
	}
	note("The upstream handed out no refresh token, so it cannot be asked again about this person: allow the refresh token grant (offline access) for the client there.")
	if !p.warned.Swap(true) {
		p.log.Warn("an upstream hands out no refresh token although recheck_interval is set; people will have to sign in again", "connector", p.config.ID)
	}
}
