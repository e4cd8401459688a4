package github

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// What the tokens of the two kinds of application begin with ("About
// authentication to GitHub").
const (
	oauthAppToken  = "gho_"
	githubAppToken = "ghu_"
)

// tokenResponse is the token endpoint's answer, success or not: GitHub sends its
// errors with status 200.
type tokenResponse struct {
	AccessToken  string  `json:"access_token"`
	TokenType    string  `json:"token_type"`
	RefreshToken string  `json:"refresh_token"`
	ExpiresIn    int64   `json:"expires_in"`
	Scope        *string `json:"scope"`
	Error        string  `json:"error"`
}

// readTokenResponse reads JSON, or the form encoding that GitHub falls back to.
func readTokenResponse(body []byte) (tokenResponse, bool) {
	var r tokenResponse
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return r, jose.StrictUnmarshal(body, &r) == nil
	}
	form, err := url.ParseQuery(strings.TrimSpace(string(body)))
	if err != nil {
		return r, false
	}
	for _, values := range form {
		if len(values) != 1 {
			return r, false
		}
	}
	r.AccessToken, r.TokenType, r.RefreshToken, r.Error = form.Get("access_token"), form.Get("token_type"), form.Get("refresh_token"), form.Get("error")
	if form.Has("scope") {
		scope := form.Get("scope")
		r.Scope = &scope
	}
	if form.Has("expires_in") {
		if r.ExpiresIn, err = strconv.ParseInt(form.Get("expires_in"), 10, 64); err != nil {
			return r, false
		}
	}
	return r, r.AccessToken != "" || r.Error != ""
}

// redeem exchanges the code and checks that what was granted is enough.
func (g *Connector) redeem(ctx context.Context, code string, l connectors.Login) (connectors.Upstream, error) {
	return g.exchange(ctx, connectors.Exchange{Code: code, Verifier: l.CodeVerifier}, l.RedirectURI)
}

// renew exchanges the refresh token of a GitHub App's user. It can be used once.
func (g *Connector) renew(ctx context.Context, refreshToken string) (connectors.Upstream, error) {
	return g.exchange(ctx, connectors.Exchange{RefreshToken: refreshToken}, "")
}

// exchange asks the token endpoint with one secret after the other. GitHub looks at
// the secret first, so that nothing is used up by one it does not accept.
func (g *Connector) exchange(ctx context.Context, x connectors.Exchange, redirectURI string) (connectors.Upstream, error) {
	var up connectors.Upstream
	err := g.secrets.Try(func(secret string) error {
		x.Config = g.at(redirectURI, secret)
		token, answer, err := g.fetcher.Exchange(ctx, x)
		if err != nil {
			return err
		}
		up, err = g.readToken(token, answer, redirectURI)
		return err
	})
	if err != nil {
		return connectors.Upstream{}, err
	}
	return up, g.sufficient(up)
}

// readToken reads an answer of the token endpoint strictly.
func (g *Connector) readToken(token *oauth2.Token, answer connectors.Answer, redirectURI string) (connectors.Upstream, error) {
	var up connectors.Upstream
	r, ok := readTokenResponse(answer.Body)
	switch {
	case ok && r.Error != "":
		return up, refused(r.Error, redirectURI)
	case !answer.OK():
		return up, g.tokenStatus(answer)
	case !ok:
		return up, broken("the token endpoint's answer cannot be read")
	case token == nil || r.AccessToken == "" || r.AccessToken != token.AccessToken:
		return up, broken("the token endpoint's answer has no usable access token")
	case !strings.EqualFold(r.TokenType, "bearer"):
		return up, broken("the token endpoint's answer is not of type bearer")
	}
	up = connectors.Upstream{AccessToken: r.AccessToken, RefreshToken: r.RefreshToken, Scopes: g.oauth.Scopes}
	if r.Scope != nil {
		up.Scopes = splitScopes(*r.Scope)
	}
	if r.ExpiresIn > 0 {
		up.Expiry = g.now().Add(time.Duration(min(r.ExpiresIn, 1<<31)) * time.Second)
	}
	// Asking the API uses nothing up. A refresh token does get used up, and whether the
	// next question needs it is not known when the credential is stored.
	up.Reusable = r.RefreshToken == ""
	return up, nil
}

// splitScopes reads GitHub's list, which has commas where RFC 6749 §3.3 has spaces.
func splitScopes(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// sufficient refuses a token with less than what will be read with it, before a
// call is answered as if there were nothing to see. The tokens of GitHub Apps have
// permissions instead of scopes and fail at the call.
func (g *Connector) sufficient(up connectors.Upstream) error {
	mistaken := func(is, key string) error {
		return &connectors.Error{Kind: connectors.Operator, Hint: "client_id belongs to " + is + ": set app: " + key}
	}
	switch {
	case g.config.App == oauthApp && strings.HasPrefix(up.AccessToken, githubAppToken):
		return mistaken("a GitHub App", githubApp)
	case g.config.App == githubApp && strings.HasPrefix(up.AccessToken, oauthAppToken):
		return mistaken("an OAuth App", oauthApp)
	case g.config.App == githubApp || strings.HasPrefix(up.AccessToken, githubAppToken):
		return nil
	}
	for _, scope := range []string{scopeEmail, scopeOrganizations} {
		if grants(g.oauth.Scopes, scope) && !grants(up.Scopes, scope) {
			return &connectors.Error{
				Kind: connectors.Declined, Code: "insufficient_scope",
				Hint: "less was granted than asked for: " + scope + " is missing; the person has to sign in again and grant it",
			}
		}
	}
	return nil
}

// tokenStatus words an answer of the token endpoint that is a status alone.
func (g *Connector) tokenStatus(answer connectors.Answer) error {
	if wait, limited := g.limited(answer); limited {
		return &connectors.Error{Kind: connectors.Transient, Hint: "GitHub limits our requests", RetryAfter: wait, Unspent: true}
	}
	e := &connectors.Error{
		Kind:       connectors.StatusKind(answer.Status),
		Hint:       fmt.Sprintf("the token endpoint answered with status %d", answer.Status),
		RetryAfter: connectors.RetryAfter(answer.Header, g.now()),
		Unspent:    answer.Status == http.StatusServiceUnavailable,
	}
	if answer.Status == http.StatusNotFound || answer.Status == http.StatusUnauthorized {
		// There is no such client here, so that nothing was done with what we sent.
		e.Kind, e.Hint, e.Unspent = connectors.Operator, e.Hint+": check client_id, client_secret and base_url", true
	}
	return e
}
