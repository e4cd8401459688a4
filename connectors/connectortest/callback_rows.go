package connectortest

import (
	"net/url"
	"strings"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

func callbackRows() []row {
	return []row{
		{name: "UP-07 iss of another issuer", test: refusedCallback(func(c url.Values) { c.Set("iss", "https://idp.elsewhere.example") })},
		{name: "UP-07 iss twice", test: refusedCallback(func(c url.Values) { c["iss"] = []string{c.Get("iss"), c.Get("iss")} })},
		{name: "UP-07 iss promised and missing", test: testMissingResponseIssuer, openID: true},
		{name: "UP-14 a token instead of a code", test: refusedCallback(func(c url.Values) {
			c.Set("access_token", c.Get("code"))
			c.Set("id_token", "e30.e30.AAAA")
			c.Del("code")
		})},
		{name: "UP-33 no state", test: refusedCallback(func(c url.Values) { c.Del("state") })},
		{name: "UP-33 an empty state", test: refusedCallback(func(c url.Values) { c.Set("state", "") })},
		{name: "UP-33 the state of another sign-in", test: refusedCallback(func(c url.Values) { c.Set("state", NewLogin().State) })},
		{name: "UP-33 two states", test: refusedCallback(func(c url.Values) { c.Add("state", c.Get("state")) })},
		{name: "UP-33 no code", test: refusedCallback(func(c url.Values) { c.Del("code") })},
		{name: "UP-33 two codes", test: refusedCallback(func(c url.Values) { c.Add("code", c.Get("code")) })},
		{name: "UP-33 a huge code", test: refusedCallback(func(c url.Values) { c.Set("code", strings.Repeat("a", 1<<20)) })},
		{name: "UP-33 an error beside the code", test: refusedCallback(func(c url.Values) { c.Set("error", "access_denied") })},
		{name: "UP-29 hostile error text", test: testHostileError},
		{name: "an error in the callback is said with its kind", test: testCallbackErrors},
		{name: "a code is good for one sign-in", test: testReplayedCode},
	}
}

// refusedCallback changes a good callback into one that must be refused before
// the token endpoint hears of it.
func refusedCallback(change func(url.Values)) func(*testing.T, Subject) {
	return func(t *testing.T, s Subject) {
		b := s.Open(t, nil)
		b.MustSignIn(t)
		l := NewLogin()
		callback := b.Begin(t, l)
		change(callback)
		b.refuseBeforeToken(t, callback, l)
	}
}

func (b *Bench) refuseBeforeToken(t *testing.T, callback url.Values, l connectors.Login) *connectors.Error {
	t.Helper()
	before := b.Vendor.Calls(fake.Token)
	_, _, err := b.Identify(t, callback, l)
	e := KindOf(t, err, connectors.Broken)
	if n := b.Vendor.Calls(fake.Token) - before; n != 0 {
		t.Errorf("the token endpoint was asked %d times", n)
	}
	return e
}

func testMissingResponseIssuer(t *testing.T, s Subject) {
	if !s.OpenID.ResponseIssuer {
		// Not promised: its absence says nothing.
		s.Open(t, nil).MustSignIn(t)
		return
	}
	refusedCallback(func(c url.Values) { c.Del("iss") })(t, s)
}

func testHostileError(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	b.MustSignIn(t)
	l := NewLogin()
	e := b.refuseBeforeToken(t, url.Values{
		"state": {l.State}, "error": {`<img src=x onerror=alert(1)>`},
		"error_description": {"line\r\nSet-Cookie: a=b" + strings.Repeat("A", 100<<10)}, "error_uri": {"javascript:alert(1)"},
	}, l)
	if e.Code != "" {
		t.Errorf("the code %q is passed on", e.Code)
	}
	if text := e.Error(); len(text) > 1<<10 || strings.ContainsAny(text, "<>\r\n") || strings.Contains(text, "Set-Cookie") || strings.Contains(text, "javascript") {
		t.Errorf("the error repeats what was sent: %.200q", text)
	}
}

func testCallbackErrors(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	b.MustSignIn(t)
	kinds := map[string]connectors.Kind{"access_denied": connectors.Declined, "never_heard_of": connectors.Broken, "server_error": connectors.Transient}
	if s.OpenID != nil {
		kinds["login_required"], kinds["interaction_required"] = connectors.Interaction, connectors.Interaction
		kinds["unmet_authentication_requirements"] = connectors.Unmet
		kinds["invalid_scope"], kinds["unauthorized_client"] = connectors.Operator, connectors.Operator
		kinds["temporarily_unavailable"] = connectors.Transient
	}
	before := b.Vendor.Calls(fake.Token)
	for code, kind := range kinds {
		l := NewLogin()
		_, _, err := b.Identify(t, url.Values{"state": {l.State}, "error": {code}}, l)
		if e := KindOf(t, err, kind); e.Code != code {
			t.Errorf("error %s: got code %q", code, e.Code)
		}
	}
	if n := b.Vendor.Calls(fake.Token) - before; n != 0 {
		t.Errorf("the token endpoint was asked %d times", n)
	}
}

func testReplayedCode(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	l := NewLogin()
	callback := b.Begin(t, l)
	if _, _, err := b.Identify(t, callback, l); err != nil {
		t.Fatal(err)
	}
	_, _, err := b.Identify(t, callback, l)
	if e := KindOf(t, err, connectors.Broken); e.Code == "" {
		t.Error("the vendor's code is not passed on")
	}
}
