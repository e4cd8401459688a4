package server_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// The plan oidcc-basic-certification-test-plan, static_client: the client has
// everything by default, so that its ID tokens carry the claims of its scopes.
func TestOIDFBasic(t *testing.T) {
	t.Parallel()
	oidfBasicModules(oidfPlan{t: t, world: newOIDFWorld(t, ""), client: oidfFirst}, []string{"email in the ID token"})
}

// The same for a first-party client with minimal ID tokens, and an issuer with a
// path: one warning less.
func TestOIDFBasicMinimalIDTokens(t *testing.T) {
	t.Parallel()
	oidfBasicModules(oidfPlan{t: t, world: newOIDFWorld(t, "/tenants/a"), client: oidfTrusted}, nil)
}

// The plan oidcc-formpost-basic-certification-test-plan: the modules of the Basic
// plan with response_mode=form_post.
func TestOIDFFormPostBasic(t *testing.T) {
	t.Parallel()
	oidfBasicModules(oidfPlan{t: t, world: newOIDFWorld(t, ""), client: oidfFirst, formPost: true}, []string{"email in the ID token"})
}

// oidfBasicModules runs the 35 modules of static_client and the three that
// dynamic_client adds. emailWarnings depend on the client's id_token_claims.
func oidfBasicModules(p oidfPlan, emailWarnings []string) {
	oidfResponseModules(p, emailWarnings)
	oidfOptionalParameterModules(p)
	oidfSessionModules(p)
	oidfRequestObjectModules(p)
	if p.gives("code") {
		oidfPKCEModules(p)
		oidfCodeReuseModules(p)
		oidfRefreshModules(p)
	}
}

// oidfResponseModules are about what a plain request brings.
func oidfResponseModules(p oidfPlan, emailWarnings []string) {
	p.module("oidcc-server", nil, func(m *oidfModule) {
		m.withoutName(m.flow(m.request()))
	})
	p.module("oidcc-response-type-missing", nil, func(m *oidfModule) {
		r := m.request("response_type", "")
		m.refused(m.authorize(r), r, "unsupported_response_type", "invalid_request")
	})
	p.module("oidcc-idtoken-signature", nil, func(m *oidfModule) {
		m.flow(m.request()) // RS256 with a kid in the header is what every flow expects
	})
	p.module("oidcc-idtoken-unsigned", nil, func(m *oidfModule) {
		if slices.Contains(m.advertised("id_token_signing_alg_values_supported"), "none") {
			m.failf("unsigned ID tokens are advertised")
		}
	})
	for _, how := range []string{"get", "post-header", "post-body"} {
		if !p.gives("code") && !p.gives("token") {
			break // there is no access token
		}
		p.module("oidcc-userinfo-"+how, nil, func(m *oidfModule) {
			m.userInfo(how, m.flow(m.request()))
		})
	}
	if p.gives("id_token") {
		p.module("oidcc-ensure-request-without-nonce-fails", nil, func(m *oidfModule) {
			r := m.request("nonce", "")
			m.refused(m.authorize(r), r, "invalid_request")
		})
	} else {
		p.module("oidcc-ensure-request-without-nonce-succeeds-for-code-flow", nil, func(m *oidfModule) {
			m.flow(m.request("nonce", ""))
		})
	}
	// What an upstream does not say about a person, a broker cannot either.
	oidfScopeModule(p, "profile", []string{"scope claims missing"})
	oidfScopeModule(p, "email", emailWarnings)
	oidfScopeModule(p, "address", nil)
	oidfScopeModule(p, "phone", nil)
	oidfScopeModule(p, "all", nil)
	p.module("oidcc-alternate-happy-flow", emailWarnings, func(m *oidfModule) {
		m.scope = "email openid"
		r := m.request()
		slices.SortFunc(r, func(a, b struct{ name, value string }) int { return -strings.Compare(a.name, b.name) })
		m.scopeClaims(m.flow(r), r)
	})
	p.posting().module("oidcc-server-client-secret-post", nil, func(m *oidfModule) {
		m.withoutName(m.flow(m.request()))
	})
	p.module("oidcc-ensure-registered-redirect-uri", nil, func(m *oidfModule) {
		visits := m.world.upstream.Calls("authorize")
		m.errorPage(m.authorize(m.request("redirect_uri", oidfHost+"/test/a/gatehouse/"+oidfRandom(10))))
		if m.world.upstream.Calls("authorize") != visits {
			m.failf("a person was sent to sign in before the redirect URI was judged")
		}
	})
	p.module("oidcc-ensure-post-request-succeeds", nil, func(m *oidfModule) {
		r := m.request()
		first := m.arrived(m.agent.post(m.endpoint("authorization_endpoint"), r.query()), r)
		// A POST from elsewhere brings no cookies; the session counts all the same.
		r = m.request("prompt", "none")
		m.sameSignIn(first, m.arrived(m.agent.post(m.endpoint("authorization_endpoint"), r.query()), r))
		r = m.request("prompt", "none")
		m.agent = m.world.agent(m.T, "ada")
		m.refused(m.agent.post(m.endpoint("authorization_endpoint"), r.query()), r, oidfNeedsPage()...)
	})
}

// oidfNeedsPage are the errors that say a person would have to see a page.
func oidfNeedsPage() []string {
	return []string{"login_required", "interaction_required", "account_selection_required", "consent_required"}
}

// oidfScopeModule is oidcc-scope-*. Scopes that are not advertised are skipped by
// the suite; asked for nevertheless, they are ignored (Core §3.1.2.1).
func oidfScopeModule(p oidfPlan, name string, warnings []string) {
	p.module("oidcc-scope-"+name, warnings, func(m *oidfModule) {
		m.scope = "openid " + name
		if name == "all" {
			m.scope = "openid address email phone profile"
		}
		supported := m.advertised("scopes_supported")
		skipped := slices.ContainsFunc(strings.Fields(m.scope), func(s string) bool { return !slices.Contains(supported, s) })
		r := m.request()
		t := m.flow(r)
		if !skipped {
			m.scopeClaims(t, r)
		}
	})
}

// scopeClaims warns of claims of the scopes that userinfo lacks, of an address in
// the ID token, which belongs to userinfo (Core §5.4), and of a name beside it.
func (m *oidfModule) scopeClaims(t oidfTokens, r oidfRequest) {
	claims, alone := t.id, t.access == ""
	if !alone {
		claims = m.userInfo("get", t)
	}
	scopes := strings.Fields(r.get("scope"))
	var missing []string
	for _, scope := range scopes {
		for _, claim := range oidfScopeClaims(scope) {
			if _, there := claims[claim]; !there {
				missing = append(missing, claim)
			}
		}
	}
	if len(missing) > 0 {
		m.warnf("scope claims missing", "userinfo lacks %v", missing)
	}
	if slices.Contains(scopes, "profile") {
		for _, claim := range []string{"name", "given_name", "family_name", "preferred_username"} {
			if !oidfIsText(claims[claim]) {
				m.failf("userinfo lacks %s, which the upstream gave", claim)
			}
		}
		return
	}
	m.withoutName(t)
	if alone {
		return // claims come in the ID token where there is nothing else (Core §5.4)
	}
	if _, there := claims["name"]; there {
		m.warnf("name at userinfo", "nobody asked for %v", claims["name"])
	}
	if _, there := t.id["email"]; there {
		m.warnf("email in the ID token", "it belongs to userinfo")
	}
}

// withoutName warns of a name that nobody asked to be in the ID token.
func (m *oidfModule) withoutName(t oidfTokens) {
	if _, there := t.id["name"]; there {
		m.warnf("name in the ID token", "nobody asked for it")
	}
}

// oidfOptionalParameterModules are about parameters that change nothing if they
// are not understood.
func oidfOptionalParameterModules(p oidfPlan) {
	for _, optional := range [][3]string{
		{"oidcc-display-page", "display", "page"},
		{"oidcc-display-popup", "display", "popup"},
		{"oidcc-login-hint", "login_hint", "buffy@suite.example:8443"},
		{"oidcc-ui-locales", "ui_locales", "se"},
		{"oidcc-claims-locales", "claims_locales", "se"},
		{"oidcc-ensure-request-with-unknown-parameter-succeeds", "extra", "foobar"},
	} {
		p.module(optional[0], nil, func(m *oidfModule) { m.flow(m.request(optional[1], optional[2])) })
	}
	p.module("oidcc-ensure-request-with-acr-values-succeeds", nil, func(m *oidfModule) {
		m.acrValues()
	})
	p.module("oidcc-ensure-request-with-acr-values-succeeds, of an upstream without acr", []string{"acr"}, func(m *oidfModule) {
		m.world.upstream.Edit("id token", func(claims map[string]any) { delete(claims, "acr") })
		defer m.world.upstream.Behave()
		m.acrValues()
	})
	if !p.gives("code") && !p.gives("token") {
		return // what follows is about userinfo
	}
	p.module("oidcc-claims-essential", nil, func(m *oidfModule) {
		r := m.request("claims", `{"userinfo":{"name":{"essential":true}}}`)
		t := m.flow(r)
		if _, there := m.userInfo("get", t)["name"]; !there {
			m.warnf("name", "userinfo lacks the name that was asked for")
		}
		m.withoutName(t)
	})
}

// acrValues asks for authentication contexts: those that are advertised, or two
// that nobody knows.
func (m *oidfModule) acrValues() {
	values := m.advertised("acr_values_supported")
	if len(values) == 0 {
		values = []string{"1", "2"}
	}
	t := m.flow(m.request("acr_values", strings.Join(values, " ")))
	acr, there := t.id["acr"].(string)
	if !there || !slices.Contains(values, acr) {
		m.warnf("acr", "the ID token has acr %v, asked for was one of %v; its claims are %v", t.id["acr"], values, slices.Sorted(maps.Keys(t.id)))
	}
}
