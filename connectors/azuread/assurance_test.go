package azuread_test

import (
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// levels are translated into authentication contexts.
func levels(s *connectortest.Setup) {
	s.Common.Assurance = connectors.Assurance{
		{Level: "urn:corp:hardware", ACR: []string{"c2"}},
		{Level: "urn:corp:mfa", ACR: []string{"c1", "c2"}},
		{Level: "urn:corp:other", ACR: []string{"urn:not:a:context"}},
	}
}

func TestAuthenticationContexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		setup  func(*connectortest.Setup)
		asked  []string
		claims string
		level  string
	}{
		{"a level is asked for as its context, and proven", levels, []string{"urn:corp:mfa"}, `{"id_token":{"acrs":{"essential":true,"value":"c1"}}}`, "urn:corp:mfa"},
		{"the first of several", levels, []string{"urn:corp:hardware", "urn:corp:mfa"}, `{"id_token":{"acrs":{"essential":true,"value":"c2"}}}`, "urn:corp:hardware"},
		{"what is no context is not asked for", levels, []string{"urn:corp:other"}, "", ""},
		{"a context after what is none", levels, []string{"urn:corp:other", "urn:corp:mfa"}, `{"id_token":{"acrs":{"essential":true,"value":"c1"}}}`, "urn:corp:mfa"},
		{"nobody asked", levels, nil, "", ""},
		{"without a table contexts are passed on", nil, []string{"c25"}, `{"id_token":{"acrs":{"essential":true,"value":"c25"}}}`, "c25"},
		{"without a table nothing else is", nil, []string{`c1"}}}`, "c0", "c100", "C1", "c", "c1x"}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, tt.setup)
			l := connectortest.NewLogin()
			l.ACRValues = tt.asked
			query := b.Asked(t, l)
			if query.Get("claims") != tt.claims || query.Has("acr_values") {
				t.Errorf("asked with claims %q, acr_values %q", query.Get("claims"), query.Get("acr_values"))
			}
			id, _, err := b.SignInWith(t, l)
			if err != nil || id.Authentication.ACR != tt.level {
				t.Errorf("got level %q, %v; want %q", id.Authentication.ACR, err, tt.level)
			}
		})
	}
}

// Whether the answer suffices is decided elsewhere; what was not said is not claimed.
func TestAContextThatWasNotSatisfied(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, levels)
	l := connectortest.NewLogin()
	l.ACRValues = []string{"urn:corp:mfa"}
	for name, edit := range map[string]func(map[string]any){
		"absent": func(c map[string]any) { delete(c, "acrs") }, "another": func(c map[string]any) { c["acrs"] = []string{"c7"} },
		"a number": func(c map[string]any) { c["acrs"] = 1 }, "an object": func(c map[string]any) { c["acrs"] = map[string]any{"value": "c1"} },
	} {
		b.Vendor.Edit(fake.IDToken, edit)
		id, _, err := b.SignInWith(t, l)
		if err != nil || id.Authentication.ACR != "" {
			t.Errorf("%s: got level %q, %v", name, id.Authentication.ACR, err)
		}
		b.Vendor.Behave()
	}
	// Without a table contexts are passed on as they are, and nothing but contexts.
	plain := subject().Open(t, nil)
	plain.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["acrs"] = []string{"urn:example:loa:9", "c4"} })
	if id, _, err := plain.SignIn(t); err != nil || id.Authentication.ACR != "c4" {
		t.Errorf("got level %q, %v", id.Authentication.ACR, err)
	}
	b.Vendor.Misbehave(fake.EntraNoContext)
	if id, _, err := b.SignInWith(t, l); err != nil || id.Authentication.ACR != "" {
		t.Errorf("got level %q, %v", id.Authentication.ACR, err)
	}
}

func TestDomainHint(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, configure(func(c *azuread.Config) { c.DomainHint = "acme.example" }))
	l := connectortest.NewLogin()
	if got := b.Asked(t, l).Get("domain_hint"); got != "acme.example" {
		t.Errorf("got %q", got)
	}
	l.SelectAccount, l.LoginHint = true, "ada@acme.example"
	if q := b.Asked(t, l); q.Get("domain_hint") != "acme.example" || q.Has("login_hint") || q.Get("prompt") != "select_account" {
		t.Errorf("got %v", q)
	}
	if q := subject().Open(t, nil).Asked(t, connectortest.NewLogin()); q.Has("domain_hint") {
		t.Errorf("nobody asked for domain_hint: %v", q)
	}
	b.MustSignIn(t)
}
