package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/seal"
)

// sealPurpose is what the box of this package is derived for. Changing it loses every sealed record.
const sealPurpose = "store"

// sealedFor is the associated data of a sealed value: its bucket and key. The bucket names have no zero byte.
func sealedFor(k kind, key []byte) []byte {
	aad := append([]byte(nil), buckets[k]...)
	aad = append(aad, 0)
	return append(aad, key...)
}

// Keys implements [broker.Keys]. The set is in order of the keys' IDs.
func (s *Store) Keys(ctx context.Context) ([]broker.Key, uint64, error) {
	var set []broker.Key
	var version uint64
	err := s.view(ctx, func(v *view) error {
		version = v.keysVersion()
		var err error
		set, err = v.keys(s.box)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return set, version, nil
}

func (v *view) keys(box *seal.Box) ([]broker.Key, error) {
	var set []broker.Key
	c := v.bucket(keyKind).Cursor()
	for id, value := c.First(); id != nil; id, value = c.Next() {
		d, err := open(keyKind, id, value)
		key := broker.Key{ID: string(id)}
		decodeKey(&d, &key)
		if err != nil || d.end() != nil {
			panic(damaged(keyKind, id))
		}
		if key.Private, err = box.Open(key.Private, sealedFor(keyKind, id)); err != nil {
			return nil, fmt.Errorf("bolt: signing key %s: %w", key.ID, err)
		}
		set = append(set, key)
	}
	return set, nil
}

// ReplaceKeys implements [broker.Keys].
func (s *Store) ReplaceKeys(ctx context.Context, version uint64, set []broker.Key, e broker.Event) error {
	if err := distinct(set); err != nil {
		return err
	}
	return s.update(ctx, func(t *txn) error {
		if t.keysVersion() != version {
			return broker.ErrConflict
		}
		t.putKeys(set, s.box)
		t.putMeta(metaKeysVersion, binary.BigEndian.AppendUint64(nil, version+1))
		e := fill(e, broker.EventKeysReplaced, time.Time{}, &broker.State{})
		t.recordEvent(&e)
		return nil
	})
}

// putKeys stores the set and nothing else.
func (t *txn) putKeys(set []broker.Key, box *seal.Box) {
	var old [][]byte
	c := t.bucket(keyKind).Cursor()
	for id, _ := c.First(); id != nil; id, _ = c.Next() {
		old = append(old, append([]byte(nil), id...))
	}
	for _, id := range old {
		t.delete(keyKind, id)
	}
	for i := range set {
		k := set[i]
		id := []byte(k.ID)
		k.Private = box.Seal(k.Private, sealedFor(keyKind, id))
		write(t, keyKind, id, &k, encodeKey)
	}
}

func distinct(set []broker.Key) error {
	seen := make(map[string]bool, len(set))
	for i := range set {
		if id := set[i].ID; id == "" {
			return errors.New("bolt: a signing key has no ID")
		} else if seen[id] {
			return fmt.Errorf("bolt: two signing keys have the ID %q", id)
		}
		seen[set[i].ID] = true
	}
	return nil
}

func (v *view) keysVersion() uint64 {
	b := v.meta(metaKeysVersion)
	if len(b) != 8 {
		panic(damaged(metaKind, []byte(metaKeysVersion)))
	}
	return binary.BigEndian.Uint64(b)
}
