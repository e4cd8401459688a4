package server_test

import (
	"net/http"
	"net/url"
	"testing"

	"gatehouse/internal/brokertest"
)

// RFC 7636 §1, RFC 9700 §2.1.1: a code that was issued to a confidential client without
// a challenge is not redeemed once anybody could be the client.
func TestACodeWithoutAChallengeIsNothingToAPublicClient(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Config: "registration: {open: true, require_pkce: false}\n"})
	made := register(t, http.MethodPost, b.Issuer+"/register", "", `{"redirect_uris":["https://app.example/cb"]}`)
	id, _ := made["client_id"].(string)
	uri, _ := made["registration_client_uri"].(string)
	token, _ := made["registration_access_token"].(string)
	browser := b.Browser(t)
	page := browser.Get(b.Issuer + "/authorize?" + url.Values{"client_id": {id}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {"https://app.example/cb"}}.Encode())
	form := page.Fields()
	form.Set("decision", "allow")
	code := browser.Post(b.Issuer+"/consent", form).URL.Query().Get("code")
	if code == "" {
		t.Fatalf("no code\n%s", b.Log)
	}
	register(t, http.MethodPut, uri, token, `{"client_id":"`+id+`","redirect_uris":["https://app.example/cb"],"token_endpoint_auth_method":"none"}`)
	a := askAs(t, b, "/token", "", "grant_type", "authorization_code", "code", code, "client_id", id, "redirect_uri", "https://app.example/cb")
	if a.Error() != "invalid_grant" {
		t.Errorf("%d %v", a.Status, a.Body)
	}
}
