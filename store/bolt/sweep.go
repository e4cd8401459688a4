package bolt

import (
	"bytes"
	"context"
	"time"

	"gatehouse/broker"
)

// Sweep implements [broker.Sweeper]. It goes through each bucket from where it stopped last time and ends at the first
// record that is not due, so its cost is what it removes. Accounts, identities, consents and switches do not expire.
func (s *Store) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	var looked int
	err := s.update(ctx, func(t *txn) error {
		looked = 0
		for _, k := range []kind{onceKind, codeKind, deviceKind, grantKind, sessionKind} {
			looked += t.sweepOrdered(k, now, limit-looked, s.unreadable)
		}
		looked += t.sweepLater(now, limit-looked, s.unreadable)
		looked += t.sweepEvents(now.Add(-s.retention), limit-looked)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return looked, nil
}

// unreadable is told of a record that was due and could not be read. It stays where it is: nothing is lost by keeping
// it, and the sweep goes on.
func (s *Store) unreadable(k kind, key []byte) {
	s.log.Warn("sweeper met a damaged record and left it", "bucket", string(buckets[k]), "key", printable(key))
}

// due is a record whose key says that it may be forgotten, with what the record itself says.
type due struct {
	key    []byte
	forget time.Time
}

// sweepOrdered removes records whose key and content agree that they are over, and puts a reminder into "later" for
// those that were prolonged after their key was made.
func (t *txn) sweepOrdered(k kind, now time.Time, limit int, unreadable func(kind, []byte)) int {
	var found []due
	looked := 0
	c := t.bucket(k).Cursor()
	for key, value := c.Seek(t.cursors[k]); key != nil && looked < limit; key, value = c.Next() {
		at, ok := keyTime(k, key)
		if ok && at.After(now) {
			break
		}
		looked++
		// Just behind this key: it has been seen.
		t.cursors[k] = append(append([]byte(nil), key...), 0)
		forget, err := forgetOf(k, key, value)
		switch {
		case err != nil:
			unreadable(k, key)
		case ok: // any other is in "later" since it was made: see placed
			found = append(found, due{bytes.Clone(key), forget})
		}
	}
	for _, d := range found {
		if d.forget.After(now) {
			t.remindAt(d.forget, k, d.key)
			continue
		}
		t.forget(k, d.key)
	}
	return looked
}

// forget removes a record and what is kept beside it.
func (t *txn) forget(k kind, key []byte) {
	switch k {
	case deviceKind:
		t.forgetDevice(key)
		return
	case onceKind:
		t.once.removed = append(t.once.removed, broker.Digest(key[5:]))
	}
	t.delete(k, key)
}

// sweepLater visits the records whose reminder has come. One that was prolonged again gets a new reminder; one that is
// gone has nothing to be removed.
func (t *txn) sweepLater(now time.Time, limit int, unreadable func(kind, []byte)) int {
	var reminders [][]byte
	c := t.bucket(laterKind).Cursor()
	for key, _ := c.First(); key != nil && len(reminders) < limit; key, _ = c.Next() {
		if len(key) >= reminderHead && takeSecond(key).After(now) {
			break
		}
		reminders = append(reminders, bytes.Clone(key))
	}
	for _, r := range reminders {
		t.delete(laterKind, r)
		if len(r) < reminderHead || !expires(kind(r[reminderHead-1])) {
			unreadable(laterKind, r)
			continue
		}
		k, key := kind(r[reminderHead-1]), r[reminderHead:]
		value := t.bucket(k).Get(key)
		if value == nil {
			continue
		}
		forget, err := forgetOf(k, key, value)
		switch {
		case err != nil:
			unreadable(k, key)
		case forget.Equal(never):
		case forget.After(now):
			t.remindAt(forget, k, key)
		default:
			t.delete(k, key)
		}
	}
	return len(reminders)
}

// sweepEvents removes events older than the cutoff, up to the first that is not. A damaged event goes with the readable
// ones after it.
func (t *txn) sweepEvents(cutoff time.Time, limit int) int {
	var keys [][]byte
	old := 0
	c := t.bucket(eventKind).Cursor()
	for key, value := c.First(); key != nil && len(keys) < limit; key, value = c.Next() {
		e, err := openEvent(key, value)
		if err == nil && e.At.After(cutoff) {
			break
		}
		keys = append(keys, bytes.Clone(key))
		if err == nil {
			old = len(keys)
		}
	}
	for _, key := range keys[:old] {
		t.delete(eventKind, key)
	}
	return old
}

// expires reports whether records of the kind are ever forgotten by way of a reminder.
func expires(k kind) bool {
	return k == sessionKind || k == grantKind || k == codeKind || k == credentialKind || k == registrationKind
}

// keyTime is the moment at the head of a key; false when there is none.
func keyTime(k kind, key []byte) (time.Time, bool) {
	if k == sessionKind || k == grantKind {
		return broker.IDForget(string(key))
	}
	if len(key) != onceKeyLength { // which is that of a broker.ExpiringKey, too
		return time.Time{}, false
	}
	return takeSecond(key), true
}

// never is when a record may be forgotten that is kept, though its sweeping was once planned.
var never = time.Unix(latestSecond, 0)

// forgetOf is what the record says about when it may be forgotten. Codes, devices and one-time keys say it in the key
// alone.
func forgetOf(k kind, key, value []byte) (time.Time, error) {
	d, err := open(k, key, value)
	if err != nil {
		return time.Time{}, err
	}
	switch k {
	case sessionKind:
		var s broker.Session
		decodeSession(&d, &s)
		return s.Forget, d.end()
	case grantKind:
		var g broker.Grant
		decodeGrant(&d, &g)
		return g.Forget, d.end()
	case credentialKind:
		var c broker.Credential
		decodeCredential(&d, &c)
		return c.Forget, d.end()
	case registrationKind:
		var r broker.Registration
		decodeRegistration(&d, &r)
		if r.Unused == 0 {
			return never, d.end()
		}
		return r.UsedAt.Add(r.Unused), d.end()
	case deviceKind:
		var a broker.DeviceAuthorization
		decodeDevice(&d, &a)
		return time.Time{}, d.end()
	}
	return time.Time{}, nil
}

// A reminder is the key of an entry in "later": the second (5 bytes), the kind, the key of the record.
const reminderHead = 6

// remindAt has the sweeper visit a record once the moment is over.
func (t *txn) remindAt(at time.Time, k kind, key []byte) {
	reminder := make([]byte, 0, reminderHead+len(key))
	reminder = append(appendSecond(reminder, at), byte(k))
	t.put(laterKind, append(reminder, key...), nil)
}
