package bolt

import (
	"encoding/binary"
	"math"
	"time"

	"gatehouse/broker"
)

// A registration's MACSecret is the sealed form here; registration.go opens it.
func encodeRegistration(e *encoder, r *broker.Registration) {
	e.uint(r.Revision)
	e.bytes(r.Metadata)
	e.string(r.Secret)
	e.bytes(r.MACSecret)
	e.digest(r.AccessToken)
	e.time(r.CreatedAt)
	e.time(r.UsedAt)
	e.uint(uint64(max(r.Unused, 0)))
}

func decodeRegistration(d *decoder, r *broker.Registration) {
	r.Revision = d.uint()
	r.Metadata = d.bytes()
	r.Secret = d.string()
	r.MACSecret = d.bytes()
	r.AccessToken = d.digest()
	r.CreatedAt = d.time()
	r.UsedAt = d.time()
	unused := d.uint()
	if unused > math.MaxInt64 {
		d.fail()
		return
	}
	r.Unused = time.Duration(unused)
}

// quota is how many clients an initial access token has registered. Its record has one length, however many those are.
type quota struct{ Registered uint64 }

func encodeQuota(e *encoder, q *quota) { e.b = binary.BigEndian.AppendUint64(e.b, q.Registered) }

func decodeQuota(d *decoder, q *quota) {
	if b := d.take(8); b != "" {
		q.Registered = binary.BigEndian.Uint64([]byte(b))
	}
}

func (v *view) registration(clientID string) *broker.Registration {
	r := read(v, registrationKind, v.text(clientID), decodeRegistration)
	if r != nil {
		r.ClientID = clientID
	}
	return r
}

func (t *txn) putRegistration(r *broker.Registration) {
	write(t, registrationKind, t.text(r.ClientID), r, encodeRegistration)
}

func (v *view) quota(token broker.Digest) *quota {
	if q := read(v, quotaKind, token[:], decodeQuota); q != nil {
		return q
	}
	return &quota{}
}

func (t *txn) putQuota(token broker.Digest, q *quota) {
	write(t, quotaKind, token[:], q, encodeQuota)
}
