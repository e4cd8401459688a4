package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"gatehouse/broker"
)

// txn is a batch's write transaction. Whatever a verb writes through it is counted, so that the writer knows a batch
// without writes and a refusal with some.
type txn struct {
	view
	writes  int
	cursors cursors
	space   *arena
	once    *onceKeys
}

// arena holds encoded values until their transaction is over: bbolt refers to them until then.
type arena struct{ free, chunk []byte }

const arenaChunk = 64 << 10

// reset makes the newest chunk free again. No value of the transaction before may be in use.
func (a *arena) reset() { a.free = a.chunk[:0] }

// encoder starts a value at the end of the arena.
func (a *arena) encoder() encoder {
	if cap(a.free)-len(a.free) < arenaChunk/16 {
		a.chunk = make([]byte, arenaChunk)
		a.free = a.chunk[:0]
	}
	return encoder{b: a.free[len(a.free):len(a.free):cap(a.free)]}
}

// keep gives what the encoder wrote to the transaction. A value that outgrew its chunk has memory of its own.
func (a *arena) keep(value []byte) {
	if n := len(a.free); n+len(value) <= cap(a.free) {
		a.free = a.free[:n+len(value)]
	}
}

// write stores a record. bbolt's refusal (an empty or oversized key) is a fault: it stops the verb.
func write[T any](t *txn, k kind, key []byte, r *T, encode func(*encoder, *T)) {
	e := t.space.encoder()
	e.b = append(e.b, k.version())
	encode(&e, r)
	e.b = binary.BigEndian.AppendUint32(e.b, checksum(k, key, e.b))
	t.space.keep(e.b)
	t.put(k, key, e.b)
}

func (t *txn) put(k kind, key, value []byte) {
	t.writes++
	if err := t.bucket(k).Put(key, value); err != nil {
		panic(fault{fmt.Errorf("bolt: writing to %s: %w", buckets[k], err)})
	}
}

func (t *txn) delete(k kind, key []byte) {
	t.writes++
	if err := t.bucket(k).Delete(key); err != nil {
		panic(fault{fmt.Errorf("bolt: deleting from %s: %w", buckets[k], err)})
	}
}

func (t *txn) putAccount(a *broker.Account) {
	write(t, accountKind, t.text(a.ID), a, encodeAccount)
}

func (t *txn) putIdentity(d broker.Digest, l *broker.LinkedIdentity) {
	write(t, identityKind, d[:], l, encodeIdentity)
}

func (t *txn) putCredential(c *broker.Credential) {
	write(t, credentialKind, c.Identity[:], c, encodeCredential)
}

func (t *txn) putSession(s *broker.Session) {
	write(t, sessionKind, t.text(s.ID), s, encodeSession)
}

func (t *txn) putGrant(g *broker.Grant) {
	write(t, grantKind, t.text(g.ID), g, encodeGrant)
}

func (t *txn) putCode(c *broker.Code) {
	write(t, codeKind, c.Key[:], c, encodeCode)
}

func (t *txn) putDevice(d *broker.DeviceAuthorization) {
	write(t, deviceKind, d.Key[:], d, encodeDevice)
}

func (t *txn) putConsent(c *broker.Consent) {
	t.scratch = appendConsentKey(t.scratch[:0], c.AccountID, c.ClientID)
	write(t, consentKind, t.scratch, c, encodeConsent)
}

func (t *txn) putSwitch(k broker.SwitchKind, id string, s *broker.Switch) {
	t.scratch = appendSwitchKey(t.scratch[:0], k, id)
	write(t, switchKind, t.scratch, s, encodeSwitch)
}

// recordEvent appends an event. Events are numbered in order of writing, whatever the clock says.
func (t *txn) recordEvent(e *broker.Event) {
	n, err := t.bucket(eventKind).NextSequence()
	if err != nil {
		panic(fault{fmt.Errorf("bolt: numbering an event: %w", err)})
	}
	t.scratch = binary.BigEndian.AppendUint64(t.scratch[:0], n)
	write(t, eventKind, t.scratch, e, encodeEvent)
}

// fill gives the event what the caller left to the verb.
func fill(e broker.Event, what broker.EventType, at time.Time, st *broker.State) broker.Event {
	if e.Type == "" {
		e.Type = what
	}
	if e.At.IsZero() {
		e.At = at
	}
	if st.Account != nil {
		e.AccountID = st.Account.ID
	}
	if st.Session != nil {
		e.SessionID = st.Session.ID
	}
	if g := st.Grant; g != nil {
		e.AccountID, e.ClientID, e.SessionID, e.GrantID, e.Connector = g.AccountID, g.ClientID, g.SessionID, g.ID, g.Connector
	}
	return e
}

// insertIssuance stores a new grant and how the client comes to it: the code, or the device that was approved.
func (t *txn) insertIssuance(st *broker.State) {
	t.putGrant(st.Grant)
	t.placed(grantKind, st.Grant.ID, st.Grant.Forget)
	if st.Device != nil {
		t.putDecided(st.Device)
		return
	}
	t.putCode(st.Code)
	t.cursors.lower(codeKind, st.Code.Key[:])
}

// placed makes sure that the sweeper will meet a new record: an identifier that is not broker.NewID's says nothing
// about time, and one that sorts before what was swept would not be seen until the next start.
func (t *txn) placed(k kind, id string, forget time.Time) {
	if _, ok := broker.IDForget(id); !ok {
		t.remindAt(forget, k, []byte(id))
		return
	}
	t.cursors.lower(k, t.text(id))
}

// cursors is where the sweeper stands in each bucket that is in order of expiry: everything before has been looked at.
type cursors [kinds][]byte

// lower moves a cursor back to key if it had passed it.
func (c *cursors) lower(k kind, key []byte) {
	if bytes.Compare(key, c[k]) < 0 {
		c[k] = bytes.Clone(key)
	}
}

// errUnchecked: a verb without the function that decides refuses everything.
var errUnchecked = errors.New("bolt: verb called without its check")
