package brokertest

import "testing"

func TestAPersonSignsInAndTheClientReceivesTokens(t *testing.T) {
	t.Parallel()
	b := New(t, Options{})
	browser := b.Browser(t)
	before := b.Store.Commits()
	code := browser.Code(Wiki, "scope", "openid profile email offline_access")
	tokens := b.Redeem(t, Wiki, code)
	if tokens.Status != 200 || tokens.Text("id_token") == "" || tokens.Text("refresh_token") == "" {
		t.Fatalf("token response: %d %v\n%s", tokens.Status, tokens.Body, b.Log)
	}
	if n := b.Store.Commits() - before; n != 2 {
		t.Errorf("a first login cost %d commits, want 2", n)
	}
	claims := Claims(t, tokens.Text("id_token"))
	if claims["email"] != "ada@corp.example" || claims["nonce"] != "the-nonce" || claims["iss"] != b.Issuer {
		t.Errorf("ID token %v", claims)
	}
	info := b.UserInfo(t, tokens.Text("access_token"))
	if info.Status != 200 || info.Text("sub") != claims["sub"] || info.Body["email_verified"] != true {
		t.Errorf("userinfo %d %v", info.Status, info.Body)
	}
	refreshed := b.Refresh(t, Wiki, tokens.Text("refresh_token"))
	if refreshed.Status != 200 || refreshed.Text("refresh_token") == tokens.Text("refresh_token") {
		t.Fatalf("refresh %d %v", refreshed.Status, refreshed.Body)
	}
	browser.Code(Shop)
	t.Log(len(browser.Trail), browser.Trail)
}
