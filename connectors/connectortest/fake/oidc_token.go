package fake

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// token is RFC 6749 §3.2 and OIDC Core §3.1.3, §12.
func (f *OIDC) token(w http.ResponseWriter, r *http.Request) {
	f.respondToken(r).write(w)
}

func (f *OIDC) respondToken(r *http.Request) answer {
	t, no, detail := f.readTokenRequest(r, "", f.clientAuth())
	if no != fine {
		return oidcTokenRefusal(no, detail)
	}
	if f.opts.OIDC.NoPKCE {
		t.verifier = ""
	}
	var g *grant
	var person Person
	fresh := t.form.Get("grant_type") == "authorization_code"
	rotate := f.opts.OIDC.RotateRefreshTokens
	switch t.form.Get("grant_type") {
	case "authorization_code":
		g, person, no = f.redeemCode(t)
	case "refresh_token":
		g, person, no = f.redeemRefresh(t, rotate, f.grace())
	default:
		no = grantTypeUnknown
	}
	if no != fine {
		return oidcTokenRefusal(no, "")
	}
	scopes, ok := narrowed(g.scopes, t.form.Get("scope"), fresh)
	if !ok {
		return oidcTokenRefusal(scopeUnknown, "")
	}
	doc := map[string]any{"token_type": "Bearer", "expires_in": int(oidcAccessLife.Seconds()), "scope": strings.Join(scopes, " ")}
	access := f.newAccess("", g, scopes, oidcAccessLife)
	doc["access_token"] = access
	switch {
	case g.refreshable && (fresh || rotate):
		doc["refresh_token"] = f.newRefresh("", g, 0, 0)
	case g.refreshable && f.opts.OIDC.RepeatRefreshToken:
		doc["refresh_token"] = t.form.Get("refresh_token")
	}
	if slices.Contains(scopes, "openid") {
		id, err := f.idToken(f.claims(g, person, scopes, access, fresh), f.keys.current(), g.client)
		if err != nil {
			return answer{status: http.StatusInternalServerError, body: oauthError{Code: "server_error", Description: err.Error()}}
		}
		doc["id_token"] = id
	}
	return f.tokenAnswer(doc)
}

// clientAuth: an assertion may name the token endpoint (OIDC Core §9) or the issuer.
func (f *OIDC) clientAuth() clientAuth {
	return clientAuth{basic: true, post: true, assertion: []string{f.at("/token"), f.URL()}}
}

// grace is how long a replaced refresh token still works; negative: not at all.
func (f *OIDC) grace() time.Duration {
	if f.opts.OIDC.RotationGrace == 0 {
		return -1
	}
	return f.opts.OIDC.RotationGrace
}

// narrowed is the scope of a token request, which may only be less than what was
// granted (RFC 6749 §6); the code grant has no such parameter.
func narrowed(granted []string, asked string, fresh bool) ([]string, bool) {
	if fresh || asked == "" {
		return granted, true
	}
	scopes := strings.Fields(asked)
	for _, scope := range scopes {
		if !slices.Contains(granted, scope) {
			return nil, false
		}
	}
	return scopes, true
}

func (f *OIDC) claims(g *grant, person Person, scopes []string, access string, fresh bool) map[string]any {
	now := f.opts.Now()
	claims := map[string]any{
		"iss": f.URL(), "sub": f.subject(person, fresh), "aud": g.client.ID, "iat": now.Unix(), "exp": now.Add(oidcTokenLife).Unix(),
		"auth_time": g.authTime.Unix(), "at_hash": leftHash(access), "amr": orPassword(person.OIDC.AMR),
	}
	// A refreshed ID token should not have one (OIDC Core §12.2).
	if fresh && g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if g.acr != "" {
		claims["acr"] = g.acr
	}
	if !f.opts.OIDC.ThinIDToken {
		addProfile(claims, person, scopes)
	}
	return claims
}

// subject is the person's, unless a refresh is to answer for somebody else.
func (f *OIDC) subject(person Person, fresh bool) string {
	if !fresh && f.script.hit(RefreshGivesSomebody) {
		return "somebody-else"
	}
	return person.OIDC.Subject
}

// addProfile adds the claims of the granted scopes (OIDC Core §5.4).
func addProfile(doc map[string]any, person Person, scopes []string) {
	if slices.Contains(scopes, "profile") {
		setNonEmpty(doc, "name", person.Name)
		setNonEmpty(doc, "given_name", person.GivenName)
		setNonEmpty(doc, "family_name", person.FamilyName)
		setNonEmpty(doc, "preferred_username", person.OIDC.PreferredUsername)
	}
	if slices.Contains(scopes, "email") && person.Email != "" {
		doc["email"], doc["email_verified"] = person.Email, person.EmailVerified
	}
	if slices.Contains(scopes, "groups") && person.OIDC.Groups != nil {
		doc["groups"] = person.OIDC.Groups
	}
}

func setNonEmpty(doc map[string]any, name, value string) {
	if value != "" {
		doc[name] = value
	}
}

func orPassword(amr []string) []string {
	if amr == nil {
		return []string{"pwd"}
	}
	return amr
}

// userinfo is OIDC Core §5.3.
func (f *OIDC) userinfo(w http.ResponseWriter, r *http.Request) {
	_, person, scopes, ok := f.bearer(r)
	if !ok || !slices.Contains(scopes, "openid") {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		answer{status: http.StatusUnauthorized, body: oauthError{Code: "invalid_token"}}.write(w)
		return
	}
	doc := map[string]any{"sub": person.OIDC.Subject}
	addProfile(doc, person, scopes)
	f.serveUserinfo(w, doc)
}

// revoke is RFC 7009: an unknown token is no error.
func (f *OIDC) revoke(w http.ResponseWriter, r *http.Request) {
	t, no, detail := f.readTokenRequest(r, "", f.clientAuth())
	if no != fine {
		oidcTokenRefusal(no, detail).write(w)
		return
	}
	if g, ok := f.ledger.kill(t.form.Get("token"), t.client.ID); ok {
		f.ledger.revokeGrants(func(other *grant) bool { return other == g })
	}
	w.WriteHeader(http.StatusOK)
}

func oidcTokenRefusal(no reason, detail string) answer {
	switch no {
	case methodNotAllowed:
		return answer{status: http.StatusMethodNotAllowed, header: http.Header{"Allow": {"POST"}}, body: oauthError{Code: "invalid_request"}}
	case parameterTwice:
		return refusedToken(http.StatusBadRequest, "invalid_request", "the parameter "+detail+" occurs twice")
	case parameterMissing:
		return refusedToken(http.StatusBadRequest, "invalid_request", "a parameter is missing")
	case clientUnidentified, clientNoSecret, clientBadSecret:
		a := refusedToken(http.StatusUnauthorized, "invalid_client", "client authentication failed")
		a.header = http.Header{"Www-Authenticate": {`Basic realm="token"`}}
		return a
	case grantTypeUnknown:
		return refusedToken(http.StatusBadRequest, "unsupported_grant_type", "")
	case scopeUnknown:
		return refusedToken(http.StatusBadRequest, "invalid_scope", "")
	}
	return refusedToken(http.StatusBadRequest, "invalid_grant", "the code or token is not valid")
}

func refusedToken(status int, code, description string) answer {
	return answer{status: status, body: oauthError{Code: code, Description: description}}
}
