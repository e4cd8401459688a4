package connectors

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// minModulus is the size of the smallest RSA key that RFC 7518 §3.3 lets sign.
const minModulus = 2048

// Signer signs JWTs with a private key of ours: client assertions and the like.
type Signer struct {
	key any
	alg jose.SignatureAlgorithm
}

// ParseSigner reads a private key in PEM (PKCS #8, PKCS #1 or SEC 1). An empty
// algorithm is the usual one of the key: RS256, ES256, ES384, ES512 or EdDSA. Its
// errors say nothing of what the key holds.
func ParseSigner(content []byte, algorithm string) (*Signer, error) {
	key, err := privateKey(content)
	if err != nil {
		return nil, err
	}
	possible := signingAlgorithms(key)
	if len(possible) == 0 {
		return nil, errors.New("holds a key that is too weak or of a kind we cannot sign with: RSA from 2048 bits, P-256, P-384, P-521 or Ed25519")
	}
	alg := possible[0]
	if algorithm != "" {
		if alg = jose.SignatureAlgorithm(algorithm); !slices.Contains(possible, alg) {
			return nil, errors.New("holds a key that cannot sign with " + algorithm)
		}
	}
	return &Signer{key: key, alg: alg}, nil
}

// SigningAlgorithms are those that some key can sign with.
func SigningAlgorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

func privateKey(content []byte) (any, error) {
	for rest := content; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("holds no private key in PEM")
		}
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			if len(block.Headers) > 0 { // RFC 1421 encryption
				return nil, errors.New("holds an encrypted key: store it decrypted, readable by the broker alone")
			}
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("holds an encrypted key: store it decrypted, readable by the broker alone")
		default: // such as EC PARAMETERS, or the certificate in the same file
			continue
		}
		if err != nil {
			return nil, errors.New("holds a private key that cannot be read")
		}
		return key, nil
	}
}

// signingAlgorithms are those that fit the key, the usual one first.
func signingAlgorithms(key any) []jose.SignatureAlgorithm {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() >= minModulus {
			return []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.RS384, jose.RS512, jose.PS384, jose.PS512}
		}
	case *ecdsa.PrivateKey:
		switch k.Curve {
		case elliptic.P256():
			return []jose.SignatureAlgorithm{jose.ES256}
		case elliptic.P384():
			return []jose.SignatureAlgorithm{jose.ES384}
		case elliptic.P521():
			return []jose.SignatureAlgorithm{jose.ES512}
		}
	case ed25519.PrivateKey:
		return []jose.SignatureAlgorithm{jose.EdDSA}
	}
	return nil
}

// Sign returns the claims as a signed JWT with these header members besides alg and
// typ.
func (s *Signer) Sign(header map[string]string, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: s.key}, options)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Fits reports whether a certificate is for the key that signs.
func (s *Signer) Fits(c *Certificate) bool {
	private, ok := s.key.(crypto.Signer)
	if !ok {
		return false
	}
	public, ok := private.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.public)
}

// Certificate is the certificate of a key that signs.
type Certificate struct {
	// Thumbprint is the header x5t#S256 (RFC 7515 §4.1.8).
	Thumbprint string
	// Expires is when it ends.
	Expires time.Time

	public crypto.PublicKey
}

// ParseCertificate reads the first certificate in PEM.
func ParseCertificate(content []byte) (*Certificate, error) {
	content = bytes.TrimSpace(content)
	for rest := content; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("holds no certificate in PEM")
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		parsed, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("holds a certificate that cannot be read")
		}
		sum := sha256.Sum256(parsed.Raw)
		return &Certificate{
			Thumbprint: base64.RawURLEncoding.EncodeToString(sum[:]), Expires: parsed.NotAfter, public: parsed.PublicKey,
		}, nil
	}
}
