package fake

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"sync"
)

// KeyPool makes signing keys when they are first needed and keeps them. Sharing
// one between fakes spares the time an RSA key takes to make; their issuers, not
// their keys, then tell their tokens apart. The zero value is ready.
type KeyPool struct {
	mu  sync.Mutex
	rsa []*rsa.PrivateKey
	ec  []*ecdsa.PrivateKey
}

// Places in the pool. Keys from laterKeys on are those of rotations.
const (
	signingKey = iota
	foreignKey // never published by anybody
	secondKey  // Entra: the key of another tenant
	laterKeys
)

// key returns the key at a place of the pool, for the algorithm.
func (k *KeyPool) key(algorithm string, place int) (crypto.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if algorithm == "ES256" {
		return grow(&k.ec, place, func() (*ecdsa.PrivateKey, error) {
			return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		})
	}
	return grow(&k.rsa, place, func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
}

// grow fills only the place asked for: a key nobody uses costs nothing.
func grow[K any](keys *[]*K, place int, generate func() (*K, error)) (*K, error) {
	for len(*keys) <= place {
		*keys = append(*keys, nil)
	}
	if (*keys)[place] == nil {
		made, err := generate()
		if err != nil {
			return nil, err
		}
		(*keys)[place] = made
	}
	return (*keys)[place], nil
}
