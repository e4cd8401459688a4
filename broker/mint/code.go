package mint

import (
	"crypto/rand"

	"gatehouse/broker"
)

const (
	codePrefix  = "gc_"
	codeRandom  = 16 // RFC 6749 §10.10 asks for a chance of guessing of 2^-128 at most
	codeRawSize = grantSize + codeRandom + sumSize
)

// NewCode returns an authorization code of a grant and the key to store it under. The code carries the grant's ID: its
// head is the moment from which the code may be forgotten, by which it is found without an index, and whoever redeems
// the code can make the grant's refresh token before the commit. The grant's ID has to be one of broker.NewID.
func (m *Minter) NewCode(grantID string) (code string, key broker.ExpiringKey, err error) {
	grant, err := grantBytes(grantID)
	if err != nil {
		return "", broker.ExpiringKey{}, err
	}
	raw := make([]byte, 0, codeRawSize)
	raw = append(raw, grant...)
	raw = raw[:len(raw)+codeRandom]
	_, _ = rand.Read(raw[grantSize:])
	raw = append(raw, m.codes.Sum(raw)...)
	code = encodeOpaque(codePrefix, raw)
	return code, codeKey(grantID, code), nil
}

// ParseCode returns the key of a code that a client presents and the ID of its grant, or ErrMalformed for what NewCode
// has not made. Whether there is such a code the store knows.
func (m *Minter) ParseCode(code string) (key broker.ExpiringKey, grantID string, err error) {
	raw, ok := decodeOpaque(codePrefix, code, codeRawSize)
	if !ok || !m.codes.Verify(raw[codeRawSize-sumSize:], raw[:codeRawSize-sumSize]) {
		return broker.ExpiringKey{}, "", ErrMalformed
	}
	grantID = idEncoding.EncodeToString(raw[:grantSize])
	return codeKey(grantID, code), grantID, nil
}

func codeKey(grantID, code string) broker.ExpiringKey {
	forget, _ := broker.IDForget(grantID) // grantID has the form of one: it was just encoded or decoded
	return broker.NewExpiringKey(forget, broker.DigestOf(code))
}
