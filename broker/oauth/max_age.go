package oauth

import (
	"math"
	"strconv"
	"time"
)

// ParseMaxAge reads max_age (OpenID Connect Core §3.1.2.1): the seconds since the last sign-in that the client puts up
// with. It reports false when s is empty, which is not the same as 0: 0 asks for a fresh sign-in. Signs, leading zeros,
// fractions and exponents are invalid_request, and so is more than 2^32-1: no client means it, and what readers make
// of it differs.
func ParseMaxAge(s string) (time.Duration, bool, error) {
	if s == "" {
		return 0, false, nil
	}
	seconds, ok := parseDecimal(s)
	if !ok || seconds > math.MaxUint32 {
		return 0, false, Errorf(InvalidRequest, "max_age must be a whole number of seconds from 0 to %d", uint32(math.MaxUint32))
	}
	return time.Duration(seconds) * time.Second, true, nil
}

// parseDecimal reads a decimal number in its one shortest spelling, without sign or leading zeros.
func parseDecimal(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && (s[0] != '0' || len(s) == 1)
}
