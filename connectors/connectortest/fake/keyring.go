package fake

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sync"
)

// keyring is one fake's use of a pool: which key signs, which are published, and
// what the vendor calls them.
type keyring struct {
	pool      *KeyPool
	algorithm string
	// describe adds the vendor's members to a published key, kid among them. The key
	// is nil for one that never signs.
	describe func(jwk map[string]any, key crypto.Signer) error

	mu        sync.Mutex
	signing   int
	published []int
	described map[int]map[string]any
	announced map[string]any
	last      string
}

func newKeyring(pool *KeyPool, algorithm string, describe func(map[string]any, crypto.Signer) error) *keyring {
	if pool == nil {
		pool = &KeyPool{}
	}
	return &keyring{
		pool: pool, algorithm: algorithm, describe: describe,
		published: []int{signingKey}, described: map[int]map[string]any{},
	}
}

// rotate makes a new key sign; the old ones stay published.
func (k *keyring) rotate(publish bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.signing = max(laterKeys, k.signing+1)
	if publish {
		k.published = append(k.published, k.signing)
	}
}

// publish makes the key that signs part of the key set.
func (k *keyring) publish() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !slices.Contains(k.published, k.signing) {
		k.published = append(k.published, k.signing)
	}
}

// current is the place of the key that signs.
func (k *keyring) current() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.signing
}

// places lists what is published, the newest first.
func (k *keyring) places() []int {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := slices.Clone(k.published)
	slices.Reverse(out)
	return out
}

// jwk is the published form of the key at a place.
func (k *keyring) jwk(place int) (map[string]any, error) {
	key, err := k.pool.key(k.algorithm, place)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.described[place] == nil {
		doc, err := publicJWK(key.Public())
		if err != nil {
			return nil, err
		}
		doc["use"] = "sig"
		doc["alg"] = k.algorithm
		if err := k.describe(doc, key); err != nil {
			return nil, err
		}
		k.described[place] = doc
	}
	return maps.Clone(k.described[place]), nil
}

func (k *keyring) kid(place int) (string, error) {
	doc, err := k.jwk(place)
	if err != nil {
		return "", err
	}
	return doc["kid"].(string), nil
}

// spare is a second RSA key that is announced and never signs, as vendors publish
// several at once. Nobody holds its private half: the modulus is a random number.
func (k *keyring) spare() (map[string]any, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.announced == nil {
		n := make([]byte, 256)
		_, _ = rand.Read(n)
		n[0] |= 0x80
		n[255] |= 1
		pub := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
		doc, err := publicJWK(pub)
		if err != nil {
			return nil, err
		}
		doc["use"], doc["alg"] = "sig", "RS256"
		if err := k.describe(doc, nil); err != nil {
			return nil, err
		}
		k.announced = doc
	}
	return maps.Clone(k.announced), nil
}

// remember keeps the newest ID token and returns the one before, for replays.
func (k *keyring) remember(token string) (before string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before, k.last = k.last, token
	return before
}

// publicJWK renders a public key (RFC 7518 §6.2, §6.3).
func publicJWK(pub crypto.PublicKey) (map[string]any, error) {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return map[string]any{
			"kty": "RSA", "n": b64(pub.N.Bytes()), "e": b64(big.NewInt(int64(pub.E)).Bytes()),
		}, nil
	case *ecdsa.PublicKey:
		point, err := pub.Bytes()
		if err != nil {
			return nil, err
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}, nil
	}
	return nil, fmt.Errorf("fake: no JWK form for a %T", pub)
}

// thumbprint is RFC 7638's, the usual kid.
func thumbprint(jwk map[string]any) string {
	var canonical string
	if jwk["kty"] == "EC" {
		canonical = fmt.Sprintf(`{"crv":%q,"kty":"EC","x":%q,"y":%q}`, jwk["crv"], jwk["x"], jwk["y"])
	} else {
		canonical = fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, jwk["e"], jwk["n"])
	}
	sum := sha256.Sum256([]byte(canonical))
	return b64(sum[:])
}

// nameByThumbprint is the naming of vendors who have no other.
func nameByThumbprint(jwk map[string]any, _ crypto.Signer) error {
	jwk["kid"] = thumbprint(jwk)
	return nil
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
