package jose_test

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"

	"gatehouse/broker/jose"
)

func TestJW09EncryptedTokensAreRefusedBeforeAnyCryptography(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	w, err := flate.NewWriter(&bomb, flate.BestCompression)
	must(t, err)
	_, err = w.Write(make([]byte, 1<<20))
	must(t, err)
	must(t, w.Close())
	asked := jose.KeySourceFunc(nil) // being asked would panic
	for name, raw := range map[string]string{
		"PBES2 with 2^31 rounds": b64([]byte(`{"alg":"PBES2-HS256+A128KW","p2c":2147483648,"p2s":"c2FsdA","enc":"A128GCM"}`)) + ".a2V5.aXY.Y3Q.dGFn",
		"empty encrypted key":    b64([]byte(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM"}`)) + "..aXY.Y3Q.dGFn",
		"a zip bomb":             b64([]byte(`{"alg":"dir","enc":"A128GCM","zip":"DEF"}`)) + "..aXY." + b64(bomb.Bytes()) + ".dGFn",
		"a JWE in three parts":   compact(`{"alg":"dir","enc":"A128GCM"}`, goodClaims(nil), func([]byte) []byte { return []byte("tag") }),
		"a zip bomb as a JWS": compact(`{"alg":"ES256","zip":"DEF"}`, bomb.String(), func([]byte) []byte {
			return make([]byte, 64)
		}),
	} {
		_, err := jose.Verify(t.Context(), raw, asked, idToken())
		if !errors.Is(err, jose.ErrMalformed) && !errors.Is(err, jose.ErrHeader) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJW10SizeIsCheckedBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	nothing := func([]byte) []byte { return []byte{1} }
	deep := func(open, close string, n int) string {
		return `{"a":` + strings.Repeat(open, n) + "1" + strings.Repeat(close, n) + `}`
	}
	const es = `{"alg":"ES256"}`
	for name, raw := range map[string]string{
		"1 MiB of dots":                 strings.Repeat(".", 1<<20),
		"dots below the limit":          strings.Repeat(".", 1<<15),
		"a byte too many":               "e30." + strings.Repeat("A", jose.DefaultSize-4) + ".",
		"a header of 100 KiB":           compact(`{"alg":"ES256","x":"`+strings.Repeat("x", 100<<10)+`"}`, "{}", nothing),
		"a header of 17 KiB":            compact(`{"alg":"ES256","x":"`+strings.Repeat("x", 17<<10)+`"}`, "{}", nothing),
		"arrays 10 000 deep":            compact(es, deep("[", "]", 10_000), nothing),
		"objects 33 deep":               compact(es, deep(`{"a":`, "}", 32), nothing),
		"arrays never closed":           compact(es, `{"a":`+strings.Repeat("[", 20_000), nothing),
		"a header 33 deep":              compact(`{"alg":"ES256","x":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)+`}`, "{}", nothing),
		"two parts":                     "e30.e30",
		"four parts":                    "e30.e30.e30.e30",
		"no header":                     ".e30.AA",
		"no payload":                    b64([]byte(es)) + "..AA",
		"nothing":                       "",
		"the JSON serialization":        `{"payload":"e30","protected":"e30","signature":"AA"}`,
		"a payload that is an array":    compact(es, `[{}]`, nothing),
		"a payload that is a string":    compact(es, `"{}"`, nothing),
		"a payload that is null":        compact(es, `null`, nothing),
		"a header that is an array":     compact(`["ES256"]`, `{}`, nothing),
		"a payload with a BOM":          compact(es, "\ufeff{}", nothing),
		"a payload with a second value": compact(es, `{}{}`, nothing),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := jose.Peek(raw, jose.Limits{}); !errors.Is(err, jose.ErrMalformed) {
				t.Errorf("error = %v", err)
			}
		})
	}
	if _, err := jose.Peek(compact(es, deep("[", "]", 31), nothing), jose.Limits{}); err != nil {
		t.Errorf("32 levels: %v", err)
	}
	good := es256(t, goodClaims(nil))
	if _, err := jose.Peek(good, jose.Limits{Size: len(good)}); err != nil {
		t.Errorf("a limit that fits: %v", err)
	}
	if _, err := jose.Peek(good, jose.Limits{Size: len(good) - 1}); !errors.Is(err, jose.ErrMalformed) {
		t.Errorf("a byte over the given limit: %v", err)
	}
}

func TestJW10ManyMembersCostLittle(t *testing.T) {
	t.Parallel()
	var claims strings.Builder
	claims.WriteString(`{"n0":0`)
	for i := 1; claims.Len() < 40_000; i++ {
		claims.WriteString(`,"n` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + b64(big.NewInt(int64(i)).Bytes()) + `":0`)
	}
	object := claims.String()
	if _, err := jose.StrictObject([]byte(object + `}`)); err != nil {
		t.Fatal(err)
	}
	// Behind the point where comparing each with each ends, repetitions are still seen.
	if _, err := jose.StrictObject([]byte(object + `,"n0":1}`)); !errors.Is(err, jose.ErrMalformed) {
		t.Errorf("the first again at the end: %v", err)
	}
}

func TestJWSPartsHaveOneSpelling(t *testing.T) {
	t.Parallel()
	good := es256(t, goodClaims(nil))
	parts := strings.Split(good, ".")
	join := func(i int, part string) string {
		p := append([]string(nil), parts...)
		p[i] = part
		return strings.Join(p, ".")
	}
	for i, name := range []string{"header", "payload", "signature"} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		must(t, err)
		rows := map[string]string{
			"padded":                 join(i, base64.URLEncoding.EncodeToString(raw)+"="),
			"line break within":      join(i, parts[i][:5]+"\n"+parts[i][5:]),
			"carriage return at end": join(i, parts[i]+"\r"),
			"space in front":         join(i, " "+parts[i]),
			"the other alphabet":     join(i, parts[i]+"++//"),
			"a lone last character":  join(i, parts[i]+strings.Repeat("A", (5-len(parts[i])%4)%4)),
		}
		if odd, ok := withTrailingBits(parts[i]); ok {
			rows["stray trailing bits"] = join(i, odd)
		}
		for spelling, raw := range rows {
			if _, err := jose.Peek(raw, jose.Limits{}); !errors.Is(err, jose.ErrMalformed) {
				t.Errorf("%s, %s: %v", name, spelling, err)
			}
		}
	}
	if odd, ok := withTrailingBits(parts[2]); !ok { // 64 bytes always leave four bits
		t.Errorf("no spelling with trailing bits: %q", odd)
	}
}

// withTrailingBits sets a bit that no byte uses; a lenient decoder does not see the difference.
func withTrailingBits(s string) (string, bool) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(s)%4 < 2 {
		return s, false
	}
	return s[:len(s)-1] + string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])|1]), true
}

func TestJW13SignatureForms(t *testing.T) {
	t.Parallel()
	k := testKeys().p256
	sum := func(input []byte) []byte { return digest(jose.ES256, input) }
	n := k.Params().N
	sign := func(change func(r, s *big.Int) []byte) func([]byte) []byte {
		return func(input []byte) []byte {
			raw := signer(t, jose.ES256, k)(input)
			return change(new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:]))
		}
	}
	for name, form := range map[string]func([]byte) []byte{
		"r and s zero":         func([]byte) []byte { return make([]byte, 64) },
		"r and s the order":    func([]byte) []byte { return rawSignature(k, n, n) },
		"r zero":               sign(func(_, s *big.Int) []byte { return rawSignature(k, new(big.Int), s) }),
		"s zero":               sign(func(r, _ *big.Int) []byte { return rawSignature(k, r, new(big.Int)) }),
		"s one too many":       sign(func(r, s *big.Int) []byte { return rawSignature(k, r, s.Add(s, big.NewInt(1))) }),
		"a byte less":          sign(func(r, s *big.Int) []byte { return rawSignature(k, r, s)[:63] }),
		"a byte more":          sign(func(r, s *big.Int) []byte { return append(rawSignature(k, r, s), 0) }),
		"a byte more in front": sign(func(r, s *big.Int) []byte { return append([]byte{0}, rawSignature(k, r, s)...) }),
		"halves of 33 bytes": sign(func(r, s *big.Int) []byte {
			return append(r.FillBytes(make([]byte, 33)), s.FillBytes(make([]byte, 33))...)
		}),
		"DER": func(input []byte) []byte {
			der, err := ecdsa.SignASN1(nil, k, sum(input))
			must(t, err)
			return der
		},
		"empty":                   func([]byte) []byte { return nil },
		"of the payload alone":    func(input []byte) []byte { return signer(t, jose.ES256, k)(input[bytes.IndexByte(input, '.')+1:]) },
		"with the hash of ES384":  func(input []byte) []byte { return signer(t, jose.ES384, k)(input) },
		"by another key of P-384": signer(t, jose.ES384, testKeys().p384),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := compact(`{"alg":"ES256","kid":"k1"}`, goodClaims(nil), form)
			if _, err := jose.Verify(t.Context(), raw, p256Set(t), idToken()); !errors.Is(err, jose.ErrSignature) {
				t.Errorf("error = %v", err)
			}
		})
	}
	t.Run("no key is asked for on behalf of a wrong length", func(t *testing.T) {
		t.Parallel()
		for alg, sizes := range map[jose.Algorithm][]int{jose.ES256: {0, 63, 65, 96}, jose.ES512: {64, 131}, jose.EdDSA: {63}, jose.RS256: {0}} {
			for _, size := range sizes {
				raw := compact(`{"alg":"`+string(alg)+`"}`, goodClaims(nil), func([]byte) []byte { return make([]byte, size) })
				e := idToken()
				e.Algorithms = append(e.Algorithms, jose.ES512)
				if _, err := jose.Verify(t.Context(), raw, jose.KeySourceFunc(nil), e); !errors.Is(err, jose.ErrSignature) {
					t.Errorf("%s of %d bytes: %v", alg, size, err)
				}
			}
		}
	})
	t.Run("a high s is as good as a low one (RFC 7518 does not choose)", func(t *testing.T) {
		t.Parallel()
		raw := compact(`{"alg":"ES256","kid":"k1"}`, goodClaims(nil), sign(func(r, s *big.Int) []byte { return rawSignature(k, r, s.Sub(n, s)) }))
		if _, err := jose.Verify(t.Context(), raw, p256Set(t), idToken()); err != nil {
			t.Error(err)
		}
	})
}

func TestEveryFlippedBitBreaksTheToken(t *testing.T) {
	t.Parallel()
	good := es256(t, goodClaims(nil))
	set := p256Set(t)
	for i := range len(good) {
		flipped := []byte(good)
		flipped[i] ^= 1
		if tok, err := jose.Verify(t.Context(), string(flipped), set, idToken()); err == nil {
			t.Fatalf("byte %d: accepted as %+v", i, tok.Claims)
		}
	}
}
