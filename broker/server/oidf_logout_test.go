package server_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The plan oidcc-rp-initiated-logout-certification-test-plan.
func TestOIDFRPInitiatedLogout(t *testing.T) {
	t.Parallel()
	for _, client := range []oidfClient{oidfFirst, oidfTrusted} {
		oidfLogoutModules(oidfPlan{t: t, world: newOIDFWorld(t, ""), client: client})
	}
}

func oidfLogoutModules(p oidfPlan) {
	for _, module := range []struct {
		name, state string
		hintAge     time.Duration
	}{
		{"oidcc-rp-initiated-logout", oidfRandom(128), 0},
		{"oidcc-rp-initiated-logout-no-state", "", 0},
		{"oidcc-rp-initiated-logout, the hint has expired", oidfRandom(128), 2 * time.Hour},
	} {
		p.module(module.name, nil, func(m *oidfModule) {
			t := m.flow(m.request())
			m.world.clock.Advance(module.hintAge)
			at := m.endSession("id_token_hint", t.raw, "post_logout_redirect_uri", oidfLoggedOut, "state", module.state)
			want := oidfLoggedOut
			if module.state != "" {
				want += "?state=" + module.state
			}
			if !at.atSuite || at.url.String() != want {
				m.failf("back at %s, want %s", at.url, want)
			}
			m.signedOut()
		})
	}
	oidfBadLogoutModules(p)
	oidfPageLogoutModules(p)
	p.module("oidcc-rp-initiated-logout-discovery-endpoint-verification", nil, func(m *oidfModule) {
		m.httpsURL("end_session_endpoint", m.document["end_session_endpoint"])
	})
}

// oidfBadLogoutModules must end on an error page or a question: nobody is
// redirected, and nobody signed out unasked.
func oidfBadLogoutModules(p oidfPlan) {
	for name, request := range map[string]func(m *oidfModule, idToken string) []string{
		"bad-post-logout-redirect-uri": func(_ *oidfModule, idToken string) []string {
			return []string{"id_token_hint", idToken, "post_logout_redirect_uri", oidfHost + "/test/a/gatehouse/" + oidfRandom(10)}
		},
		"query-added-to-post-logout-redirect-uri": func(_ *oidfModule, idToken string) []string {
			return []string{"id_token_hint", idToken, "post_logout_redirect_uri", oidfLoggedOut + "?foo=bar"}
		},
		"no-id-token-hint": func(*oidfModule, string) []string {
			return []string{"post_logout_redirect_uri", oidfLoggedOut}
		},
		"modified-id-token-hint": func(_ *oidfModule, idToken string) []string {
			parts := strings.Split(idToken, ".")
			return []string{"id_token_hint", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", "post_logout_redirect_uri", oidfLoggedOut}
		},
		"bad-id-token-hint": func(m *oidfModule, idToken string) []string {
			return []string{"id_token_hint", m.forged(idToken), "post_logout_redirect_uri", oidfLoggedOut}
		},
	} {
		p.module("oidcc-rp-initiated-logout-"+name, nil, func(m *oidfModule) {
			t := m.flow(m.request())
			at := m.endSession(append(request(m, t.raw), "state", oidfRandom(128))...)
			if at.atSuite {
				m.failf("redirected to %s", at.url)
			} else if at.status != 200 {
				m.errorPage(at)
			}
			m.quietly(m.request("prompt", "none")) // nobody was signed out
		})
	}
}

// oidfPageLogoutModules end on a page that says so.
func oidfPageLogoutModules(p oidfPlan) {
	for _, module := range []struct {
		name    string
		request func(idToken string) []string
	}{
		{"no-params", func(string) []string { return nil }},
		{"no-post-logout-redirect-uri", func(idToken string) []string {
			return []string{"id_token_hint", idToken, "state", oidfRandom(128)}
		}},
		{"only-state", func(string) []string { return []string{"state", oidfRandom(128)} }},
	} {
		p.module("oidcc-rp-initiated-logout-"+module.name, nil, func(m *oidfModule) {
			t := m.flow(m.request())
			at := m.endSession(module.request(t.raw)...)
			if at.atSuite || at.status != 200 || !strings.Contains(at.body, "signed out") {
				m.failf("%d at %s does not say that the person is signed out: %s", at.status, at.url, at.body)
			}
			m.signedOut()
		})
	}
}

// endSession goes to the end_session_endpoint and agrees to what it asks.
func (m *oidfModule) endSession(pairs ...string) oidfArrival {
	m.Helper()
	return m.agent.visit(m.endpoint("end_session_endpoint") + "?" + oidfRequest{}.with(pairs...).query())
}

// signedOut checks that prompt=none finds nobody, although the upstream still
// knows the person and would let them in without a word.
func (m *oidfModule) signedOut() {
	m.Helper()
	visits := m.world.upstream.Calls("authorize")
	r := m.request("prompt", "none")
	m.refused(m.authorize(r), r, oidfNeedsPage()...)
	if m.world.upstream.Calls("authorize") != visits {
		m.failf("prompt=none went to the upstream")
	}
	asked := m.agent.saw("sign-in")
	m.flow(m.request())
	if m.agent.saw("sign-in") != asked {
		m.failf("the upstream's session has ended, so nothing was shown above")
	}
}

// forged is an ID token with the claims of another and a stranger's signature,
// under the stranger's own kid.
func (m *oidfModule) forged(idToken string) string {
	m.Helper()
	key := oidfKeys().first.private.(*rsa.PrivateKey)
	header, err := json.Marshal(map[string]string{"alg": "RS256", "kid": oidfRandom(20)})
	if err != nil {
		m.Fatal(err)
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + strings.Split(idToken, ".")[1]
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		m.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// The sign-out a person has to confirm does nothing until they do, and keeps state.
func TestOIDFLogoutConfirmation(t *testing.T) {
	t.Parallel()
	p := oidfPlan{t: t, world: newOIDFWorld(t, ""), client: oidfTrusted}
	p.module("another person's hint is confirmed, and state is kept", nil, func(m *oidfModule) {
		stranger := *m
		stranger.agent = m.world.agent(m.T, "ben")
		hint := stranger.flow(stranger.request()).raw
		m.flow(m.request())
		state := oidfRandom(128)
		m.agent.hesitant = true
		if at := m.endSession("id_token_hint", hint, "post_logout_redirect_uri", oidfLoggedOut, "state", state); at.atSuite || at.status != 200 {
			m.failf("nobody was asked: %d at %s", at.status, at.url)
		}
		m.quietly(m.request("prompt", "none"))
		m.agent.hesitant = false
		at := m.endSession("id_token_hint", hint, "post_logout_redirect_uri", oidfLoggedOut, "state", state)
		if !at.atSuite || at.url.Query().Get("state") != state || m.agent.saw("sign-out") != 2 {
			m.failf("%d at %s", at.status, at.url)
		}
		m.signedOut()
	})
	// Lax cookies stay behind when another site posts; the session is found all the
	// same, and a site that posts nothing useful ends nothing.
	p.module("by POST, as a client's form", nil, func(m *oidfModule) {
		t := m.flow(m.request())
		form := oidfRequest{}.with("id_token_hint", t.raw, "post_logout_redirect_uri", oidfLoggedOut).query()
		if at := m.agent.post(m.endpoint("end_session_endpoint"), form); !at.atSuite || at.url.String() != oidfLoggedOut {
			m.failf("%d at %s", at.status, at.url)
		}
		if reply := m.askUserInfo("get", t.access); reply.status != http.StatusUnauthorized {
			m.failf("userinfo answers %d after the session", reply.status)
		}
		m.signedOut()
	})
	p.module("by POST of a stranger", nil, func(m *oidfModule) {
		m.flow(m.request())
		m.agent.hesitant = true
		for _, form := range []string{"", "decision=sign_out", "client_id=" + m.client.id} {
			if at := m.agent.post(m.endpoint("end_session_endpoint"), form); at.atSuite {
				m.failf("%q: redirected to %s", form, at.url)
			}
			m.quietly(m.request("prompt", "none"))
		}
	})
}
