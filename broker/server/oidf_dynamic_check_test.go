package server_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"testing"

	"gatehouse/internal/jwttest"
)

// The checker of registrations is checked, like the others.
func TestOIDFCheckerOfRegistrations(t *testing.T) {
	t.Parallel()
	asked := map[string]any{"redirect_uris": []any{oidfCallback}, "default_max_age": 60, "token_endpoint_auth_method": "client_secret_basic"}
	good := map[string]any{"client_id": "c", "client_secret": oidfRandom(40), "client_secret_expires_at": 0, "client_id_issued_at": 1_800_000_000,
		"registration_client_uri": "https://op.example/register/c", "registration_access_token": oidfRandom(40)}
	maps.Copy(good, asked)
	check := func(name string, answer map[string]any, status int, failure, warning bool) {
		t.Helper()
		var f oidfFindings
		header := http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}}
		f.registration(oidfReply{status, header, oidfJSON(t, answer)}, 201, asked)
		oidfVerdict(t, name, &f, failure, warning)
	}
	check("as it should be", good, 201, false, false)
	check("another status", good, 200, true, false)
	check("a member of our own", oidfChanged(good, "motto", "x"), 201, false, true)
	for name := range good {
		check("without "+name, oidfChanged(good, name, nil), 201, true, false)
	}
	for name, value := range map[string]any{"client_id": 7, "client_secret": "short", "client_secret_expires_at": "0", "registration_client_uri": "http://op.example/",
		"registration_access_token": "x", "redirect_uris": []any{oidfCallback, oidfCallback}, "default_max_age": "60", "token_endpoint_auth_method": "private_key_jwt"} {
		check(name, oidfChanged(good, name, value), 201, true, false)
	}
	public := oidfChanged(oidfChanged(good, "client_secret", nil), "client_secret_expires_at", nil)
	asked["token_endpoint_auth_method"], public["token_endpoint_auth_method"] = "none", "none"
	check("a public client", public, 201, false, false)
	check("a public client with a secret", oidfChanged(public, "client_secret", oidfRandom(40)), 201, true, false)
}

// Every algorithm verifies what was signed with it, and nothing else.
func TestOIDFCheckerOfAlgorithms(t *testing.T) {
	t.Parallel()
	for alg, pair := range oidfKeys().signing {
		var f oidfFindings
		set, err := json.Marshal(oidfKeySet(t, pair))
		must(t, err)
		keys := f.jwks(set)
		raw := jwttest.Sign(t, pair.signer(), map[string]any{"sub": "s"})
		if claims := f.signed("it", raw, alg, keys); claims["sub"] != "s" {
			t.Errorf("%s: %v", alg, claims)
		}
		oidfVerdict(t, alg, &f, false, false)
		for other := range oidfKeys().signing {
			f = oidfFindings{}
			f.signed("it", raw, other, keys)
			oidfVerdict(t, alg+" for "+other, &f, other != alg, false)
		}
		f = oidfFindings{}
		forged := jwttest.Sign(t, pair.signer(), map[string]any{"sub": "t"})
		f.signed("it", raw[:len(raw)-10]+forged[len(forged)-10:], alg, keys)
		oidfVerdict(t, alg+" altered", &f, true, false)
	}
	for name, members := range map[string]map[string]any{
		"a short coordinate": {"kty": "EC", "crv": "P-384", "kid": "k", "x": "AA", "y": "AA"}, "another curve": {"kty": "OKP", "crv": "X25519", "kid": "k", "x": oidfKeys().signing["EdDSA"].jwk(t, "sig")["x"]},
		"a short point": {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "AA"},
	} {
		var f oidfFindings
		f.jwks(oidfJSON(t, map[string]any{"keys": []any{members}}))
		oidfVerdict(t, name, &f, true, false)
	}
}
