package bolt

import (
	"gatehouse/broker"
)

// kind is what a record is. Its number goes into checksums and into the keys of the bucket "later": it never changes
// its meaning.
type kind uint8

const (
	metaKind         kind = iota // the file itself: see meta.go
	accountKind                  // by account ID
	identityKind                 // by the digest of the identity key
	sessionKind                  // by session ID: in order of expiry
	grantKind                    // by grant ID: in order of expiry
	codeKind                     // by broker.ExpiringKey: in order of expiry
	consentKind                  // by account and client ID
	switchKind                   // by switch kind and ID
	keyKind                      // by key ID
	eventKind                    // by number, in order of writing
	onceKind                     // by expiry and digest
	laterKind                    // by moment, kind and key: where the sweeper finds what its own key does not place
	credentialKind               // by the digest of the identity key; since format 2
	deviceKind                   // by broker.ExpiringKey: in order of expiry; this and what follows since format 3
	userCodeKind                 // by the digest of a user code that is to be decided: the key of its device
	registrationKind             // by client ID
	quotaKind                    // by the digest of an initial access token
	saltKind                     // by name
	kinds
)

// buckets are the names in the file.
var buckets = [kinds][]byte{
	metaKind:       []byte("meta"),
	accountKind:    []byte("accounts"),
	identityKind:   []byte("identities"),
	sessionKind:    []byte("sessions"),
	grantKind:      []byte("grants"),
	codeKind:       []byte("codes"),
	consentKind:    []byte("consents"),
	switchKind:     []byte("switches"),
	keyKind:        []byte("keys"),
	eventKind:      []byte("events"),
	onceKind:       []byte("once"),
	laterKind:      []byte("later"),
	credentialKind: []byte("credentials"),

	deviceKind:       []byte("devices"),
	userCodeKind:     []byte("user-codes"),
	registrationKind: []byte("registrations"),
	quotaKind:        []byte("quotas"),
	saltKind:         []byte("salts"),
}

// ordered reports whether new records of the kind go to the end of their bucket, or near it.
func (k kind) ordered() bool {
	switch k {
	case sessionKind, grantKind, codeKind, onceKind, eventKind, laterKind, deviceKind:
		return true
	}
	return false
}

// version is the one in which records of the kind are written; those before it are still read.
func (k kind) version() uint8 {
	if k == grantKind {
		return 2 // with resources and claims; since format 3
	}
	return 1
}

// appendFill is how full bbolt leaves a page that it splits in an ordered bucket: nothing comes between later.
const appendFill = 0.9

// appendConsentKey puts the account behind its length, so that no two pairs have one key.
func appendConsentKey(b []byte, accountID, clientID string) []byte {
	e := encoder{b: b}
	e.string(accountID)
	return append(e.b, clientID...)
}

// appendSwitchKey: the kinds are constants without a colon.
func appendSwitchKey(b []byte, k broker.SwitchKind, id string) []byte {
	b = append(b, k...)
	b = append(b, ':')
	return append(b, id...)
}
