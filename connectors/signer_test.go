package connectors

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func block(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(key any) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return block("PRIVATE KEY", der, err)
}

func sec1(key *ecdsa.PrivateKey) string {
	der, err := x509.MarshalECPrivateKey(key)
	return block("EC PRIVATE KEY", der, err)
}

func curve(t testing.TB, c elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func modulus(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSignerSignsWithTheKeysAlgorithm(t *testing.T) {
	t.Parallel()
	big := modulus(t, 2048)
	p256, p384, p521 := curve(t, elliptic.P256()), curve(t, elliptic.P384()), curve(t, elliptic.P521())
	public, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, pem, asked, alg string
		public                crypto.PublicKey
	}{
		{"RSA in PKCS #8", pkcs8(big), "", "RS256", big.Public()},
		{"RSA in PKCS #1", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(big), nil), "", "RS256", big.Public()},
		{"RSA with PSS", pkcs8(big), "PS256", "PS256", big.Public()},
		{"RSA with a longer hash", pkcs8(big), "RS512", "RS512", big.Public()},
		{"P-256 in SEC 1", sec1(p256), "", "ES256", p256.Public()},
		{"P-256 in PKCS #8", pkcs8(p256), "ES256", "ES256", p256.Public()},
		{"P-384", pkcs8(p384), "", "ES384", p384.Public()},
		{"P-521", pkcs8(p521), "", "ES512", p521.Public()},
		{"Ed25519", pkcs8(ed), "", "EdDSA", public},
		{"behind something else", "a note\n" + block("EC PARAMETERS", []byte{6, 8}, nil) + sec1(p256), "", "ES256", p256.Public()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := ParseSigner([]byte(tt.pem), tt.asked)
			if err != nil {
				t.Fatal(err)
			}
			token, err := s.Sign(map[string]string{"kid": "k"}, map[string]any{"iss": "us"})
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(tt.alg)})
			if err != nil {
				t.Fatal(err)
			}
			payload, err := parsed.Verify(tt.public)
			if err != nil || string(payload) != `{"iss":"us"}` {
				t.Errorf("got %s, %v", payload, err)
			}
			head, _, _ := strings.Cut(token, ".")
			text, _ := base64.RawURLEncoding.DecodeString(head)
			var header map[string]any
			if err := json.Unmarshal(text, &header); err != nil || header["kid"] != "k" || header["typ"] != "JWT" || len(header) != 3 {
				t.Errorf("got header %s, %v", text, err)
			}
		})
	}
}

func TestSignerRefusesWhatCannotSign(t *testing.T) {
	t.Parallel()
	p256 := curve(t, elliptic.P256())
	for name, tt := range map[string]struct{ pem, alg string }{
		"nothing": {"", ""}, "no PEM": {"key", ""}, "a public key alone": {block("PUBLIC KEY", []byte("x"), nil), ""},
		"RSA of 1024 bits": {pkcs8(modulus(t, 1024)), ""}, "P-224": {pkcs8(curve(t, elliptic.P224())), ""},
		"garbage in PEM": {block("PRIVATE KEY", []byte("canary"), nil), ""}, "encrypted": {block("ENCRYPTED PRIVATE KEY", []byte("x"), nil), ""},
		"encrypted in the old way":     {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", ""},
		"the algorithm of another key": {pkcs8(p256), "RS256"}, "a symmetric algorithm": {pkcs8(p256), "HS256"}, "none": {pkcs8(p256), "none"},
	} {
		if _, err := ParseSigner([]byte(tt.pem), tt.alg); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestCertificateFitsItsKey(t *testing.T) {
	t.Parallel()
	certificate, text := authority(t)
	der, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	own, err := ParseSigner([]byte(block("PRIVATE KEY", der, err)), "")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseCertificate([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(certificate.Certificate[0])
	if parsed.Thumbprint != base64.RawURLEncoding.EncodeToString(sum[:]) || parsed.Expires.IsZero() || !own.Fits(parsed) {
		t.Errorf("got %+v", parsed)
	}
	stranger, err := ParseSigner([]byte(pkcs8(curve(t, elliptic.P256()))), "")
	if err != nil || stranger.Fits(parsed) {
		t.Errorf("the certificate fits another key: %v", err)
	}
	for name, bad := range map[string]string{"nothing": "", "a key": sec1(curve(t, elliptic.P256())), "garbage": block("CERTIFICATE", []byte("x"), nil)} {
		if _, err := ParseCertificate([]byte(bad)); err == nil {
			t.Errorf("%s: taken for a certificate", name)
		}
	}
}

// FuzzParseSigner: whatever a file holds, a key that is taken signs what verifies.
func FuzzParseSigner(f *testing.F) {
	f.Add([]byte(sec1(curve(f, elliptic.P256()))), "")
	f.Add([]byte(pkcs8(curve(f, elliptic.P384()))), "ES384")
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "RS256")
	f.Fuzz(func(t *testing.T, content []byte, alg string) {
		if c, err := ParseCertificate(content); err == nil && c.Thumbprint == "" {
			t.Error("a certificate without a thumbprint")
		}
		s, err := ParseSigner(content, alg)
		if err != nil {
			return
		}
		if alg != "" && string(s.alg) != alg {
			t.Errorf("asked for %q, signs with %s", alg, s.alg)
		}
		if _, err := s.Sign(nil, struct{}{}); err != nil {
			t.Error(err)
		}
	})
}
