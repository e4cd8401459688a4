package server_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The plans oidcc-implicit- and oidcc-hybrid-certification-test-plan, and both with
// response_mode=form_post: the modules of the Basic plan with another response type,
// and what it brings looked at.
func TestOIDFImplicitAndHybrid(t *testing.T) {
	t.Parallel()
	for _, responseType := range []string{"id_token", "id_token token", "code id_token", "code token", "code id_token token"} {
		for mode, formPost := range map[string]bool{"": false, ", form_post": true} {
			t.Run(responseType+mode, func(t *testing.T) {
				t.Parallel()
				oidfBasicModules(oidfPlan{t: t, world: newOIDFWorld(t, ""), client: oidfFront, formPost: formPost, responseType: responseType}, nil)
			})
		}
	}
}

// gives reports whether the authorization endpoint hands something out itself.
func (p oidfPlan) gives(value string) bool {
	if p.responseType == "" {
		return value == "code"
	}
	return slices.Contains(strings.Fields(p.responseType), value)
}

// inFragment: everything but a code travels in the fragment (Multiple Response Type
// Encoding Practices §3, §5), errors too.
func (r oidfRequest) inFragment() bool {
	kind := strings.Fields(r.get("response_type"))
	return r.get("response_mode") == "" && (slices.Contains(kind, "id_token") || slices.Contains(kind, "token"))
}

// arrived is what a response type brings in the end, and what there is to be read at
// userinfo.
func (m *oidfModule) arrived(at oidfArrival, r oidfRequest) oidfTokens {
	m.Helper()
	front, last := m.brought(at, r)
	if front.code != "" && front.access != "" {
		m.userInfo("get", oidfTokens{access: front.access, id: last.id})
	}
	return last
}

// brought is what comes through the browser, and what there is in the end: the same
// where there is no code to redeem.
func (m *oidfModule) brought(at oidfArrival, r oidfRequest) (front, last oidfTokens) {
	m.Helper()
	if r.get("response_type") == "code" {
		return front, m.redeem(m.code(at, r), r)
	}
	if front = m.front(at, r); front.code == "" {
		return front, front
	}
	return front, m.compared(front, r)
}

// redeemed is what a response type brings in the end, without a look at userinfo.
func (m *oidfModule) redeemed(at oidfArrival, r oidfRequest) oidfTokens {
	m.Helper()
	_, last := m.brought(at, r)
	return last
}

// compared redeems the code of a hybrid flow, and holds the two ID tokens against each
// other.
func (m *oidfModule) compared(t oidfTokens, r oidfRequest) oidfTokens {
	m.Helper()
	redeemed := m.redeem(t.code, r)
	if t.id != nil {
		for _, claim := range []string{"iss", "sub"} { // Core §3.3.3.6
			if t.id[claim] != redeemed.id[claim] {
				m.failf("%s is %v in the browser and %v at the token endpoint", claim, t.id[claim], redeemed.id[claim])
			}
		}
		m.sameSignIn(t, redeemed)
	}
	return redeemed
}

// authorizationCode is the code of a response, whatever else there is in it.
func (m *oidfModule) authorizationCode(at oidfArrival, r oidfRequest) string {
	m.Helper()
	if r.get("response_type") == "code" {
		return m.code(at, r)
	}
	return m.front(at, r).code
}

// front reads a response that has tokens in it (Core §3.2.2.5, §3.3.2.5).
func (m *oidfModule) front(at oidfArrival, r oidfRequest) oidfTokens {
	m.Helper()
	q := m.answer(at, r)
	m.response(q, r.get("state"), m.world.issuer)
	allowed := []string{"state", "iss", "session_state"}
	for value, names := range map[string][]string{"code": {"code"}, "id_token": {"id_token"}, "token": {"access_token", "token_type", "expires_in", "scope"}} {
		if !m.gives(value) {
			continue
		}
		allowed = append(allowed, names...)
		for _, name := range names {
			if !q.Has(name) {
				m.failf("the answer lacks %s", name)
			}
		}
	}
	for name := range q {
		if !slices.Contains(allowed, name) {
			m.failf("the answer has the parameter %s: %s", name, q.Get(name))
		}
	}
	t := oidfTokens{code: q.Get("code"), access: q.Get("access_token"), raw: q.Get("id_token")}
	if m.gives("code") {
		m.entropy("the code", t.code, 96)
	}
	if m.gives("token") {
		m.entropy("the access token", t.access, 96)
		seconds, err := strconv.Atoi(q.Get("expires_in"))
		if !strings.EqualFold(q.Get("token_type"), "Bearer") || err != nil || seconds <= 0 {
			m.failf("token_type is %q, expires_in %q", q.Get("token_type"), q.Get("expires_in"))
		}
	}
	if m.gives("id_token") {
		t.id = m.idToken(m.opened(t.raw), m.keys, oidfExpected{issuer: m.world.issuer, clientID: m.client.id, alg: m.alg, nonce: r.get("nonce"),
			accessToken: t.access, code: t.code, scopes: strings.Fields(r.get("scope")), now: m.world.clock.Now()})
		for claim, bound := range map[string]string{"at_hash": t.access, "c_hash": t.code} { // Core §3.2.2.9, §3.3.2.11
			if _, there := t.id[claim]; there != (bound != "") {
				m.failf("%s is %v", claim, t.id[claim])
			}
		}
	}
	m.require()
	return t
}
