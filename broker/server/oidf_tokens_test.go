package server_test

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// oidfTokens is a token response that has passed its checks.
type oidfTokens struct {
	code, access, refresh, raw string
	// id are the claims of the ID token.
	id map[string]any
}

// redeem redeems a code and checks everything about the answer.
func (m *oidfModule) redeem(code string, r oidfRequest) oidfTokens {
	m.Helper()
	tokens := m.tokens(m.tokenRequest(m.client, "grant_type", "authorization_code", "code", code, "redirect_uri", r.get("redirect_uri")), code, r)
	m.require()
	return tokens
}

// tokens checks a token response (RFC 6749 §5.1, Core §3.1.3.3) and its ID token.
// An empty code says that it answers a refresh.
func (m *oidfModule) tokens(reply oidfReply, code string, r oidfRequest) oidfTokens {
	m.Helper()
	m.json("the token response", reply, http.StatusOK)
	m.uncached(reply)
	body := m.object("the token response", reply.body)
	if kind, _ := body["token_type"].(string); !strings.EqualFold(kind, "Bearer") {
		m.failf("token_type is %v", body["token_type"])
	}
	if seconds, ok := m.number(body, "expires_in"); !ok || seconds <= 0 || seconds > 365*86400 {
		m.failf("expires_in is %v", body["expires_in"])
	}
	t := oidfTokens{code: code}
	t.access, _ = body["access_token"].(string)
	m.entropy("the access token", t.access, 96)
	if value, there := body["refresh_token"]; there {
		t.refresh, _ = value.(string)
		m.entropy("the refresh token", t.refresh, 128)
	}
	for name := range body {
		if !slices.Contains([]string{"access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope"}, name) {
			m.failf("the token response has the member %s", name)
		}
	}
	t.raw, _ = body["id_token"].(string)
	want := oidfExpected{issuer: m.world.issuer, clientID: m.client.id, alg: m.alg, nonce: r.get("nonce"), accessToken: t.access, code: code,
		scopes: strings.Fields(r.get("scope")), now: m.world.clock.Now()}
	if code == "" {
		want.nonce = "" // Core §12.2: should not have one
	}
	t.id = m.idToken(m.opened(t.raw), m.keys, want)
	return t
}

// invalidGrant checks that a token request was refused as RFC 6749 §5.2 says.
func (m *oidfModule) invalidGrant(reply oidfReply) {
	m.Helper()
	m.json("the refusal", reply, http.StatusBadRequest)
	m.uncached(reply)
	body := m.object("the refusal", reply.body)
	if body["error"] != "invalid_grant" {
		m.failf("error is %v", body["error"])
	}
	description, _ := body["error_description"].(string)
	uri, _ := body["error_uri"].(string)
	m.description(description, uri)
	for name := range body {
		if !slices.Contains([]string{"error", "error_description", "error_uri"}, name) {
			m.failf("the refusal has the member %s", name)
		}
	}
}

// json checks status and type of an answer.
func (f *oidfFindings) json(what string, reply oidfReply, status int) {
	mediaType, _, err := mime.ParseMediaType(reply.header.Get("Content-Type"))
	if reply.status != status || err != nil || mediaType != "application/json" {
		f.failf("%s is %d of type %q: %.300s", what, reply.status, reply.header.Get("Content-Type"), reply.body)
	}
}

// uncached is RFC 6749 §5.1.
func (f *oidfFindings) uncached(reply oidfReply) {
	directives := strings.Split(strings.ReplaceAll(reply.header.Get("Cache-Control"), " ", ""), ",")
	if !slices.Contains(directives, "no-store") {
		f.failf("Cache-Control is %q", reply.header.Get("Cache-Control"))
	}
	if pragma := reply.header.Get("Pragma"); pragma != "" && pragma != "no-cache" {
		f.failf("Pragma is %q", pragma)
	}
}

// askUserInfo presents an access token: by GET, POST with a header, or POST with a
// form (RFC 6750 §2.1, §2.2).
func (m *oidfModule) askUserInfo(how, access string) oidfReply {
	m.Helper()
	method, body := http.MethodPost, ""
	switch how {
	case "get":
		method = http.MethodGet
	case "post-body":
		body = url.Values{"access_token": {access}}.Encode()
	}
	request, err := http.NewRequestWithContext(m.Context(), method, m.endpoint("userinfo_endpoint"), strings.NewReader(body))
	if err != nil {
		m.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	if how == "post-body" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		request.Header.Set("Authorization", "Bearer "+access)
	}
	if how == "post-header" {
		// The suite's library sends an empty form along.
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return m.world.send(m.T, request)
}

// userInfo checks what userinfo says (Core §5.3.2) and returns it.
func (m *oidfModule) userInfo(how string, t oidfTokens) map[string]any {
	m.Helper()
	reply := m.askUserInfo(how, t.access)
	m.json("userinfo", reply, http.StatusOK)
	claims := m.object("userinfo", reply.body)
	if claims["sub"] != t.id["sub"] || claims["sub"] == nil {
		m.failf("userinfo is about %v, the ID token about %v", claims["sub"], t.id["sub"])
	}
	m.standardClaims(claims)
	return claims
}

// flow is a whole flow with a request.
func (m *oidfModule) flow(r oidfRequest) oidfTokens {
	m.Helper()
	t := m.arrived(m.authorize(r), r)
	if t.access != "" {
		m.userInfo("get", t)
	}
	return t
}

// quietly is a flow in which nobody may be asked anything.
func (m *oidfModule) quietly(r oidfRequest) oidfTokens {
	m.Helper()
	pages := len(m.agent.shown)
	visits := m.world.upstream.Calls("authorize")
	t := m.flow(r)
	if len(m.agent.shown) != pages || m.world.upstream.Calls("authorize") != visits {
		m.failf("somebody was asked: %v", m.agent.shown)
	}
	return t
}

// sameSignIn checks that two ID tokens rest on one sign-in of one person.
func (m *oidfModule) sameSignIn(first, second oidfTokens) {
	if first.id["sub"] != second.id["sub"] || first.id["auth_time"] != second.id["auth_time"] {
		m.failf("sub and auth_time are %v and %v, were %v and %v", second.id["sub"], second.id["auth_time"], first.id["sub"], first.id["auth_time"])
	}
}

// again is a flow in which the login page has to be shown once more: the upstream
// is told to ask, and asks.
func (m *oidfModule) again(first oidfTokens, r oidfRequest) {
	m.Helper()
	pages := m.agent.saw("sign-in")
	second := m.flow(r)
	if m.agent.saw("sign-in") != pages+1 {
		m.failf("the login page was not shown again: %v", m.agent.shown)
	}
	asked := ""
	for _, request := range m.world.upstream.Requests() {
		if request.Path == "/authorize" && request.Method == http.MethodGet {
			asked = request.Query.Get("prompt")
		}
	}
	if !slices.Contains(strings.Fields(asked), "login") {
		m.failf("the upstream was asked with prompt=%q", asked)
	}
	before, _ := m.number(first.id, "auth_time")
	after, there := m.number(second.id, "auth_time")
	if now := m.world.clock.Now().Unix(); !there || after < before+1 || after < now-60 {
		m.failf("auth_time is %v after %v at %d", second.id["auth_time"], first.id["auth_time"], now)
	}
	if second.id["sub"] != first.id["sub"] {
		m.failf("sub is %v, was %v", second.id["sub"], first.id["sub"])
	}
}
