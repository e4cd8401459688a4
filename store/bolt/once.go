package bolt

import (
	"encoding/binary"
	"fmt"
	"time"

	"gatehouse/broker"
)

// onceKeys are the one-time keys that have been used and not yet been forgotten. In the file they are in order of
// expiry, so that remembering one is an append and forgetting them needs no index. Whether one was used must be known
// whatever expiry it comes with, and that is asked here: in memory, filled when the writer starts. Only the writer uses
// it, and what a transaction adds or removes counts when it has been committed.
type onceKeys struct {
	used    map[broker.Digest]struct{}
	most    int // since used was made
	added   []broker.Digest
	removed []broker.Digest
}

// onceKeyLength is the expiry in whole seconds, rounded up, and the digest.
const onceKeyLength = 5 + len(broker.Digest{})

func appendOnceKey(b []byte, o *broker.Once) []byte {
	b = appendSecond(b, o.Expires)
	return append(b, o.Key[:]...)
}

// load reads the keys of the file. It takes a fraction of a microsecond for each.
func (o *onceKeys) load(v *view) {
	o.used = map[broker.Digest]struct{}{}
	c := v.bucket(onceKind).Cursor()
	for key, value := c.First(); key != nil; key, value = c.Next() {
		d, err := open(onceKind, key, value)
		if err != nil || d.end() != nil || len(key) != onceKeyLength {
			panic(damaged(onceKind, key))
		}
		o.used[broker.Digest(key[5:])] = struct{}{}
	}
	o.most = len(o.used)
}

// loadOnce fills the memory before the first verb runs.
func (s *Store) loadOnce() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = faultOf(p)
		}
	}()
	tx, err := s.db.Begin(false)
	if err != nil {
		return fmt.Errorf("bolt: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	s.once.load(&view{tx: tx})
	return nil
}

// rollback forgets what the transaction did.
func (o *onceKeys) rollback() {
	for _, d := range o.added {
		delete(o.used, d)
	}
	o.added, o.removed = o.added[:0], o.removed[:0]
}

// commit makes what the transaction did count. A map keeps the room it once needed, so a much smaller one is made anew.
func (o *onceKeys) commit() {
	for _, d := range o.removed {
		delete(o.used, d)
	}
	o.added, o.removed = o.added[:0], o.removed[:0]
	if o.most = max(o.most, len(o.used)); o.most > 1<<16 && len(o.used) < o.most/8 {
		smaller := make(map[broker.Digest]struct{}, len(o.used))
		for d := range o.used {
			smaller[d] = struct{}{}
		}
		o.used, o.most = smaller, len(smaller)
	}
}

// unused reports ErrOnceUsed if any of the keys was presented before, or twice now. A key that has expired but is still
// remembered counts as used: the caller would refuse it anyway.
func (t *txn) unused(keys []broker.Once) error {
	for i := range keys {
		if _, used := t.once.used[keys[i].Key]; used {
			return broker.ErrOnceUsed
		}
		for j := range i {
			if keys[j].Key == keys[i].Key {
				return broker.ErrOnceUsed
			}
		}
	}
	return nil
}

// consume remembers the keys until they expire.
func (t *txn) consume(keys []broker.Once) {
	for i := range keys {
		t.scratch = appendOnceKey(t.scratch[:0], &keys[i])
		t.cursors.lower(onceKind, t.scratch)
		write(t, onceKind, t.scratch, &struct{}{}, encodeNothing)
		t.once.used[keys[i].Key] = struct{}{}
		t.once.added = append(t.once.added, keys[i].Key)
	}
}

func encodeNothing(*encoder, *struct{}) {}

// appendSecond writes a moment as five bytes that sort, rounded up to the second.
func appendSecond(b []byte, at time.Time) []byte {
	seconds := max(at.Unix(), 0)
	if at.Nanosecond() > 0 {
		seconds++
	}
	var head [8]byte
	binary.BigEndian.PutUint64(head[:], uint64(min(seconds, 1<<40-1)))
	return append(b, head[3:]...)
}

// takeSecond reads what appendSecond wrote.
func takeSecond(b []byte) time.Time {
	var head [8]byte
	copy(head[3:], b[:5])
	return time.Unix(int64(binary.BigEndian.Uint64(head[:])), 0)
}
