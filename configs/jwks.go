package configs

import (
	"encoding/json"
	"errors"
	"strings"

	"gatehouse/broker/jose"
)

// JWKS is a client's JWK set (RFC 7591 §2): a mapping with keys, the same as JSON text, or file:PATH.
type JWKS struct {
	// Text is the JSON, Path the file it is in; one of them.
	Text []byte
	Path string
}

// UnmarshalYAML implements goccy/go-yaml's InterfaceUnmarshaler.
func (j *JWKS) UnmarshalYAML(decode func(any) error) error {
	var text string
	if decode(&text) == nil {
		if path, ok := strings.CutPrefix(text, filePrefix); ok {
			j.Path = path
			return nil
		}
		j.Text = []byte(text)
		return j.check()
	}
	var object map[string]any
	if err := decode(&object); err != nil {
		return errors.New("must be a JWK set: a mapping with keys, or file:PATH")
	}
	var err error
	if j.Text, err = json.Marshal(object); err != nil {
		return errors.New("must be a JWK set: a mapping with keys, or file:PATH")
	}
	return j.check()
}

func (j *JWKS) check() error { return checkJWKS(j.Text) }

// checkJWKS refuses what no assertion could be verified with. A client's weak or private keys are its mistake, and it
// should hear of it before it signs with them (JW-08).
func checkJWKS(text []byte) error {
	set, err := jose.ParseKeySet(text)
	switch {
	case errors.Is(err, jose.ErrKey):
		return errors.New("holds a private or symmetric key, or two keys with one kid: give the public keys, each with a kid of its own")
	case err != nil:
		return errors.New("is not a JWK set")
	case len(set.Refused()) > 0:
		return errors.New("holds a key that is too weak or malformed: RSA needs 2048 bits, EC one of P-256, P-384 and P-521")
	case len(set.All()) == 0:
		return errors.New("holds no key that can verify a signature")
	}
	return nil
}
