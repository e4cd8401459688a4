package mint

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"fmt"

	"gatehouse/broker"
	"gatehouse/broker/seal"
)

const (
	refreshPrefix  = "gr_"
	grantSize      = 21 // broker.NewID's five bytes of time and sixteen of randomness
	generationSize = 4
	refreshRandom  = 24
	refreshRawSize = grantSize + generationSize + refreshRandom + sumSize

	successorPurpose = "refresh-token-successor"
)

// idEncoding is that of broker.NewID.
var idEncoding = base32.HexEncoding.WithPadding(base32.NoPadding)

// RefreshToken is what a refresh token says about itself. Its authentication code proves that we made it for the
// grant; whether it is the current one the store knows.
type RefreshToken struct {
	GrantID    string
	Generation uint32
	Digest     broker.Digest
}

// NewRefreshToken returns a refresh token of a grant and the digest to store. The grant's ID has to be one of
// broker.NewID.
func (m *Minter) NewRefreshToken(grantID string, generation uint32) (token string, digest broker.Digest, err error) {
	grant, err := grantBytes(grantID)
	if err != nil {
		return "", broker.Digest{}, err
	}
	raw := make([]byte, 0, refreshRawSize)
	raw = append(raw, grant...)
	raw = binary.BigEndian.AppendUint32(raw, generation)
	raw = raw[:len(raw)+refreshRandom]
	_, _ = rand.Read(raw[len(raw)-refreshRandom:])
	raw = append(raw, m.refresh.Sum(raw)...)
	token = encodeOpaque(refreshPrefix, raw)
	return token, broker.DigestOf(token), nil
}

// ParseRefreshToken reads a token that a client presents; ErrMalformed for what NewRefreshToken has not made under
// secrets that are still configured.
func (m *Minter) ParseRefreshToken(token string) (RefreshToken, error) {
	raw, ok := decodeOpaque(refreshPrefix, token, refreshRawSize)
	if !ok || !m.refresh.Verify(raw[refreshRawSize-sumSize:], raw[:refreshRawSize-sumSize]) {
		return RefreshToken{}, ErrMalformed
	}
	return RefreshToken{
		GrantID:    idEncoding.EncodeToString(raw[:grantSize]),
		Generation: binary.BigEndian.Uint32(raw[grantSize:]),
		Digest:     broker.DigestOf(token),
	}, nil
}

// grantBytes returns what broker.NewID encoded.
func grantBytes(grantID string) ([]byte, error) {
	if _, ok := broker.IDForget(grantID); !ok { // another spelling would not come back as the same ID
		return nil, fmt.Errorf("mint: %q is not the ID of a grant", grantID)
	}
	return idEncoding.DecodeString(grantID)
}

// SealSuccessor seals the token that replaces a presented one, so that only who presents that one again, and not who
// reads the store, learns it.
func SealSuccessor(presented, successor string) []byte {
	return seal.Derive(presented, successorPurpose).Seal([]byte(successor), nil)
}

// OpenSuccessor returns what SealSuccessor sealed under the presented token, or an error.
func OpenSuccessor(presented string, sealed []byte) (string, error) {
	successor, err := seal.Derive(presented, successorPurpose).Open(sealed, nil)
	if err != nil {
		return "", fmt.Errorf("mint: successor of a refresh token: %w", err)
	}
	return string(successor), nil
}
