package server_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/jwttest"
)

const oidfDeviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// oidfRegistrationOfAll lets clients register for all there is.
const oidfRegistrationOfAll = "{open: true, grant_types: [authorization_code, refresh_token, implicit, client_credentials, '" + oidfDeviceGrant +
	"'], scopes: [openid, profile, email, groups, offline_access], require_pkce: false}"

// Whatever the metadata list, a client can register for and use: every value of every
// list. What this does not know how to use is a mistake, here or there.
func TestOIDFWhatIsAdvertisedCanBeRegisteredAndUsed(t *testing.T) {
	t.Parallel()
	world := openOIDFWorld(t, oidfSetting{registration: oidfRegistrationOfAll})
	p := oidfPlan{t: t, world: world, dynamic: true}.bySelf()
	// Every value is one that this upstream gives.
	world.upstream.Edit("id token", func(claims map[string]any) {
		claims["picture"], claims["locale"], claims["acr"] = "https://corp.example/ada.png", "en", "urn:corp:strong"
		claims["groups"] = []string{"staff"}
	})
	var f oidfFindings
	document := f.object("the metadata", world.fetch(t, world.issuer+"/.well-known/openid-configuration").body)
	uses := oidfUses()
	for _, name := range slices.Sorted(maps.Keys(document)) {
		list, isList := document[name].([]any)
		use, known := uses[name]
		if isList && !known {
			t.Errorf("nobody has tried %s: %v", name, list)
			continue
		}
		for _, value := range list {
			p.module(name+"="+value.(string), nil, func(m *oidfModule) { use(m, value.(string)) })
		}
	}
	for name := range uses {
		if _, there := document[name].([]any); !there {
			t.Errorf("%s is not advertised", name)
		}
	}
}

// oidfUse uses one value, or fails.
type oidfUse func(m *oidfModule, value string)

// oidfUses are the lists of the metadata, and what their values are good for.
func oidfUses() map[string]oidfUse {
	uses := map[string]oidfUse{
		"scopes_supported": useScope, "response_types_supported": useResponseType, "response_modes_supported": useResponseMode,
		"grant_types_supported": useGrantType, "subject_types_supported": useSubjectType, "claims_supported": useClaim(),
		"code_challenge_methods_supported": useChallengeMethod, "prompt_values_supported": usePrompt,
		"id_token_signing_alg_values_supported": useIDTokenAlg, "userinfo_signing_alg_values_supported": useUserInfoAlg,
		"introspection_signing_alg_values_supported": useIntrospectionAlg, "request_object_signing_alg_values_supported": useRequestObjectAlg,
	}
	for what, deliver := range map[string]func(m *oidfModule, alg, enc string){"id_token": sealedIDToken, "userinfo": sealedUserInfo, "introspection": sealedIntrospection} {
		// Without enc: what is meant by saying nothing.
		uses[what+"_encryption_alg_values_supported"] = func(m *oidfModule, alg string) { deliver(m, alg, "") }
		uses[what+"_encryption_enc_values_supported"] = func(m *oidfModule, enc string) {
			for _, alg := range m.advertised(what + "_encryption_alg_values_supported") {
				deliver(m, alg, enc)
			}
		}
	}
	for endpoint, use := range map[string]func(*oidfModule, oidfTokens){"token": nil, "introspection": (*oidfModule).introspected, "revocation": (*oidfModule).revoked} {
		uses[endpoint+"_endpoint_auth_methods_supported"] = func(m *oidfModule, method string) { m.authenticates(use, method, "") }
		uses[endpoint+"_endpoint_auth_signing_alg_values_supported"] = func(m *oidfModule, alg string) {
			method := "private_key_jwt"
			if strings.HasPrefix(alg, "HS") {
				method = "client_secret_jwt"
			}
			m.authenticates(use, method, alg)
		}
	}
	return uses
}

// becomes registers the client that the module goes on with.
func (m *oidfModule) becomes(pairs ...any) {
	m.Helper()
	m.becomesKey(oidfKeys().first, pairs...)
}

func (m *oidfModule) becomesKey(key *oidfPair, pairs ...any) {
	m.Helper()
	changes := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		changes[pairs[i].(string)] = pairs[i+1]
	}
	m.oidfPlan.client = m.registerKey(key, changes)
}

func useScope(m *oidfModule, scope string) {
	if scope != "openid" {
		m.scope = "openid " + scope
	}
	m.becomes("grant_types", m.grantTypes("refresh_token"), "scope", m.scope)
	t := m.flow(m.request("prompt", "consent"))
	info := m.userInfo("get", t)
	var gained bool
	switch scope {
	case "openid":
		gained = oidfIsText(info["sub"]) && info["email"] == nil && info["name"] == nil
	case "offline_access":
		gained = t.refresh != ""
	default:
		gained = slices.ContainsFunc(oidfScopeClaims(scope), func(claim string) bool { return info[claim] != nil })
	}
	if !gained {
		m.failf("the scope brings nothing: %v", info)
	}
}

func useResponseType(m *oidfModule, responseType string) {
	m.responseType = responseType
	m.becomes()
	if responseType != "token" {
		m.flow(m.request())
		return
	}
	r := m.request()
	if t := m.front(m.authorize(r), r); m.askUserInfo("get", t.access).status != 200 {
		m.failf("the access token is good for nothing")
	}
}

func useResponseMode(m *oidfModule, mode string) {
	m.becomes("response_modes", []any{mode})
	r := m.request("response_mode", mode)
	at := m.authorize(r)
	if mode == "fragment" { // read it as if it came in a query
		at.url.RawQuery, at.url.Fragment = at.url.EscapedFragment(), ""
		r = r.with("response_mode", "query")
	}
	m.redeem(m.code(at, r), r)
	other := m.request("response_mode", map[string]string{"query": "fragment", "fragment": "form_post", "form_post": "query"}[mode])
	if at := m.authorize(other); at.atSuite && strings.Contains(at.url.String()+at.form, "code=") {
		m.failf("a mode that was not registered brings a code: %s", at.url)
	}
}

func useGrantType(m *oidfModule, grant string) {
	switch grant {
	case "authorization_code":
		m.becomes()
		m.flow(m.request())
	case "refresh_token":
		m.becomes("grant_types", m.grantTypes(grant))
		m.scope = "openid offline_access"
		m.refreshed()
	case "implicit":
		m.responseType = "id_token token"
		m.becomes()
		m.flow(m.request())
	case "client_credentials":
		m.becomes("grant_types", []any{grant}, "response_types", nil, "redirect_uris", nil)
		m.introspected(oidfTokens{access: m.ownToken(m.tokenRequest(m.client, "grant_type", grant))})
	case oidfDeviceGrant:
		m.becomes("grant_types", []any{grant}, "response_types", nil, "redirect_uris", nil)
		m.connectDevice()
	default:
		m.failf("nobody knows the grant %s", grant)
	}
}

// ownToken is the access token of an answer without an ID token.
func (m *oidfModule) ownToken(reply oidfReply) string {
	m.Helper()
	m.json("the token response", reply, 200)
	m.uncached(reply)
	access, _ := m.object("the token response", reply.body)["access_token"].(string)
	m.entropy("the access token", access, 96)
	m.require()
	return access
}

// connectDevice is the grant of RFC 8628: the device asks, a person types the code.
func (m *oidfModule) connectDevice() {
	m.Helper()
	reply := m.clientRequest("device_authorization_endpoint", m.client, "application/json", "scope", "openid email")
	m.json("the device response", reply, 200)
	codes := m.object("the device response", reply.body)
	text := func(name string) string { s, _ := codes[name].(string); return s }
	page := m.agent.request("POST", text("verification_uri"), "user_code="+text("user_code"), strings.TrimSuffix(m.world.issuer, "/"))
	if at := m.agent.follow(page); at.status != 200 || m.agent.saw("consent") != 1 {
		m.failf("the device is not connected: %d at %s: %s", at.status, at.url, at.body)
	}
	m.world.clock.Advance(10 * time.Second)
	t := m.tokens(m.tokenRequest(m.client, "grant_type", oidfDeviceGrant, "device_code", text("device_code")), "", oidfRequest{}.with("scope", "openid email"))
	m.userInfo("get", t)
}

func useSubjectType(m *oidfModule, kind string) {
	sub := func(pairs ...any) any {
		m.becomes(append(pairs, "subject_type", kind)...)
		return m.flow(m.request()).id["sub"]
	}
	sector := m.world.site.put("/sector-"+kind, "application/json", `["`+oidfCallback+`"]`)
	one, same, other := sub(), sub("redirect_uris", []any{oidfCallbackQuery}), sub("sector_identifier_uri", sector)
	if one != same || (one == other) != (kind == "public") {
		m.failf("%s subjects are %v, %v and, in another sector, %v", kind, one, same, other)
	}
}

// useClaim looks for a claim in all that a client can hear of a person, which it asks
// for once.
func useClaim() oidfUse {
	var heard map[string]any
	return func(m *oidfModule, claim string) {
		if heard == nil {
			m.responseType = "code id_token token"
			m.becomes()
			m.scope = "openid profile email groups"
			r := m.request("acr_values", "urn:corp:strong")
			front := m.front(m.authorize(r), r)
			heard = maps.Clone(front.id)
			redeemed := m.redeem(front.code, r)
			maps.Copy(heard, redeemed.id)
			maps.Copy(heard, m.userInfo("get", redeemed))
		}
		if heard[claim] == nil {
			m.failf("nobody hears of it: %v", slices.Sorted(maps.Keys(heard)))
		}
	}
}

func useChallengeMethod(m *oidfModule, method string) {
	if method != "S256" {
		m.failf("nobody knows the method %s", method)
		return
	}
	m.becomes()
	m.proved()
}

func usePrompt(m *oidfModule, prompt string) {
	m.becomes()
	first := m.flow(m.request())
	m.world.clock.Advance(time.Second)
	switch prompt {
	case "none":
		m.sameSignIn(first, m.quietly(m.request("prompt", prompt)))
	case "login":
		m.again(first, m.request("prompt", prompt))
	case "consent", "select_account":
		kind := map[string]string{"consent": "consent", "select_account": "sign-in"}[prompt]
		before := m.agent.saw(kind)
		m.flow(m.request("prompt", prompt))
		if m.agent.saw(kind) != before+1 {
			m.failf("nobody was asked: %v", m.agent.shown)
		}
	default:
		m.failf("nobody knows the prompt %s", prompt)
	}
}

func useIDTokenAlg(m *oidfModule, alg string) {
	m.responseType, m.alg = "code id_token token", alg // with the hashes that go with it
	m.becomes("id_token_signed_response_alg", alg)
	m.flow(m.request())
}

func useUserInfoAlg(m *oidfModule, alg string) {
	m.becomes("userinfo_signed_response_alg", alg)
	r := m.request()
	m.signedUserInfo(m.redeemed(m.authorize(r), r), alg)
}

func useIntrospectionAlg(m *oidfModule, alg string) {
	m.becomes("introspection_signed_response_alg", alg)
	t := m.flow(m.request())
	m.signedIntrospection(m.introspectionJWT(t), t, alg)
}

func useRequestObjectAlg(m *oidfModule, alg string) {
	key := oidfKeys().signing[alg]
	if key == nil {
		m.failf("nobody knows the algorithm %s", alg)
		return
	}
	other := oidfAnother(alg)
	m.becomesKey(key, "jwks", oidfKeySet(m.T, key, other), "request_object_signing_alg", alg)
	r := m.request()
	at := m.authorize(r.outside("request", jwttest.Sign(m.T, key.signer(), m.requestClaims(r))))
	m.redeem(m.code(at, r), r)
	// The client's own key, and not what it has registered.
	wrong := r.outside("request", jwttest.Sign(m.T, other.signer(), m.requestClaims(r)))
	m.refused(m.authorize(wrong), wrong, "invalid_request_object")
}

// oidfAnother is a key for another algorithm.
func oidfAnother(alg string) *oidfPair {
	if alg == "ES256" {
		return oidfKeys().signing["RS256"]
	}
	return oidfKeys().signing["ES256"]
}
