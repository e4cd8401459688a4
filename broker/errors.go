package broker

import "errors"

// What a store verb may answer. Anything else is a fault of the engine: the
// caller answers server_error and nothing has changed.
var (
	// ErrNotFound: no such record, or it belongs to somebody else, or it has
	// expired; the difference is nobody's business.
	ErrNotFound = errors.New("no such record")
	// ErrExists: what was to be made is there already.
	ErrExists = errors.New("record exists")
	// ErrConflict: a record the caller relied on changed meanwhile; try once more.
	ErrConflict = errors.New("record changed meanwhile")
	// ErrOnceUsed: a one-time key was presented before.
	ErrOnceUsed = errors.New("one-time key was used before")
	// ErrCodeReplayed: the code was spent before. Its grant has been revoked.
	ErrCodeReplayed = errors.New("authorization code was used before")
	// ErrTokenReused: the refresh token was spent before. Its grant has been revoked.
	ErrTokenReused = errors.New("refresh token was used before")
	// ErrGroupsUnknown: the upstream could not say which groups the person is in, and
	// none are known from before.
	ErrGroupsUnknown = errors.New("groups are not known")
	// ErrReadOnly: a write to disk failed; the store takes no more changes.
	ErrReadOnly = errors.New("store is read-only after a failed write")
)
