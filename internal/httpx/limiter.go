package httpx

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter bounds how often one key may act. It remembers a bounded number of
// keys (invariant I11): when it is full, those that have been idle long enough
// to be whole again are forgotten, and if that is not enough, arbitrary ones.
type Limiter struct {
	// Rate is events per second, Burst how many at once. A zero Rate limits
	// nothing.
	Rate  rate.Limit
	Burst int
	Now   func() time.Time

	mu   sync.Mutex
	keys map[string]*rate.Limiter
}

// maxKeys and maxKey bound what a limiter remembers: some 16 MiB at the very worst.
const (
	maxKeys = 1 << 16
	maxKey  = 64
)

// Allow takes one event from the key's allowance. When there is none left it
// answers how long until there is.
func (l *Limiter) Allow(key string) (retryAfter time.Duration, ok bool) {
	if l == nil || l.Rate <= 0 {
		return 0, true
	}
	now, key := l.Now(), short(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.keys[key]
	if bucket == nil {
		bucket = l.admit(key, now)
	}
	reservation := bucket.ReserveN(now, 1)
	delay := reservation.DelayFrom(now)
	if delay <= 0 {
		return 0, true
	}
	reservation.CancelAt(now)
	return delay, false
}

// Exhausted answers as Allow would, but takes nothing: for limits on failures,
// which are counted when they happen.
func (l *Limiter) Exhausted(key string) (retryAfter time.Duration, exhausted bool) {
	if l == nil || l.Rate <= 0 {
		return 0, false
	}
	key = short(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.keys[key]
	if bucket == nil {
		return 0, false
	}
	missing := 1 - bucket.TokensAt(l.Now())
	if missing <= 0 {
		return 0, false
	}
	return time.Duration(missing / float64(l.Rate) * float64(time.Second)), true
}

func (l *Limiter) admit(key string, now time.Time) *rate.Limiter {
	if l.keys == nil {
		l.keys = make(map[string]*rate.Limiter)
	}
	if len(l.keys) >= maxKeys {
		l.forget(now)
	}
	bucket := rate.NewLimiter(l.Rate, max(l.Burst, 1))
	// The clone keeps a key from holding on to the request it was cut out of.
	l.keys[strings.Clone(key)] = bucket
	return bucket
}

// short stands for a key that a stranger made long, such as a client ID of 60 KiB.
func short(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return string(sum[:])
}

// forget makes room for an eighth of the keys.
func (l *Limiter) forget(now time.Time) {
	for key, bucket := range l.keys {
		if bucket.TokensAt(now) >= float64(bucket.Burst()) {
			delete(l.keys, key)
		}
	}
	for key := range l.keys {
		if len(l.keys) <= maxKeys-maxKeys/8 {
			return
		}
		delete(l.keys, key)
	}
}
