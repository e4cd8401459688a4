package jose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

const (
	maxKeySet = 512 << 10
	maxKeys   = 100
)

// KeySource finds the keys that may verify a token. kid is the token's, "" when it names none; alg is already on the
// caller's allow-list. A source answers with the candidates alone: no key is an empty answer or [ErrNoKey], and several
// are ambiguous. An error is passed on as it is.
type KeySource interface {
	Keys(ctx context.Context, kid string, alg Algorithm) ([]Key, error)
}

// KeySourceFunc is a function as a [KeySource].
type KeySourceFunc func(ctx context.Context, kid string, alg Algorithm) ([]Key, error)

// Keys calls f.
func (f KeySourceFunc) Keys(ctx context.Context, kid string, alg Algorithm) ([]Key, error) {
	return f(ctx, kid, alg)
}

// Only is the source of a single key that does not care for the kid: the jwk of a DPoP proof, say.
func Only(key Key) KeySource {
	return KeySourceFunc(func(context.Context, string, Algorithm) ([]Key, error) {
		key := key
		key.ID = ""
		return []Key{key}, nil
	})
}

// KeySet is an immutable set of verification keys, and a [KeySource]. It has the keys to encrypt to apart from them.
type KeySet struct {
	keys       []Key
	recipients []recipient
	refused    []error
}

// NewKeySet makes a set of keys. Two keys of one kind with the same ID are [ErrKey], as in [ParseKeySet].
func NewKeySet(keys ...Key) (*KeySet, error) {
	s := &KeySet{}
	for _, k := range keys {
		if err := s.add(k); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ParseKeySet reads a JWK set (RFC 7517 §5) of at most 512 KiB and 100 keys under the law of this package.
//
// Keys for encryption verify nothing; [KeySet.Recipient] finds them. Keys of kinds, curves or algorithms not implemented
// are left out silently. Keys that are weak or malformed are left out, and [KeySet.Refused] tells of them: an upstream's
// other keys stay usable, a client's registration can be refused. The whole set is refused with [ErrKey] when two signature keys of one kind share a kid, since a token
// would not say which is meant (JW-04), and when a private or symmetric key is in it, because whoever could read the
// set can sign with it (JW-08). [ErrMalformed] means that it is not a JWK set.
func ParseKeySet(data []byte) (*KeySet, error) {
	if len(data) > maxKeySet {
		return nil, fmt.Errorf("%w: key set of %d bytes, at most %d are read", ErrMalformed, len(data), maxKeySet)
	}
	members, err := scanObject(data, keySetShape)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	entries, err := entriesOf(members)
	if err != nil {
		return nil, err
	}
	s := &KeySet{}
	for i, entry := range entries {
		refused, err := s.read(entry)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i, err)
		}
		if refused != nil {
			s.refused = append(s.refused, fmt.Errorf("key %d: %w", i, refused))
		}
	}
	return s, nil
}

// read enters one key of a document for what it may be used for. refused is why a weak or malformed one is left out,
// err why the whole set is.
func (s *KeySet) read(entry []byte) (refused, err error) {
	members, err := scanObject(entry, jwkShape)
	if err != nil {
		return nil, fmt.Errorf("jwk: %w", err)
	}
	j, kty, err := jwkOf(members)
	switch {
	case errors.Is(err, errSecret):
		return nil, err
	case err != nil:
		return err, nil
	}
	key, err := j.key(kty)
	switch {
	case err == nil:
		if err := s.add(key); err != nil {
			return nil, err
		}
	case !errors.Is(err, errUnusable):
		return err, nil
	}
	r, err := j.recipient(kty)
	switch {
	case err == nil:
		s.recipients = append(s.recipients, r)
	case !errors.Is(err, errUnusable):
		return err, nil
	}
	return nil, nil
}

// keySetShape knows the one member that counts; the keys are read one by one, each with a shape of its own.
var keySetShape = shapeOf("keys")

func entriesOf(members []member) ([]json.RawMessage, error) {
	var entries []json.RawMessage
	for _, m := range members {
		if m.name != "keys" {
			continue
		}
		if err := json.Unmarshal(m.raw, &entries); err != nil || entries == nil {
			break
		}
		if len(entries) > maxKeys {
			return nil, fmt.Errorf("%w: key set of %d keys, at most %d are read", ErrMalformed, len(entries), maxKeys)
		}
		return entries, nil
	}
	return nil, fmt.Errorf("%w: key set without an array of keys", ErrMalformed)
}

// add enters a key unless its name is taken. The same kid on keys of different kinds is allowed (RFC 7517 §4.5): the
// algorithm tells them apart.
func (s *KeySet) add(k Key) error {
	if k.public == nil {
		return fmt.Errorf("%w: no key", ErrKey)
	}
	for _, other := range s.keys {
		if k.ID != "" && other.ID == k.ID && sameKind(other, k) {
			return fmt.Errorf("%w: two keys of one kind have the same kid", ErrKey)
		}
	}
	s.keys = append(s.keys, k)
	return nil
}

func sameKind(a, b Key) bool { return kindOf(a) == kindOf(b) }

func kindOf(k Key) family {
	for _, alg := range [...]Algorithm{RS256, ES256, ES384, ES512, EdDSA} {
		if alg.fits(k.public) {
			t, _ := traitsOf(alg)
			return t.family
		}
	}
	return 0
}

// Find returns the keys that may verify a token with that kid and algorithm: those of that name, or all when kid is "".
func (s *KeySet) Find(kid string, alg Algorithm) []Key {
	var found []Key
	for _, k := range s.keys {
		if (kid == "" || k.ID == kid) && k.Supports(alg) {
			found = append(found, k)
		}
	}
	return found
}

// Keys implements [KeySource]. A kid that is not in the set is [ErrNoKey].
func (s *KeySet) Keys(_ context.Context, kid string, alg Algorithm) ([]Key, error) {
	found := s.Find(kid, alg)
	if len(found) == 0 {
		return nil, ErrNoKey
	}
	return found, nil
}

// All returns the keys of the set in the order of the document.
func (s *KeySet) All() []Key { return append([]Key(nil), s.keys...) }

// Refused says which keys were left out because they are weak or malformed, and why, in words fit for a log line. Keys
// for another purpose or of unknown kinds are not among them.
func (s *KeySet) Refused() []error { return append([]error(nil), s.refused...) }
