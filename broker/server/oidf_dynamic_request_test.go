package server_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/jwttest"
)

// requestClaims is a request as the claims of a JWT, addressed as the suite does (Core
// §6.1). It says nothing of an end.
func (m *oidfModule) requestClaims(r oidfRequest) map[string]any {
	claims := map[string]any{"iss": m.client.id, "aud": m.world.issuer}
	for _, p := range r {
		claims[p.name] = p.value
	}
	return claims
}

// outside is what of a request has to be beside its object (Core §6.1).
func (r oidfRequest) outside(member, value string) oidfRequest {
	return oidfRequest{}.with("client_id", r.get("client_id"), "redirect_uri", r.get("redirect_uri"), member, value,
		"response_type", r.get("response_type"), "scope", r.get("scope"))
}

// oidfRequestURIModules pass requests by reference. The address is registered with a
// fragment, and before there is anything to be the hash of: the suite takes that of
// some random text, and so does this.
func oidfRequestURIModules(p oidfPlan) {
	path := "/requesturi/" + oidfRandom(64)
	p = p.with("request_uris", []any{p.world.site.url + path + "#" + hashOf(oidfRandom(64))})
	address := func(m *oidfModule) string { return m.more["request_uris"].([]any)[0].(string) }
	p.module("oidcc-request-uri-unsigned", nil, func(m *oidfModule) {
		// Skipped by the suite, as none is not advertised; tried all the same.
		if slices.Contains(m.advertised("request_object_signing_alg_values_supported"), "none") {
			m.failf("unsigned request objects are advertised")
		}
		r := m.request()
		m.world.site.put(path, "application/jwt", m.requestObject(r))
		at := r.outside("request_uri", address(m))
		m.refused(m.authorize(at), at, "invalid_request_object")
	})
	p.with("request_object_signing_alg", "RS256").module("oidcc-request-uri-signed-rs256", nil, func(m *oidfModule) {
		if m.document["request_uri_parameter_supported"] != true || !slices.Contains(m.advertised("request_object_signing_alg_values_supported"), "RS256") {
			m.failf("request_uri and RS256 are not advertised: %v, %v", m.document["request_uri_parameter_supported"], m.document["request_object_signing_alg_values_supported"])
		}
		r := m.request()
		m.world.site.put(path, "application/jwt", jwttest.Sign(m.T, m.client.key.signer(), m.requestClaims(r)))
		t := m.arrived(m.agent.visit(m.endpoint("authorization_endpoint")+"?"+r.outside("request_uri", address(m)).query()), r)
		if t.access != "" {
			m.userInfo("get", t)
		}
	})
}

// The module oidcc-server-rotate-keys: what an operator does with broker keys rotate
// brings new keys of every algorithm, keeps the old ones, and disturbs nobody.
func TestOIDFServerRotatesKeys(t *testing.T) {
	t.Parallel()
	p := oidfPlan{t: t, world: newOIDFDynamicWorld(t), dynamic: true}
	p.module("oidcc-server-rotate-keys", nil, func(m *oidfModule) {
		before, first := m.keys, m.flow(m.request())
		must(m.T, m.world.server.Keys().Rotate(m.Context(), false))
		m.keys = m.jwks(m.world.fetch(m.T, m.endpoint("jwks_uri")).body)
		for kid, old := range before {
			if _, there := m.keys[kid]; !there {
				m.failf("%s, a key for %s, is gone", kid, old.alg)
			}
		}
		fresh := map[string]int{}
		for kid, key := range m.keys {
			if _, there := before[kid]; there {
				continue
			}
			fresh[key.alg]++
			for _, old := range before {
				if same, ok := key.public.(interface{ Equal(x any) bool }); ok && same.Equal(old.public) {
					m.failf("%s is an old key under a new name", kid)
				}
			}
		}
		for _, alg := range m.advertised("id_token_signing_alg_values_supported") {
			if fresh[alg] != 1 {
				m.failf("there are %d new keys for %s", fresh[alg], alg)
			}
		}
		m.quietly(m.request("prompt", "none", "id_token_hint", first.raw))
		// A day later the new ones sign, and what the old ones signed is still known.
		m.world.clock.Advance(25 * time.Hour)
		m.agent = m.world.agent(m.T, "ada")
		second := m.flow(m.request())
		if kid := oidfKeyID(m, second.raw); kid == oidfKeyID(m, first.raw) {
			m.failf("%s signs as before", kid)
		}
		m.quietly(m.request("prompt", "none", "id_token_hint", first.raw))
	})
}

// oidfKeyID is the kid of a JWT.
func oidfKeyID(m *oidfModule, raw string) any {
	m.Helper()
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[0])
	if err != nil {
		m.failf("the header cannot be read: %v", err)
	}
	return m.object("the header", header)["kid"]
}

// The plan oidcc-3rdparty-init-login-certification-test-plan: initiate_login_uri is
// kept, can be read back, and is an https address.
func TestOIDFThirdPartyInitiatedLogin(t *testing.T) {
	t.Parallel()
	const start = oidfHost + "/test/a/gatehouse/initiate_login"
	world := newOIDFDynamicWorld(t)
	for _, responseType := range oidfResponseTypes() {
		p := oidfPlan{t: t, world: world, responseType: responseType, dynamic: true}
		p.with("initiate_login_uri", start).module("oidcc-3rd_party-init-login, "+responseType, nil, func(m *oidfModule) {
			kept := m.registration(m.send("GET", m.client.configuration, m.client.token, nil), 200, m.metadataOf(oidfKeys().first, map[string]any{"client_name": nil}))
			if kept["initiate_login_uri"] != start || kept["registration_client_uri"] != m.client.configuration || kept["client_id"] != m.client.id {
				m.failf("registered is now %v", kept)
			}
			// And it is of use: a sign-in that begins with us goes on there (Core §4).
			at := m.agent.visit(m.world.issuer + "/login?client_id=" + m.client.id)
			if !at.atSuite || at.url.Path != "/test/a/gatehouse/initiate_login" || at.url.Query().Get("iss") != m.world.issuer {
				m.failf("the sign-in begins at %s", at.url)
			}
		})
		p.bySelf().module("oidcc-3rd_party-init-login-nohttps, "+responseType, nil, func(m *oidfModule) {
			m.notRegistered(m.trial(map[string]any{"initiate_login_uri": "http" + strings.TrimPrefix(start, "https")}), "invalid_client_metadata")
		})
	}
}
