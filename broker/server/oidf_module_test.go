package server_test

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// oidfPlan is a test plan: its modules run one after the other against one broker,
// as the suite's do.
type oidfPlan struct {
	t      *testing.T
	world  *oidfWorld
	client oidfClient
	// formPost is the variant response_mode=form_post.
	formPost bool
	// responseType is the variant of that name; empty for code.
	responseType string
	// dynamic is the variant dynamic_client: each module registers a client, with what
	// the suite always sends and some more, unless it does so itself.
	dynamic bool
	more    map[string]any
	itself  bool
}

// oidfModule is one module while it runs.
type oidfModule struct {
	*testing.T
	oidfFindings
	oidfPlan
	agent *oidfAgent
	// document and keys are fetched anew by every module.
	document map[string]any
	keys     map[string]oidfKey
	scope    string
	alg      string
	// audience is that of client assertions; the token endpoint if empty.
	audience string
	// open takes off the encryption of an ID token; nil where there is none.
	open func(raw string) string
	// registered are the clients that the module has registered.
	registered []oidfClient
}

// module runs a module that must end without failures and with exactly the
// warnings named. Each has a fresh browser.
func (p oidfPlan) module(name string, warnings []string, run func(m *oidfModule)) {
	p.t.Run(name, func(t *testing.T) {
		m := &oidfModule{T: t, oidfPlan: p, agent: p.world.agent(t, "ada"), scope: "openid", alg: "RS256"}
		m.oidfPlan.t = t
		m.document = m.object("the metadata", p.world.fetch(t, p.world.issuer+"/.well-known/openid-configuration").body)
		m.keys = m.jwks(p.world.fetch(t, m.endpoint("jwks_uri")).body)
		for _, method := range []string{"client_secret_basic", "client_secret_post"} {
			if !slices.Contains(m.advertised("token_endpoint_auth_methods_supported"), method) {
				m.failf("%s is not advertised", method)
			}
		}
		if p.dynamic && !p.itself {
			m.oidfPlan.client = m.register(nil)
		}
		run(m)
		for _, client := range m.registered {
			m.unregister(client)
		}
		m.conclude(warnings)
		// Time passes between modules; limits recover.
		p.world.clock.Advance(time.Minute)
	})
}

// conclude compares the warnings with those that are known and explained.
func (m *oidfModule) conclude(expected []string) {
	m.Helper()
	for _, failure := range m.failures {
		m.Error(failure)
	}
	for name, detail := range m.warnings {
		if !slices.Contains(expected, name) {
			m.Errorf("warning: %s: %s", name, detail)
		}
	}
	for _, name := range expected {
		if _, there := m.warnings[name]; !there {
			m.Errorf("the warning %q is gone: say so where it is listed", name)
		}
	}
}

// require ends the module when there is nothing left to look at.
func (m *oidfModule) require() {
	m.Helper()
	if len(m.failures) > 0 {
		m.conclude(nil)
		m.FailNow()
	}
}

func (m *oidfModule) endpoint(name string) string {
	text, _ := m.document[name].(string)
	return text
}

// advertised is a list of the metadata.
func (m *oidfModule) advertised(name string) []string {
	var out []string
	list, _ := m.document[name].([]any)
	for _, v := range list {
		text, _ := v.(string)
		out = append(out, text)
	}
	return out
}

// oidfRequest is an authorization request. The order of its parameters is kept.
type oidfRequest []struct{ name, value string }

func (r oidfRequest) get(name string) string {
	for _, p := range r {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// with sets parameters; an empty value takes one away.
func (r oidfRequest) with(pairs ...string) oidfRequest {
	out := slices.Clone(r)
	for i := 0; i+1 < len(pairs); i += 2 {
		at := slices.IndexFunc(out, func(p struct{ name, value string }) bool { return p.name == pairs[i] })
		switch {
		case at < 0 && pairs[i+1] != "":
			out = append(out, struct{ name, value string }{pairs[i], pairs[i+1]})
		case at >= 0 && pairs[i+1] == "":
			out = slices.Delete(out, at, at+1)
		case at >= 0:
			out[at].value = pairs[i+1]
		}
	}
	return out
}

// query writes the request as the suite's URL builder does: in a query parameter
// it escapes what RFC 3986 does not allow there, and = and &, and nothing else. So
// the colons and slashes of redirect_uri arrive as they are.
func (r oidfRequest) query() string {
	var parts []string
	for _, p := range r {
		var b strings.Builder
		for i := range len(p.value) {
			c := p.value[i]
			plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~!$'()*,;:@/?", c) >= 0
			if plain {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
		parts = append(parts, p.name+"="+b.String())
	}
	return strings.Join(parts, "&")
}

// request is the request every module begins with, parameters in the suite's order.
func (m *oidfModule) request(extra ...string) oidfRequest {
	r := oidfRequest{}.with("client_id", m.client.id, "redirect_uri", m.client.redirectURI, "scope", m.scope,
		"state", oidfRandom(128), "nonce", oidfRandom(10), "response_type", cmp.Or(m.responseType, "code"))
	if m.formPost {
		r = r.with("response_mode", "form_post")
	}
	return r.with(extra...)
}

// oidfRandom is n random alphanumeric characters.
func oidfRandom(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	raw := make([]byte, n)
	rand.Read(raw)
	for i, c := range raw {
		raw[i] = alphabet[int(c)%len(alphabet)]
	}
	return string(raw)
}

// authorize sends the browser to the authorization endpoint.
func (m *oidfModule) authorize(r oidfRequest) oidfArrival {
	m.Helper()
	return m.agent.visit(m.endpoint("authorization_endpoint") + "?" + r.query())
}

// answer reads what came back at the suite, in the request's response mode and at
// the request's redirect URI, whose own query must have stayed byte for byte.
func (m *oidfModule) answer(at oidfArrival, r oidfRequest) url.Values {
	m.Helper()
	uri := r.get("redirect_uri")
	if !at.atSuite {
		m.failf("no answer: %d at %s: %.300s", at.status, at.url, at.body)
		m.require()
	}
	var raw string
	got := at.url.String()
	if r.get("response_mode") == "form_post" {
		if at.method != http.MethodPost || got != uri {
			m.failf("the answer is a %s to %s, want a POST to %s", at.method, got, uri)
		}
		raw = at.form
	} else {
		base, fragment := uri+"?", false
		switch {
		case r.inFragment():
			base, fragment = uri+"#", true
		case strings.Contains(uri, "?"):
			base = uri + "&"
		}
		rest, ok := strings.CutPrefix(got, base)
		if at.method != http.MethodGet || !ok || (at.url.Fragment != "") != fragment {
			m.failf("the answer is a %s to %s, want it behind %s", at.method, got, base)
		}
		raw = rest
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		m.failf("the answer %s cannot be read: %v", raw, err)
	}
	return q
}

// code is an answer that must be a success.
func (m *oidfModule) code(at oidfArrival, r oidfRequest) string {
	m.Helper()
	q := m.answer(at, r)
	m.response(q, r.get("state"), m.world.issuer)
	for name := range q {
		if !slices.Contains([]string{"code", "state", "iss", "session_state"}, name) {
			m.failf("the answer has the parameter %s: %s", name, q.Get(name))
		}
	}
	m.entropy("the code", q.Get("code"), 96)
	m.require()
	return q.Get("code")
}

// refused is an answer that must be an error.
func (m *oidfModule) refused(at oidfArrival, r oidfRequest, allowed ...string) {
	m.Helper()
	q := m.answer(at, r)
	m.refusal(q, r.get("state"), m.world.issuer, allowed...)
}

// errorPage is what a person must see when nobody may be redirected.
func (m *oidfModule) errorPage(at oidfArrival) {
	m.Helper()
	mediaType, _, err := mime.ParseMediaType(at.header.Get("Content-Type"))
	if at.atSuite || at.status < 400 || at.status > 499 || err != nil || mediaType != "text/html" {
		m.failf("no error page: %d at %s, %s", at.status, at.url, mediaType)
	}
}

// oidfFormEncode is application/x-www-form-urlencoded as Java writes it.
func oidfFormEncode(s string) string {
	return oidfReplace(url.QueryEscape(s), "%2A", "*", "~", "%7E")
}

// tokenRequest sends a request to the token endpoint.
func (m *oidfModule) tokenRequest(client oidfClient, pairs ...string) oidfReply {
	m.Helper()
	return m.clientRequest("token_endpoint", client, "application/json", pairs...)
}

// clientRequest sends a form to an endpoint that is for clients, and has the client
// authenticate as it has registered.
func (m *oidfModule) clientRequest(endpoint string, client oidfClient, accept string, pairs ...string) oidfReply {
	m.Helper()
	switch client.method {
	case "client_secret_post":
		pairs = append(pairs, "client_id", client.id, "client_secret", client.secret)
	case "private_key_jwt", "client_secret_jwt":
		pairs = append(pairs, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", m.assertion(client))
	case "none":
		pairs = append(pairs, "client_id", client.id)
	}
	var form []string
	for i := 0; i+1 < len(pairs); i += 2 {
		form = append(form, pairs[i]+"="+oidfFormEncode(pairs[i+1]))
	}
	request, err := http.NewRequestWithContext(m.Context(), http.MethodPost, m.endpoint(endpoint), strings.NewReader(strings.Join(form, "&")))
	if err != nil {
		m.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	request.Header.Set("Accept", accept)
	if client.method == "" || client.method == "client_secret_basic" {
		request.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(oidfFormEncode(client.id)+":"+oidfFormEncode(client.secret))))
	}
	return m.world.send(m.T, request)
}
