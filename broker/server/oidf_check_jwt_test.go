package server_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
)

// oidfFindings is what the checks found: failures, and warnings by a short name.
// Checks only report, so that they can be tried on documents that are wrong.
type oidfFindings struct {
	failures []string
	warnings map[string]string
}

func (f *oidfFindings) failf(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *oidfFindings) warnf(name, format string, args ...any) {
	if f.warnings == nil {
		f.warnings = map[string]string{}
	}
	f.warnings[name] = fmt.Sprintf(format, args...)
}

// object reads a JSON object. Numbers stay as they are written; a member that
// occurs twice, at any depth, and anything behind the object are failures.
func (f *oidfFindings) object(what string, raw []byte) map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	value, err := oidfValue(decoder)
	object, ok := value.(map[string]any)
	if err != nil || !ok {
		f.failf("%s is not a JSON object without duplicates: %v: %.200s", what, err, raw)
		return map[string]any{}
	}
	if _, err := decoder.Token(); err != io.EOF {
		f.failf("%s is followed by something", what)
	}
	return object
}

func oidfValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			if _, twice := object[name.(string)]; twice {
				return nil, fmt.Errorf("member %s occurs twice", name)
			}
			if object[name.(string)], err = oidfValue(d); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return object, err
	case json.Delim('['):
		array := []any{}
		for d.More() {
			element, err := oidfValue(d)
			if err != nil {
				return nil, err
			}
			array = append(array, element)
		}
		_, err = d.Token()
		return array, err
	}
	return token, nil
}

// oidfKey is a published key.
type oidfKey struct {
	public crypto.PublicKey
	alg    string
}

// jwks checks a key set (RFC 7517 §5, Core §10.1) and returns its keys by kid.
func (f *oidfFindings) jwks(raw []byte) map[string]oidfKey {
	out := map[string]oidfKey{}
	list, ok := f.object("the key set", raw)["keys"].([]any)
	if !ok || len(list) == 0 {
		f.failf("the key set has no keys")
	}
	for _, element := range list {
		members, _ := element.(map[string]any)
		kid, _ := members["kid"].(string)
		if kid == "" {
			f.failf("a key has no kid: %v", members)
		}
		if _, taken := out[kid]; taken {
			f.failf("two keys have the kid %s", kid)
		}
		for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if _, there := members[secret]; there {
				f.failf("key %s publishes the member %s", kid, secret)
			}
		}
		if use, there := members["use"]; there && use != "sig" {
			f.failf("key %s has use %v", kid, use)
		}
		alg, _ := members["alg"].(string)
		if !slices.Contains([]string{"RS256", "PS256", "ES256", "ES384", "EdDSA", ""}, alg) {
			f.warnf("unknown alg", "key %s has alg %s", kid, alg)
		}
		public, err := oidfPublicKey(members)
		if err != nil {
			f.failf("key %s: %v", kid, err)
		}
		out[kid] = oidfKey{public, alg}
	}
	return out
}

func oidfPublicKey(members map[string]any) (crypto.PublicKey, error) {
	number := func(name string) []byte {
		text, _ := members[name].(string)
		raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil
		}
		return raw
	}
	switch members["kty"] {
	case "RSA":
		n, e := number("n"), number("e")
		if len(n) < 256 || n[0] == 0 || len(e) == 0 || len(e) > 4 || e[0] == 0 {
			return nil, fmt.Errorf("modulus of %d bytes or exponent %x (RFC 7518 §6.3.1)", len(n), e)
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
	case "EC":
		name, _ := members["crv"].(string)
		curve, known := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384()}[name]
		x, y := number("x"), number("y")
		if !known || len(x) != (curve.Params().BitSize+7)/8 || len(y) != len(x) {
			return nil, fmt.Errorf("curve %q, coordinates of %d and %d bytes (RFC 7518 §6.2.1)", name, len(x), len(y))
		}
		return ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	case "OKP":
		x := number("x")
		if members["crv"] != "Ed25519" || len(x) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("curve %v, %d bytes (RFC 8037 §2)", members["crv"], len(x))
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, fmt.Errorf("kty %v", members["kty"])
}

// signed verifies a JWS in compact form with the published keys and returns its
// claims (RFC 7515 §5.2, Core §3.1.3.7 steps 6 to 8).
func (f *oidfFindings) signed(what, raw, alg string, keys map[string]oidfKey) map[string]any {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		f.failf("%s is not a JWS: %.100s", what, raw)
		return map[string]any{}
	}
	decoded := make([][]byte, 3)
	for i, p := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			f.failf("part %d of %s is not base64url: %v", i, what, err)
			return map[string]any{}
		}
	}
	header := f.object("the header of "+what, decoded[0])
	if header["alg"] != alg {
		f.failf("%s has alg %v, want %s", what, header["alg"], alg)
	}
	for _, dangerous := range []string{"jwk", "jku", "x5u", "x5c", "crit"} {
		if _, there := header[dangerous]; there {
			f.failf("%s has the header %s", what, dangerous)
		}
	}
	kid, _ := header["kid"].(string)
	key, known := keys[kid]
	if !known {
		f.failf("%s has kid %q, which is not published", what, kid)
	} else if !oidfVerifies(alg, key, parts[0]+"."+parts[1], decoded[2]) {
		f.failf("the signature of %s is not that of key %s", what, kid)
	}
	return f.object("the payload of "+what, decoded[1])
}

func oidfVerifies(alg string, key oidfKey, signed string, signature []byte) bool {
	if key.alg != "" && key.alg != alg {
		return false
	}
	sum := oidfSum(alg, signed)
	switch public := key.public.(type) {
	case *rsa.PublicKey:
		return alg == "RS256" && rsa.VerifyPKCS1v15(public, crypto.SHA256, sum, signature) == nil ||
			alg == "PS256" && rsa.VerifyPSS(public, crypto.SHA256, sum, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	case *ecdsa.PublicKey:
		half := len(signature) / 2
		return map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384()}[alg] == public.Curve && len(signature) == len(sum)*2 &&
			ecdsa.Verify(public, sum, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
	case ed25519.PublicKey:
		return alg == "EdDSA" && ed25519.Verify(public, []byte(signed), signature)
	}
	return false
}

// oidfSum is the hash that goes with an algorithm: its last digits say which, and
// with Ed25519 it is SHA-512 (RFC 8032 §5.1).
func oidfSum(alg, value string) []byte {
	switch alg {
	case "ES384":
		sum := sha512.Sum384([]byte(value))
		return sum[:]
	case "EdDSA":
		sum := sha512.Sum512([]byte(value))
		return sum[:]
	}
	sum := sha256.Sum256([]byte(value))
	return sum[:]
}

// oidfHalfHash is at_hash and c_hash (Core §3.1.3.6).
func oidfHalfHash(alg, value string) string {
	sum := oidfSum(alg, value)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
