package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
)

// jwk is the public form of a key (RFC 7517 §4). It has no field for a private member, so none can be rendered.
type jwk struct {
	Type      string `json:"kty"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
	ID        string `json:"kid,omitempty"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	N         string `json:"n,omitempty"`
	E         string `json:"e,omitempty"`
}

// publicJWK returns the key without use, alg and kid.
func publicJWK(public crypto.PublicKey) (jwk, error) {
	switch k := public.(type) {
	case *rsa.PublicKey: // RFC 7518 §6.3.1
		return jwk{Type: "RSA", N: base64url(k.N.Bytes()), E: base64url(big.NewInt(int64(k.E)).Bytes())}, nil
	case *ecdsa.PublicKey: // RFC 7518 §6.2.1: coordinates at full width
		point, err := k.Bytes()
		if err != nil {
			return jwk{}, err
		}
		width := (len(point) - 1) / 2 // behind the byte that says "uncompressed"
		return jwk{Type: "EC", Curve: k.Curve.Params().Name, X: base64url(point[1 : 1+width]), Y: base64url(point[1+width:])}, nil
	case ed25519.PublicKey: // RFC 8037 §2
		return jwk{Type: "OKP", Curve: "Ed25519", X: base64url(k)}, nil
	}
	return jwk{}, fmt.Errorf("no JWK form for %T", public)
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
