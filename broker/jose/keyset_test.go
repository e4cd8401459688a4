package jose_test

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"gatehouse/broker/jose"
)

func setOf(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }

func TestParseKeySetReadsEveryKind(t *testing.T) {
	t.Parallel()
	k := testKeys()
	set, err := jose.ParseKeySet(setOf(
		rsaJWK(nil, "AQAB", `,"kid":"r","use":"sig","alg":"RS256","x5c":["not looked at"],"x5t":"x","ext":true,"issuer":"https://login.example/{tenantid}/v2.0"`),
		jwkOf(&k.p256.PublicKey, `,"kid":"e","key_ops":["verify"]`),
		jwkOf(&k.p384.PublicKey, `,"kid":"e3","alg":"ES384"`),
		jwkOf(&k.p521.PublicKey, `,"kid":"e5"`),
		`{"kty":"OKP","crv":"Ed25519","kid":"d","alg":"EdDSA","x":"`+b64(k.ed.Public().(ed25519.PublicKey))+`"}`,
	))
	must(t, err)
	if len(set.All()) != 5 || len(set.Refused()) != 0 {
		t.Fatalf("%d keys, refused %v", len(set.All()), set.Refused())
	}
	for _, row := range []struct {
		kid    string
		public interface{ Equal(crypto.PublicKey) bool }
		algs   []jose.Algorithm
	}{
		{"r", &k.rsa.PublicKey, []jose.Algorithm{jose.RS256}},
		{"e", &k.p256.PublicKey, []jose.Algorithm{jose.ES256}},
		{"e3", &k.p384.PublicKey, []jose.Algorithm{jose.ES384}},
		{"e5", &k.p521.PublicKey, []jose.Algorithm{jose.ES512}},
		{"d", k.ed.Public().(ed25519.PublicKey), []jose.Algorithm{jose.EdDSA}},
	} {
		fits := 0
		for _, alg := range []jose.Algorithm{jose.RS256, jose.RS512, jose.PS256, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA, jose.HS256, "none", ""} {
			fits += len(set.Find(row.kid, alg))
		}
		for _, alg := range row.algs {
			found := set.Find(row.kid, alg)
			if len(found) != 1 || fits != len(row.algs) || !row.public.Equal(found[0].Public()) || found[0].ID != row.kid {
				t.Errorf("%s with %s: %d found, %d in all", row.kid, alg, len(found), fits)
			}
		}
	}
	if got := set.Find("r", jose.RS256)[0].Issuer; got != "https://login.example/{tenantid}/v2.0" {
		t.Errorf("issuer = %q", got)
	}
	if len(set.Find("", jose.ES256)) != 1 || len(set.Find("x", jose.ES256)) != 0 {
		t.Error("Find without a kid, and with an unknown one")
	}
	if _, err := set.Keys(t.Context(), "x", jose.ES256); !errors.Is(err, jose.ErrNoKey) {
		t.Errorf("Keys: %v", err)
	}
}

func TestParseKeySetLeavesOutWhatIsNotItsBusiness(t *testing.T) {
	t.Parallel()
	k := testKeys()
	good := jwkOf(&k.p256.PublicKey, `,"kid":"good"`)
	for name, row := range map[string]struct {
		key     string
		refused int
	}{
		"for encryption, of the same kid": {jwkOf(&k.p256.PublicKey, `,"kid":"good","use":"enc"`), 0},
		"for key agreement":               {jwkOf(&k.p256.PublicKey, `,"key_ops":["deriveBits"]`), 0},
		"an unknown kind":                 {`{"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA"}`, 0},
		"an unknown curve":                {`{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}`, 0},
		"an unknown OKP curve":            {`{"kty":"OKP","crv":"Ed448","x":"AA"}`, 0},
		"an encryption algorithm":         {rsaJWK(nil, "AQAB", `,"alg":"RSA-OAEP-256"`), 0},
		"a weak key":                      {rsaJWK(new(big.Int).Rsh(k.rsa.N, 1024), "AQAB", `,"kid":"weak"`), 1},
		"a malformed key":                 {`{"kty":"RSA","kid":"x","e":"AQAB"}`, 1},
		"a key without kty":               {`{"kid":"x"}`, 1},
		"a contradiction":                 {jwkOf(&k.p256.PublicKey, `,"alg":"RS256"`), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := jose.ParseKeySet(setOf(row.key, good))
			must(t, err)
			if all := set.All(); len(all) != 1 || all[0].ID != "good" || len(set.Refused()) != row.refused {
				t.Errorf("keys %v, refused %v", all, set.Refused())
			}
			for _, err := range set.Refused() {
				if !errors.Is(err, jose.ErrKey) {
					t.Errorf("refused for %v", err)
				}
			}
		})
	}
}

func TestParseKeySetRefusesTheWholeSet(t *testing.T) {
	t.Parallel()
	k := testKeys()
	good := jwkOf(&k.p256.PublicKey, `,"kid":"k1"`)
	another := jwkOf(otherP256(t), `,"kid":"k1"`)
	for name, row := range map[string]struct {
		data []byte
		want error
	}{
		"two keys of one kid (JW-04)":            {setOf(good, another), jose.ErrKey},
		"the same key twice (JW-04)":             {setOf(good, good), jose.ErrKey},
		"one kid on two curves (JW-04)":          {setOf(good, jwkOf(&k.p384.PublicKey, `,"kid":"k1"`)), jose.ErrKey},
		"a private key (JW-08)":                  {setOf(good, rsaJWK(nil, "AQAB", `,"d":"AQAB"`)), jose.ErrKey},
		"a private encryption key (JW-08)":       {setOf(good, rsaJWK(nil, "AQAB", `,"use":"enc","d":"AQAB"`)), jose.ErrKey},
		"a private key of unknown kind (JW-08)":  {setOf(good, `{"kty":"AKP","priv":"AAAA"}`), jose.ErrKey},
		"a symmetric key (JW-02)":                {setOf(good, `{"kty":"oct","kid":"s","k":"c2VjcmV0"}`), jose.ErrKey},
		"a key that is no object":                {setOf(good, `"k"`), jose.ErrMalformed},
		"a key that is null":                     {setOf(good, `null`), jose.ErrMalformed},
		"a member twice in a key":                {setOf(jwkOf(&k.p256.PublicKey, `,"kid":"a","kid":"b"`)), jose.ErrMalformed},
		"a member in another case":               {setOf(jwkOf(&k.p256.PublicKey, `,"Kid":"a"`)), jose.ErrMalformed},
		"keys twice":                             {[]byte(`{"keys":[],"keys":[` + good + `]}`), jose.ErrMalformed},
		"KEYS":                                   {[]byte(`{"KEYS":[` + good + `],"keys":[]}`), jose.ErrMalformed},
		"keys missing":                           {[]byte(`{}`), jose.ErrMalformed},
		"keys null":                              {[]byte(`{"keys":null}`), jose.ErrMalformed},
		"keys an object":                         {[]byte(`{"keys":{}}`), jose.ErrMalformed},
		"an array":                               {[]byte(`[` + good + `]`), jose.ErrMalformed},
		"HTML":                                   {[]byte(`<html>`), jose.ErrMalformed},
		"nothing":                                {nil, jose.ErrMalformed},
		"101 keys":                               {setOf(strings.Split(strings.Repeat(`{"kty":"x"},`, 100)+`{"kty":"x"}`, ",")...), jose.ErrMalformed},
		"more than 512 KiB":                      {append(setOf(good), make([]byte, 512<<10)...), jose.ErrMalformed},
		"more than 512 KiB that would be a set":  {append(setOf(good), []byte(strings.Repeat(" ", 512<<10))...), jose.ErrMalformed},
		"a key nested too deep in unknown parts": {setOf(`{"kty":"x","y":1,"z":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`), jose.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if set, err := jose.ParseKeySet(row.data); !errors.Is(err, row.want) || set != nil {
				t.Errorf("set = %v, %v", set, err)
			}
		})
	}
	if set, err := jose.ParseKeySet(setOf(strings.Split(strings.Repeat(`{"kty":"x"},`, 99)+`{"kty":"x"}`, ",")...)); err != nil || len(set.All()) != 0 {
		t.Errorf("100 keys: %v", err)
	}
	// RFC 7517 §4.5: keys of different kinds may share a kid, and the algorithm tells them apart.
	set, err := jose.ParseKeySet(setOf(good, rsaJWK(nil, "AQAB", `,"kid":"k1"`)))
	if err != nil || len(set.Find("k1", jose.ES256)) != 1 || len(set.Find("k1", jose.RS256)) != 1 {
		t.Errorf("one kid on two kinds: %v", err)
	}
}

func TestKeySetIsNotChangedThroughItsAnswers(t *testing.T) {
	t.Parallel()
	set := p256Set(t)
	set.All()[0] = jose.Key{}
	set.Find("k1", jose.ES256)[0] = jose.Key{}
	if found := set.Find("k1", jose.ES256); len(found) != 1 || found[0].ID != "k1" {
		t.Error("changed")
	}
}

func TestThumbprintIsThatOfTheRFCs(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ jwk, want string }{
		// RFC 7638 §3.1.
		"RSA": {`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		// RFC 8037 Appendix A.3.
		"Ed25519": {`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
		// RFC 9449 §4.1 and §6.1.
		"EC": {`{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}`, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
	} {
		key, err := jose.ParseKey([]byte(row.jwk))
		if err != nil || key.Thumbprint() != row.want {
			t.Errorf("%s: %q, %v", name, key.Thumbprint(), err)
		}
	}
	if _, err := jose.Thumbprint([]byte("secret")); !errors.Is(err, jose.ErrKey) {
		t.Errorf("a symmetric key: %v", err)
	}
}

func TestHalfHashIsThatOfOpenIDConnect(t *testing.T) {
	t.Parallel()
	// OIDC Core A.3 and A.4: the access token and code of the examples.
	if got, err := jose.HalfHash(jose.RS256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"); err != nil || got != "77QmUPtjPfzWtF2AnpK9RQ" {
		t.Errorf("at_hash = %q, %v", got, err)
	}
	if got, err := jose.HalfHash(jose.RS256, "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"); err != nil || got != "LDktKdoQak3Pk0cnXxCltA" {
		t.Errorf("c_hash = %q, %v", got, err)
	}
	for alg, hash := range map[jose.Algorithm]crypto.Hash{
		jose.PS256: crypto.SHA256, jose.ES256: crypto.SHA256, jose.HS256: crypto.SHA256, jose.ES384: crypto.SHA384, jose.RS384: crypto.SHA384,
		jose.ES512: crypto.SHA512, jose.RS512: crypto.SHA512, jose.EdDSA: crypto.SHA512,
	} {
		h := hash.New()
		fmt.Fprint(h, "value")
		if got, err := jose.HalfHash(alg, "value"); err != nil || got != b64(h.Sum(nil)[:hash.Size()/2]) {
			t.Errorf("%s: %q, %v", alg, got, err)
		}
	}
	for _, alg := range []jose.Algorithm{"none", "", "rs256"} {
		if got, err := jose.HalfHash(alg, "value"); !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("%q: %q, %v", alg, got, err)
		}
	}
}
