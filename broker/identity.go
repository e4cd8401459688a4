package broker

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// IdentityKey names a person at an upstream: the configured connector, its
// canonical issuer and the upstream's subject, compared byte for byte. An
// e-mail address is never part of it (invariant I1).
type IdentityKey struct {
	Connector string
	Issuer    string
	Subject   string
}

// Bytes joins the three parts, each behind its length, so that no choice of
// names makes two keys collide.
func (k IdentityKey) Bytes() []byte {
	b := make([]byte, 0, len(k.Connector)+len(k.Issuer)+len(k.Subject)+6)
	for _, part := range []string{k.Connector, k.Issuer, k.Subject} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return b
}

// Digest is the key of the identity index.
func (k IdentityKey) Digest() Digest { return sha256.Sum256(k.Bytes()) }

// ProposedAccountID is the identifier a new account gets when it is free: the
// same after a lost database. A taken or tombstoned one is replaced by a
// random identifier; look-ups never go through it.
func (k IdentityKey) ProposedAccountID() string {
	d := k.Digest()
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(d[:20]))
}

// EmailTrust says what evidence there is that an address belongs to the person.
type EmailTrust uint8

// Only EmailVerified lets email_verified be true towards a client.
const (
	EmailUnknown EmailTrust = iota
	EmailUnverified
	EmailVerified
)

// String returns the name used in logs and on the account page.
func (t EmailTrust) String() string {
	switch t {
	case EmailVerified:
		return "verified"
	case EmailUnverified:
		return "unverified"
	}
	return "unknown"
}

// Profile is what an upstream says about a person besides who it is. Nothing
// in it identifies anybody.
type Profile struct {
	Name              string
	GivenName         string
	FamilyName        string
	PreferredUsername string
	Email             string
	EmailTrust        EmailTrust
	Picture           string
	Locale            string
	// Groups are already namespaced or allow-listed by the connector's rules.
	Groups []string
}

// Authentication says how and when the upstream authenticated the person.
type Authentication struct {
	// Time is the upstream's signed auth_time; zero when it has none, in which
	// case the moment of the callback stands for it.
	Time time.Time
	ACR  string
	AMR  []string
}

// Identity is what a connector learned from one upstream sign-in.
type Identity struct {
	Key            IdentityKey
	Profile        Profile
	Authentication Authentication
	// KeepGroups: the groups could not be read and, as configured, those that are
	// stored stay. Of somebody who was never here none are known, and they are refused
	// (ErrGroupsUnknown); who was last known to be in no group stays in none.
	KeepGroups bool
}

// LinkedIdentity is an upstream identity as the store keeps it: whose it is,
// and what the upstream last said.
type LinkedIdentity struct {
	Key       IdentityKey
	AccountID string
	Epoch     uint64
	Profile   Profile
	LinkedAt  time.Time
	SeenAt    time.Time
}
