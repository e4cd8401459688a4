package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ErrOpen is the only error of opening: truncated, altered, sealed for another purpose or place, or under a key that
// is no longer in the list. It is one value so that the answer to a forged cookie teaches nothing (padding-oracle class).
var ErrOpen = errors.New("seal: cannot be opened")

const (
	version     = 1
	hintSize    = 4
	headerSize  = 1 + hintSize
	nonceSize   = 12
	tagSize     = 16
	keySize     = 32
	boxMaterial = keySize + hintSize
	minDerived  = 16 // bytes of a presented token below which nothing is sealed under it: 128 bits
)

// Overhead is how many bytes longer a sealed value is than its plaintext, before base64.
const Overhead = headerSize + nonceSize + tagSize

// Box seals and opens for one purpose. It is immutable and safe for concurrent use.
type Box struct {
	redacted
	keys []boxKey // the first seals
}

type boxKey struct {
	hint [hintSize]byte
	aead cipher.AEAD // writes its random nonce in front of the ciphertext and reads it from there
}

func newBoxKey(material []byte) boxKey {
	block, err := aes.NewCipher(material[:keySize])
	if err != nil {
		panic(fmt.Sprintf("seal: %v", err)) // the key size is a constant of this package
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(fmt.Sprintf("seal: %v", err)) // AES has the 128-bit block that GCM asks for
	}
	return boxKey{hint: [hintSize]byte(material[keySize:boxMaterial]), aead: aead}
}

// Derive returns a box whose key is derived from a token that somebody presents, so that only a holder of that token
// can have the content opened: the successor of a spent refresh token is kept this way. The token must be of high
// entropy, as ours are; of one shorter than 16 bytes the box opens nothing, and sealing with it panics, because
// whatever were sealed under a guessable token would lie open.
func Derive(secret, purpose string) *Box {
	if len(secret) < minDerived {
		return &Box{}
	}
	prk, err := hkdf.Extract(sha256.New, []byte(secret), []byte(extractSalt))
	if err != nil {
		panic(fmt.Sprintf("seal: deriving a key: %v", err)) // SHA-256 is an approved hash, and the key is long enough
	}
	return &Box{keys: []boxKey{newBoxKey(expand(prk, derivedLabel+purpose, boxMaterial))}}
}

// Seal encrypts and authenticates plaintext and authenticates aad, which is not part of the result and must be given
// again to open it. nil and empty aad are the same.
func (b *Box) Seal(plaintext, aad []byte) []byte {
	return b.appendSealed(make([]byte, 0, len(plaintext)+Overhead), plaintext, aad)
}

func (b *Box) appendSealed(dst, plaintext, aad []byte) []byte {
	if len(b.keys) == 0 {
		panic("seal: sealing under a token shorter than 16 bytes")
	}
	k := &b.keys[0]
	dst = append(dst, version)
	dst = append(dst, k.hint[:]...)
	return k.aead.Seal(dst, nil, plaintext, aad)
}

// Open returns the plaintext of what [Box.Seal] made for this purpose with the same aad, or [ErrOpen].
func (b *Box) Open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != version {
		return nil, ErrOpen
	}
	hint := [hintSize]byte(sealed[1:headerSize])
	for i := range b.keys {
		k := &b.keys[i]
		if k.hint != hint {
			continue
		}
		// Two keys may share a hint (one chance in 2^32 per pair), so a failure moves on to the next.
		if plaintext, err := k.aead.Open(nil, nil, sealed[headerSize:], aad); err == nil {
			return plaintext, nil
		}
	}
	return nil, ErrOpen
}

// SealString is [Box.Seal] as one base64url string without padding, fit for a cookie or a query parameter.
// It is 4/3 as long as plaintext plus [Overhead].
func (b *Box) SealString(plaintext, aad []byte) string {
	return base64.RawURLEncoding.EncodeToString(b.Seal(plaintext, aad))
}

// OpenString is [Box.Open] for what [Box.SealString] made. There is exactly one accepted spelling of a sealed value:
// padding, line breaks and non-zero trailing bits are refused, so that a value can be told from its copy by comparing.
func (b *Box) OpenString(sealed string, aad []byte) ([]byte, error) {
	raw, err := decodeStrict(sealed)
	if err != nil {
		return nil, ErrOpen
	}
	return b.Open(raw, aad)
}

// decodeStrict decodes canonical base64url. encoding/base64 skips CR and LF even when strict, hence the extra look.
func decodeStrict(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, ErrOpen
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}
