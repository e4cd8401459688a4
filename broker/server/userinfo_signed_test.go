package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/internal/brokertest"
)

// OpenID Connect Core §5.3.2, OIDF oidcc-userinfo-rs256: a client that has registered
// an algorithm gets the answer signed with it, with iss and aud and without nonce.
func TestSignedUserInfo(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{Clients: `  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback"], skip_consent: true, userinfo_signed_response_alg: ES256}
  - {client_id: shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"], skip_consent: true}
`})
	ask := func(client string) (*http.Response, string) {
		t.Helper()
		token := b.Redeem(t, client, b.Browser(t).Code(client, "scope", "openid email")).Text("access_token")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Issuer+"/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		return exchanged(t, r)
	}
	response, body := ask("wiki")
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "application/jwt" || response.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", response.StatusCode, response.Header, body)
	}
	_, claims := verified(t, b, body, jose.ES256)
	if claims["iss"] != b.Issuer || claims["aud"] != "wiki" || claims["sub"] == "" || claims["email"] == nil || claims["nonce"] != nil || claims["exp"] != nil || len(claims) != 6 {
		t.Errorf("%v", claims)
	}
	// JW-05: it is no token of any kind here.
	if a := b.UserInfo(t, body); a.Status != 401 {
		t.Errorf("taken for an access token: %d", a.Status)
	}
	if page := b.Browser(t).Get(b.AuthorizeURL("wiki", "id_token_hint", body)); page.URL.Query().Get("error") != "invalid_request" {
		t.Errorf("taken for a hint: %s", page.URL)
	}
	if response, body := ask("shop"); response.Header.Get("Content-Type") != "application/json" || body[0] != '{' {
		t.Errorf("a client that has registered nothing: %v %s", response.Header, body)
	}
}

// OpenID Connect Core §5.3.2: who has registered encryption gets the answer encrypted,
// signed or not, and none in the clear while there is no key.
func TestEncryptedUserInfo(t *testing.T) {
	t.Parallel()
	set, key := encryptionKeys(t)
	sealed := func(more string) brokertest.Options {
		return pairwise(", userinfo_encrypted_response_alg: ECDH-ES+A256KW, userinfo_encrypted_response_enc: A128GCM, " + more)
	}
	b := brokertest.New(t, sealed("jwks: "+set))
	tokens := b.Redeem(t, "wiki", b.Browser(t).Code("wiki", "scope", "openid email"))
	ask := func() (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Issuer+"/userinfo", nil)
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+tokens.Text("access_token"))
		return exchanged(t, r)
	}
	for name, more := range map[string]string{"unsigned": "", "signed": "userinfo_signed_response_alg: ES256, "} {
		must(t, b.Reload(t, sealed(more+"jwks: "+set)))
		response, raw := ask()
		if response.StatusCode != 200 || response.Header.Get("Content-Type") != "application/jwt" || response.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %v %s", name, response.StatusCode, response.Header, raw)
		}
		jwe, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{jose.ECDH_ES_A256KW}, []jose.ContentEncryption{jose.A128GCM})
		must(t, err)
		content, err := jwe.Decrypt(key)
		must(t, err)
		var claims map[string]any
		if more != "" {
			_, claims = verified(t, b, string(content), jose.ES256)
		} else {
			must(t, json.Unmarshal(content, &claims))
		}
		if claims["sub"] != claimsOf(t, tokens.Text("id_token"))["sub"] || claims["aud"] != "wiki" || claims["email"] == nil {
			t.Errorf("%s: %v", name, claims)
		}
	}
	must(t, b.Reload(t, sealed("jwks_uri: 'https://127.0.0.1:1/jwks'")))
	if response, raw := ask(); response.StatusCode != 503 || !strings.Contains(raw, "temporarily_unavailable") || strings.Contains(raw, "email") {
		t.Errorf("without keys: %d %s", response.StatusCode, raw)
	}
}
