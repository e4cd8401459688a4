package fake

import (
	"net/http"
	"slices"
	"strings"
)

func (f *Google) token(w http.ResponseWriter, r *http.Request) {
	f.respondToken(r).write(w)
}

func (f *Google) respondToken(r *http.Request) answer {
	if r.PostForm.Get("grant_type") == googleJWTBearer {
		return f.assert(r)
	}
	t, no, detail := f.readTokenRequest(r, "", clientAuth{basic: true, post: true})
	if no != fine {
		return googleTokenRefusal(no, detail)
	}
	var g *grant
	var person Person
	fresh := t.form.Get("grant_type") == "authorization_code"
	switch t.form.Get("grant_type") {
	case "authorization_code":
		detail = "code"
		g, person, no = f.redeemCode(t)
	case "refresh_token":
		detail = "refresh_token"
		g, person, no = f.redeemRefresh(t, false, -1)
	default:
		no, detail = grantTypeUnknown, t.form.Get("grant_type")
	}
	if no != fine {
		return googleTokenRefusal(no, detail)
	}
	access := f.newAccess("ya29.a0", g, g.scopes, googleAccessLife)
	doc := map[string]any{
		"access_token": access, "expires_in": int(googleAccessLife.Seconds()),
		"scope": strings.Join(g.scopes, " "), "token_type": "Bearer",
	}
	// The code's answer alone carries a refresh token, which then never changes.
	if fresh && g.refreshable {
		doc["refresh_token"] = f.newRefresh("1//0g", g, 0, googleIdle)
		f.ledger.keepNewest(refreshTokens, googleLiveTokens, f.opts.Now(), func(t *token) bool {
			return t.grant.person == g.person && t.grant.client.ID == g.client.ID
		})
	}
	if slices.Contains(g.scopes, "openid") {
		id, err := f.idToken(f.claims(g, person, access, fresh), f.keys.current(), g.client)
		if err != nil {
			return refusedToken(http.StatusInternalServerError, "internal_failure", err.Error())
		}
		doc["id_token"] = id
	}
	return f.tokenAnswer(doc)
}

// claims has neither auth_time nor acr nor amr; a refreshed token lacks nonce and
// the name too.
func (f *Google) claims(g *grant, person Person, access string, fresh bool) map[string]any {
	now := f.opts.Now()
	claims := map[string]any{
		"iss": f.URL(), "azp": g.client.ID, "aud": g.client.ID, "sub": person.Google.Subject, "at_hash": leftHash(access),
		"iat": now.Unix(), "exp": now.Add(googleTokenLife).Unix(),
	}
	f.addProfile(claims, g, person, fresh)
	if fresh {
		setNonEmpty(claims, "nonce", g.nonce)
	} else if f.script.hit(RefreshGivesSomebody) {
		claims["sub"] = "110000000000000000000"
	}
	switch {
	case f.script.hit(GoogleLegacyIssuer):
		claims["iss"] = withoutScheme(f.URL())
	case f.script.hit(GoogleForeignBareIssuer):
		claims["iss"] = "accounts.elsewhere.example"
	}
	switch {
	case f.script.hit(GoogleHDMissing):
		delete(claims, "hd")
	case f.script.hit(GoogleHDWrong):
		claims["hd"] = "elsewhere.example"
	}
	if f.script.hit(GoogleVerifiedWithoutMail) {
		delete(claims, "email")
		claims["email_verified"] = true
	}
	return claims
}

func withoutScheme(u string) string {
	_, rest, _ := strings.Cut(u, "://")
	return rest
}

func (f *Google) addProfile(doc map[string]any, g *grant, person Person, withName bool) {
	setNonEmpty(doc, "hd", person.Google.HostedDomain)
	if slices.Contains(g.scopes, googleScope+"email") && person.Email != "" {
		doc["email"], doc["email_verified"] = person.Email, person.EmailVerified
	}
	if withName && slices.Contains(g.scopes, googleScope+"profile") {
		setNonEmpty(doc, "name", person.Name)
		setNonEmpty(doc, "given_name", person.GivenName)
		setNonEmpty(doc, "family_name", person.FamilyName)
	}
}

func (f *Google) userinfo(w http.ResponseWriter, r *http.Request) {
	g, person, _, ok := f.bearer(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
		refusedToken(http.StatusUnauthorized, "invalid_request", "Invalid Credentials").write(w)
		return
	}
	doc := map[string]any{"sub": person.Google.Subject}
	f.addProfile(doc, &g, person, true)
	f.serveUserinfo(w, doc)
}

// revoke takes any token of a grant, asks for no client and ends the consent: the
// next sign-in is a first one again.
func (f *Google) revoke(w http.ResponseWriter, r *http.Request) {
	g, ok := f.ledger.kill(r.FormValue("token"), "")
	if !ok {
		refusedToken(http.StatusBadRequest, "invalid_token", "Token expired or revoked").write(w)
		return
	}
	f.consents.forget(g.client.ID, g.person)
	f.ledger.revokeGrants(func(other *grant) bool { return other.person == g.person && other.client.ID == g.client.ID })
	answer{status: http.StatusOK, body: map[string]any{}}.write(w)
}

func googleTokenRefusal(no reason, detail string) answer {
	switch no {
	case methodNotAllowed:
		return refusedToken(http.StatusMethodNotAllowed, "invalid_request", "Method not allowed")
	case clientUnidentified:
		return refusedToken(http.StatusUnauthorized, "invalid_client", "The OAuth client was not found.")
	case clientNoSecret:
		return refusedToken(http.StatusBadRequest, "invalid_request", "client_secret is missing.")
	case clientBadSecret:
		return refusedToken(http.StatusUnauthorized, "invalid_client", "Unauthorized")
	case grantTypeUnknown:
		return refusedToken(http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: "+detail)
	case parameterMissing:
		return refusedToken(http.StatusBadRequest, "invalid_request", "Missing required parameter: "+detail)
	case parameterTwice:
		return refusedToken(http.StatusBadRequest, "invalid_request", "Duplicate parameter: "+detail)
	case redirectDiffers:
		return refusedToken(http.StatusBadRequest, "redirect_uri_mismatch", "Bad Request")
	case verifierWrong:
		return refusedToken(http.StatusBadRequest, "invalid_grant", "Invalid code verifier.")
	case refreshUnknown, refreshExpired, refreshRevoked, refreshReused, accountDisabled:
		return refusedToken(http.StatusBadRequest, "invalid_grant", "Token has been expired or revoked.")
	}
	return refusedToken(http.StatusBadRequest, "invalid_grant", "Bad Request")
}
