package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
)

const (
	minRSABits = 2048 // RFC 7518 §3.3, §3.5
	maxRSABits = 8192 // a bigger one makes each verification a burden that a client could choose for us
)

// Key is a public key fit for verifying. Every one has passed [NewKey]'s checks; the zero Key verifies nothing.
type Key struct {
	ID        string    // kid; "" when the key has none
	Algorithm Algorithm // alg of the JWK: the only one the key may be used with; "" when it does not say
	// Issuer is the member "issuer" of the JWK, "" when absent. Entra ID puts it into each key of its shared set: a key
	// scoped to one tenant must not vouch for another's token. Whoever takes such a set compares it.
	Issuer string

	public crypto.PublicKey
}

// NewKey makes a Key of an *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey. Refused with [ErrKey] (JW-08): RSA
// under 2048 or over 8192 bits, with an even modulus or an exponent below 3 or even; curves other than P-256, P-384 and
// P-521 and points that are not on them; anything else, symmetric and private keys above all.
func NewKey(public crypto.PublicKey, id string) (Key, error) {
	var err error
	switch k := public.(type) {
	case *rsa.PublicKey:
		err = checkRSA(k)
	case *ecdsa.PublicKey:
		err = checkEC(k)
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			err = fmt.Errorf("%w: Ed25519 key of %d bytes", ErrKey, len(k))
		}
	default:
		err = fmt.Errorf("%w: %T is not a public signature key", ErrKey, public)
	}
	if err != nil {
		return Key{}, err
	}
	return Key{ID: id, public: public}, nil
}

func checkRSA(k *rsa.PublicKey) error {
	switch {
	case k == nil || k.N == nil || k.N.Sign() <= 0:
		return fmt.Errorf("%w: RSA key without a modulus", ErrKey)
	case k.N.BitLen() < minRSABits || k.N.BitLen() > maxRSABits:
		return fmt.Errorf("%w: RSA of %d bits, %d to %d are accepted", ErrKey, k.N.BitLen(), minRSABits, maxRSABits)
	case k.N.Bit(0) == 0:
		return fmt.Errorf("%w: RSA modulus is even", ErrKey)
	case k.E < 3 || k.E%2 == 0:
		return fmt.Errorf("%w: RSA exponent %d", ErrKey, k.E)
	}
	return nil
}

func checkEC(k *ecdsa.PublicKey) error {
	if k == nil || curveName(k.Curve) == "" {
		return fmt.Errorf("%w: EC curve is none of P-256, P-384, P-521", ErrKey)
	}
	if _, err := k.Bytes(); err != nil {
		return fmt.Errorf("%w: EC point is not on its curve", ErrKey)
	}
	return nil
}

// Public returns the key itself: *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey; nil for the zero Key.
func (k Key) Public() crypto.PublicKey { return k.public }

// Supports says whether a signature with that algorithm may be checked with this key: the key's type, its curve and its
// own alg decide, never a token's header (JW-02).
func (k Key) Supports(a Algorithm) bool {
	return a.fits(k.public) && (k.Algorithm == "" || k.Algorithm == a)
}

// Thumbprint returns the key's RFC 7638 SHA-256 thumbprint; "" for the zero Key.
func (k Key) Thumbprint() string {
	t, err := Thumbprint(k.public)
	if err != nil {
		return ""
	}
	return t
}

// Thumbprint is RFC 7638 with SHA-256 in base64url: the hash of the required members in lexical order, each in its one
// canonical form. It is cnf.jkt of RFC 9449 and a good kid.
func Thumbprint(public crypto.PublicKey) (string, error) {
	var canonical string
	encode := base64.RawURLEncoding.EncodeToString
	switch k := public.(type) {
	case *rsa.PublicKey:
		if k == nil || k.N == nil {
			return "", fmt.Errorf("%w: no key", ErrKey)
		}
		e := big.NewInt(int64(k.E)).Bytes()
		canonical = `{"e":"` + encode(e) + `","kty":"RSA","n":"` + encode(k.N.Bytes()) + `"}`
	case *ecdsa.PublicKey:
		if err := checkEC(k); err != nil {
			return "", err
		}
		point, err := k.Bytes() // 4, x, y (SEC 1 §2.3.3), each coordinate full length as RFC 7518 §6.2.1.2 wants it
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrKey, err)
		}
		size := (len(point) - 1) / 2
		canonical = `{"crv":"` + curveName(k.Curve) + `","kty":"EC","x":"` + encode(point[1:1+size]) + `","y":"` + encode(point[1+size:]) + `"}`
	case ed25519.PublicKey:
		canonical = `{"crv":"Ed25519","kty":"OKP","x":"` + encode(k) + `"}`
	default:
		return "", fmt.Errorf("%w: %T has no thumbprint", ErrKey, public)
	}
	sum := sha256.Sum256([]byte(canonical))
	return encode(sum[:]), nil
}

func curveName(c elliptic.Curve) string {
	switch c {
	case elliptic.P256():
		return "P-256"
	case elliptic.P384():
		return "P-384"
	case elliptic.P521():
		return "P-521"
	}
	return ""
}
