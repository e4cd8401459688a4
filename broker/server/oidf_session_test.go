package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"time"
)

// oidfSessionModules are about who is signed in, since when, and who is asked.
func oidfSessionModules(p oidfPlan) {
	p.module("oidcc-prompt-login", nil, func(m *oidfModule) {
		first := m.flow(m.request())
		m.world.clock.Advance(time.Second)
		m.again(first, m.request("prompt", "login"))
	})
	p.module("oidcc-prompt-none-not-logged-in", nil, func(m *oidfModule) {
		visits := m.world.upstream.Calls("authorize")
		r := m.request("prompt", "none")
		m.refused(m.authorize(r), r, oidfNeedsPage()...)
		if m.world.upstream.Calls("authorize") != visits {
			m.failf("the upstream was visited")
		}
	})
	p.module("oidcc-prompt-none-logged-in", nil, func(m *oidfModule) {
		// Somebody else than in the other modules: has consent been asked for, it is
		// remembered from this module's first flow.
		m.agent.person = "dana"
		first := m.flow(m.request())
		m.world.clock.Advance(time.Second)
		m.sameSignIn(first, m.quietly(m.request("prompt", "none")))
	})
	p.module("oidcc-max-age-1", nil, func(m *oidfModule) {
		first := m.flow(m.request())
		m.world.clock.Advance(2 * time.Second)
		m.again(first, m.request("max_age", "1"))
	})
	p.module("oidcc-max-age-10000", nil, func(m *oidfModule) {
		first := m.flow(m.request("max_age", "15000"))
		m.world.clock.Advance(time.Second)
		second := m.quietly(m.request("max_age", "10000"))
		for _, t := range []oidfTokens{first, second} {
			if _, there := m.number(t.id, "auth_time"); !there {
				m.failf("max_age was sent and auth_time is missing")
			}
		}
		m.sameSignIn(first, second)
	})
	p.module("oidcc-id-token-hint", nil, func(m *oidfModule) {
		first := m.flow(m.request())
		m.world.clock.Advance(time.Second)
		m.sameSignIn(first, m.quietly(m.request("prompt", "none", "id_token_hint", first.raw)))
	})
}

// oidfCodeReuseModules present a code twice.
func oidfCodeReuseModules(p oidfPlan) {
	for _, again := range []struct {
		name string
		wait time.Duration
	}{{"oidcc-codereuse", 0}, {"oidcc-codereuse-30seconds", 30 * time.Second}} {
		p.module(again.name, nil, func(m *oidfModule) {
			r := m.request()
			t := m.flow(r)
			m.world.clock.Advance(again.wait)
			m.invalidGrant(m.tokenRequest(m.client, "grant_type", "authorization_code", "code", t.code, "redirect_uri", r.get("redirect_uri")))
			if status := m.askUserInfo("get", t.access).status; status < 400 || status > 499 {
				m.warnf("access token lives on", "userinfo answers %d", status)
			}
		})
	}
}

// oidfRequestObjectModules pass parameters another way: in a request object, by
// reference, with PKCE.
func oidfRequestObjectModules(p oidfPlan) {
	p.module("oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", nil, func(m *oidfModule) {
		if value := m.document["request_parameter_supported"]; value != true {
			m.failf("request_parameter_supported is %v", value)
		}
		if slices.Contains(m.advertised("request_object_signing_alg_values_supported"), "none") || m.document["request_object_signing_alg_values_supported"] == nil {
			m.failf("unsigned request objects seem to be supported: the suite would not skip this module")
		}
		// Inside is everything; outside what OAuth demands, in the order of the alphabet.
		// So neither state nor response_mode can be known to whoever does not look inside.
		r := m.request()
		outside := r.outside("request", m.requestObject(r))
		refusal := "request_not_supported"
		if p.dynamic {
			refusal = "invalid_request_object" // the client has keys, and might have signed it
		}
		m.refused(m.authorize(outside), outside, refusal)
	})
	p.module("oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", nil, func(m *oidfModule) {
		if value := m.document["request_uri_parameter_supported"]; value != true {
			m.failf("request_uri_parameter_supported is %v", value)
		}
		r := m.request()
		r = r.with("request_uri", oidfHost+"/test/a/gatehouse/requesturi/"+oidfRandom(16)+"#"+hashOf(m.requestObject(r)))
		m.refused(m.authorize(r), r, "request_uri_not_supported")
	})
	p.module("oidcc-ensure-request-object-with-redirect-uri", nil, func(m *oidfModule) {
		r := m.request()
		m.errorPage(m.authorize(r.with("redirect_uri", oidfCallback+"_invalid", "request", m.requestObject(r))))
	})
}

// oidfPKCEModules is oidcc-ensure-request-with-valid-pkce-succeeds.
func oidfPKCEModules(p oidfPlan) {
	p.module("oidcc-ensure-request-with-valid-pkce-succeeds", nil, func(m *oidfModule) { m.proved() })
}

// proved is a flow with PKCE.
func (m *oidfModule) proved() oidfTokens {
	m.Helper()
	verifier := oidfRandom(64)
	sum := sha256.Sum256([]byte(verifier))
	r := m.request("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256")
	code := m.authorizationCode(m.authorize(r), r)
	return m.tokens(m.tokenRequest(m.client, "grant_type", "authorization_code", "code", code, "redirect_uri", r.get("redirect_uri"), "code_verifier", verifier), code, r)
}

// requestObject is the request as an unsigned JWT (Core §6.1).
func (m *oidfModule) requestObject(r oidfRequest) string {
	m.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(oidfJSON(m.T, m.requestClaims(r))) + "."
}

// oidfRefreshModules is oidcc-refresh-token.
func oidfRefreshModules(p oidfPlan) {
	p.with("grant_types", p.grantTypes("refresh_token")).module("oidcc-refresh-token", nil, func(m *oidfModule) {
		m.scope = "openid offline_access"
		if !slices.Contains(m.advertised("grant_types_supported"), "refresh_token") {
			m.failf("grant_types_supported lacks refresh_token")
		}
		one, two := m.client, m.second()
		first := m.refreshed()
		// The second client has a browser of its own, and sends no scope. Its token is
		// good for nothing in the hands of the first.
		m.oidfPlan.client, m.agent = two, m.world.agent(m.T, "ada")
		second := m.refreshed()
		for client, token := range map[oidfClient]string{one: second.refresh, two: first.refresh} {
			m.invalidGrant(m.tokenRequest(client, "grant_type", "refresh_token", "refresh_token", token, "scope", "openid"))
		}
		// The attempts have changed nothing for the clients whose tokens they are.
		m.tokens(m.refresh(second.refresh), "", m.request())
		m.oidfPlan.client = one
		m.tokens(m.refresh(first.refresh, "scope", "openid offline_access"), "", m.request())
	})
}

func (m *oidfModule) refresh(token string, pairs ...string) oidfReply {
	m.Helper()
	return m.tokenRequest(m.client, append([]string{"grant_type", "refresh_token", "refresh_token", token}, pairs...)...)
}

// refreshed is a flow and a refresh, whose tokens it returns.
func (m *oidfModule) refreshed() oidfTokens {
	m.Helper()
	r := m.request("prompt", "consent")
	t := m.flow(r)
	if m.agent.saw("consent") == 0 {
		m.failf("prompt=consent and nobody was asked")
	}
	if t.refresh == "" {
		m.failf("no refresh token")
		m.require()
	}
	m.world.clock.Advance(time.Second) // so that iat differs
	var pairs []string
	if m.client.redirectURI == oidfCallback {
		pairs = []string{"scope", m.scope}
	}
	next := m.tokens(m.refresh(t.refresh, pairs...), "", r)
	m.require()
	if next.access == t.access {
		m.failf("the access token is the same")
	}
	for _, claim := range []string{"iss", "sub", "aud", "azp", "auth_time"} {
		if next.id[claim] != t.id[claim] {
			m.failf("%s is %v, was %v (Core §12.2)", claim, next.id[claim], t.id[claim])
		}
	}
	if next.id["iat"] == t.id["iat"] {
		m.failf("iat is that of the first ID token")
	}
	if reply := m.askUserInfo("get", next.access); reply.status != http.StatusOK {
		m.failf("userinfo answers %d to the refreshed access token", reply.status)
	}
	if next.refresh == "" {
		next.refresh = t.refresh
	}
	return next
}
