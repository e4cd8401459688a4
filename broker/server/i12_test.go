package server_test

import (
	"net/url"
	"reflect"
	"testing"

	"gatehouse/internal/brokertest"
)

// I12: a refusal changes nothing: no commit, no audit record, and what was good
// before it is good after it.
func TestI12ARefusalChangesNothing(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	code := browser.Code(brokertest.Wiki, "scope", "openid offline_access")
	tokens := b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki, "scope", "openid offline_access"))
	refresh, access := tokens.Text("refresh_token"), tokens.Text("access_token")
	events, _, err := b.Store.Events(t.Context(), "", 1000)
	must(t, err)
	commits := b.Store.Commits()

	for name, status := range map[string]int{
		"another client's code":            b.Redeem(t, brokertest.Shop, code).Status,
		"a wrong verifier":                 b.Token(t, brokertest.Wiki, with(brokertest.CodeForm(brokertest.Wiki, code), "code_verifier", brokertest.Verifier+"x")).Status,
		"another redirect_uri":             b.Token(t, brokertest.Wiki, with(brokertest.CodeForm(brokertest.Wiki, code), "redirect_uri", "https://wiki.example/")).Status,
		"another client's refresh token":   b.Refresh(t, brokertest.Shop, refresh).Status,
		"a wider scope":                    b.Token(t, brokertest.Wiki, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "scope": {"openid groups"}}).Status,
		"a grant type nobody has":          b.Token(t, brokertest.Wiki, url.Values{"grant_type": {"password"}}).Status,
		"an access token with a wrong end": b.UserInfo(t, access[:len(access)-4]+"AAAA").Status,
	} {
		if status < 400 || status >= 500 {
			t.Errorf("%s: %d", name, status)
		}
	}
	for _, pairs := range [][]string{{"prompt", "none", "max_age", "0"}, {"scope", "nonsense"}, {"redirect_uri", "https://evil.example/"}, {"id_token_hint", "x"}} {
		if page := browser.Get(b.AuthorizeURL(brokertest.Wiki, pairs...)); page.AtClient && page.URL.Query().Has("code") {
			t.Errorf("%v was not refused", pairs)
		}
	}
	b.Upstream.Misbehave("id token: nonce of another flow")
	if page := b.Browser(t).Get(b.AuthorizeURL(brokertest.Wiki)); page.AtClient {
		t.Error("a foreign nonce was not refused")
	}

	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("%d commits", n)
	}
	after, _, err := b.Store.Events(t.Context(), "", 1000)
	must(t, err)
	if !reflect.DeepEqual(after, events) {
		t.Errorf("%d audit records, there were %d", len(after), len(events))
	}
	if a := b.UserInfo(t, access); a.Status != 200 {
		t.Errorf("the access token: %d", a.Status)
	}
	if a := b.Refresh(t, brokertest.Wiki, refresh); a.Status != 200 {
		t.Errorf("the refresh token: %v", a.Body)
	}
	if a := b.Redeem(t, brokertest.Wiki, code); a.Status != 200 {
		t.Errorf("the code: %v", a.Body)
	}
}
