package fake

import (
	"net/http"
	"testing"
)

func withMoreClients(o *Options) {
	o.Clients = append(o.Clients,
		Client{ID: "client-2", Secret: "other", RedirectURIs: []string{callback}},
		Client{ID: "public", RedirectURIs: []string{callback}})
}

func TestCodesAndTokensBelongToOneClient(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), withMoreClients)
	b := browser(t)
	code := oidcCode(t, f, b)
	if res := post(t, b, f.at("/token"), codeRequest(code, "client_id", "client-2", "client_secret", "other")); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("another client's code: %s", res.body)
	}
	tokens := post(t, b, f.at("/token"), codeRequest(code)).json(t)
	refresh := tokens["refresh_token"].(string)
	if res := post(t, b, f.at("/token"), refreshRequest(refresh, "client_id", "client-2", "client_secret", "other")); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("another client's refresh token: %s", res.body)
	}
	form := refreshRequest(refresh, "client_id", "client-2", "client_secret", "other")
	form.Set("token", refresh)
	post(t, b, f.at("/revoke"), form)
	if res := post(t, b, f.at("/token"), refreshRequest(refresh)); res.StatusCode != http.StatusOK {
		t.Errorf("another client revoked it: %s", res.body)
	}
}

func TestPublicClientsNeedPKCE(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), withMoreClients)
	b := browser(t)
	noChallenge := []string{"client_id", "public", "code_challenge", "", "code_challenge_method", ""}
	back := get(t, b, f.at("/authorize?"+authRequest("openid", noChallenge...).Encode())).location(t)
	if back.Get("error") != "invalid_request" {
		t.Errorf("without a challenge: %v", back)
	}
	code := oidcCode(t, f, b, "client_id", "public")
	public := []string{"client_id", "public", "client_secret", ""}
	if res := post(t, b, f.at("/token"), codeRequest(code, "client_id", "public", "client_secret", "guess")); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("with a secret: %d", res.StatusCode)
	}
	if res := post(t, b, f.at("/token"), codeRequest(code, append(public, "code_verifier", "")...)); res.StatusCode != http.StatusBadRequest {
		t.Errorf("without a verifier: %d", res.StatusCode)
	}
	if res := post(t, b, f.at("/token"), codeRequest(code, public...)); res.StatusCode != http.StatusOK {
		t.Errorf("with the verifier: %s", res.body)
	}
}

func TestAVerifierWithoutAChallengeIsRefused(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	code := oidcCode(t, f, b, "code_challenge", "", "code_challenge_method", "")
	if res := post(t, b, f.at("/token"), codeRequest(code)); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("with a verifier: %s", res.body)
	}
	if res := post(t, b, f.at("/token"), codeRequest(code, "code_verifier", "")); res.StatusCode != http.StatusOK {
		t.Errorf("without: %s", res.body)
	}
}

func TestARepeatedTokenParameterIsRefused(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	form := codeRequest(oidcCode(t, f, b))
	form.Add("code", form.Get("code"))
	if res := post(t, b, f.at("/token"), form); res.json(t)["error"] != "invalid_request" {
		t.Errorf("got %s", res.body)
	}
	if res := get(t, b, f.at("/token")); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d", res.StatusCode)
	}
}
