package bolt

import (
	"context"
	"crypto/rand"
	"fmt"

	"gatehouse/broker/seal"
)

const (
	pairwiseSalt = "pairwise"
	saltLength   = 32
)

// A salt is sealed as a private key is: who can read the file must not be able to tell which subjects of two clients
// are one person (OpenID Connect Core §8.1).

func encodeSalt(e *encoder, sealed *[]byte) { e.bytes(*sealed) }
func decodeSalt(d *decoder, sealed *[]byte) { *sealed = d.bytes() }

// PairwiseSalt implements [broker.Salts].
func (s *Store) PairwiseSalt(ctx context.Context) ([]byte, error) {
	salt, err := s.salt(ctx, pairwiseSalt)
	if salt != nil || err != nil {
		return salt, err
	}
	err = s.update(ctx, func(t *txn) error {
		if t.bucket(saltKind).Get([]byte(pairwiseSalt)) != nil { // somebody else was first
			return nil
		}
		// One whose key is damaged is not absent: another would give everybody a new subject.
		t.verify(saltKind)
		salt := make([]byte, saltLength)
		_, _ = rand.Read(salt) // never fails
		t.putSalt(pairwiseSalt, salt, s.box)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.salt(ctx, pairwiseSalt)
}

// salt reads the salt of a name; nil when it has not been made.
func (s *Store) salt(ctx context.Context, name string) ([]byte, error) {
	var salt []byte
	err := s.view(ctx, func(v *view) (err error) {
		salt, err = v.salt(name, s.box)
		return err
	})
	return salt, err
}

func (v *view) salt(name string, box *seal.Box) ([]byte, error) {
	sealed := read(v, saltKind, []byte(name), decodeSalt)
	if sealed == nil {
		return nil, nil
	}
	salt, err := box.Open(*sealed, sealedFor(saltKind, []byte(name)))
	if err != nil {
		return nil, fmt.Errorf("bolt: salt %s: %w", name, err)
	}
	return salt, nil
}

func (t *txn) putSalt(name string, salt []byte, box *seal.Box) {
	sealed := box.Seal(salt, sealedFor(saltKind, []byte(name)))
	write(t, saltKind, []byte(name), &sealed, encodeSalt)
}
