package mint

import (
	"time"

	"gatehouse/broker"
)

const (
	devicePrefix  = "gd_"
	deviceRawSize = grantSize + sumSize // the time and randomness of a broker.NewID, and the sum

	// devicePart stands before what is summed, so that no authorization code has the sum of a device code.
	devicePart = "device-code"
)

// NewDeviceCode returns a device code (RFC 8628 §3.2), with 128 random bits (§5.2), and the key to store its request
// under. The code carries the moment from which the request may be forgotten, by which it is found without an index. An
// error is for a moment that cannot be encoded.
func (m *Minter) NewDeviceCode(forget time.Time) (code string, key broker.ExpiringKey, err error) {
	raw, err := grantBytes(broker.NewID(forget))
	if err != nil {
		return "", broker.ExpiringKey{}, err
	}
	code = encodeOpaque(devicePrefix, append(raw, m.deviceSum(raw)...))
	return code, codeKey(idEncoding.EncodeToString(raw), code), nil
}

// ParseDeviceCode returns the key of a code that a client polls with, or ErrMalformed for what NewDeviceCode has not
// made: a made-up code never reaches the store.
func (m *Minter) ParseDeviceCode(code string) (broker.ExpiringKey, error) {
	raw, ok := decodeOpaque(devicePrefix, code, deviceRawSize)
	if !ok || !m.codes.Verify(raw[grantSize:], []byte(devicePart), raw[:grantSize]) {
		return broker.ExpiringKey{}, ErrMalformed
	}
	return codeKey(idEncoding.EncodeToString(raw[:grantSize]), code), nil
}

func (m *Minter) deviceSum(raw []byte) []byte { return m.codes.Sum([]byte(devicePart), raw) }
