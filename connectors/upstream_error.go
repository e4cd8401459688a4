package connectors

import (
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfter is the longest wait we believe an upstream to mean.
const maxRetryAfter = time.Hour

// SafeCode returns an upstream's error code if it is short and made of letters,
// digits, dot, dash and underscore, and nothing otherwise: it is shown on pages
// and in logs.
func SafeCode(code string) string {
	if len(code) > 64 {
		return ""
	}
	for i := range len(code) {
		switch c := code[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
		default:
			return ""
		}
	}
	return code
}

// RetryAfter is how long the upstream wants to be left alone: Retry-After
// (RFC 9110 §10.2.3), or the reset moments that Okta and GitHub send, the latter
// only once nothing remains. Zero when there is none; at most an hour.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if s := h.Get("Retry-After"); s != "" {
		if n, err := strconv.Atoi(s); err == nil {
			return clampWait(time.Duration(min(n, 1<<20)) * time.Second)
		}
		if at, err := http.ParseTime(s); err == nil {
			return clampWait(at.Sub(now))
		}
	}
	for _, prefix := range []string{"X-Rate-Limit-", "X-RateLimit-"} {
		if h.Get(prefix+"Remaining") != "0" {
			continue
		}
		if n, err := strconv.ParseInt(h.Get(prefix+"Reset"), 10, 64); err == nil {
			return clampWait(time.Unix(n, 0).Sub(now))
		}
	}
	return 0
}

func clampWait(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }

// StatusKind is what an answer's status alone says: 429 and the 5xx are
// Transient, anything else that was not expected is Broken.
func StatusKind(status int) Kind {
	if status == http.StatusTooManyRequests || status >= 500 {
		return Transient
	}
	return Broken
}
