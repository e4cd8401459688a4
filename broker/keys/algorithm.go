package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512" // for ES384
	"crypto/x509"
	"errors"
	"fmt"
)

// modulusBits is the size of the RSA keys made here: what every client accepts, and what SP 800-57 holds good for as
// long as a key lives.
const modulusBits = 2048

// algorithm is how one JWS algorithm (RFC 7518 §3.1, RFC 8037 §3.1) makes keys and signs.
type algorithm struct {
	generate func() (crypto.Signer, error)
	sign     func(private crypto.Signer, input []byte) ([]byte, error)
	// fits reports whether a stored key is of the algorithm's kind.
	fits func(public crypto.PublicKey) bool
	// size is the length of a signature in bytes, to reserve room for.
	size int
}

// algorithmOf returns the algorithm of that exact name; false for anything else.
func algorithmOf(name string) (algorithm, bool) {
	switch name {
	case "RS256":
		return algorithm{generateRSA, signPKCS1, isRSA, modulusBits / 8}, true
	case "PS256":
		return algorithm{generateRSA, signPSS, isRSA, modulusBits / 8}, true
	case "ES256":
		return ecdsaAlgorithm(elliptic.P256(), crypto.SHA256), true
	case "ES384":
		return ecdsaAlgorithm(elliptic.P384(), crypto.SHA384), true
	case "EdDSA":
		return algorithm{generateEd25519, signEd25519, isEd25519, ed25519.SignatureSize}, true
	}
	return algorithm{}, false
}

func generateRSA() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, modulusBits) }

func isRSA(public crypto.PublicKey) bool {
	k, ok := public.(*rsa.PublicKey)
	return ok && k.N.BitLen() >= modulusBits
}

func signPKCS1(private crypto.Signer, input []byte) ([]byte, error) {
	return private.Sign(rand.Reader, digest(crypto.SHA256, input), crypto.SHA256)
}

func signPSS(private crypto.Signer, input []byte) ([]byte, error) {
	// RFC 7518 §3.5: the salt is as long as the hash.
	return private.Sign(rand.Reader, digest(crypto.SHA256, input), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
}

func ecdsaAlgorithm(curve elliptic.Curve, hash crypto.Hash) algorithm {
	width := (curve.Params().BitSize + 7) / 8
	return algorithm{
		generate: func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) },
		sign: func(private crypto.Signer, input []byte) ([]byte, error) {
			r, s, err := ecdsa.Sign(rand.Reader, private.(*ecdsa.PrivateKey), digest(hash, input))
			if err != nil {
				return nil, err
			}
			// RFC 7518 §3.4: both numbers at full width, not the DER of X.509.
			signature := make([]byte, 2*width)
			r.FillBytes(signature[:width])
			s.FillBytes(signature[width:])
			return signature, nil
		},
		fits: func(public crypto.PublicKey) bool {
			k, ok := public.(*ecdsa.PublicKey)
			return ok && k.Curve == curve
		},
		size: 2 * width,
	}
}

func generateEd25519() (crypto.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return private, err
}

func isEd25519(public crypto.PublicKey) bool {
	_, ok := public.(ed25519.PublicKey)
	return ok
}

func signEd25519(private crypto.Signer, input []byte) ([]byte, error) {
	return private.Sign(rand.Reader, input, crypto.Hash(0))
}

func digest(hash crypto.Hash, input []byte) []byte {
	h := hash.New()
	h.Write(input)
	return h.Sum(nil)
}

// parsePrivate reads the PKCS #8 form of a key of the named algorithm.
func parsePrivate(name string, der []byte) (crypto.Signer, error) {
	alg, ok := algorithmOf(name)
	if !ok {
		return nil, fmt.Errorf("unknown algorithm %q", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("not a PKCS #8 private key") // the cause may quote the key
	}
	private, ok := parsed.(crypto.Signer)
	if !ok || !alg.fits(private.Public()) {
		return nil, fmt.Errorf("not a key for %s", name)
	}
	return private, nil
}
