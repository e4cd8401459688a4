package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
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
	up, err = p.redeem(ctx, &m.value, code, l)
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
	id, err = p.identity(ctx, claims, API{fetcher: p.fetcher, accessToken: up.AccessToken})
	return id, up, err
}

// tokenResponse is the token endpoint's success (RFC 6749 §5.1, OIDC Core
// §3.1.3.3) as the strict door reads it.
type tokenResponse struct {
	AccessToken  string          `json:"access_token"`
	TokenType    string          `json:"token_type"`
	RefreshToken string          `json:"refresh_token"`
	IDToken      string          `json:"id_token"`
	Scope        string          `json:"scope"`
	Error        json.RawMessage `json:"error"`
}

// redeem exchanges the code. x/oauth2 speaks with the endpoint; what counts is
// our own reading of the same bytes.
func (p *Provider) redeem(ctx context.Context, m *metadata, code string, l connectors.Login) (connectors.Upstream, error) {
	var up connectors.Upstream
	token, answer, err := p.fetcher.Redeem(ctx, p.oauth(m, l), code, l.CodeVerifier)
	if err != nil {
		p.health.Note(err)
		return up, err
	}
	var r tokenResponse
	strict := jose.StrictUnmarshal(answer.Body, &r)
	switch {
	case !answer.OK(), strict == nil && len(r.Error) > 0:
		return up, p.failed(readFailure(AtToken, answer, p.now()))
	case strict != nil:
		return up, broken(sentinel(strict), "the token endpoint's answer cannot be read")
	case token == nil || r.AccessToken == "" || r.AccessToken != token.AccessToken:
		return up, broken(nil, "the token endpoint's answer has no usable access token")
	case !strings.EqualFold(r.TokenType, "Bearer"): // RFC 6749 §7.1: what we do not know we must not use
		return up, broken(nil, "the token endpoint's answer is not of type Bearer")
	case r.IDToken == "":
		return up, broken(nil, "the token endpoint's answer has no ID token: check that openid is among the scopes the upstream allows")
	}
	up = connectors.Upstream{AccessToken: r.AccessToken, RefreshToken: r.RefreshToken, IDToken: r.IDToken, Scopes: p.scopes(m)}
	if r.Scope != "" { // RFC 6749 §5.1: absent means as asked
		up.Scopes = strings.Fields(r.Scope)
	}
	if token.ExpiresIn > 0 { // x/oauth2's Expiry is by a clock of its own
		up.Expiry = p.now().Add(time.Duration(token.ExpiresIn) * time.Second)
	}
	return up, nil
}

// sentinel reduces a decoding error to what it is: encoding/json quotes what was sent.
func sentinel(err error) error {
	if errors.Is(err, jose.ErrMalformed) {
		return jose.ErrMalformed
	}
	return nil
}
