// Package seal keeps what we hand out or store from being read or altered: flow and session cookies, upstream
// credentials and private keys at rest, and the digests that stand in for configured secrets.
//
// Its law:
//   - One configured secret_key list makes one [Keyring]. The first secret seals, all of them open, so that a secret is
//     replaced by putting a new one in front and removing the old one when nothing sealed under it is left.
//   - No secret is used directly. Every purpose gets its own key by HKDF-SHA256 (RFC 5869), so that what was sealed for
//     one purpose never opens for another, and associated data binds a sealed value to the place it was made for.
//   - Sealing is AES-256-GCM with a random 96-bit nonce. SP 800-38D §8.3 allows 2^32 of those under one key; a busy
//     installation stays below that for centuries, because every purpose has a key of its own.
//   - A failure to open says nothing but [ErrOpen]: why it failed is of use only to somebody who is guessing.
//
// A sealed value is: version (1 byte), key hint (4), nonce (12), ciphertext, tag (16). The hint picks the key, so that a
// list of keys costs no trial decryption; it is derived from the key and reveals nothing about it.
package seal
