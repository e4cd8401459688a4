package jose_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker/jose"
)

// aJWE is what Encrypt makes of a content.
func aJWE(t testing.TB, content string) string {
	t.Helper()
	to, err := jose.NewRecipient(&testKeys().p256.PublicKey, "k1", jose.ECDHESA256KW)
	must(t, err)
	raw, err := to.Encrypt(jose.A128CBCHS256, []byte(content), jose.Envelope{Type: "JWT", ContentType: "JWT", Private: map[string]string{"ref": "r"}})
	must(t, err)
	return raw
}

// JW-09, JW-11: no entrance takes a JWE, whoever it is encrypted for and whatever is in it.
func TestJW11EncryptedTokensAreRefused(t *testing.T) {
	t.Parallel()
	signed := es256(t, goodClaims(nil))
	symmetric := idToken()
	symmetric.Algorithms = []jose.Algorithm{jose.HS256}
	dir := b64([]byte(`{"alg":"dir","enc":"A128GCM","zip":"DEF"}`)) + ".." + b64(make([]byte, 12)) + "." + b64([]byte("x")) + "." + b64(make([]byte, 16))
	for name, raw := range map[string]string{"a signed token": aJWE(t, signed), "claims": aJWE(t, goodClaims(nil)), "dir with zip": dir, "four dots": "...."} {
		if _, err := jose.Peek(raw, jose.Limits{}); !errors.Is(err, jose.ErrEncrypted) || !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("%s: peeked at: %v", name, err)
		}
		if _, err := jose.Verify(t.Context(), raw, p256Set(t), idToken()); !errors.Is(err, jose.ErrEncrypted) {
			t.Errorf("%s: verified: %v", name, err)
		}
		if _, err := jose.VerifyMAC(raw, make([]byte, 32), symmetric); !errors.Is(err, jose.ErrEncrypted) {
			t.Errorf("%s: verified as MAC: %v", name, err)
		}
		v := &jose.SignatureVerifier{Keys: p256Set(t), Algorithms: jose.Recommended(), Types: []string{"JWT"}}
		if _, err := v.VerifySignature(t.Context(), raw); !errors.Is(err, jose.ErrEncrypted) {
			t.Errorf("%s: signature verified: %v", name, err)
		}
	}
}

// An envelope is read in its one form; nothing is decided by what is in it.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	good := aJWE(t, "content")
	parts := strings.Split(good, ".")
	with := func(i int, part string) string {
		changed := slices.Clone(parts)
		changed[i] = part
		return strings.Join(changed, ".")
	}
	header := func(text string) string { return with(0, b64([]byte(text))) }
	const algs = `"alg":"ECDH-ES+A256KW","enc":"A128CBC-HS256"`
	for _, row := range []struct {
		name string
		raw  string
		want error
	}{
		{"one of ours", good, nil},
		{"no more than the algorithms", header(`{` + algs + `}`), nil},
		{"a JWS", es256(t, goodClaims(nil)), jose.ErrMalformed},
		{"six parts", good + ".AA", jose.ErrMalformed},
		{"nothing", "", jose.ErrMalformed},
		{"too long", good + strings.Repeat("A", jose.DefaultSize), jose.ErrMalformed},
		{"padding", good + "=", jose.ErrMalformed},
		{"a line break", with(3, parts[3][:4]+"\n"+parts[3][4:]), jose.ErrMalformed},
		{"one character too few", good[:len(good)-1], jose.ErrMalformed},
		{"one byte too many", with(4, b64(make([]byte, 17))), jose.ErrMalformed},
		{"another IV", with(2, b64(make([]byte, 12))), jose.ErrMalformed},
		{"no key", with(1, ""), jose.ErrMalformed},
		{"no content", with(3, ""), jose.ErrMalformed},
		{"a key where there is none", header(`{"alg":"ECDH-ES","enc":"A128CBC-HS256"}`), jose.ErrMalformed},
		{"the sizes of another enc", header(`{"alg":"ECDH-ES+A256KW","enc":"A256GCM"}`), jose.ErrMalformed},
		{"an alg that there is not", header(`{"alg":"RSA1_5","enc":"A128CBC-HS256"}`), jose.ErrAlgorithm},
		{"an enc that there is not", header(`{"alg":"ECDH-ES+A256KW","enc":"A256CBC-HS512"}`), jose.ErrAlgorithm},
		{"no alg", header(`{"enc":"A128CBC-HS256"}`), jose.ErrAlgorithm},
		{"an alg that is no text", header(`{"alg":["ECDH-ES+A256KW"],"enc":"A128CBC-HS256"}`), jose.ErrHeader},
		{"an enc that is no text", header(`{"alg":"ECDH-ES+A256KW","enc":1}`), jose.ErrHeader},
		{"zip", header(`{` + algs + `,"zip":"DEF"}`), jose.ErrHeader},
		{"crit", header(`{` + algs + `,"crit":["ref"],"ref":"r"}`), jose.ErrHeader},
		{"a key of the sender's", header(`{` + algs + `,"jwk":{}}`), jose.ErrHeader},
		{"a private member that is no text", header(`{` + algs + `,"ref":1}`), jose.ErrHeader},
		{"a typ that is no text", header(`{` + algs + `,"typ":1}`), jose.ErrHeader},
		{"a cty that is no text", header(`{` + algs + `,"cty":1}`), jose.ErrHeader},
		{"a member twice", header(`{` + algs + `,"ref":"r","ref":"s"}`), jose.ErrMalformed},
		{"a member in another case", header(`{` + algs + `,"TYP":"JWT"}`), jose.ErrMalformed},
		{"no object", header(`[]`), jose.ErrMalformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e, err := jose.ReadEnvelope(row.raw, jose.Limits{})
			if !errors.Is(err, row.want) {
				t.Errorf("%+v, %v", e, err)
			}
			if err != nil && (e.Type != "" || e.ContentType != "" || e.Private != nil) {
				t.Errorf("read all the same: %+v", e)
			}
		})
	}
}

// FuzzEnvelope: no text panics, one that is read has five parts, and none of them passes for a signed token.
func FuzzEnvelope(f *testing.F) {
	f.Add(aJWE(f, "content"))
	f.Add(es256(f, goodClaims(nil)))
	f.Add("....")
	f.Fuzz(func(t *testing.T, raw string) {
		if _, err := jose.ReadEnvelope(raw, jose.Limits{}); err != nil {
			return
		}
		if strings.Count(raw, ".") != 4 || len(raw) > jose.DefaultSize {
			t.Errorf("%q has an envelope", raw)
		}
		if _, err := jose.Peek(raw, jose.Limits{}); !errors.Is(err, jose.ErrEncrypted) {
			t.Errorf("%q: %v", raw, err)
		}
	})
}

// Claims under a seal of ours are held to the same law as signed ones.
func TestReadClaims(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, payload string
		change        func(*jose.Expectation)
		want          error
	}{
		{"good claims", goodClaims(nil), nil, nil},
		{"another issuer", goodClaims(claim("iss", "https://evil.example")), nil, jose.ErrClaim},
		{"expired", goodClaims(claim("exp", 1)), nil, jose.ErrExpired},
		{"no sub", goodClaims(claim("sub", nil)), nil, jose.ErrClaim},
		{"a claim twice", `{"sub":"a","sub":"b"}`, nil, jose.ErrMalformed},
		{"too long", goodClaims(claim("x", strings.Repeat("x", jose.DefaultSize))), nil, jose.ErrMalformed},
		{"no JSON", "x", nil, jose.ErrMalformed},
		{"an expectation with a gap", goodClaims(nil), func(e *jose.Expectation) { e.Issuer = "" }, jose.ErrExpectation},
	} {
		e := idToken()
		if row.change != nil {
			row.change(&e)
		}
		c, err := jose.ReadClaims([]byte(row.payload), e)
		if !errors.Is(err, row.want) || (c == nil) != (err != nil) || c != nil && c.Subject != "alice" {
			t.Errorf("%s: %+v, %v", row.name, c, err)
		}
	}
}
