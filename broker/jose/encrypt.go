package jose

import (
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// Envelope is what the protected header of a JWE says besides how it is encrypted.
type Envelope struct {
	// Type is typ, of the whole. ContentType is cty: "JWT" if the content is one, which is then nested (RFC 7519 §5.2),
	// and nothing if it is a set of claims. Either may be empty.
	Type, ContentType string
	// Private has further members, by names that no specification has registered (RFC 7516 §4.3). Everybody who sees
	// the JWE can read them.
	Private map[string]string
}

// Encrypt encrypts a content to the recipient as a compact JWE (RFC 7516 §7.1). It is never compressed: zip tells of the
// content by its length (RFC 8725 §3.6). The kid of the key is in the header if it has one (OpenID Connect Core §10.2).
func (r Recipient) Encrypt(enc ContentEncryption, content []byte, e Envelope) (string, error) {
	if !enc.Known() {
		return "", fmt.Errorf("%w: no content is encrypted that way", ErrAlgorithm)
	}
	if !r.Algorithm.Known() || !r.Algorithm.fits(r.public) {
		return "", fmt.Errorf("%w: nothing is encrypted to it", ErrKey)
	}
	options := &jose.EncrypterOptions{}
	for name, value := range e.Private {
		if slices.Contains(registered(), name) {
			return "", fmt.Errorf("%w: %s is not a private member", ErrHeader, name)
		}
		options.WithHeader(jose.HeaderKey(name), value)
	}
	if e.Type != "" {
		options.WithType(jose.ContentType(e.Type))
	}
	if e.ContentType != "" {
		options.WithContentType(jose.ContentType(e.ContentType))
	}
	encrypter, err := jose.NewEncrypter(jose.ContentEncryption(enc),
		jose.Recipient{Algorithm: jose.KeyAlgorithm(r.Algorithm), Key: r.public, KeyID: r.ID}, options)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrKey, err)
	}
	sealed, err := encrypter.Encrypt(content)
	if err != nil {
		return "", fmt.Errorf("jose: encrypting: %w", err)
	}
	return sealed.CompactSerialize()
}

// registered are the header members of the registry (RFC 7516 §4.1, RFC 7518 §4.6.1, §4.7.1, §4.8.1, RFC 7519 §5.3): the
// library would let one that is given here take the place of the one that it has written.
func registered() []string {
	return []string{"alg", "enc", "zip", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit",
		"epk", "apu", "apv", "iv", "tag", "p2s", "p2c", "b64", "url", "nonce", "ppt", "svt", "iss", "sub", "aud", "trust_chain"}
}
