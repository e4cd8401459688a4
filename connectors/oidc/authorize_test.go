package oidc_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/oidc"
)

// parameters returns the parameters of the authorization request for a login.
func parameters(t *testing.T, b *connectortest.Bench, change func(*connectors.Login)) url.Values {
	t.Helper()
	l := connectortest.NewLogin()
	if change != nil {
		change(&l)
	}
	return b.Asked(t, l)
}

func TestParametersFollowTheLogin(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	for _, tt := range []struct {
		name   string
		change func(*connectors.Login)
		want   map[string]string
	}{
		{"plain", func(*connectors.Login) {}, map[string]string{"prompt": "", "max_age": "", "scope": "openid profile email"}},
		{
			"a forced login is asked for together with its proof", func(l *connectors.Login) { l.ForceLogin = true },
			map[string]string{"prompt": "login", "max_age": "0"},
		},
		{"the account is to be chosen", func(l *connectors.Login) { l.SelectAccount = true }, map[string]string{"prompt": "select_account", "max_age": ""}},
		{
			"both", func(l *connectors.Login) { l.ForceLogin, l.SelectAccount = true, true },
			map[string]string{"prompt": "login select_account"},
		},
		{
			"max_age is passed on", func(l *connectors.Login) { l.HasMaxAge, l.MaxAge = true, 90*time.Second },
			map[string]string{"max_age": "90", "prompt": ""},
		},
		{"max_age of zero too", func(l *connectors.Login) { l.HasMaxAge = true }, map[string]string{"max_age": "0"}},
		{
			"max_age stays what it is with a forced login", func(l *connectors.Login) { l.HasMaxAge, l.MaxAge, l.ForceLogin = true, time.Hour, true },
			map[string]string{"max_age": "3600", "prompt": "login"},
		},
		{"acr_values", func(l *connectors.Login) { l.ACRValues = []string{"gold", "silver"} }, map[string]string{"acr_values": "gold silver"}},
		{"login_hint", func(l *connectors.Login) { l.LoginHint = "ada@corp.example" }, map[string]string{"login_hint": "ada@corp.example"}},
		{"an endless hint is dropped", func(l *connectors.Login) { l.LoginHint = strings.Repeat("a", 257) }, map[string]string{"login_hint": ""}},
		{"a hint with line breaks is dropped", func(l *connectors.Login) { l.LoginHint = "a\r\nb" }, map[string]string{"login_hint": ""}},
	} {
		got := parameters(t, b, tt.change)
		for name, want := range tt.want {
			if got.Get(name) != want || len(got[name]) > 1 {
				t.Errorf("%s: %s is %q, want %q", tt.name, name, got[name], want)
			}
		}
	}
}

func TestOpenIDIsAlwaysAskedFor(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) { s.Common.Scopes = []string{"email", "custom"} })
	if got := parameters(t, b, nil).Get("scope"); got != "openid email custom" {
		t.Errorf("got scope %q", got)
	}
}

func TestPKCEIsNotGatedOnDiscovery(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) { s.Vendor.OIDC.NoPKCE = true })
	if got := parameters(t, b, nil); got.Get("code_challenge_method") != "S256" || got.Get("code_challenge") == "" {
		t.Errorf("no challenge is sent: %v", got)
	}
	b.MustSignIn(t)
}

func TestClientAuthenticationIsSetAndNotGuessed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, configured string
		advertised       []string
		basic            bool
	}{
		{"basic is preferred", "", []string{"client_secret_post", "client_secret_basic"}, true},
		{"nothing advertised means basic", "", nil, true},
		{"post where only that is advertised", "", []string{"client_secret_post"}, false},
		{"neither advertised", "", []string{"private_key_jwt"}, true},
		{"the configuration decides: post", "client_secret_post", []string{"client_secret_basic"}, false},
		{"the configuration decides: basic", "client_secret_basic", []string{"client_secret_post"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, func(s *connectortest.Setup) {
				s.Configure = func(c connectors.Config) { c.(*oidc.Config).TokenEndpointAuthMethod = tt.configured }
			})
			b.Vendor.Edit(fake.Discovery, func(doc map[string]any) {
				if doc["token_endpoint_auth_methods_supported"] = tt.advertised; tt.advertised == nil {
					delete(doc, "token_endpoint_auth_methods_supported")
				}
			})
			b.MustSignIn(t)
			if got := tokenRequest(t, b).Header.Get("Authorization") == "Basic"; got != tt.basic {
				t.Errorf("basic authentication used: %v, want %v", got, tt.basic)
			}
			b.Vendor.Forget()
			b.Vendor.Misbehave(fake.At(fake.Token, fake.Unauthorized))
			b.Refused(t, connectors.Broken)
			if n := b.Vendor.Calls(fake.Token); n != 1 {
				t.Errorf("after a refusal the code was tried %d times", n)
			}
		})
	}
}

func tokenRequest(t *testing.T, b *connectortest.Bench) fake.Recorded {
	t.Helper()
	for _, r := range b.Vendor.Requests() {
		if r.Method == "POST" && r.Path == "/token" {
			return r
		}
	}
	t.Fatal("the token endpoint was not asked")
	return fake.Recorded{}
}

func TestAPublicClientSendsNoSecret(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Vendor.Clients = []fake.Client{{ID: connectortest.ClientID, RedirectURIs: []string{connectortest.RedirectURI}}}
		s.Common.ClientSecret = nil
		s.Configure = func(c connectors.Config) { c.(*oidc.Config).TokenEndpointAuthMethod = "none" }
	})
	b.MustSignIn(t)
	r := tokenRequest(t, b)
	if r.Form.Get("client_id") != connectortest.ClientID || r.Form.Has("client_secret") || r.Header.Get("Authorization") != "" {
		t.Errorf("got form %v", r.Form)
	}
}
