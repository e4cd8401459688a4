package github

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// tokenResponse is the token endpoint's answer, success or not: GitHub sends its
// errors with status 200.
type tokenResponse struct {
	AccessToken  string  `json:"access_token"`
	TokenType    string  `json:"token_type"`
	RefreshToken string  `json:"refresh_token"`
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
	return r, r.AccessToken != "" || r.Error != ""
}

// redeem exchanges the code and checks that what was granted is enough.
func (g *Connector) redeem(ctx context.Context, code string, l connectors.Login) (connectors.Upstream, error) {
	var up connectors.Upstream
	token, answer, err := g.fetcher.Redeem(ctx, g.at(l), code, l.CodeVerifier)
	if err != nil {
		return up, err
	}
	r, ok := readTokenResponse(answer.Body)
	switch {
	case ok && r.Error != "":
		return up, refused(r.Error)
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
	if token.ExpiresIn > 0 {
		up.Expiry = g.now().Add(time.Duration(token.ExpiresIn) * time.Second)
	}
	return up, g.sufficient(up)
}

// splitScopes reads GitHub's list, which has commas where RFC 6749 §3.3 has spaces.
func splitScopes(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// sufficient refuses a token with less than what will be read with it, before a
// call is answered as if there were nothing to see. The tokens of GitHub Apps
// (ghu_) have permissions instead of scopes and fail at the call.
func (g *Connector) sufficient(up connectors.Upstream) error {
	if strings.HasPrefix(up.AccessToken, "ghu_") {
		return nil
	}
	for _, scope := range []string{scopeEmail, scopeOrganizations} {
		if grants(g.oauth.Scopes, scope) && !grants(up.Scopes, scope) {
			return &connectors.Error{Kind: connectors.Declined, Code: "insufficient_scope", Hint: "less was granted than asked for: " + scope + " is missing"}
		}
	}
	return nil
}

// tokenStatus words an answer of the token endpoint that is a status alone.
func (g *Connector) tokenStatus(answer connectors.Answer) error {
	e := &connectors.Error{
		Kind:       connectors.StatusKind(answer.Status),
		Hint:       fmt.Sprintf("the token endpoint answered with status %d", answer.Status),
		RetryAfter: connectors.RetryAfter(answer.Header, g.now()),
	}
	if answer.Status == http.StatusNotFound || answer.Status == http.StatusUnauthorized {
		e.Kind, e.Hint = connectors.Operator, e.Hint+": check client_id, client_secret and base_url"
	}
	return e
}

// refused turns an error code of the authorization or token endpoint into our
// error. The description is GitHub's prose and is not passed on.
func refused(code string) *connectors.Error {
	e := &connectors.Error{Kind: connectors.Broken, Code: connectors.SafeCode(code), Hint: "GitHub answered with an error we do not know"}
	switch code {
	case "access_denied":
		e.Kind, e.Hint = connectors.Declined, "the person did not authorize the application"
	case "bad_verification_code", "invalid_grant":
		e.Hint = "the code was not accepted: it was used before, has expired, or belongs to another sign-in"
	case "unverified_user_email":
		e.Kind, e.Hint = connectors.Declined, "the person has not verified their primary e-mail address at GitHub"
	case "incorrect_client_credentials", "invalid_client":
		e.Kind, e.Hint = connectors.Operator, "GitHub does not accept client_id and client_secret: check both, and base_url"
	case "redirect_uri_mismatch":
		e.Kind, e.Hint = connectors.Operator, "set the OAuth app's callback URL at GitHub to this connector's"
	case "application_suspended":
		e.Kind, e.Hint = connectors.Operator, "GitHub has suspended the OAuth app: ask its support"
	case "server_error", "temporarily_unavailable":
		e.Kind, e.Hint = connectors.Transient, "GitHub reports a fault of its own"
	}
	return e
}

func broken(hint string) *connectors.Error {
	return &connectors.Error{Kind: connectors.Broken, Hint: hint}
}
