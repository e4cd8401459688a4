package server_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The checker is checked: what is right passes without a word, and each thing that
// is wrong is noticed. Otherwise the plans would prove nothing.

// oidfVerdict compares what a check found with what it should have.
func oidfVerdict(t *testing.T, name string, f *oidfFindings, failure, warning bool) {
	t.Helper()
	if (len(f.failures) > 0) != failure || (len(f.warnings) > 0) != warning {
		t.Errorf("%s: failures %v, warnings %v", name, f.failures, f.warnings)
	}
}

// oidfSigner makes ID tokens and the key set they verify with.
type oidfSigner struct {
	key *ecdsa.PrivateKey
	jwk map[string]any
}

func newOIDFSigner(t *testing.T) oidfSigner {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return oidfSigner{key, map[string]any{"kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256", "use": "sig", "x": encode(point[1:33]), "y": encode(point[33:])}}
}

func (s oidfSigner) sign(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(oidfJSON(t, header)) + "." + encode(oidfJSON(t, claims))
	sum := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...))
}

func oidfJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// oidfChanged is a copy with one member set; nil takes it away.
func oidfChanged(m map[string]any, name string, value any) map[string]any {
	out := maps.Clone(m)
	out[name] = value
	if value == nil {
		delete(out, name)
	}
	return out
}

func TestOIDFCheckerOfIDTokens(t *testing.T) {
	t.Parallel()
	signer := newOIDFSigner(t)
	now := time.Unix(1_800_000_000, 0)
	keys := map[string]oidfKey{"k1": {crypto.PublicKey(&signer.key.PublicKey), "ES256"}}
	want := oidfExpected{issuer: "https://op.example", clientID: "rp", alg: "ES256", nonce: "n", accessToken: "a", code: "c", scopes: []string{"openid", "email"}, now: now}
	header := map[string]any{"alg": "ES256", "kid": "k1", "typ": "JWT"}
	claims := map[string]any{"iss": "https://op.example", "sub": "s", "aud": "rp", "exp": now.Unix() + 60, "iat": now.Unix(), "auth_time": now.Unix() - 5,
		"nonce": "n", "acr": "1", "amr": []string{"pwd"}, "at_hash": oidfHalfHash("ES256", "a"), "email": "a@b.example", "email_verified": true}
	check := func(name string, header, claims map[string]any, failure, warning bool) {
		t.Helper()
		var f oidfFindings
		f.idToken(signer.sign(t, header, claims), keys, want)
		oidfVerdict(t, name, &f, failure, warning)
	}
	check("as it should be", header, claims, false, false)
	check("an audience of several with azp", header, oidfChanged(oidfChanged(claims, "aud", []string{"x", "rp"}), "azp", "rp"), false, false)
	for _, wrong := range []struct {
		claim string
		value any
	}{
		{"iss", "https://op.example/"}, {"iss", nil}, {"aud", "rp2"}, {"aud", nil}, {"aud", []string{"x", "rp"}}, {"aud", []string{}}, {"azp", "x"},
		{"exp", nil}, {"exp", now.Unix()}, {"exp", "1900000000"}, {"exp", float64(now.Unix()) + 60.5}, {"exp", now.Unix() + 60*365*86400},
		{"iat", nil}, {"iat", now.Unix() - 301}, {"iat", now.Unix() + 301}, {"nbf", now.Unix() + 301},
		{"auth_time", now.Unix() + 1}, {"auth_time", now.Unix() - 366*86400}, {"auth_time", "yesterday"},
		{"nonce", nil}, {"nonce", "N"}, {"nonce", ""}, {"sub", nil}, {"sub", ""}, {"sub", strings.Repeat("s", 256)}, {"sub", "ü"}, {"sub", 7},
		{"acr", ""}, {"acr", 1}, {"sid", ""}, {"amr", "pwd"}, {"amr", []string{}}, {"at_hash", "x"}, {"c_hash", "x"},
		{"email", ""}, {"email", "null"}, {"email_verified", "true"},
	} {
		check(wrong.claim, header, oidfChanged(claims, wrong.claim, wrong.value), true, false)
	}
	check("a claim of our own", header, oidfChanged(claims, "grant_id", "g"), false, true)
	check("a claim of another scope", header, oidfChanged(claims, "name", "Ada"), false, true)
	for name, value := range map[string]any{"alg": "RS256", "kid": "k2", "jwk": signer.jwk, "crit": []string{"x"}} {
		check("header "+name, oidfChanged(header, name, value), claims, true, false)
	}
	good := signer.sign(t, header, claims)
	for name, raw := range map[string]string{
		"another signature": newOIDFSigner(t).sign(t, header, claims), "no signature": good[:strings.LastIndex(good, ".")+1], "two parts": good[:strings.LastIndex(good, ".")],
	} {
		var f oidfFindings
		f.idToken(raw, keys, want)
		oidfVerdict(t, name, &f, true, false)
	}
	var f oidfFindings
	want.nonce = ""
	f.idToken(good, keys, want)
	oidfVerdict(t, "a nonce nobody sent", &f, true, false)
}

func TestOIDFCheckerOfKeySets(t *testing.T) {
	t.Parallel()
	jwk := newOIDFSigner(t).jwk
	check := func(name string, failure, warning bool, keys ...map[string]any) {
		t.Helper()
		var f oidfFindings
		f.jwks(oidfJSON(t, map[string]any{"keys": keys}))
		oidfVerdict(t, name, &f, failure, warning)
	}
	check("as it should be", false, false, jwk, oidfChanged(jwk, "kid", "k2"))
	check("two of one kid", true, false, jwk, jwk)
	check("no keys", true, false)
	for name, value := range map[string]any{"kid": nil, "d": "AA", "k": "AA", "use": "enc", "x": "AA", "kty": "oct", "crv": "P-384"} {
		check(name, true, false, oidfChanged(jwk, name, value))
	}
	check("an algorithm nobody knows", false, true, oidfChanged(jwk, "alg", "ROT13"))
	modulus := base64.RawURLEncoding.EncodeToString(append([]byte{0xc0}, make([]byte, 255)...))
	key := map[string]any{"kty": "RSA", "kid": "r", "n": modulus, "e": "AQAB"}
	check("an RSA key", false, false, key)
	check("a short RSA key", true, false, oidfChanged(key, "n", modulus[:171]))
	check("padded base64", true, false, oidfChanged(key, "n", modulus+"=="))
}

func TestOIDFCheckerOfMetadata(t *testing.T) {
	t.Parallel()
	const issuer = "https://op.example"
	document := map[string]any{"issuer": issuer, "authorization_endpoint": issuer + "/a", "token_endpoint": issuer + "/t", "userinfo_endpoint": issuer + "/u",
		"jwks_uri": issuer + "/j", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "scopes_supported": []string{"openid"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "grant_types_supported": []string{"authorization_code"}, "claims_supported": []string{"sub"},
		"code_challenge_methods_supported": []string{"S256"}, "authorization_response_iss_parameter_supported": true}
	check := func(name string, d map[string]any, failure, warning bool) {
		t.Helper()
		var f oidfFindings
		f.metadata(oidfJSON(t, d), issuer+"/.well-known/openid-configuration")
		oidfVerdict(t, name, &f, failure, warning)
	}
	check("as it should be", document, false, false)
	for name := range document {
		check("without "+name, oidfChanged(document, name, nil), true, false)
	}
	for name, value := range map[string]any{
		"issuer": issuer + "/x", "token_endpoint": "http://op.example/t", "end_session_endpoint": "http://op.example/e", "jwks_uri": "/j",
		"acr_values_supported": []string{}, "response_modes_supported": "query", "claims_supported": []string{"sub", "sub"}, "request_parameter_supported": "false",
		"scopes_supported": []string{"openid", "two words"}, "ui_locales_supported": []string{"english"}, "id_token_signing_alg_values_supported": []string{"ES256"},
	} {
		check(name, oidfChanged(document, name, value), true, false)
	}
	check("a member of our own", oidfChanged(document, "motto", "x"), false, true)
	check("request objects without RS256", oidfChanged(document, "request_object_signing_alg_values_supported", []string{"ES256"}), false, true)
}

func TestOIDFCheckerOfAnswers(t *testing.T) {
	t.Parallel()
	good := url.Values{"error": {"login_required"}, "error_description": {"sign in"}, "state": {"s t"}, "iss": {"https://op.example"}}
	refusal := func(name string, failure, warning bool, pairs ...string) {
		t.Helper()
		q := maps.Clone(good)
		for i := 0; i+1 < len(pairs); i += 2 {
			q[pairs[i]] = []string{pairs[i+1]}
			if name == "twice" {
				q[pairs[i]] = []string{pairs[i+1], pairs[i+1]}
			}
		}
		var f oidfFindings
		f.refusal(q, "s t", "https://op.example", "login_required", "consent_required")
		oidfVerdict(t, name, &f, failure, warning)
	}
	refusal("as it should be", false, false)
	refusal("twice", true, false, "state", "s t")
	for _, wrong := range [][2]string{{"error", "server_error"}, {"state", "s+t"}, {"iss", ""}, {"iss", "https://other.example"}, {"error_description", `a "b"`}, {"error_uri", "not a URI"}} {
		refusal(wrong[0], true, false, wrong[0], wrong[1])
	}
	refusal("a line break", true, true, "error_description", "a\nb")
	refusal("a code", true, true, "code", "c")
	refusal("something else", false, true, "hint", "c")
	for value, failure := range map[string]bool{strings.Repeat("a", 200): true, "abcdefghijklmno": true, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ": false} {
		var f oidfFindings
		f.entropy("it", value, 96)
		oidfVerdict(t, value, &f, failure, false)
	}
	for raw, failure := range map[string]bool{`{"a":1}`: false, `{"a":1,"a":2}`: true, `{"b":[{"a":1,"a":2}]}`: true, `[]`: true, `{} {}`: true, ``: true} {
		var f oidfFindings
		f.object(raw, []byte(raw))
		oidfVerdict(t, raw, &f, failure, false)
	}
	for header, failure := range map[string]bool{"no-store": false, "private, no-store": false, "no-cache": true, "": true} {
		var f oidfFindings
		f.uncached(oidfReply{header: http.Header{"Cache-Control": {header}}})
		oidfVerdict(t, header, &f, failure, false)
	}
}
