package server_test

import (
	"testing"
	"time"

	"gatehouse/internal/brokertest"
)

// Expiry of a session ends nothing else: the token of a client with a longer
// lifetime than the one the session began with lives its own life, and a sign-out
// reaches it as long as it does.
func TestATokenOutlivesItsSession(t *testing.T) {
	t.Parallel()
	for name, signOut := range map[string]bool{"the session expires": false, "the session is signed out": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.New(t, brokertest.Options{Config: "lifetimes: {session: 1h, session_idle: 1h}\n", Clients: `
  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true}
  - {client_id: shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"], skip_consent: true, lifetimes: {access_token: 12h}}
`})
			browser := b.Browser(t)
			browser.Code(brokertest.Wiki)
			b.Clock.Advance(59 * time.Minute)
			token := b.Redeem(t, brokertest.Shop, browser.Code(brokertest.Shop)).Text("access_token")
			if signOut {
				form := browser.Get(b.Issuer + "/logout").Fields()
				form.Set("decision", "sign_out")
				browser.Post(b.Issuer+"/logout", form)
			}
			b.Clock.Advance(11 * time.Hour)
			for {
				n, err := b.Store.Sweep(t.Context(), b.Clock.Now(), 100)
				must(t, err)
				if n < 100 {
					break
				}
			}
			if a := b.UserInfo(t, token); (a.Status == 200) == signOut {
				t.Errorf("eleven hours later: %d", a.Status)
			}
		})
	}
}
