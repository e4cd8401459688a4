package configs

import (
	"encoding/json"
	"errors"
	"strings"

	"gatehouse/broker/metadata"
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
		return metadata.CheckKeySet(j.Text)
	}
	var object map[string]any
	if err := decode(&object); err != nil {
		return errors.New("must be a JWK set: a mapping with keys, or file:PATH")
	}
	var err error
	if j.Text, err = json.Marshal(object); err != nil {
		return errors.New("must be a JWK set: a mapping with keys, or file:PATH")
	}
	return metadata.CheckKeySet(j.Text)
}
