package broker

import (
	"context"
	"errors"
	"time"

	"gatehouse/broker/oauth"
)

// DeviceDecision is what a person has said to a device.
type DeviceDecision uint8

// A decision is made once.
const (
	DevicePending DeviceDecision = iota
	DeviceApproved
	DeviceDenied
)

// DeviceAuthorization is the request of a device that has no browser (RFC 8628
// §3.1). It is found by its device code, and until it is decided by its user code.
type DeviceAuthorization struct {
	// Key is that of the device code; its Forget is when polling is over for good.
	Key ExpiringKey
	// UserCode is the digest of the user code as the page compares it.
	UserCode  Digest
	ClientID  string
	Scopes    oauth.Scopes
	Resources []string
	StartedAt time.Time
	// Expires is until when a person may decide and the device may poll.
	Expires time.Time
	// Address and Agent are where it was started, to be shown to whoever decides.
	Address string
	Agent   string
	// Decision, and with DeviceApproved the grant that the device may fetch once.
	Decision DeviceDecision
	GrantID  string
	Spent    bool
}

// What polling answers while there is nothing to fetch.
var (
	// ErrDevicePending: nobody has decided yet (RFC 8628 §3.5).
	ErrDevicePending = errors.New("nobody has decided about the device yet")
	// ErrDeviceDenied: the person said no.
	ErrDeviceDenied = errors.New("the person refused the device")
	// ErrDeviceExpired: nobody decided in time.
	ErrDeviceExpired = errors.New("the device authorization has expired")
)

// DeviceStart is a client's request for a device and user code.
type DeviceStart struct {
	Now    time.Time
	Once   []Once
	Device DeviceAuthorization
	Event  Event
}

// DeviceRefusal is the word of a person who is signed in that the device may not.
type DeviceRefusal struct {
	Now time.Time
	// Presented must be live, or the verb answers ErrNotFound.
	Presented SessionRef
	UserCode  Digest
	ClientID  string
	Event     Event
}

// DeviceRedemption is the presentation of a device code by a client that has
// authenticated.
type DeviceRedemption struct {
	Now      time.Time
	Once     []Once
	Key      ExpiringKey
	ClientID string
	// Next is stored if the grant is offline. It is made for the grant that
	// [Devices.Device] names.
	Next  NewRefresh
	Event Event
}

// Devices are started by clients, decided by people (approved in
// CompleteAuthorization) and redeemed once.
type Devices interface {
	// StartDevice stores the request. ErrExists when the device or user code is one of
	// a live request: make others. Errors besides: ErrOnceUsed.
	StartDevice(ctx context.Context, s DeviceStart) error
	// DeviceByUserCode answers a request that is still to be decided. ErrNotFound when
	// there is none, it was decided, or it has expired.
	DeviceByUserCode(ctx context.Context, userCode Digest, now time.Time) (DeviceAuthorization, error)
	// Device answers the request of a device code, whatever has become of it, for the
	// client that it is of; to others it is ErrNotFound.
	Device(ctx context.Context, key ExpiringKey, clientID string) (DeviceAuthorization, error)
	// DenyDevice decides. ErrNotFound when there is nothing to decide (any more).
	DenyDevice(ctx context.Context, r DeviceRefusal) error
	// RedeemDevice hands out an approved grant if check agrees, and stores Next, in one
	// commit. Exactly one call ever succeeds; later ones are ErrNotFound and change
	// nothing: two polls that overlap are no theft. Errors: ErrDevicePending,
	// ErrDeviceDenied, ErrDeviceExpired, ErrNotFound (unknown, foreign, spent, or its
	// grant is gone), ErrOnceUsed, those of check; none of them changes anything.
	RedeemDevice(ctx context.Context, r DeviceRedemption, check func(State) error) (Outcome, error)
}
