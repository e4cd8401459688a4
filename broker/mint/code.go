package mint

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	"gatehouse/broker"
)

const (
	codePrefix  = "gc_"
	forgetSize  = 5  // seconds since 1970: until the year 36812
	codeRandom  = 16 // RFC 6749 §10.10 asks for a chance of guessing of 2^-128 at most
	codeRawSize = forgetSize + codeRandom + sumSize
)

// NewCode returns an authorization code and the key to store it under: the moment from which it may be forgotten,
// which the code carries so that it is found without an index, and the digest of the code as it travels.
func (m *Minter) NewCode(forget time.Time) (code string, key broker.ExpiringKey) {
	var raw [codeRawSize]byte
	var seconds [8]byte
	binary.BigEndian.PutUint64(seconds[:], uint64(max(forget.Unix(), 0)))
	copy(raw[:], seconds[len(seconds)-forgetSize:])
	_, _ = rand.Read(raw[forgetSize : forgetSize+codeRandom])
	copy(raw[forgetSize+codeRandom:], m.codes.Sum(raw[:forgetSize+codeRandom]))
	code = encodeOpaque(codePrefix, raw[:])
	return code, broker.NewExpiringKey(forget, broker.DigestOf(code))
}

// ParseCode returns the key of a code that a client presents, or ErrMalformed for what NewCode has not made. Whether
// there is such a code the store knows.
func (m *Minter) ParseCode(code string) (broker.ExpiringKey, error) {
	raw, ok := decodeOpaque(codePrefix, code, codeRawSize)
	if !ok || !m.codes.Verify(raw[codeRawSize-sumSize:], raw[:codeRawSize-sumSize]) {
		return broker.ExpiringKey{}, ErrMalformed
	}
	var seconds [8]byte
	copy(seconds[len(seconds)-forgetSize:], raw)
	forget := time.Unix(int64(binary.BigEndian.Uint64(seconds[:])), 0)
	return broker.NewExpiringKey(forget, broker.DigestOf(code)), nil
}
