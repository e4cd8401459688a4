package jose

import (
	"fmt"
	"slices"
	"strings"

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

// ReadEnvelope reads the envelope of a compact JWE, without any key: nobody vouches for a word of it. The form is checked
// in full, with the algorithms of this package and the parts of the sizes that these have; a member that [Recipient.Encrypt]
// does not write is [ErrHeader].
func ReadEnvelope(raw string, l Limits) (Envelope, error) {
	if size := l.size(); len(raw) > size {
		return Envelope{}, fmt.Errorf("%w: token of %d bytes, at most %d are read", ErrMalformed, len(raw), size)
	}
	text := strings.SplitN(raw, ".", jweParts+1)
	if len(text) != jweParts {
		return Envelope{}, fmt.Errorf("%w: not five parts with dots between (RFC 7516 §7.1)", ErrMalformed)
	}
	var parts [jweParts][]byte
	for i, what := range [jweParts]string{"header", "encrypted key", "initialization vector", "ciphertext", "authentication tag"} {
		var err error
		if parts[i], err = decodeBase64(text[i], what); err != nil {
			return Envelope{}, err
		}
	}
	members, err := scanObject(parts[0], headerShape)
	if err != nil {
		return Envelope{}, fmt.Errorf("header: %w", err)
	}
	h := Header{Raw: rawMap(members)}
	if err := h.sizes(parts); err != nil {
		return Envelope{}, err
	}
	return h.envelope()
}

const jweParts = 5

// sizes holds the parts to the lengths that alg and enc imply (RFC 7518 §4.3, §4.6, §5.2.3, §5.3).
func (h Header) sizes(parts [jweParts][]byte) error {
	alg, _, err := h.text("alg")
	if err != nil {
		return err
	}
	enc, _, err := h.text("enc")
	if err != nil {
		return err
	}
	if !KeyAlgorithm(alg).Known() || !ContentEncryption(enc).Known() {
		return fmt.Errorf("%w: alg or enc is missing or none of ours", ErrAlgorithm)
	}
	iv := 12
	if ContentEncryption(enc) == A128CBCHS256 {
		iv = 16
	}
	if (KeyAlgorithm(alg) == ECDHES) != (len(parts[1]) == 0) || len(parts[2]) != iv || len(parts[3]) == 0 || len(parts[4]) != 16 {
		return fmt.Errorf("%w: a part has not the length that alg and enc give it", ErrMalformed)
	}
	return nil
}

// envelope takes what the header says besides how it is encrypted.
func (h Header) envelope() (e Envelope, err error) {
	if e.Type, _, err = h.text("typ"); err != nil {
		return Envelope{}, err
	}
	if e.ContentType, _, err = h.text("cty"); err != nil {
		return Envelope{}, err
	}
	for name := range h.Raw {
		switch {
		case slices.Contains([]string{"alg", "enc", "kid", "epk", "typ", "cty"}, name):
			continue
		case slices.Contains(registered(), name):
			return Envelope{}, fmt.Errorf("%w: %s is not supported", ErrHeader, name)
		}
		value, _, err := h.text(name)
		if err != nil {
			return Envelope{}, err
		}
		if e.Private == nil {
			e.Private = make(map[string]string, 1)
		}
		e.Private[name] = value
	}
	return e, nil
}
