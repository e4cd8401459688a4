package fake

import (
	"net/http"
	"testing"
	"time"
)

// refreshToken is the refresh token of a sign-in.
func refreshToken(t *testing.T, f *OIDC, b *http.Client) string {
	t.Helper()
	token, _ := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b))).json(t)["refresh_token"].(string)
	if token == "" {
		t.Fatal("no refresh token")
	}
	return token
}

func TestReplacedRefreshTokensWorkWithinTheGrace(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newOIDC(t, c, func(o *Options) { o.OIDC.RotateRefreshTokens, o.OIDC.RotationGrace = true, 30*time.Second })
	b := browser(t)
	first := refreshToken(t, f, b)
	second, _ := post(t, b, f.at("/token"), refreshRequest(first)).json(t)["refresh_token"].(string)
	c.Advance(30 * time.Second)
	if res := post(t, b, f.at("/token"), refreshRequest(first)); res.StatusCode != http.StatusOK || second == first {
		t.Errorf("within the grace: %s", res.body)
	}
	c.Advance(time.Second)
	for _, token := range []string{first, second} {
		if res := post(t, b, f.at("/token"), refreshRequest(token)); res.json(t)["error"] != "invalid_grant" {
			t.Errorf("after the grace reuse ends the grant: %s", res.body)
		}
	}
}

func TestARefreshTokenMayBeRepeated(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), func(o *Options) { o.OIDC.RepeatRefreshToken = true })
	b := browser(t)
	token := refreshToken(t, f, b)
	for range 2 {
		if got := post(t, b, f.at("/token"), refreshRequest(token)).json(t)["refresh_token"]; got != token {
			t.Errorf("got %v", got)
		}
	}
}

func TestRefreshHasMisbehavioursOfItsOwn(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	f.Misbehave(RefreshWithoutIDToken, RefreshWithoutAccess, RefreshRefused, At(Refresh, Unavailable))
	token := refreshToken(t, f, b) // the code grant does not suffer from them
	f.Forget()
	ask := func() (int, map[string]any) {
		res := post(t, b, f.at("/token"), refreshRequest(token))
		return res.StatusCode, res.json(t)
	}
	if status, _ := ask(); status != http.StatusServiceUnavailable {
		t.Errorf("got %d", status)
	}
	f.Behave(At(Refresh, Unavailable))
	if status, doc := ask(); status != http.StatusBadRequest || doc["error"] != "invalid_grant" {
		t.Errorf("got %d %v", status, doc)
	}
	f.Behave(RefreshRefused)
	if status, doc := ask(); status != http.StatusOK || doc["id_token"] != nil || doc["access_token"] != nil || doc["token_type"] != "Bearer" {
		t.Errorf("got %d %v", status, doc)
	}
	f.Behave(RefreshWithoutIDToken, RefreshWithoutAccess)
	f.Edit(Refresh, func(doc map[string]any) { doc["extra"] = 1 })
	if _, doc := ask(); doc["id_token"] == nil || doc["access_token"] == nil || doc["extra"] != 1.0 {
		t.Errorf("got %v", doc)
	}
	if f.Calls(Refresh) != 4 || f.Calls(Token) != 4 {
		t.Errorf("counted %d refreshes, %d token requests", f.Calls(Refresh), f.Calls(Token))
	}
}

// A refresh whose answer is cut off has been done all the same.
func TestALostAnswerHasSpentTheToken(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), func(o *Options) { o.OIDC.RotateRefreshTokens = true })
	b := browser(t)
	token := refreshToken(t, f, b)
	f.MisbehaveOnce(At(Refresh, Cut))
	if res, err := b.PostForm(f.at("/token"), refreshRequest(token)); err == nil {
		res.Body.Close()
	}
	if res := post(t, b, f.at("/token"), refreshRequest(token)); res.json(t)["error"] != "invalid_grant" {
		t.Errorf("got %s", res.body)
	}
}

func TestSecretsMayOverlapAndChange(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), func(o *Options) { o.Clients[0].Secrets = []string{"next"} })
	b := browser(t)
	token := refreshToken(t, f, b)
	status := func(secret string) int {
		return post(t, b, f.at("/token"), refreshRequest(token, "client_secret", secret)).StatusCode
	}
	if status(clientSecret) != http.StatusOK || status("next") != http.StatusOK || status("other") != http.StatusUnauthorized {
		t.Error("both secrets, and no third, are good")
	}
	if !f.UpdateClient(clientID, func(c *Client) { c.Secret, c.Secrets = "next", nil }) || f.UpdateClient("nobody", nil) {
		t.Error("there is one such client and no other")
	}
	if status(clientSecret) != http.StatusUnauthorized || status("next") != http.StatusOK {
		t.Error("the old secret is still good")
	}
}

func TestTheVendorsClockIsInItsAnswers(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newOIDC(t, c, nil)
	c.Advance(time.Hour)
	at, err := http.ParseTime(get(t, browser(t), f.at("/.well-known/openid-configuration")).Header.Get("Date"))
	if err != nil || !at.Equal(c.Now()) {
		t.Errorf("got %v, %v", at, err)
	}
}
