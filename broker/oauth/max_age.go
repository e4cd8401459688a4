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
	if !isDecimal(s) {
		return 0, false, Errorf(InvalidRequest, "max_age must be a non-negative whole number of seconds")
	}
	seconds, err := strconv.ParseUint(s, 10, 64)
	if err != nil || seconds > math.MaxUint32 {
		return 0, false, Errorf(InvalidRequest, "max_age is too large")
	}
	return time.Duration(seconds) * time.Second, true, nil
}

// isDecimal reports whether s is a decimal number in its one shortest spelling.
func isDecimal(s string) bool {
	if s == "" || len(s) > 1 && s[0] == '0' {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
