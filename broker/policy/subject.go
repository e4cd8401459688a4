package policy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"

	"gatehouse/broker"
)

// Subjects tells by which sub a client knows an account (OpenID Connect Core §8), and by which sid a session. It is a value and safe to copy.
type Subjects struct {
	// Salt is [broker.Salts.PairwiseSalt]; without it pairwise subjects could be computed by whoever knows public ones.
	Salt []byte
}

// Of returns the account's ID, or for a client with a sector identifier a value that no other sector gets and that tells
// nobody which account it is (Core §8.1). Both have the same form.
func (s Subjects) Of(client *broker.Client, accountID string) string {
	if client.Sector == "" {
		return accountID
	}
	return s.of(nil, client, accountID)
}

// Session returns by which sid a client knows a session: its ID, or for a client with a sector identifier a value that
// no other sector gets, by which clients could find out that two of their subjects are one person (Core §8.1). A grant
// without a session has no sid.
func (s Subjects) Session(client *broker.Client, sessionID string) string {
	if client.Sector == "" || sessionID == "" {
		return sessionID
	}
	return s.of([]byte{0}, client, sessionID) // no sector is empty, and so no subject is made of the same
}

func (s Subjects) of(kind []byte, client *broker.Client, id string) string {
	h := hmac.New(sha256.New, s.Salt)
	h.Write(binary.AppendUvarint(kind, uint64(len(client.Sector))))
	h.Write([]byte(client.Sector + id))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:20]))
}

// ValidSubject says whether a text may be the sub of a token of ours: 1 to 255 ASCII characters (OpenID Connect Core
// §2), and printable ones at that.
func ValidSubject(sub string) bool {
	for i := range len(sub) {
		if sub[i] <= ' ' || sub[i] > '~' {
			return false
		}
	}
	return 1 <= len(sub) && len(sub) <= 255
}
