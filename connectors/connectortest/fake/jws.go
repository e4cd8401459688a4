package fake

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
)

// jws signs payload in compact form (RFC 7515 §7.1). It is written out here, and
// not left to a library, because a fake must be able to make what a library
// rightly refuses to.
func jws(header map[string]any, payload []byte, signature func(input []byte) ([]byte, error)) (string, error) {
	head, err := marshal(header)
	if err != nil {
		return "", err
	}
	input := b64(head) + "." + b64(payload)
	sig, err := signature([]byte(input))
	if err != nil {
		return "", err
	}
	return input + "." + b64(sig), nil
}

// signedBy signs with RS256 or ES256, after the key's type.
func signedBy(key crypto.Signer) func([]byte) ([]byte, error) {
	return func(input []byte) ([]byte, error) {
		sum := sha256.Sum256(input)
		switch key := key.(type) {
		case *rsa.PrivateKey:
			return rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		case *ecdsa.PrivateKey:
			r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
			if err != nil {
				return nil, err
			}
			// r and s at full width, not ASN.1 (RFC 7518 §3.4).
			return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
		}
		return nil, fmt.Errorf("fake: cannot sign with a %T", key)
	}
}

func macWith(key []byte) func([]byte) ([]byte, error) {
	return func(input []byte) ([]byte, error) {
		mac := hmac.New(sha256.New, key)
		mac.Write(input)
		return mac.Sum(nil), nil
	}
}

func unsigned([]byte) ([]byte, error) { return nil, nil }

// seal signs an ID token's payload with the key at a place, or does to it what the
// script wants. secret is the client's, for the attack that uses it as HMAC key.
func (p *Provider) seal(payload []byte, place int, secret string) (string, error) {
	key, err := p.keys.pool.key(p.keys.algorithm, place)
	if err != nil {
		return "", err
	}
	kid, err := p.keys.kid(place)
	if err != nil {
		return "", err
	}
	header := map[string]any{"alg": p.keys.algorithm, "kid": kid, "typ": "JWT"}
	signature := signedBy(key)
	switch {
	case p.script.hit(AlgNone):
		header["alg"] = "none"
		signature = unsigned
	case p.script.hit(EmptySignature):
		signature = unsigned
	case p.script.hit(HMACWithPublicKey):
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			return "", err
		}
		header["alg"] = "HS256"
		signature = macWith(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	case p.script.hit(HMACWithClientSecret):
		header["alg"] = "HS256"
		signature = macWith([]byte(secret))
	default:
		if signature, err = p.foreign(header, signature); err != nil {
			return "", err
		}
	}
	if p.script.hit(CriticalHeader) {
		// RFC 7515 §4.1.11: whoever does not know the extension must refuse.
		header["crit"], header["https://example.com/must-understand"] = []string{"https://example.com/must-understand"}, true
	}
	if p.script.hit(AccessTokenType) {
		header["typ"] = "at+jwt"
	}
	token, err := jws(header, payload, signature)
	return p.respell(token), err
}

// foreign lets a key sign that is not the provider's, where the script wants it.
func (p *Provider) foreign(header map[string]any, signature func([]byte) ([]byte, error)) (func([]byte) ([]byte, error), error) {
	var kid any
	embed := false
	switch {
	case p.script.hit(ForeignKey):
		kid = header["kid"]
	case p.script.hit(ForeignKeyNoKid):
	case p.script.hit(UnknownKid):
		kid = random("", 20)
	case p.script.hit(EmbeddedKey):
		kid, embed = header["kid"], true
	default:
		return signature, nil
	}
	key, err := p.keys.pool.key(p.keys.algorithm, foreignKey)
	if err != nil {
		return nil, err
	}
	delete(header, "kid")
	if kid != nil {
		header["kid"] = kid
	}
	if embed {
		jwk, err := publicJWK(key.Public())
		if err != nil {
			return nil, err
		}
		header["jwk"] = jwk
	}
	return signedBy(key), nil
}

// respell changes the token's text without, for a lenient reader, its meaning.
func (p *Provider) respell(token string) string {
	switch {
	case p.script.hit(NonCanonicalBase64):
		// 64 and 256 bytes both leave four spare bits in the last character.
		return token[:len(token)-1] + withSpareBit(token[len(token)-1])
	case p.script.hit(PaddedBase64):
		return token + "=="
	case p.script.hit(NewlineInToken):
		return token[:len(token)-4] + "\n" + token[len(token)-4:]
	case p.script.hit(AlteredPayload):
		parts := strings.Split(token, ".")
		altered := bytes.Replace(unb64(parts[1]), []byte(`"sub":"`), []byte(`"sub":"x`), 1)
		return parts[0] + "." + b64(altered) + "." + parts[2]
	}
	return token
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// withSpareBit is the character whose value differs in the lowest bit alone.
func withSpareBit(c byte) string {
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}
