package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// tokenResponse is the token endpoint's success (RFC 6749 §5.1, OIDC Core
// §3.1.3.3, §12.2) as the strict door reads it.
type tokenResponse struct {
	AccessToken  string          `json:"access_token"`
	TokenType    string          `json:"token_type"`
	RefreshToken string          `json:"refresh_token"`
	IDToken      string          `json:"id_token"`
	Scope        string          `json:"scope"`
	Error        json.RawMessage `json:"error"`
}

// tokenRequest is a code or a refresh token on its way to the token endpoint.
type tokenRequest struct {
	step     Step
	exchange connectors.Exchange
	report   *connectors.Report
}

// ask presents the code or the refresh token with what the client authenticates
// with. Of several secrets the next is tried only when the upstream says that it
// does not accept the client: it has then not looked at the code (RFC 6749 §3.2.1).
func (p *Provider) ask(ctx context.Context, r tokenRequest) (connectors.Upstream, error) {
	var up connectors.Upstream
	once := func() error {
		var err error
		up, err = p.askOnce(ctx, r)
		return err
	}
	var err error
	switch {
	case p.asserter != nil:
		if r.exchange.Params, err = p.asserter.params(r.exchange.Config.Endpoint.TokenURL); err == nil {
			err = once()
		}
	case p.secrets != nil:
		err = p.secrets.Try(func(secret string) error {
			r.exchange.Config.ClientSecret = secret
			return once()
		})
	default:
		err = once()
	}
	p.noteToken(err)
	return up, err
}

// noteToken remembers trouble with the token endpoint, but not what it says of one
// person's code.
func (p *Provider) noteToken(err error) {
	if err != nil {
		p.health.Note(err)
	}
}

// askOnce is one request. x/oauth2 speaks with the endpoint; what counts is our own
// reading of the same bytes.
func (p *Provider) askOnce(ctx context.Context, r tokenRequest) (connectors.Upstream, error) {
	var up connectors.Upstream
	asked := p.now()
	token, answer, err := p.fetcher.Exchange(ctx, r.exchange)
	if err != nil {
		return up, err
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		r.report.ServerTime, r.report.AskedAt = date, asked
	}
	var t tokenResponse
	strict := jose.StrictUnmarshal(answer.Body, &t)
	switch {
	case !answer.OK(), strict == nil && len(t.Error) > 0:
		return up, p.refused(readFailure(r.step, answer, p.now()))
	case strict != nil:
		return up, broken(sentinel(strict), "the token endpoint's answer cannot be read")
	case token == nil || t.AccessToken == "" || t.AccessToken != token.AccessToken:
		return up, broken(nil, "the token endpoint's answer has no usable access token")
	case !strings.EqualFold(t.TokenType, "Bearer"): // RFC 6749 §7.1: what we do not know we must not use
		return up, broken(nil, "the token endpoint's answer is not of type Bearer")
	}
	up = connectors.Upstream{AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, IDToken: t.IDToken}
	if t.Scope != "" {
		up.Scopes = strings.Fields(t.Scope)
	}
	if token.ExpiresIn > 0 { // x/oauth2's Expiry is by a clock of its own
		up.Expiry = p.now().Add(time.Duration(token.ExpiresIn) * time.Second)
	}
	return up, nil
}

// redeem exchanges the code of a sign-in.
func (p *Provider) redeem(ctx context.Context, m *metadata, code string, l connectors.Login, report *connectors.Report) (connectors.Upstream, error) {
	config := p.oauth(m, l.Choice)
	config.RedirectURL = l.RedirectURI
	up, err := p.ask(ctx, tokenRequest{
		step: AtToken, report: report,
		exchange: connectors.Exchange{Config: config, Code: code, Verifier: l.CodeVerifier},
	})
	switch {
	case err != nil:
		return connectors.Upstream{}, err
	case up.IDToken == "":
		return connectors.Upstream{}, broken(nil, "the token endpoint's answer has no ID token: check that openid is among the scopes the upstream allows")
	}
	if up.Scopes == nil { // RFC 6749 §5.1: absent means as asked
		up.Scopes = config.Scopes
	}
	up.Choice, up.Reusable = l.Choice, p.quirks.StaticRefresh
	return up, nil
}

// oauth is the x/oauth2 view of the provider, with the endpoints of a choice.
func (p *Provider) oauth(m *metadata, choice string) *oauth2.Config {
	at := func(address string) string {
		if p.quirks.Endpoint != nil {
			return p.quirks.Endpoint(address, choice)
		}
		return address
	}
	return &oauth2.Config{
		ClientID: p.config.ClientID, Scopes: p.scopes(m),
		Endpoint: oauth2.Endpoint{AuthURL: at(m.AuthorizationEndpoint), TokenURL: at(m.TokenEndpoint), AuthStyle: p.authStyle(m)},
	}
}

// sentinel reduces a decoding error to what it is: encoding/json quotes what was sent.
func sentinel(err error) error {
	if errors.Is(err, jose.ErrMalformed) {
		return jose.ErrMalformed
	}
	return nil
}
