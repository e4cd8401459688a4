package flow

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"time"

	"gatehouse/broker"
)

// Lifetime is how long a person may take from the first request to the answer.
const Lifetime = 30 * time.Minute

// onceMargin keeps the one-time keys of a flow longer than the flow can live: a
// clock that leaps by an hour and is set right again makes flows young that were
// old, and what was forgotten meanwhile could be presented again.
const onceMargin = time.Hour + time.Minute

// Kind says what a flow is for. The set is closed: every switch over it lists
// all kinds.
type Kind string

const (
	// ForClient answers a client's authorization request.
	ForClient Kind = "authorize"
	// ForDevice decides about a device that shows a user code (RFC 8628 §3.3). The
	// client waits elsewhere: every answer of such a flow is a page.
	ForDevice Kind = "device"
)

// Flow is one interactive request under way. Member names are short because it
// is a cookie.
type Flow struct {
	ID      string                       `json:"id"`
	Kind    Kind                         `json:"k"`
	Started int64                        `json:"t"`
	Request *broker.AuthorizationRequest `json:"r,omitempty"`
	Attempt *Attempt                     `json:"a,omitempty"`
	// SignedIn is the connector through which the person authenticated within this
	// flow; without it prompt=login would never end.
	SignedIn string `json:"s,omitempty"`
	// Address is the e-mail address that the person typed to find their upstream. It
	// is passed on to those that its domain belongs to, and kept nowhere else.
	Address string `json:"e,omitempty"`
	// Device is the user code in the spelling in which it is compared, and DeviceEnds
	// the second from which the device waits no more. Both are of flows ForDevice alone.
	Device     string `json:"d,omitempty"`
	DeviceEnds int64  `json:"de,omitempty"`
}

// Attempt is one visit to an upstream: what login made for it.
type Attempt struct {
	Connector    string `json:"c"`
	Nonce        string `json:"n"`
	CodeVerifier string `json:"v"`
	// Choice is the key of the connector's choice that was made; empty for none.
	Choice string `json:"o,omitempty"`
	// Forced says that fresh credentials were asked for; Previous is the auth_time
	// this browser had at the connector before, which a fresh one must exceed.
	Forced   bool  `json:"f,omitempty"`
	Previous int64 `json:"p,omitempty"`
}

// New begins a flow for a client's request.
func New(now time.Time, request *broker.AuthorizationRequest) *Flow {
	return &Flow{ID: newID(now), Kind: ForClient, Started: now.Unix(), Request: request}
}

// NewForDevice begins the flow of a person who has typed a user code. The request
// has no redirect URI.
func NewForDevice(now time.Time, userCode string, ends time.Time, request *broker.AuthorizationRequest) *Flow {
	return &Flow{ID: newID(now), Kind: ForDevice, Started: now.Unix(), Request: request, Device: userCode, DeviceEnds: ends.Unix()}
}

// sound reports whether the flow has what its kind needs, and nothing of another.
func (f *Flow) sound() bool {
	switch f.Kind {
	case ForClient:
		return f.Request != nil && f.Device == ""
	case ForDevice:
		return f.Request != nil && f.Device != "" && f.Request.RedirectURI == ""
	}
	return false
}

// StartedAt is when the flow began.
func (f *Flow) StartedAt() time.Time { return time.Unix(f.Started, 0) }

// Expired reports whether the person has taken too long. A flow from the future
// is as dead as one from the past: some clock was wrong.
func (f *Flow) Expired(now time.Time) bool {
	age := now.Sub(f.StartedAt())
	return age < -time.Minute || age > Lifetime
}

// Once is the one-time key of a step of the flow: presented twice, the second
// is refused by the store.
func (f *Flow) Once(step string) broker.Once {
	return broker.Once{Key: broker.DigestOf("flow\x00" + step + "\x00" + f.ID), Expires: f.StartedAt().Add(Lifetime + onceMargin)}
}

// newID is sortable by age, so that the oldest flow of a browser is known by
// its cookie's name, and unguessable, so that a name tells nothing.
func newID(now time.Time) string {
	var b [15]byte
	binary.BigEndian.PutUint32(b[:4], uint32(now.Unix()))
	rand.Read(b[4:])
	return idEncoding.EncodeToString(b[:])
}

// idEncoding keeps the order of what it encodes.
var idEncoding = base64.NewEncoding("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz").WithPadding(base64.NoPadding)
