package fake

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (f *Okta) token(w http.ResponseWriter, r *http.Request, server string) {
	f.respondToken(r, server).write(w)
}

// grace is how long a replaced refresh token still works; negative: not at all.
func (f *Okta) grace() time.Duration {
	if f.opts.Okta.RotationGrace == 0 {
		return oktaGrace
	}
	return f.opts.Okta.RotationGrace
}

func (f *Okta) respondToken(r *http.Request, server string) answer {
	t, no, detail := f.readTokenRequest(r, server, f.clientAuth(r, server))
	if no != fine {
		return f.tokenRefusal(no, detail)
	}
	if t.form.Get("grant_type") == "client_credentials" {
		return f.respondService(r, t, server)
	}
	issuer := oktaIssuer(f.issuerBase(r), server)
	var g *grant
	var person Person
	fresh := t.form.Get("grant_type") == "authorization_code"
	rotate := f.opts.Okta.RotateRefreshTokens
	switch t.form.Get("grant_type") {
	case "authorization_code":
		detail = "code"
		g, person, no = f.redeemCode(t)
	case "refresh_token":
		detail = "refresh_token"
		g, person, no = f.redeemRefresh(t, rotate, f.grace())
	default:
		no = grantTypeUnknown
	}
	if no == fine && f.tooManyGroups(g.scopes, person) {
		no = groupsTooMany
	}
	if no != fine {
		return f.tokenRefusal(no, detail)
	}
	scopes, ok := narrowed(g.scopes, t.form.Get("scope"), fresh)
	if !ok {
		return f.tokenRefusal(scopeUnknown, "")
	}
	access, err := f.accessToken(g, person, scopes, issuer)
	if err != nil {
		return refusedToken(http.StatusInternalServerError, "server_error", err.Error())
	}
	doc := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(oktaTokenLife.Seconds()), "scope": strings.Join(scopes, " ")}
	switch {
	case g.refreshable && (fresh || rotate):
		doc["refresh_token"] = f.newRefresh("", g, 0, oktaRefreshIdle)
	case g.refreshable:
		doc["refresh_token"] = t.form.Get("refresh_token")
	}
	if slices.Contains(scopes, "openid") {
		id, err := f.idToken(f.claims(tokenOf{g, person, scopes, issuer}, access, fresh), f.keys.current(), g.client)
		if err != nil {
			return refusedToken(http.StatusInternalServerError, "server_error", err.Error())
		}
		doc["id_token"] = id
	}
	return f.tokenAnswer(doc)
}

// accessToken is a JWT signed with the key of the ID tokens. It names people by
// their login, so whoever takes it for an ID token gets identity wrong.
func (f *Okta) accessToken(g *grant, person Person, scopes []string, issuer string) (string, error) {
	now := f.opts.Now()
	audience := f.URL()
	if g.realm != "" {
		audience = "api://default"
	}
	payload, err := marshal(map[string]any{
		"ver": 1, "jti": random("AT.", 32), "iss": issuer, "aud": audience, "iat": now.Unix(), "exp": now.Add(oktaTokenLife).Unix(),
		"cid": g.client.ID, "uid": person.Okta.Subject, "scp": scopes, "auth_time": g.authTime.Unix(), "sub": person.Okta.Login,
	})
	if err != nil {
		return "", err
	}
	place := f.keys.current()
	key, err := f.keys.pool.key(f.keys.algorithm, place)
	if err != nil {
		return "", err
	}
	kid, err := f.keys.kid(place)
	if err != nil {
		return "", err
	}
	value, err := jws(map[string]any{"alg": f.keys.algorithm, "kid": kid}, payload, signedBy(key))
	if err != nil {
		return "", err
	}
	f.ledger.putAccess(value, g, scopes, now, oktaTokenLife)
	return value, nil
}

// tokenOf is what a token is made of.
type tokenOf struct {
	grant  *grant
	person Person
	scopes []string
	issuer string
}

// claims of the code flow are thin: what else there is stands at userinfo.
func (f *Okta) claims(t tokenOf, access string, fresh bool) map[string]any {
	now, g, person, scopes := f.opts.Now(), t.grant, t.person, t.scopes
	claims := map[string]any{
		"sub": person.Okta.Subject, "ver": 1, "iss": t.issuer, "aud": g.client.ID, "iat": now.Unix(), "exp": now.Add(oktaTokenLife).Unix(),
		"jti": random("ID.", 32), "amr": orPassword(person.Okta.Factors), "idp": "00o1fakeorg0000d7", "auth_time": g.authTime.Unix(),
		"at_hash": leftHash(access),
	}
	setNonEmpty(claims, "acr", g.acr)
	if fresh {
		setNonEmpty(claims, "nonce", g.nonce)
	} else if f.script.hit(RefreshGivesSomebody) {
		claims["sub"] = "00usomebodyelse000d7"
	}
	if f.opts.Okta.FatIDToken || f.script.hit(OktaFatToken) {
		f.addProfile(claims, person, scopes)
		return claims
	}
	if slices.Contains(scopes, "profile") {
		setNonEmpty(claims, "name", person.Name)
		setNonEmpty(claims, "preferred_username", person.Okta.Login)
	}
	if slices.Contains(scopes, "email") {
		setNonEmpty(claims, "email", person.Email)
	}
	return claims
}

// addProfile is the whole of what the scopes give. Groups without a match are
// absent, not empty.
func (f *Okta) addProfile(doc map[string]any, person Person, scopes []string) {
	if slices.Contains(scopes, "profile") {
		for name, value := range map[string]string{
			"name": person.Name, "nickname": person.GivenName, "given_name": person.GivenName, "family_name": person.FamilyName,
			"preferred_username": person.Okta.Login, "locale": "en-US", "zoneinfo": "America/Los_Angeles",
		} {
			setNonEmpty(doc, name, value)
		}
		doc["updated_at"] = 1795046400
	}
	if slices.Contains(scopes, "email") && person.Email != "" {
		doc["email"], doc["email_verified"] = person.Email, person.EmailVerified
	}
	groups := person.Okta.Groups
	if slices.Contains(scopes, "groups") && len(groups) > 0 && !f.script.hit(OktaGroupsAbsent) {
		doc["groups"] = groups[:min(len(groups), oktaMaxGroups)]
	}
}

// tooManyGroups says whether the filter of the groups claim matches more than a
// token may hold: then there is no token.
func (f *Okta) tooManyGroups(scopes []string, person Person) bool {
	return slices.Contains(scopes, "groups") && len(person.Okta.Groups) > oktaMaxGroups && !f.script.hit(OktaGroupsTruncated)
}

func (f *Okta) userinfo(w http.ResponseWriter, r *http.Request, server string) {
	g, person, scopes, ok := f.bearer(r)
	if !ok || g.realm != server || !slices.Contains(scopes, "openid") {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="The access token is invalid"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	doc := map[string]any{"sub": person.Okta.Subject}
	f.addProfile(doc, person, scopes)
	f.serveUserinfo(w, doc)
}

// revoke answers 200 to a known client, whatever the token is (RFC 7009 §2.2).
func (f *Okta) revoke(w http.ResponseWriter, r *http.Request, server string) {
	t, no, detail := f.readTokenRequest(r, server, f.clientAuth(r, server))
	if no != fine {
		f.tokenRefusal(no, detail).write(w)
		return
	}
	f.ledger.kill(t.form.Get("token"), t.client.ID)
	w.WriteHeader(http.StatusOK)
}

func (f *Okta) introspect(w http.ResponseWriter, r *http.Request, server string) {
	t, no, detail := f.readTokenRequest(r, server, f.clientAuth(r, server))
	if no != fine {
		f.tokenRefusal(no, detail).write(w)
		return
	}
	g, person, scopes, ok := f.holder(t.form.Get("token"))
	if !ok || g.realm != server {
		answer{status: http.StatusOK, body: map[string]any{"active": false}}.write(w)
		return
	}
	answer{status: http.StatusOK, body: map[string]any{
		"active": true, "token_type": "Bearer", "scope": strings.Join(scopes, " "), "client_id": g.client.ID, "username": person.Okta.Login,
		"sub": person.Okta.Login, "uid": person.Okta.Subject, "iss": oktaIssuer(f.issuerBase(r), server),
	}}.write(w)
}

// logout wants an id_token_hint, expired or not.
func (f *Okta) logout(w http.ResponseWriter, r *http.Request, _ string) {
	client, known := f.client(audienceOf(r.FormValue("id_token_hint")))
	if !known {
		f.pages.problem(w, problemPage{Status: http.StatusBadRequest, Code: "invalid_request", Detail: "The 'id_token_hint' parameter is missing or is no ID token of this organization."})
		return
	}
	f.signOut(w, r)
	f.afterLogout(w, r, client)
}

func (f *Okta) tokenRefusal(no reason, detail string) answer {
	a := oktaOAuthRefusal(no, detail)
	if e, ok := a.body.(oauthError); ok && f.script.hit(OktaAPIShape) {
		return oktaAPI(a.status, e.Code, e.Description)
	}
	return a
}

func oktaOAuthRefusal(no reason, detail string) answer {
	switch no {
	case methodNotAllowed:
		return oktaAPI(http.StatusMethodNotAllowed, "E0000022", "The endpoint does not support the provided HTTP method")
	case clientUnidentified:
		return refusedToken(http.StatusUnauthorized, "invalid_client", "Invalid value for the `client_id` parameter")
	case clientNoSecret:
		return refusedToken(http.StatusUnauthorized, "invalid_client", "Client authentication failed. Either the client or the client credentials are invalid.")
	case clientBadSecret:
		return refusedToken(http.StatusUnauthorized, "invalid_client", "The client secret supplied for a confidential client is invalid.")
	case parameterMissing, parameterTwice:
		return refusedToken(http.StatusBadRequest, "invalid_request", "The token request must specify the parameter '"+detail+"' once.")
	case grantTypeUnknown:
		return refusedToken(http.StatusBadRequest, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server.")
	case scopeUnknown:
		return refusedToken(http.StatusBadRequest, "invalid_scope", "The requested scope is wider than the granted one.")
	case verifierWrong:
		return refusedToken(http.StatusBadRequest, "invalid_grant", "PKCE verification failed.")
	case refreshUnknown, refreshExpired, refreshRevoked, refreshReused, accountDisabled:
		return refusedToken(http.StatusBadRequest, "invalid_grant", "The refresh token is invalid or expired.")
	case groupsTooMany:
		return refusedToken(http.StatusBadRequest, "invalid_request", "The groups claim matches more groups than a token may hold.")
	}
	return refusedToken(http.StatusBadRequest, "invalid_grant", "The authorization code is invalid or has expired.")
}

// oktaAPI is the error shape of the management API, which the OAuth endpoints use
// too where the request never reached an authorization server.
func oktaAPI(status int, code, summary string) answer {
	return answer{status: status, body: map[string]any{
		"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": random("oae", 15), "errorCauses": []any{},
	}}
}

func (f *Okta) oktaFault(fault Fault) answer {
	codes := map[Fault]string{TooManyRequests: "E0000047", Unauthorized: "E0000011", Forbidden: "E0000006", NotFound: "E0000007"}
	code := codes[fault]
	if code == "" {
		code = "E0000009"
	}
	a := oktaAPI(statusOf(fault), code, "emulated fault")
	a.header = retryHeader(fault)
	if fault == TooManyRequests {
		// Okta says when in headers of its own, not in Retry-After.
		a.header = http.Header{
			"X-Rate-Limit-Limit": {"600"}, "X-Rate-Limit-Remaining": {"0"},
			"X-Rate-Limit-Reset": {strconv.FormatInt(f.opts.Now().Unix()+retryAfter, 10)},
		}
	}
	return a
}
