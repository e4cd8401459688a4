package httpx

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"
)

// HandlerFunc is an endpoint: it writes its answer or returns why it could not.
// An error is returned before anything is written.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Chain wraps a whole listener.
type Chain struct {
	Log     *slog.Logger
	Now     func() time.Time
	Proxies Proxies
	// Headers sets what every answer carries, 404 and 500 included.
	Headers func(http.Header)
	// Failed answers 500 for a handler that panicked before it answered; required.
	Failed http.HandlerFunc
	// Observe, when set, hears of each answer: route pattern, status, duration.
	Observe func(route string, status int, took time.Duration)
}

// Wrap returns next behind reference numbers, common headers, the access log
// and the last resort for panics.
func (c Chain) Wrap(next http.Handler) http.Handler {
	return identify(c.Proxies, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := c.Now()
		rec := &recorder{ResponseWriter: w}
		c.Headers(rec.Header())
		defer func() {
			if p := recover(); p != nil {
				c.panicked(rec, r, p)
			}
			c.access(rec, r, begun)
		}()
		next.ServeHTTP(rec, r)
	}))
}

func (c Chain) panicked(w *recorder, r *http.Request, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	id := About(r.Context()).ID
	c.Log.ErrorContext(r.Context(), "handler panicked", "request", id, "panic", p, "stack", string(debug.Stack()))
	if w.status == 0 {
		c.Failed(w, r)
	}
}

// access writes one line per answer. The path is bounded; the query, which may
// hold codes and states, is never part of it.
func (c Chain) access(w *recorder, r *http.Request, begun time.Time) {
	took := c.Now().Sub(begun)
	if c.Observe != nil {
		c.Observe(r.Pattern, w.code(), took)
	}
	level := slog.LevelDebug
	if w.code() >= 500 {
		level = slog.LevelWarn
	}
	if !c.Log.Enabled(r.Context(), level) {
		return
	}
	about := About(r.Context())
	c.Log.LogAttrs(r.Context(), level, "answered",
		slog.String("request", about.ID), slog.String("address", about.Address.String()),
		slog.String("method", bounded(r.Method, 16)), slog.String("path", bounded(r.URL.Path, 200)),
		slog.Int("status", w.code()), slog.Duration("took", took))
}

func bounded(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…(" + strconv.Itoa(len(s)) + " bytes)"
	}
	return s
}

// recorder remembers the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter. The first status is the one that is sent.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
