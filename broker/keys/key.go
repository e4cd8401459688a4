package keys

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"gatehouse/broker"
	"gatehouse/broker/jose"
)

// key is a signing key ready for use. It does not change once made and outlives the sets it is a member of.
type key struct {
	id      string
	name    string // the algorithm's
	alg     algorithm
	private crypto.Signer
	jwk     jwk
	// public verifies, with this algorithm only.
	public jose.Key
	// headers are the encoded protected headers of the types that are signed all the time.
	headers map[string]string
}

// The types of JWT that the broker signs most: ID tokens and RFC 9068 access tokens.
var frequentTypes = [...]string{"JWT", "at+jwt"}

// generate fills in ID and Private of a planned key.
func generate(k *broker.Key) error {
	alg, ok := algorithmOf(k.Algorithm)
	if !ok {
		return fmt.Errorf("unknown algorithm %q", k.Algorithm)
	}
	private, err := alg.generate()
	if err != nil {
		return err
	}
	if k.ID, err = jose.Thumbprint(private.Public()); err != nil {
		return err
	}
	k.Private, err = x509.MarshalPKCS8PrivateKey(private)
	return err
}

// parse makes a stored key ready for use.
func parse(stored broker.Key) (*key, error) {
	private, err := parsePrivate(stored.Algorithm, stored.Private)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", stored.ID, err)
	}
	k := &key{id: stored.ID, name: stored.Algorithm, private: private, headers: make(map[string]string)}
	k.alg, _ = algorithmOf(stored.Algorithm)
	// A key under a name that is not its own would be published under one that a client may have cached for another.
	if id, err := jose.Thumbprint(private.Public()); err != nil || id != stored.ID {
		return nil, fmt.Errorf("signing key %s: is another key than its ID says", stored.ID)
	}
	if k.public, err = jose.NewKey(private.Public(), stored.ID); err != nil {
		return nil, fmt.Errorf("signing key %s: %w", stored.ID, err)
	}
	k.public.Algorithm = jose.Algorithm(stored.Algorithm)
	if k.jwk, err = publicJWK(private.Public()); err != nil {
		return nil, fmt.Errorf("signing key %s: %w", stored.ID, err)
	}
	k.jwk.Use, k.jwk.Algorithm, k.jwk.ID = "sig", stored.Algorithm, stored.ID
	for _, typ := range frequentTypes {
		k.headers[typ] = k.header(typ)
	}
	return k, nil
}

// header is the protected header, encoded: alg, kid and typ, nothing else.
func (k *key) header(typ string) string {
	if h, ok := k.headers[typ]; ok {
		return h
	}
	text, err := json.Marshal(struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
		Type      string `json:"typ"`
	}{k.name, k.id, typ})
	if err != nil {
		panic(fmt.Sprintf("keys: encoding a header of strings: %v", err)) // strings always encode
	}
	return base64url(text)
}

// sign returns the compact serialisation (RFC 7515 §7.1) of payload.
func (k *key) sign(typ string, payload []byte) (string, error) {
	header := k.header(typ)
	enc := base64.RawURLEncoding
	token := make([]byte, 0, len(header)+enc.EncodedLen(len(payload))+enc.EncodedLen(k.alg.size)+2)
	token = append(token, header...)
	token = append(token, '.')
	token = enc.AppendEncode(token, payload)
	signature, err := k.alg.sign(k.private, token)
	if err != nil {
		return "", fmt.Errorf("signing with key %s: %w", k.id, err)
	}
	token = append(token, '.')
	return string(enc.AppendEncode(token, signature)), nil
}
