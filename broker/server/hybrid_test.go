package server_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker/jose"
	"gatehouse/internal/brokertest"
)

// hybrid is a world with a client that is registered for every response type, and
// one for the plain code flow.
func hybrid(t *testing.T) *brokertest.Broker {
	t.Helper()
	return brokertest.New(t, brokertest.Options{Clients: `  - client_id: wiki
    client_secret: wiki-secret
    redirect_uris: ["https://wiki.example/callback"]
    skip_consent: true
    require_pkce: false
    id_token_claims: minimal
    grant_types: [authorization_code, refresh_token, implicit]
    response_types: [code, id_token, token, id_token token, code id_token, code token, code id_token token]
  - {client_id: shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"], skip_consent: true}
`})
}

// OpenID Connect Core §3.2.2.5, §3.3.2.5: what each response type carries, and where.
func TestImplicitAndHybrid(t *testing.T) {
	t.Parallel()
	b := hybrid(t)
	br := b.Browser(t)
	for kind, want := range map[string][]string{
		"id_token":            {"id_token"},
		"token":               {"access_token", "expires_in", "scope", "token_type"},
		"id_token token":      {"access_token", "expires_in", "id_token", "scope", "token_type"},
		"token id_token":      {"access_token", "expires_in", "id_token", "scope", "token_type"},
		"code id_token":       {"code", "id_token"},
		"code token":          {"access_token", "code", "expires_in", "scope", "token_type"},
		"code id_token token": {"access_token", "code", "expires_in", "id_token", "scope", "token_type"},
	} {
		page := br.Get(b.AuthorizeURL("wiki", "response_type", kind, "scope", "openid email offline_access"))
		got, err := url.ParseQuery(page.URL.Fragment)
		if err != nil || !page.AtClient || page.URL.RawQuery != "" || got.Get("state") != "the-state" || got.Get("iss") != b.Issuer {
			t.Fatalf("%s: %s", kind, page.URL)
		}
		var names []string
		for name := range got {
			if name != "state" && name != "iss" {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("%s carries %q, want %q", kind, names, want)
		}
		code, access := got.Get("code"), got.Get("access_token")
		var front map[string]any
		if id := got.Get("id_token"); id != "" {
			front = claimsOf(t, id)
			for claim, value := range map[string]string{"at_hash": access, "c_hash": code} {
				hash := ""
				if value != "" {
					if hash, err = jose.HalfHash(jose.RS256, value); err != nil {
						t.Fatal(err)
					}
				}
				if got, _ := front[claim].(string); got != hash {
					t.Errorf("%s: %s is %q, want %q", kind, claim, got, hash)
				}
			}
			if front["nonce"] != "the-nonce" || front["aud"] != "wiki" || (front["email"] != nil) != (kind == "id_token") {
				t.Errorf("%s: %v", kind, front)
			}
		}
		if access != "" {
			if got.Get("token_type") != "Bearer" || got.Get("expires_in") != "900" || strings.Contains(got.Get("scope"), "offline_access") || b.UserInfo(t, access).Status != 200 {
				t.Errorf("%s: %v", kind, got)
			}
		}
		if code != "" {
			// Core §3.3.3.6: the second ID token is about the same person.
			tokens := b.Redeem(t, "wiki", code)
			if tokens.Status != 200 || tokens.Text("refresh_token") == "" {
				t.Errorf("%s: %d %v", kind, tokens.Status, tokens.Body)
			}
			if back := claimsOf(t, tokens.Text("id_token")); front != nil && (back["sub"] != front["sub"] || back["iss"] != front["iss"] || back["nonce"] != front["nonce"]) {
				t.Errorf("%s: %v and %v", kind, front, back)
			}
			if b.Redeem(t, "wiki", code); access != "" && b.UserInfo(t, access).Status != 401 {
				t.Errorf("%s: TK-02: a replayed code leaves the token of the browser alive", kind)
			}
		}
	}
}

// AZ-03: off unless registered, and what cannot be kept is said where it is safe.
func TestAZ03WhatIsRefusedOfImplicitAndHybrid(t *testing.T) {
	t.Parallel()
	b := hybrid(t)
	commits := b.Store.Commits()
	for _, row := range []struct {
		name, client string
		pairs        []string
		want         string
	}{
		{"not registered", "shop", []string{"response_type", "id_token"}, "unauthorized_client"},
		{"not registered, hybrid", "shop", []string{"response_type", "code token"}, "unauthorized_client"},
		{"no nonce", "wiki", []string{"response_type", "id_token", "nonce", ""}, "invalid_request"},
		{"no nonce, hybrid", "wiki", []string{"response_type", "code id_token", "nonce", ""}, "invalid_request"},
		{"tokens in the query", "wiki", []string{"response_type", "id_token", "response_mode", "query"}, "invalid_request"},
		{"no openid", "wiki", []string{"response_type", "id_token", "scope", "email"}, "invalid_scope"},
		{"nobody signed in", "wiki", []string{"response_type", "id_token token", "prompt", "none"}, "login_required"},
	} {
		page := b.Browser(t).Get(b.AuthorizeURL(row.client, row.pairs...))
		got, err := url.ParseQuery(page.URL.Fragment)
		if err != nil || !page.AtClient || page.URL.RawQuery != "" || got.Get("error") != row.want || got.Get("access_token")+got.Get("id_token")+got.Get("code") != "" || got.Get("state") != "the-state" || got.Get("iss") != b.Issuer {
			t.Errorf("%s: %s", row.name, page.URL)
		}
	}
	if b.Store.Commits() != commits {
		t.Error("I12: a refusal was committed")
	}
	isPage(t, "AZ-01", b.Browser(t).Get(b.AuthorizeURL("wiki", "response_type", "token", "redirect_uri", "https://evil.example/")))
	// form_post carries the same (OAuth 2.0 Form Post Response Mode §2).
	page := b.Browser(t).Get(b.AuthorizeURL("wiki", "response_type", "code id_token", "response_mode", "form_post"))
	if fields := page.Fields(); fields.Get("code") == "" || fields.Get("id_token") == "" || page.URL.Fragment != "" {
		t.Errorf("form_post: %v at %s", fields, page.URL)
	}
	if s := b.Log.String(); strings.Contains(s, "eyJ") {
		t.Error("a token is in the log")
	}
}

// What discovery says of response and grant types is what the clients have.
func TestDiscoverySaysWhatIsEnabled(t *testing.T) {
	t.Parallel()
	has := func(b *brokertest.Broker, member, value string) bool {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Issuer+"/.well-known/openid-configuration", nil)
		if err != nil {
			t.Fatal(err)
		}
		list, _ := b.Program(t, request, nil).Body[member].([]any)
		return slices.Contains(list, any(value))
	}
	with, without := hybrid(t), brokertest.New(t, brokertest.Options{})
	for member, value := range map[string]string{"response_types_supported": "code id_token token", "grant_types_supported": "implicit"} {
		if !has(with, member, value) || has(without, member, value) {
			t.Errorf("%s: %s", member, value)
		}
	}
}
