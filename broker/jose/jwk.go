package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// errUnusable marks a key that is not for the purpose at hand, or of a kind we do not implement. Sets hold such keys
// legitimately (RFC 7517 §5 tells us to ignore them).
var errUnusable = fmt.Errorf("%w: not of a known kind, or for another purpose", ErrKey)

// errSecret marks a key that should not be where we found it.
var errSecret = fmt.Errorf("%w: private or symmetric key among public ones", ErrKey)

// jwkShape knows the registered members of a JWK (RFC 7517 §4, RFC 7518 §6) and Entra's issuer.
var jwkShape = shapeOf("kty", "use", "key_ops", "alg", "kid", "x5u", "x5c", "x5t", "x5t#S256", "crv", "x", "y", "n", "e",
	"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", "issuer", "exp", "nbf", "iat", "ext")

// ParseKey reads one public JWK, such as the jwk in the header of a DPoP proof, strictly: private, symmetric, weak and
// malformed keys are [ErrKey], and so are keys for encryption and of kinds not implemented. What it says about
// certificates (x5c, x5u) is not looked at.
func ParseKey(data []byte) (Key, error) {
	members, err := scanObject(data, jwkShape)
	if err != nil {
		return Key{}, fmt.Errorf("jwk: %w", err)
	}
	j, kty, err := jwkOf(members)
	if err != nil {
		return Key{}, err
	}
	return j.key(kty)
}

// jwk gives access to the members of one key.
type jwk map[string][]byte

// jwkOf returns the members of a key that may be public, and its kind.
func jwkOf(members []member) (j jwk, kty string, err error) {
	j = make(jwk, len(members))
	for _, m := range members {
		j[m.name] = m.raw
	}
	// Before all else, whatever the key is for: who publishes a secret has lost it (JW-08).
	for _, private := range [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, ok := j[private]; ok {
			return nil, "", errSecret
		}
	}
	if kty, err = j.text("kty"); err != nil || kty == "" {
		return nil, "", fmt.Errorf("%w: kty missing or not a string", ErrKey)
	}
	return j, kty, nil
}

// key reads a JWK as a key that verifies. One for encryption never does (RFC 7517 §4.2).
func (j jwk) key(kty string) (Key, error) {
	if err := j.forSignatures(); err != nil {
		return Key{}, err
	}
	public, err := j.public(kty)
	if err != nil {
		return Key{}, err
	}
	return j.describe(public)
}

// describe adds what the JWK says about itself to the key proper.
func (j jwk) describe(public crypto.PublicKey) (Key, error) {
	id, err := j.keyID()
	if err != nil {
		return Key{}, err
	}
	key, err := NewKey(public, id)
	if err != nil {
		return Key{}, err
	}
	if key.Issuer, err = j.text("issuer"); err != nil {
		return Key{}, err
	}
	alg, err := j.text("alg")
	if err != nil {
		return Key{}, err
	}
	if key.Algorithm = Algorithm(alg); alg != "" && !key.Algorithm.fits(public) {
		if !key.Algorithm.Known() { // RSA-OAEP, ECDH-ES …
			return Key{}, errUnusable
		}
		return Key{}, fmt.Errorf("%w: alg contradicts the kind of key", ErrKey)
	}
	return key, nil
}

func (j jwk) keyID() (string, error) {
	id, err := j.text("kid")
	if err != nil {
		return "", err
	}
	if len(id) > maxKeyID || hasControl(id) {
		return "", fmt.Errorf("%w: kid is too long or has control characters", ErrKey)
	}
	return id, nil
}

// purpose reads use and key_ops (RFC 7517 §4.2, §4.3); limited says that there is the latter.
func (j jwk) purpose() (use string, ops []string, limited bool, err error) {
	if use, err = j.text("use"); err != nil {
		return "", nil, false, err
	}
	raw, limited := j["key_ops"]
	if !limited {
		return use, nil, false, nil
	}
	ops, ok := decodeStrings(raw)
	if !ok {
		return "", nil, false, fmt.Errorf("%w: key_ops is not an array of strings", ErrKey)
	}
	return use, ops, true, nil
}

// forSignatures: a key meant for encryption never verifies.
func (j jwk) forSignatures() error {
	use, ops, limited, err := j.purpose()
	switch {
	case err != nil:
		return err
	case use != "" && use != "sig", limited && !slices.Contains(ops, "verify"):
		return errUnusable
	}
	return nil
}

func (j jwk) public(kty string) (crypto.PublicKey, error) {
	switch kty {
	case "RSA":
		return j.rsa()
	case "EC":
		return j.ec()
	case "OKP":
		crv, err := j.text("crv")
		if err != nil {
			return nil, err
		}
		if crv != "Ed25519" {
			return nil, errUnusable
		}
		x, err := j.bytes("x")
		if err != nil {
			return nil, err
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, errUnusable
}

func (j jwk) rsa() (crypto.PublicKey, error) {
	n, err := j.bytes("n")
	if err != nil {
		return nil, err
	}
	e, err := j.bytes("e")
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 { // what crypto/rsa takes, and far more than anybody uses
		return nil, fmt.Errorf("%w: RSA exponent of %d bits", ErrKey, exponent.BitLen())
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

func (j jwk) ec() (crypto.PublicKey, error) {
	crv, err := j.text("crv")
	if err != nil {
		return nil, err
	}
	var curve elliptic.Curve
	switch crv {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	default:
		return nil, errUnusable
	}
	x, errX := j.bytes("x")
	y, errY := j.bytes("y")
	if err := errors.Join(errX, errY); err != nil {
		return nil, err
	}
	// RFC 7518 §6.2.1.2: coordinates have their full length, leading zeros included.
	if size := (curve.Params().BitSize + 7) / 8; len(x) != size || len(y) != size {
		return nil, fmt.Errorf("%w: EC coordinate of a wrong length", ErrKey)
	}
	point := append(append([]byte{4}, x...), y...)
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, fmt.Errorf("%w: EC point is not on its curve", ErrKey)
	}
	return public, nil
}

// text returns a member that has to be a string if it is there.
func (j jwk) text(name string) (string, error) {
	raw, present := j[name]
	if !present {
		return "", nil
	}
	s, ok := decodeString(raw)
	if !ok {
		return "", fmt.Errorf("%w: %s is not a string", ErrKey, name)
	}
	return s, nil
}

// bytes returns a member that has to be there, decoded from canonical base64url.
func (j jwk) bytes(name string) ([]byte, error) {
	s, err := j.text(name)
	if err != nil {
		return nil, err
	}
	b, err := decodeBase64(s, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: %s missing", ErrKey, name)
	}
	return b, nil
}
