package jose_test

import (
	"context"
	"crypto"
	"errors"
	"testing"

	"gatehouse/broker/jose"
)

func TestVerifyAcceptsEveryAlgorithmWithItsKey(t *testing.T) {
	t.Parallel()
	k := testKeys()
	for _, row := range []struct {
		alg     jose.Algorithm
		private any
		public  crypto.PublicKey
	}{
		{jose.RS256, k.rsa, &k.rsa.PublicKey}, {jose.RS384, k.rsa, &k.rsa.PublicKey}, {jose.RS512, k.rsa, &k.rsa.PublicKey},
		{jose.PS256, k.rsa, &k.rsa.PublicKey}, {jose.PS384, k.rsa, &k.rsa.PublicKey}, {jose.PS512, k.rsa, &k.rsa.PublicKey},
		{jose.ES256, k.p256, &k.p256.PublicKey}, {jose.ES384, k.p384, &k.p384.PublicKey}, {jose.ES512, k.p521, &k.p521.PublicKey},
		{jose.EdDSA, k.ed, k.ed.Public()},
	} {
		t.Run(string(row.alg), func(t *testing.T) {
			t.Parallel()
			raw := compact(`{"alg":"`+string(row.alg)+`","kid":"k1"}`, goodClaims(nil), signer(t, row.alg, row.private))
			e := idToken()
			e.Algorithms = []jose.Algorithm{row.alg}
			tok, err := jose.Verify(t.Context(), raw, mustSet(t, mustKey(t, row.public, "k1")), e)
			must(t, err)
			if tok.Claims.Subject != "alice" || tok.Header.Algorithm != row.alg || tok.Key.ID != "k1" || string(tok.Payload) != goodClaims(nil) {
				t.Errorf("token = %+v", tok)
			}
			if e.Algorithms = []jose.Algorithm{otherThan(row.alg)}; true {
				if _, err := jose.Verify(t.Context(), raw, mustSet(t, mustKey(t, row.public, "k1")), e); !errors.Is(err, jose.ErrAlgorithm) {
					t.Errorf("off the allow-list: %v", err)
				}
			}
		})
	}
}

func otherThan(a jose.Algorithm) jose.Algorithm {
	if a == jose.RS256 {
		return jose.PS256
	}
	return jose.RS256
}

func TestVerifyRefusesIncompleteExpectation(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*jose.Expectation){
		"no algorithms":                  func(e *jose.Expectation) { e.Algorithms = nil },
		"an algorithm that is not known": func(e *jose.Expectation) { e.Algorithms = []jose.Algorithm{jose.ES256, "none"} },
		"a symmetric algorithm":          func(e *jose.Expectation) { e.Algorithms = []jose.Algorithm{jose.ES256, jose.HS256} },
		"no types":                       func(e *jose.Expectation) { e.Types = nil },
		"no issuer":                      func(e *jose.Expectation) { e.Issuer = "" },
		"issuer and any issuer":          func(e *jose.Expectation) { e.AnyIssuer = true },
		"no audience":                    func(e *jose.Expectation) { e.Audience = "" },
		"audience and any audience":      func(e *jose.Expectation) { e.AnyAudience = true },
		"any audience and others": func(e *jose.Expectation) {
			e.Audience, e.AnyAudience, e.OtherAudiences = "", true, []string{"x"}
		},
		"any audience but a single one": func(e *jose.Expectation) { e.Audience, e.AnyAudience, e.SingleAudience = "", true, true },
		"no time":                       func(e *jose.Expectation) { e.Now = e.Now.AddDate(-2025, -2, 0).Add(-12 * 3600e9) },
		"negative skew":                 func(e *jose.Expectation) { e.Skew = -1 },
		"negative age":                  func(e *jose.Expectation) { e.MaxAge = -1 },
		"negative lifetime":             func(e *jose.Expectation) { e.MaxLifetime = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := idToken()
			change(&e)
			if _, err := jose.Verify(t.Context(), es256(t, goodClaims(nil)), p256Set(t), e); !errors.Is(err, jose.ErrExpectation) {
				t.Errorf("error = %v", err)
			}
		})
	}
	if _, err := jose.Verify(t.Context(), es256(t, goodClaims(nil)), nil, idToken()); !errors.Is(err, jose.ErrExpectation) {
		t.Errorf("no key source: %v", err)
	}
}

func TestVerifyPassesTheSourcesErrorOn(t *testing.T) {
	t.Parallel()
	down := errors.New("upstream is down")
	source := jose.KeySourceFunc(func(_ context.Context, kid string, alg jose.Algorithm) ([]jose.Key, error) {
		if kid != "k1" || alg != jose.ES256 {
			t.Errorf("asked for %q %q", kid, alg)
		}
		return nil, down
	})
	if _, err := jose.Verify(t.Context(), es256(t, goodClaims(nil)), source, idToken()); !errors.Is(err, down) {
		t.Errorf("error = %v", err)
	}
}

func TestVerifySignatureReturnsThePayload(t *testing.T) {
	t.Parallel()
	v := &jose.SignatureVerifier{Keys: p256Set(t), Algorithms: jose.Recommended(), Types: []string{"JWT"}}
	const foreign = `{"iss":"https://elsewhere.example","aud":"another"}` // the claims are for the caller to check
	payload, err := v.VerifySignature(t.Context(), es256(t, foreign))
	if err != nil || string(payload) != foreign {
		t.Errorf("payload = %q, %v", payload, err)
	}
	for name, row := range map[string]struct {
		raw  string
		want error
	}{
		"another key":             {compact(`{"alg":"EdDSA","kid":"k1","typ":"JWT"}`, foreign, signer(t, jose.EdDSA, testKeys().ed)), jose.ErrNoKey},
		"another type":            {compact(`{"alg":"ES256","kid":"k1"}`, foreign, signer(t, jose.ES256, testKeys().p256)), jose.ErrType},
		"a signature that is not": {compact(`{"alg":"ES256","kid":"k1","typ":"JWT"}`, foreign, func([]byte) []byte { return make([]byte, 64) }), jose.ErrSignature},
	} {
		if payload, err := v.VerifySignature(t.Context(), row.raw); !errors.Is(err, row.want) || payload != nil {
			t.Errorf("%s: %q, %v", name, payload, err)
		}
	}
}

func TestVerifyMACIsAnEntranceOfItsOwn(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789abcdef")
	raw := compact(`{"alg":"HS256"}`, goodClaims(nil), signer(t, jose.HS256, secret))
	e := idToken()
	e.Algorithms = []jose.Algorithm{jose.HS256}
	tok, err := jose.VerifyMAC(raw, secret, e)
	if err != nil || tok.Claims.Subject != "alice" {
		t.Fatalf("token = %v, %v", tok, err)
	}
	other := append([]byte(nil), secret...)
	other[0] ^= 1
	if _, err := jose.VerifyMAC(raw, other, e); !errors.Is(err, jose.ErrSignature) {
		t.Errorf("another secret: %v", err)
	}
	if _, err := jose.VerifyMAC(raw, secret[:31], e); !errors.Is(err, jose.ErrKey) {
		t.Errorf("a short secret: %v", err)
	}
	if _, err := jose.VerifyMAC(raw, nil, e); !errors.Is(err, jose.ErrKey) {
		t.Errorf("no secret: %v", err)
	}
	late := e
	late.Now = late.Now.AddDate(1, 0, 0)
	if _, err := jose.VerifyMAC(raw, secret, late); !errors.Is(err, jose.ErrExpired) {
		t.Errorf("claims are not checked: %v", err)
	}
	if _, err := jose.VerifyMAC(es256(t, goodClaims(nil)), secret, idToken()); !errors.Is(err, jose.ErrExpectation) {
		t.Errorf("an asymmetric allow-list: %v", err)
	}
	e.Issuer = ""
	if _, err := jose.VerifyMAC(raw, secret, e); !errors.Is(err, jose.ErrExpectation) {
		t.Errorf("an incomplete expectation: %v", err)
	}
}
