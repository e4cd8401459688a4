package broker

import "time"

// Key is a signing key of the broker and its schedule. A key is published, then
// signs, then stays published until the last token it signed has expired, then
// is kept unpublished for old id_token_hints, then forgotten.
type Key struct {
	ID        string
	Algorithm string
	// Private is the PKCS #8 form; the store seals it. Empty in a plan for a key
	// that has yet to be generated.
	Private []byte
	// PublishAt ≤ SignAt < RetireAt ≤ WithdrawAt ≤ ForgetAt.
	PublishAt  time.Time
	SignAt     time.Time
	RetireAt   time.Time
	WithdrawAt time.Time
	ForgetAt   time.Time
}
