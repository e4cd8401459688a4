package fake

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Misbehaviours of GitHub's token endpoint.
const (
	// GitHubFormAnswer ignores Accept and answers form-encoded.
	GitHubFormAnswer Misbehaviour = "token: form-encoded although JSON was asked for"
	// GitHubHollowScope names scopes in the answer that the token does not have.
	GitHubHollowScope       Misbehaviour = "token: the token lacks scopes the answer names"
	GitHubUnverifiedAccount Misbehaviour = "token: unverified_user_email with status 200"
	GitHubBadSecret         Misbehaviour = "token: incorrect_client_credentials with status 200"
	// GitHubForeignToken answers with a token that another application was given.
	GitHubForeignToken Misbehaviour = "token: the access token of another application"
	// GitHubNoExpiry is a GitHub App that has opted out of expiring user tokens.
	GitHubNoExpiry Misbehaviour = "token: a GitHub App whose user tokens do not expire"
)

// accessToken answers errors with status 200 and, unless the client accepts JSON,
// everything form-encoded ("Troubleshooting OAuth app access token request errors").
func (f *GitHub) accessToken(w http.ResponseWriter, r *http.Request) {
	doc := f.respondToken(r)
	f.script.apply(Token, doc)
	wantsJSON := strings.Contains(r.Header.Get("Accept"), "application/json")
	if wantsJSON && !f.script.hit(GitHubFormAnswer) {
		answer{status: http.StatusOK, body: doc}.write(w)
		return
	}
	form := url.Values{}
	for name, value := range doc {
		switch value := value.(type) {
		case string:
			form.Set(name, value)
		case int:
			form.Set(name, strconv.Itoa(value))
		}
	}
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(form.Encode()))
}

func (f *GitHub) respondToken(r *http.Request) map[string]any {
	// GitHub reads the secret from the body alone.
	t, no, _ := f.readTokenRequest(r, "", clientAuth{post: true})
	t.lenient = true
	if no != fine {
		return githubTokenRefusal(no)
	}
	switch {
	case f.script.hit(GitHubBadSecret):
		return githubTokenRefusal(clientBadSecret)
	case f.script.hit(GitHubUnverifiedAccount):
		return githubError("unverified_user_email", "The user must have a verified primary email.", "#unverified_user_email")
	}
	var g *grant
	switch t.form.Get("grant_type") {
	case "", "authorization_code":
		g, _, no = f.redeemCode(t)
	case "refresh_token":
		g, _, no = f.redeemRefresh(t, true, -1)
		// The documentation has one error for every refresh token that is not good.
		if no == refreshReused || no == accountDisabled {
			no = refreshUnknown
		}
		if no == fine && f.script.hit(RefreshGivesSomebody) {
			g = f.somebodyElses(g)
		}
	default:
		no = grantTypeUnknown
	}
	if no != fine {
		return githubTokenRefusal(no)
	}
	if f.script.hit(GitHubForeignToken) {
		foreign := *g
		foreign.client = Client{ID: "another-application", Secret: random("", 8), RedirectURIs: g.client.RedirectURIs}
		g = &foreign
	}
	if f.opts.GitHub.App {
		return f.appToken(g)
	}
	return f.oauthAppToken(g)
}

// appToken is "Refreshing user access tokens": eight hours and six months, the
// refresh token for one use, and no scopes.
func (f *GitHub) appToken(g *grant) map[string]any {
	if f.script.hit(GitHubNoExpiry) {
		return map[string]any{"access_token": f.newAccess("ghu_", g, nil, 0), "scope": "", "token_type": "bearer"}
	}
	return map[string]any{
		"access_token": f.newAccess("ghu_", g, nil, githubAppToken), "expires_in": int(githubAppToken.Seconds()),
		"refresh_token": f.newRefresh("ghr_", g, githubAppRefresh, 0), "refresh_token_expires_in": int(githubAppRefresh.Seconds()),
		"scope": "", "token_type": "bearer",
	}
}

// somebodyElses is the same grant by another person.
func (f *GitHub) somebodyElses(g *grant) *grant {
	other := *g
	for _, p := range f.cast.all() {
		if p.ID != g.person {
			other.person = p.ID
			break
		}
	}
	return &other
}

// oauthAppToken never expires, but of one person, application and set of scopes
// only the newest ten live ("Token expiration and revocation").
func (f *GitHub) oauthAppToken(g *grant) map[string]any {
	named, held := g.scopes, g.scopes
	withoutOrg := slices.DeleteFunc(slices.Clone(g.scopes), func(s string) bool { return strings.HasSuffix(s, ":org") })
	if f.script.hit(TokenReducedScope) {
		named, held = withoutOrg, withoutOrg
	}
	if f.script.hit(GitHubHollowScope) {
		held = withoutOrg
	}
	access := f.newAccess("gho_", g, held, 0)
	f.ledger.keepNewest(accessTokens, githubTokensAlive, f.opts.Now(), func(t *token) bool {
		return t.grant.person == g.person && t.grant.client.ID == g.client.ID && slices.Equal(t.scopes, held)
	})
	return map[string]any{"access_token": access, "scope": strings.Join(named, ","), "token_type": "bearer"}
}

func githubTokenRefusal(no reason) map[string]any {
	switch no {
	case methodNotAllowed, clientUnidentified, clientNoSecret, clientBadSecret:
		return githubError("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.", "#incorrect-client-credentials")
	case redirectDiffers:
		return githubError("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL for this application.", "#redirect-uri-mismatch2")
	case refreshUnknown, refreshRevoked, refreshExpired, refreshReused:
		doc := githubError("bad_refresh_token", "The refresh token passed is incorrect or expired.", "")
		doc["error_uri"] = "https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens"
		return doc
	case grantTypeUnknown:
		return githubError("unsupported_grant_type", "The grant type is not supported.", "#unsupported_grant_type")
	}
	return githubError("bad_verification_code", "The code passed is incorrect or expired.", "#bad-verification-code")
}

func githubError(code, description, anchor string) map[string]any {
	return map[string]any{
		"error": code, "error_description": description,
		"error_uri": "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/" + anchor,
	}
}
