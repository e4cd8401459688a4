// Package broker holds the nouns of Gatehouse: the records that protocol steps
// leave behind, and the store roles whose verbs change them. It reads like a
// table of contents of the system and does nothing by itself.
//
// Three rules shape every noun and verb:
//
//   - Identity is (connector, issuer, subject), never an e-mail.
//   - One store verb is one atomic protocol fact; a refusal changes nothing.
//   - Anonymous requests write nothing durable.
//
// Things end by epochs. An account, an identity, a session, a client and a
// connector each carry a counter; sessions, grants and codes remember the
// counters they were born under, and one born under an older count is dead
// wherever it is looked at. Disabling or signing out somebody is therefore one
// small commit, whatever hangs on it.
//
// Records that expire have an identifier that begins with the first moment
// they may be forgotten (see [NewID]), so that the order of keys is the expiry
// index. docs/decisions/001-record-model.md tries the model on what comes later.
package broker
