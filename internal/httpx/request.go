package httpx

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"net/http"
	"net/netip"
)

// Request is what is known about a request besides what it says: facts for
// audit records, log lines and limits.
type Request struct {
	// ID is the reference number: shown on error pages, in every log line.
	ID string
	// Address is the client's, seen through trusted proxies only.
	Address netip.Addr
}

type requestKey struct{}

// About returns the facts of the request behind ctx; the zero value outside of
// one.
func About(ctx context.Context) Request {
	about, _ := ctx.Value(requestKey{}).(Request)
	return about
}

// With returns a context that carries the facts, for tests and background work.
func With(ctx context.Context, about Request) context.Context {
	return context.WithValue(ctx, requestKey{}, about)
}

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewRequestID returns a short random reference that a person can read out on
// the telephone.
func NewRequestID() string {
	var b [10]byte
	rand.Read(b[:])
	return idEncoding.EncodeToString(b[:])
}

// identify gives each request its facts.
func identify(proxies Proxies, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		about := Request{ID: NewRequestID(), Address: proxies.Client(r)}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), about)))
	})
}
