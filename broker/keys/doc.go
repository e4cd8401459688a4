// Package keys looks after the broker's signing keys: when each is published, signs, and is forgotten, and the signing
// and verifying itself.
//
// The life of a key, for every algorithm in the [Schedule]:
//
//	published ──Lead──▶ signs ──Period──▶ retired ──Overlap──▶ withdrawn ──Hints──▶ forgotten
//	└──────────── in the JWKS, accepted ─────────────┘└ accepted as a hint only ┘
//
// [Plan] is pure: what the set of keys should be now. [Ring] carries the plan out on a [broker.Keys] store, by
// compare-and-swap, so that any number of replicas agree on one set; it signs and verifies with parsed keys in memory
// and never asks the store on the way.
//
// The laws:
//   - There is always exactly one signing key of an algorithm, whatever the clock does: the last one goes on until
//     its successor has been published for Lead. Only the first key of an algorithm, and those made in an emergency,
//     sign at once.
//   - A key stays published until the last token it signed has expired.
//   - An emergency ends the old keys at once: they are gone from the set, and nothing they signed is accepted by us.
//   - Private keys leave in PKCS #8 to the store, which seals them, and nowhere else. The JWKS is rendered from public
//     keys. A key ID is the thumbprint of the key (RFC 7638), so that none is ever used twice.
package keys
