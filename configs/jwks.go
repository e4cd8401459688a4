package configs

import (
	"encoding/json"
	"errors"
	"fmt"
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
		return metadata.CheckKeySet(j.Text, false)
	}
	var object map[string]any
	if err := decode(&object); err != nil {
		return errors.New("must be a JWK set: a mapping with keys, or file:PATH")
	}
	var err error
	if j.Text, err = json.Marshal(object); err != nil {
		return errors.New("must be a JWK set: a mapping with keys, or file:PATH")
	}
	return metadata.CheckKeySet(j.Text, false)
}

// maxJWKS bounds a file with a key set, in bytes.
const maxJWKS = 256 << 10

// readJWKS returns the JSON of a key set. What it has to do for is checked elsewhere.
func (c *Config) readJWKS(j *JWKS) ([]byte, error) {
	if j.Path == "" {
		return j.Text, nil
	}
	content, err := readFile(c.Path(j.Path), maxJWKS)
	if err != nil {
		return nil, fmt.Errorf("the file %s cannot be read: %w", j.Path, reason(err))
	}
	return content, metadata.CheckKeySet(content, false)
}

// checkJWKS looks at the files with key sets that are named anywhere.
func (c *Config) checkJWKS(f *faults) {
	for i := range c.ExternalIssuers {
		if e := &c.ExternalIssuers[i]; e.JWKS != nil && e.JWKS.Path != "" {
			text, err := c.readJWKS(e.JWKS)
			if err == nil {
				err = metadata.CheckKeySet(text, true)
			}
			if err != nil {
				f.add(element("external_issuers", i)+".jwks", "%v", err)
			}
		}
	}
	for i := range c.Clients {
		one := &c.Clients[i]
		if one.JWKS == nil || one.JWKS.Path == "" {
			continue
		}
		text, err := c.readJWKS(one.JWKS)
		if err != nil {
			f.add(element("clients", i)+".jwks", "%v", err)
			continue
		}
		with := *one
		with.JWKS = &JWKS{Text: text}
		for _, p := range with.metadata().Validate(metadata.Rules{Scopes: c.scopes()}) {
			if p.Member == "jwks" {
				f.add(element("clients", i)+".jwks", "%s", p.Message)
			}
		}
		for j := range c.Resources {
			if r := &c.Resources[j]; r.Client == one.ClientID && r.encrypted() && metadata.CheckKeySet(text, false, r.AccessTokenKeyAlg) != nil {
				f.add(element("resources", j)+".access_token_encrypted_response_alg", "%s", noKey)
			}
		}
	}
}
