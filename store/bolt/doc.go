// Package bolt keeps the broker's records in one bbolt file.
//
// Its law:
//   - One verb is one commit, shared with whatever else was waiting: a single writer goroutine drains the queue, runs
//     each verb in one transaction, syncs once and answers after that. A verb checks everything before it writes, so a
//     refusal needs no rollback, and a batch of refusals touches no disk.
//   - A write that fails makes the store read-only and not ready. Nothing is answered that may be lost.
//   - A record has a kind, which is its bucket, a version and a checksum that binds it to its place. What does not
//     decode to the last byte is damage and stops the verb that met it. Where a missing record would let somebody in
//     (a switch, an identity, a one-time key, a quota), a damaged key is looked for and is not taken for absence.
//   - Sessions, grants, codes and devices have keys that begin with the moment they may be forgotten, so the sweeper
//     walks from the oldest and stops at the first that is still needed. Records that live longer than their key says
//     are noted in the bucket "later" when the sweeper meets them, and credentials and registrations, whose keys say
//     nothing, when they are made.
//   - Private keys, secrets of clients and salts are sealed with bucket and key as associated data: moving a ciphertext
//     makes it unreadable. Credentials come sealed for their key by the caller, and are not sealed again.
//
// docs/decisions/001-record-model.md explains the records themselves, 007-upstream-credentials.md the credentials.
package bolt
