package fake

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// newCode issues a code for the grant.
func (p *Provider) newCode(prefix string, g *grant, life time.Duration) string {
	value := random(prefix, 32)
	p.ledger.putCode(value, g, p.opts.Now().Add(life))
	return value
}

func (p *Provider) newAccess(prefix string, g *grant, scopes []string, life time.Duration) string {
	value := random(prefix, 32)
	p.ledger.putAccess(value, g, scopes, p.opts.Now(), life)
	return value
}

// newRefresh issues a refresh token that lives for life (zero: for ever) and may
// rest unused for idle (zero: for ever).
func (p *Provider) newRefresh(prefix string, g *grant, life, idle time.Duration) string {
	value := random(prefix, 32)
	p.ledger.putRefresh(value, g, p.opts.Now(), life, idle)
	return value
}

// tokenAnswer is a successful token response, after the script.
func (p *Provider) tokenAnswer(doc map[string]any) answer {
	if p.script.hit(TokenWithoutIDToken) {
		delete(doc, "id_token")
	}
	if p.script.hit(TokenWithoutAccess) {
		delete(doc, "access_token")
	}
	if p.script.hit(TokenWrongType) {
		doc["token_type"] = "mac"
	}
	if p.script.hit(TokenReducedScope) {
		doc["scope"] = "openid"
	}
	p.script.apply(Token, doc)
	if p.script.hit(TokenDuplicates) {
		body, err := withDuplicates(doc, map[string]any{"id_token": "e30.e30.", "access_token": "token-of-an-intruder"})
		if err != nil {
			return refusedToken(http.StatusInternalServerError, "server_error", err.Error())
		}
		return answer{status: http.StatusOK, body: body}
	}
	return answer{status: http.StatusOK, body: doc}
}

// bearer finds the person an access token in the Authorization header speaks for
// (RFC 6750 §2.1).
func (p *Provider) bearer(r *http.Request) (grant, Person, []string, bool) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return grant{}, Person{}, nil, false
	}
	return p.holder(value)
}

// holder finds the person an access token speaks for.
func (p *Provider) holder(value string) (grant, Person, []string, bool) {
	g, scopes, ok := p.ledger.bearer(value, p.opts.Now())
	if !ok {
		return grant{}, Person{}, nil, false
	}
	person, ok := p.cast.find(g.person)
	if !ok || p.cast.isDisabled(person.ID) {
		return grant{}, Person{}, nil, false
	}
	return g, person, scopes, true
}

// serveUserinfo answers a userinfo document, after the script.
func (p *Provider) serveUserinfo(w http.ResponseWriter, doc map[string]any) {
	switch {
	case p.script.hit(UserinfoWrongSubject):
		doc["sub"] = "somebody-else"
	case p.script.hit(UserinfoMissingSubject):
		delete(doc, "sub")
	case p.script.hit(UserinfoNumericSubject):
		doc["sub"] = 1234567890
	}
	if p.script.hit(UserinfoEmailVerified) {
		doc["email_verified"] = true
	}
	if p.script.hit(UserinfoAnotherEmail) {
		doc["email"], doc["email_verified"] = "intruder@elsewhere.example", true
	}
	if p.script.hit(UserinfoReservedClaims) {
		maps.Copy(doc, reserved())
		doc["iss"], doc["aud"] = "https://idp.elsewhere.example", "another-client"
	}
	p.spoilEmailVerified(doc)
	p.script.apply(Userinfo, doc)
	var body []byte
	var err error
	switch {
	case p.script.hit(UserinfoDuplicates):
		body, err = withDuplicates(doc, map[string]any{"sub": "intruder", "email_verified": true})
	case p.script.hit(UserinfoCaseShadowed):
		body, err = withDuplicates(shadows(), doc)
	default:
		body, err = marshal(doc)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer{status: http.StatusOK, body: body}.write(w)
}

// serveDiscovery answers a discovery document, after the script.
func (p *Provider) serveDiscovery(w http.ResponseWriter, doc map[string]any) {
	_, elsewhere := p.script.settings()
	base := p.URL()
	move := func(names ...string) {
		for _, name := range names {
			if at, ok := doc[name].(string); ok {
				doc[name] = elsewhere + strings.TrimPrefix(at, base)
			}
		}
	}
	insecure := func(name string) {
		if at, ok := doc[name].(string); ok {
			doc[name] = "http://" + strings.TrimPrefix(at, "https://")
		}
	}
	switch {
	case p.script.hit(DiscoveryWrongIssuer):
		doc["issuer"] = "https://idp.elsewhere.example"
	case p.script.hit(DiscoveryIssuerSlash):
		doc["issuer"] = doc["issuer"].(string) + "/"
	case p.script.hit(DiscoveryNoIssuer):
		delete(doc, "issuer")
	case p.script.hit(DiscoveryInsecureKeys):
		insecure("jwks_uri")
	case p.script.hit(DiscoveryInsecureToken):
		insecure("token_endpoint")
	case p.script.hit(DiscoveryMovedKeys):
		move("jwks_uri")
	case p.script.hit(DiscoveryMovedToken):
		move("token_endpoint")
	case p.script.hit(DiscoveryMovedAll):
		move("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "revocation_endpoint", "end_session_endpoint")
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	if p.script.hit(DiscoveryDuplicates) {
		body, err := withDuplicates(doc, map[string]any{"issuer": "https://idp.elsewhere.example", "jwks_uri": elsewhere + "/jwks"})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer{status: http.StatusOK, body: body}.write(w)
		return
	}
	p.document(w, Discovery, doc)
}

// audienceOf reads aud out of an ID token given as a hint, expired or not. The
// signature is of no interest: the answer only chooses among registered URIs.
func audienceOf(hint string) string {
	parts := strings.Split(hint, ".")
	if len(parts) != 3 {
		return ""
	}
	var claims struct {
		Audience string `json:"aud"`
	}
	if json.Unmarshal(unb64(parts[1]), &claims) != nil {
		return ""
	}
	return claims.Audience
}

// afterLogout returns to the client if its URI is registered, with state, and
// otherwise shows the session page (RP-Initiated Logout §3).
func (p *Provider) afterLogout(w http.ResponseWriter, r *http.Request, client Client) {
	to := r.FormValue("post_logout_redirect_uri")
	switch {
	case to == "":
		p.pages.session(w, sessionPage{Action: p.SessionURL()})
	case !slices.Contains(client.PostLogoutRedirectURIs, to):
		p.pages.problem(w, problemPage{Status: http.StatusBadRequest, Code: "invalid_request", Detail: "The post-logout redirect URI is not registered."})
	default:
		if state := r.FormValue("state"); state != "" {
			to += "?" + url.Values{"state": {state}}.Encode()
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}
