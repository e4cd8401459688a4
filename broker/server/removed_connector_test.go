package server_test

import (
	"testing"

	"gatehouse/internal/brokertest"
)

// UP-24, DESIGN §4: what is absent from the configuration is refused at use and
// never deleted.
func TestUP24ARemovedConnectorIsRefusedAtUse(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{SecondConnector: true})
	browser := b.Browser(t)
	tokens := b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki, "idp_hint", "corp", "scope", "openid offline_access"))
	code := browser.Code(brokertest.Wiki, "idp_hint", "corp")
	must(t, b.Reload(t, brokertest.Options{SecondConnector: true, WithoutConnector: true}))
	commits := b.Store.Commits()
	if a := b.Redeem(t, brokertest.Wiki, code); a.Error() != "invalid_grant" {
		t.Errorf("a code: %d %v", a.Status, a.Body)
	}
	if a := b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token")); a.Error() != "invalid_grant" {
		t.Errorf("a refresh token: %d %v", a.Status, a.Body)
	}
	if a := b.UserInfo(t, tokens.Text("access_token")); a.Status != 401 {
		t.Errorf("an access token: %d", a.Status)
	}
	if q := browser.Get(b.AuthorizeURL(brokertest.Wiki, "prompt", "none")).URL.Query(); q.Get("error") != "login_required" {
		t.Errorf("single sign-on: %v", q)
	}
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("I12: refusals cost %d commits", n)
	}
	must(t, b.Reload(t, brokertest.Options{SecondConnector: true}))
	if a := b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token")); a.Status != 200 {
		t.Errorf("after it came back: %v", a.Body)
	}
}
