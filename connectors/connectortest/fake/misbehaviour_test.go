package fake

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// idTokenOf signs in and returns the ID token and the key set as published then.
func idTokenOf(t *testing.T, f *OIDC, b *http.Client, nonce string) (token, keys string) {
	t.Helper()
	tokens := post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b, "acr_values", "urn:x:2", "nonce", nonce))).json(t)
	token, _ = tokens["id_token"].(string)
	return token, get(t, b, f.at("/jwks")).body
}

// acceptable is a client that checks everything of OIDC Core §3.1.3.7 which does
// not depend on the vendor, with strict spelling. What it accepts is no attack.
func acceptable(f *OIDC, c *clock, keys, token, nonce string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	for _, part := range parts {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return false
		}
	}
	claims, err := tryVerify(keys, token)
	if err != nil {
		return false
	}
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	members := 0
	dec := json.NewDecoder(strings.NewReader(string(payload)))
	for depth := 0; ; {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		if d, ok := tok.(json.Delim); ok {
			if d == '{' || d == '[' {
				depth++
			} else {
				depth--
			}
		}
		if depth == 1 {
			members++
		}
	}
	sub, _ := claims["sub"].(string)
	exp, _ := claims["exp"].(float64)
	iat, _ := claims["iat"].(float64)
	nbf, _ := claims["nbf"].(float64)
	now := float64(c.Now().Unix())
	azp, hasAZP := claims["azp"]
	return members > 0 && strings.Count(string(payload), `"sub":`) == 1 && claims["iss"] == f.URL() && claims["aud"] == clientID &&
		(!hasAZP || azp == clientID) && claims["nonce"] == nonce && sub != "" && len(sub) <= 255 &&
		exp > now && iat > 0 && iat <= now && nbf <= now
}

func TestUnacceptableIDTokensAreUnacceptable(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"ES256", "RS256"} {
		for _, m := range UnacceptableIDTokens() {
			t.Run(algorithm+" "+string(m), func(t *testing.T) {
				t.Parallel()
				c := newClock()
				f := newOIDC(t, c, func(o *Options) { o.OIDC.Algorithm = algorithm })
				b := browser(t)
				if token, keys := idTokenOf(t, f, b, "n-1"); !acceptable(f, c, keys, token, "n-1") {
					t.Fatal("the honest token is not acceptable")
				}
				f.MisbehaveOnce(m)
				if token, keys := idTokenOf(t, f, b, "n-2"); acceptable(f, c, keys, token, "n-2") {
					t.Errorf("still acceptable: %s", token)
				}
				if token, keys := idTokenOf(t, f, b, "n-3"); !acceptable(f, c, keys, token, "n-3") {
					t.Error("one time was not enough")
				}
			})
		}
	}
}

func TestSignatureMisbehavioursKeepTheSignatureTrueWhereTheAttackNeedsIt(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	f.MisbehaveOnce(NonCanonicalBase64)
	token, keys := idTokenOf(t, f, b, "n-1")
	if _, err := tryVerify(keys, token); err != nil {
		t.Errorf("a lenient reader refuses the signature: %v", err)
	}
	f.MisbehaveOnce(EmbeddedKey)
	token, _ = idTokenOf(t, f, b, "n-1")
	var header struct {
		JWK map[string]any `json:"jwk"`
		Kid string         `json:"kid"`
	}
	if err := json.Unmarshal(unb64(strings.Split(token, ".")[0]), &header); err != nil || header.JWK["kty"] != "EC" || header.Kid == "" {
		t.Fatalf("header %+v, %v", header, err)
	}
	set, err := json.Marshal(map[string]any{"keys": []any{merge(header.JWK, map[string]any{"kid": header.Kid})}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tryVerify(string(set), token); err != nil {
		t.Errorf("the embedded key does not verify the token: %v", err)
	}
}

func merge(a, b map[string]any) map[string]any {
	for name, value := range b {
		a[name] = value
	}
	return a
}

func TestEmailVerifiedOddities(t *testing.T) {
	t.Parallel()
	want := map[Misbehaviour]string{
		EmailVerifiedFalseText: `"false"`, EmailVerifiedTrueText: `"true"`, EmailVerifiedTrueSpace: `"true "`, EmailVerifiedZero: "0",
		EmailVerifiedOne: "1", EmailVerifiedNull: "null", EmailVerifiedArray: "[]", EmailVerifiedObject: "{}", EmailVerifiedMissing: "",
	}
	for _, m := range EmailVerifiedOddities() {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			f := newOIDC(t, newClock(), nil)
			f.Misbehave(m)
			token, _ := idTokenOf(t, f, browser(t), "n-1")
			var claims map[string]json.RawMessage
			if err := json.Unmarshal(unb64(strings.Split(token, ".")[1]), &claims); err != nil {
				t.Fatal(err)
			}
			if got := string(claims["email_verified"]); got != want[m] {
				t.Errorf("email_verified is %s", got)
			}
		})
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	b := browser(t)
	before, oldKeys := idTokenOf(t, f, b, "n-1")
	f.RotateKeys()
	after, keys := idTokenOf(t, f, b, "n-1")
	if _, err := tryVerify(oldKeys, after); err == nil {
		t.Error("the new token verifies with the old key set")
	}
	for _, token := range []string{before, after} {
		verify(t, keys, token)
	}
	f.RotateKeysUnpublished()
	hidden, keys := idTokenOf(t, f, b, "n-1")
	if _, err := tryVerify(keys, hidden); err == nil {
		t.Error("the key is published")
	}
	f.PublishKeys()
	verify(t, get(t, b, f.at("/jwks")).body, hidden)
}

func TestKeySetMisbehaviours(t *testing.T) {
	t.Parallel()
	rows := []struct {
		m     Misbehaviour
		check func(keys []any) bool
	}{
		{KeysEmpty, func(k []any) bool { return len(k) == 0 }},
		{KeysDuplicateKid, func(k []any) bool {
			return len(k) == 2 && k[0].(map[string]any)["kid"] == k[1].(map[string]any)["kid"] && k[0].(map[string]any)["x"] != k[1].(map[string]any)["x"]
		}},
		{KeysPrivateMembers, func(k []any) bool { return k[0].(map[string]any)["d"] != nil }},
		{KeysSymmetric, func(k []any) bool { return k[0].(map[string]any)["kty"] == "oct" }},
		{KeysForEncryption, func(k []any) bool { return k[0].(map[string]any)["use"] == "enc" }},
	}
	for _, row := range rows {
		t.Run(string(row.m), func(t *testing.T) {
			t.Parallel()
			f := newOIDC(t, newClock(), nil)
			b := browser(t)
			f.MisbehaveOnce(row.m)
			if keys := get(t, b, f.at("/jwks")).json(t)["keys"].([]any); !row.check(keys) {
				t.Errorf("got %v", keys)
			}
			if keys := get(t, b, f.at("/jwks")).json(t)["keys"].([]any); len(keys) != 1 || row.check(keys) {
				t.Errorf("afterwards %v", keys)
			}
		})
	}
}

func TestDiscoveryMisbehaviours(t *testing.T) {
	t.Parallel()
	rows := []struct {
		m      Misbehaviour
		member string
		want   string
	}{
		{DiscoveryWrongIssuer, "issuer", "https://idp.elsewhere.example"},
		{DiscoveryIssuerSlash, "issuer", "https://up.example/"},
		{DiscoveryNoIssuer, "issuer", ""},
		{DiscoveryInsecureKeys, "jwks_uri", "http://up.example/jwks"},
		{DiscoveryInsecureToken, "token_endpoint", "http://up.example/token"},
		{DiscoveryMovedKeys, "jwks_uri", "https://elsewhere.invalid/jwks"},
		{DiscoveryMovedToken, "token_endpoint", "https://elsewhere.invalid/token"},
		{DiscoveryMovedAll, "authorization_endpoint", "https://elsewhere.invalid/authorize"},
	}
	for _, row := range rows {
		t.Run(string(row.m), func(t *testing.T) {
			t.Parallel()
			o := options(newClock())
			o.OIDC.Algorithm = "ES256"
			f := NewOIDC(o)
			f.SetURL("https://up.example")
			f.MisbehaveOnce(row.m)
			if got, _ := fetch(t, f, "/.well-known/openid-configuration")[row.member].(string); got != row.want {
				t.Errorf("got %q", got)
			}
			if got, _ := fetch(t, f, "/.well-known/openid-configuration")[row.member].(string); got == row.want {
				t.Errorf("still %q", got)
			}
		})
	}
}

// fetch asks the handler without a network.
func fetch(t *testing.T, h http.Handler, target string) map[string]any {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestCallbackMisbehaviours(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), func(o *Options) { o.OIDC.ResponseIssuer = true })
	ask := f.at("/authorize?" + authRequest("openid").Encode())
	b := browser(t)
	f.MisbehaveOnce(ResponseWrongIssuer)
	if back := get(t, b, ask).location(t); back.Get("iss") == f.URL() {
		t.Error("right iss")
	}
	f.MisbehaveOnce(ResponseMissingIssuer)
	if back := get(t, b, ask).location(t); back.Has("iss") {
		t.Error("iss present")
	}
	f.MisbehaveOnce(ResponseTwoIssuers)
	if back := get(t, b, ask).location(t); len(back["iss"]) != 2 {
		t.Errorf("iss %v", back["iss"])
	}
	f.MisbehaveOnce(ResponseWrongState)
	if back := get(t, b, ask).location(t); back.Get("state") == "st-1" {
		t.Error("right state")
	}
	f.MisbehaveOnce(ResponseMissingState)
	if back := get(t, b, ask).location(t); back.Has("state") {
		t.Error("state present")
	}
	f.MisbehaveOnce(ResponseErrorAndCode)
	if back := get(t, b, ask).location(t); !back.Has("error") || !back.Has("code") {
		t.Errorf("got %v", back)
	}
	f.MisbehaveOnce(ResponseHostileError)
	if back := get(t, b, ask).location(t); back.Has("code") || len(back.Get("error_description")) < 100<<10 {
		t.Error("not hostile enough")
	}
	if back := get(t, b, ask).location(t); back.Has("error") || back.Get("iss") != f.URL() {
		t.Errorf("afterwards %v", back)
	}
}

func TestStaleAuthTimeAndWeakerACR(t *testing.T) {
	t.Parallel()
	c := newClock()
	f := newOIDC(t, c, nil)
	f.Misbehave(StaleAuthTime, WeakerACR)
	token, keys := idTokenOf(t, f, browser(t), "n-1")
	claims := verify(t, keys, token)
	if claims["auth_time"] != float64(c.Now().Add(-24*time.Hour).Unix()) || claims["acr"] != "0" {
		t.Errorf("claims %v", claims)
	}
}
