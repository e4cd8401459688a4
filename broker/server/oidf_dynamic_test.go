package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// oidfResponseTypes are the variants of a plan.
func oidfResponseTypes() []string {
	return []string{"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"}
}

// The plan oidcc-dynamic-certification-test-plan, in each of its variants: every
// module registers its own client with private_key_jwt, and deletes it.
func TestOIDFDynamic(t *testing.T) {
	t.Parallel()
	for _, responseType := range oidfResponseTypes() {
		t.Run(responseType, func(t *testing.T) {
			t.Parallel()
			p := oidfPlan{t: t, world: newOIDFDynamicWorld(t), responseType: responseType, dynamic: true}.with("token_endpoint_auth_method", "private_key_jwt")
			oidfRegisteredTokenModules(p)
			oidfRegisteredRedirectModules(p)
			oidfRegistrationModules(p)
			oidfSectorModules(p)
			oidfRequestObjectModules(p)
			oidfRequestURIModules(p)
			if p.gives("code") {
				oidfClientKeyModules(p)
				oidfRefreshModules(p)
			}
		})
	}
}

// The plans Basic and Hybrid, and both with response_mode=form_post, with the variant
// dynamic_client. The ID tokens of such clients leave claims about people to userinfo.
func TestOIDFBasicAndHybridRegistered(t *testing.T) {
	t.Parallel()
	for _, responseType := range []string{"code", "code id_token token"} {
		for mode, formPost := range map[string]bool{"": false, ", form_post": true} {
			t.Run(responseType+mode, func(t *testing.T) {
				t.Parallel()
				oidfBasicModules(oidfPlan{t: t, world: newOIDFDynamicWorld(t), formPost: formPost, responseType: responseType, dynamic: true},
					nil)
			})
		}
	}
}

// The plan Implicit with the variant dynamic_client: there is no secret to use, and
// nothing that would.
func TestOIDFImplicitRegistered(t *testing.T) {
	t.Parallel()
	oidfBasicModules(oidfPlan{t: t, world: newOIDFDynamicWorld(t), responseType: "id_token token", dynamic: true}, nil)
}

// oidfRegisteredTokenModules are about tokens signed as the client has registered.
func oidfRegisteredTokenModules(p oidfPlan) {
	p.module("oidcc-server", nil, func(m *oidfModule) {
		m.flow(m.request())
	})
	p.with("id_token_signed_response_alg", "RS256").module("oidcc-idtoken-rs256", nil, func(m *oidfModule) {
		m.flow(m.request())
	})
	p.module("oidcc-idtoken-unsigned", nil, func(m *oidfModule) {
		if slices.Contains(m.advertised("id_token_signing_alg_values_supported"), "none") {
			m.failf("unsigned ID tokens are advertised")
		}
		reply := m.trial(map[string]any{"id_token_signed_response_alg": "none"})
		m.notRegistered(reply, "invalid_client_metadata")
	})
	if p.gives("code") || p.gives("token") {
		p.with("userinfo_signed_response_alg", "RS256").module("oidcc-userinfo-rs256", nil, func(m *oidfModule) {
			if !slices.Contains(m.advertised("userinfo_signing_alg_values_supported"), "RS256") {
				m.failf("RS256 is not advertised for userinfo")
			}
			r := m.request()
			m.signedUserInfo(m.redeemed(m.authorize(r), r), "RS256")
		})
	}
}

// trial asks for a registration that may be refused.
func (m *oidfModule) trial(changes map[string]any) oidfReply {
	m.Helper()
	return m.send("POST", m.endpoint("registration_endpoint"), "", m.metadataOf(oidfKeys().first, changes))
}

// signedUserInfo is userinfo as a JWT (Core §5.3.2).
func (m *oidfModule) signedUserInfo(t oidfTokens, alg string) {
	m.Helper()
	reply := m.askUserInfo("get", t.access)
	if reply.status != 200 || reply.header.Get("Content-Type") != "application/jwt" {
		m.failf("userinfo is %d of type %q: %.300s", reply.status, reply.header.Get("Content-Type"), reply.body)
		m.require()
	}
	m.signedClaims(string(reply.body), t, alg)
}

func (m *oidfModule) signedClaims(raw string, t oidfTokens, alg string) {
	m.Helper()
	claims := m.signed("userinfo", raw, alg, m.keys)
	if claims["sub"] != t.id["sub"] || claims["sub"] == nil {
		m.failf("userinfo is about %v, the ID token about %v", claims["sub"], t.id["sub"])
	}
	if claims["iss"] != m.world.issuer || claims["aud"] != m.client.id {
		m.failf("userinfo has iss %v and aud %v", claims["iss"], claims["aud"])
	}
	if _, there := claims["nonce"]; there {
		m.failf("userinfo has a nonce")
	}
	m.standardClaims(claims)
}

// oidfRegisteredRedirectModules hold authorization requests to what was registered.
func oidfRegisteredRedirectModules(p oidfPlan) {
	p.with("redirect_uris", []any{oidfCallback, oidfCallbackQuery}).module("oidcc-ensure-redirect-uri-in-authorization-request", nil, func(m *oidfModule) {
		m.errorPage(m.authorize(m.request("redirect_uri", "")))
	})
	query := p.with("redirect_uris", []any{oidfQuery.redirectURI})
	query.module("oidcc-redirect-uri-query-OK", nil, func(m *oidfModule) {
		m.flow(m.request()) // that bar=foo stays is checked by every answer
		r := m.request("prompt", "none")
		m.agent = m.world.agent(m.T, "ada")
		m.refused(m.authorize(r), r, oidfNeedsPage()...)
	})
	query.module("oidcc-redirect-uri-query-mismatch", nil, func(m *oidfModule) {
		m.errorPage(m.authorize(m.request("redirect_uri", oidfCallback+"?foo=bar")))
	})
	p.module("oidcc-redirect-uri-query-added", nil, func(m *oidfModule) {
		m.errorPage(m.authorize(m.request("redirect_uri", oidfCallback+"?foo=bar")))
	})
	p.bySelf().module("oidcc-redirect-uri-regfrag", nil, func(m *oidfModule) {
		m.notRegistered(m.trial(map[string]any{"redirect_uris": []any{oidfCallback + "#foobar"}}), "invalid_redirect_uri")
	})
}

// oidfRegistrationModules register what people are shown; where they see it is
// TestOIDFRegistrationPages' affair.
func oidfRegistrationModules(p oidfPlan) {
	for _, member := range []string{"logo_uri", "policy_uri", "tos_uri"} {
		address := p.world.site.put("/"+member, "text/html", "<p>"+member)
		p.with(member, address).module("oidcc-registration-"+strings.ReplaceAll(member, "_", "-"), nil, func(m *oidfModule) {
			m.flow(m.request()) // that the address is registered, registration has checked
			if n := m.world.site.visits("/" + member); n != 0 && member != "logo_uri" {
				m.failf("%s was fetched %d times", member, n)
			}
		})
	}
}

// oidfSectorModules are about pairwise subjects (Core §8.1).
func oidfSectorModules(p oidfPlan) {
	p = p.with("subject_type", "pairwise")
	good := p.world.site.put("/sector", "application/json", `["`+oidfCallback+`","`+oidfCallbackQuery+`"]`)
	p.with("sector_identifier_uri", good).module("oidcc-registration-sector-uri", nil, func(m *oidfModule) {
		if !slices.Contains(m.advertised("subject_types_supported"), "pairwise") {
			m.failf("pairwise is not advertised: the suite would skip this module")
		}
		first := m.flow(m.request())
		// Two clients of a sector know a person by one name.
		m.oidfPlan.client = m.second()
		if second := m.flow(m.request()); second.id["sub"] != first.id["sub"] {
			m.failf("two clients of a sector hear of %v and %v", first.id["sub"], second.id["sub"])
		}
	})
	p.bySelf().module("oidcc-registration-sector-bad", nil, func(m *oidfModule) {
		for path, body := range map[string]string{"/sector-bad": `["https://suite.example/another"]`, "/sector-none": `[]`, "/sector-odd": `{"a":"` + oidfCallback + `"}`} {
			bad := m.world.site.put(path, "application/json", body)
			m.notRegistered(m.trial(map[string]any{"sector_identifier_uri": bad}), "invalid_client_metadata")
			if m.world.site.visits(path) != 1 {
				m.failf("%s was looked at %d times", bad, m.world.site.visits(path))
			}
		}
	})
}

// oidfClientKeyModules are about the keys with which clients prove who they are.
func oidfClientKeyModules(p oidfPlan) {
	named := oidfKeys().first.named("named")
	address := p.world.site.put("/jwks", "application/json", string(oidfJSON(p.t, oidfKeySet(p.t, named))))
	apart := p.bySelf().with("jwks", nil).with("jwks_uri", address)
	apart.module("oidcc-registration-jwks-uri", nil, func(m *oidfModule) {
		m.oidfPlan.client = m.registerKey(named, nil)
		m.flow(m.request())
		if m.world.site.visits("/jwks") == 0 {
			m.failf("nobody has looked at the jwks_uri")
		}
	})
	apart.with("grant_types", p.grantTypes("refresh_token")).module("oidcc-refresh-token-rp-key-rotation", nil, func(m *oidfModule) {
		m.scope = "openid offline_access"
		m.oidfPlan.client = m.registerKey(named, nil)
		t := m.flow(m.request("prompt", "consent"))
		next := oidfKeys().second.named("rotated")
		m.world.site.put("/jwks", "application/json", string(oidfJSON(m.T, oidfKeySet(m.T, next))))
		m.world.clock.Advance(time.Minute)
		m.oidfPlan.client.key = next
		m.tokens(m.refresh(t.refresh), "", m.request())
	})
	p.module("oidcc-ensure-client-assertion-with-iss-aud-succeeds", nil, func(m *oidfModule) {
		m.audience = m.world.issuer
		m.flow(m.request())
	})
}
