package bolt

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"

	"gatehouse/broker"
)

// view reads records in one transaction. A record that cannot be decoded panics with a fault, as a page that bbolt
// cannot read does: nobody can forget to look, and damage is never taken for absence. Whoever runs a transaction
// recovers it.
type view struct {
	tx      *bbolt.Tx
	buckets [kinds]*bbolt.Bucket
	scratch []byte
}

// fault is an error of the engine in the middle of a verb.
type fault struct{ err error }

// faultOf turns what recover returned into an error. Besides our own faults these are bbolt's assertions and memory
// faults from a damaged or truncated file (see debug.SetPanicOnFault), and mistakes in functions handed to a verb.
func faultOf(recovered any) error {
	switch p := recovered.(type) {
	case fault:
		return p.err
	case error:
		return fmt.Errorf("bolt: verb stopped: %w", p)
	}
	return fmt.Errorf("bolt: verb stopped: %v", recovered)
}

// view runs read on the current state. It waits for nobody but the moment in which a commit is published.
func (s *Store) view(ctx context.Context, read func(*view) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx, err := s.db.Begin(false)
	if err != nil {
		return fmt.Errorf("bolt: %w", err)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = faultOf(p)
		}
		_ = tx.Rollback() // of a read transaction: cannot fail
	}()
	return read(&view{tx: tx})
}

func (v *view) bucket(k kind) *bbolt.Bucket {
	b := v.buckets[k]
	if b == nil {
		if b = v.tx.Bucket(buckets[k]); b == nil {
			panic(fault{fmt.Errorf("bolt: bucket %s is missing: %w", buckets[k], errDamaged)})
		}
		if k.ordered() {
			b.FillPercent = appendFill
		}
		v.buckets[k] = b
	}
	return b
}

// text returns a key as bytes that stay valid until the next call.
func (v *view) text(id string) []byte {
	v.scratch = append(v.scratch[:0], id...)
	return v.scratch
}

// record returns the body of a record, and whether there is one.
func (v *view) record(k kind, key []byte) (decoder, bool) {
	if len(key) == 0 {
		return decoder{}, false
	}
	value := v.bucket(k).Get(key)
	if value == nil {
		return decoder{}, false
	}
	d, err := open(k, key, value)
	if err != nil {
		panic(damaged(k, key))
	}
	return d, true
}

func damaged(k kind, key []byte) fault {
	return fault{fmt.Errorf("bolt: %s %s: %w", buckets[k], printable(key), errDamaged)}
}

// read decodes the record of a key into a new T, or returns nil when there is none.
func read[T any](v *view, k kind, key []byte, decode func(*decoder, *T)) *T {
	d, ok := v.record(k, key)
	if !ok {
		return nil
	}
	r := new(T)
	decode(&d, r)
	if d.end() != nil {
		panic(damaged(k, key))
	}
	return r
}

func (v *view) account(id string) *broker.Account {
	a := read(v, accountKind, v.text(id), decodeAccount)
	if a != nil {
		a.ID = id
	}
	return a
}

func (v *view) identity(d broker.Digest) *broker.LinkedIdentity {
	if d.IsZero() {
		return nil
	}
	return read(v, identityKind, d[:], decodeIdentity)
}

func (v *view) credential(d broker.Digest) *broker.Credential {
	if d.IsZero() {
		return nil
	}
	c := read(v, credentialKind, d[:], decodeCredential)
	if c != nil {
		c.Identity = d
	}
	return c
}

func (v *view) session(id string) *broker.Session {
	s := read(v, sessionKind, v.text(id), decodeSession)
	if s != nil {
		s.ID = id
	}
	return s
}

func (v *view) grant(id string) *broker.Grant {
	g := read(v, grantKind, v.text(id), decodeGrant)
	if g != nil {
		g.ID = id
	}
	return g
}

func (v *view) code(key broker.ExpiringKey) *broker.Code {
	c := read(v, codeKind, key[:], decodeCode)
	if c != nil {
		c.Key = key
	}
	return c
}

func (v *view) device(key broker.ExpiringKey) *broker.DeviceAuthorization {
	d := read(v, deviceKind, key[:], decodeDevice)
	if d != nil {
		d.Key = key
	}
	return d
}

func (v *view) consent(accountID, clientID string) *broker.Consent {
	if clientID == "" {
		return nil
	}
	v.scratch = appendConsentKey(v.scratch[:0], accountID, clientID)
	c := read(v, consentKind, v.scratch, decodeConsent)
	if c != nil {
		c.AccountID, c.ClientID = accountID, clientID
	}
	return c
}

func (v *view) toggle(k broker.SwitchKind, id string) broker.Switch {
	if id == "" {
		return broker.Switch{}
	}
	v.scratch = appendSwitchKey(v.scratch[:0], k, id)
	if s := read(v, switchKind, v.scratch, decodeSwitch); s != nil {
		return *s
	}
	return broker.Switch{}
}

// bearing is the state that bears on a grant.
func (v *view) bearing(g *broker.Grant, now time.Time) broker.State {
	return broker.State{
		Now:       now,
		Client:    v.toggle(broker.ClientSwitch, g.ClientID),
		Connector: v.toggle(broker.ConnectorSwitch, g.Connector),
		Account:   v.account(g.AccountID),
		Identity:  v.identity(g.Identity),
		Session:   v.session(g.SessionID),
		Consent:   v.consent(g.AccountID, g.ClientID),
		Grant:     g,
	}
}
