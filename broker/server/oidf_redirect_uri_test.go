package server_test

import (
	"net/http"
	"testing"
)

// What the modules of oidcc-dynamic-certification-test-plan send to the
// authorization endpoint; the clients they would register are configured.
func TestOIDFDynamicAuthorizationRequests(t *testing.T) {
	t.Parallel()
	p := oidfPlan{t: t, world: newOIDFWorld(t, ""), client: oidfFirst}
	p.module("oidcc-ensure-redirect-uri-in-authorization-request", nil, func(m *oidfModule) {
		m.errorPage(m.authorize(m.request("redirect_uri", "")))
	})
	p.module("oidcc-idtoken-rs256", nil, func(m *oidfModule) {
		m.flow(m.request())
	})
	p.client = oidfQuery
	p.module("oidcc-redirect-uri-query-OK", nil, func(m *oidfModule) {
		t := m.flow(m.request()) // that bar=foo stays is checked by every answer
		m.userInfo("get", t)
	})
	p.module("oidcc-redirect-uri-query-OK, an error", nil, func(m *oidfModule) {
		r := m.request("prompt", "none")
		m.refused(m.authorize(r), r, oidfNeedsPage()...)
	})
	p.module("oidcc-redirect-uri-query-OK, response_mode=form_post", nil, func(m *oidfModule) {
		m.formPost = true
		m.flow(m.request())
	})
	p.module("oidcc-redirect-uri-query-mismatch", nil, func(m *oidfModule) {
		m.errorPage(m.authorize(m.request("redirect_uri", oidfCallback+"?foo=bar")))
	})
	p.module("oidcc-redirect-uri-query-added", nil, func(m *oidfModule) {
		m.errorPage(m.authorize(m.request("redirect_uri", oidfQuery.redirectURI+"&foo=bar")))
		m.client = oidfFirst
		m.errorPage(m.authorize(m.request("redirect_uri", oidfCallback+"?foo=bar")))
	})
	// The second client of the suite, whose URI has dummy1 and dummy2 in its query.
	p.client = oidfSecond
	p.module("second client, redirect URI with a query", nil, func(m *oidfModule) {
		m.flow(m.request())
		r := m.request("response_type", "none")
		m.refused(m.authorize(r), r, "unsupported_response_type", "unauthorized_client")
		r = m.request("scope", "")
		m.refused(m.authorize(r), r, "invalid_scope", "invalid_request")
	})
}

// What most often fails providers (CONFORMANCE §2.9) and no module of Basic looks
// at: who is at fault answers, in the right form.
func TestOIDFClientAuthenticationFails(t *testing.T) {
	t.Parallel()
	p := oidfPlan{t: t, world: newOIDFWorld(t, ""), client: oidfFirst}
	p.module("wrong secret, wrong client, wrong redirect_uri", nil, func(m *oidfModule) {
		r := m.request()
		code := m.code(m.authorize(r), r)
		redeem := func(client oidfClient, uri string) oidfReply {
			return m.tokenRequest(client, "grant_type", "authorization_code", "code", code, "redirect_uri", uri)
		}
		for _, wrong := range []oidfClient{{id: oidfFirst.id, secret: "wrong"}, {id: "nobody", secret: oidfFirst.secret}} {
			reply := redeem(wrong, oidfCallback)
			m.json("the refusal", reply, http.StatusUnauthorized)
			m.uncached(reply)
			if body := m.object("the refusal", reply.body); body["error"] != "invalid_client" || reply.header.Get("WWW-Authenticate") == "" {
				m.failf("%v, WWW-Authenticate: %s (RFC 6749 §5.2)", body, reply.header.Get("WWW-Authenticate"))
			}
		}
		m.invalidGrant(redeem(oidfSecond, oidfCallback))
		m.invalidGrant(redeem(oidfFirst, oidfCallbackQuery))
		// None of it has spent the code.
		m.userInfo("get", m.redeem(code, r))
	})
	p.module("the variant client_secret_post registered, client_secret_basic used", nil, func(m *oidfModule) {
		m.client = oidfPosting
		r := m.request()
		code := m.code(m.authorize(r), r)
		basic := oidfClient{id: oidfPosting.id, secret: oidfPosting.secret}
		reply := m.tokenRequest(basic, "grant_type", "authorization_code", "code", code, "redirect_uri", oidfCallback)
		if body := m.object("the refusal", reply.body); reply.status != http.StatusUnauthorized || body["error"] != "invalid_client" {
			m.failf("%d %v", reply.status, body)
		}
		m.redeem(code, r)
	})
}
