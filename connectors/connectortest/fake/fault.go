package fake

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Fault is something that can go wrong at any endpoint, whatever it would answer.
type Fault string

// The faults. Those that answer a status do so in the vendor's shape.
const (
	ServerError     Fault = "500"
	Unavailable     Fault = "503 with Retry-After"
	TooManyRequests Fault = "429 with Retry-After"
	Unauthorized    Fault = "401"
	Forbidden       Fault = "403"
	NotFound        Fault = "404"
	HTMLBody        Fault = "an HTML page with status 200"
	EmptyBody       Fault = "an empty body with status 200"
	TruncatedBody   Fault = "a body that ends in the middle"
	// HugeBody is the right answer behind 64 MiB of white space, streamed: whoever
	// does not bound what they read accepts it.
	HugeBody Fault = "a body of 64 MiB"
	// Slow is the right answer after Options.Delay, Drip the right answer byte by
	// byte over the same time.
	Slow Fault = "a slow answer"
	Drip Fault = "a dripping answer"
	// Cut closes the connection in the middle of the answer.
	Cut Fault = "the connection cut"
	// Redirected is a 307 to Options.Elsewhere, which would carry a POST and its
	// secrets along.
	Redirected Fault = "a redirect elsewhere"
)

const (
	hugeBody   = 64 << 20
	retryAfter = 7 // seconds
)

// Faults lists every fault, for a loop.
func Faults() []Fault {
	return []Fault{
		ServerError, Unavailable, TooManyRequests, Unauthorized, Forbidden, NotFound, HTMLBody, EmptyBody,
		TruncatedBody, HugeBody, Slow, Drip, Cut, Redirected,
	}
}

// At is the misbehaviour of an endpoint suffering a fault.
func At(e Endpoint, f Fault) Misbehaviour {
	return Misbehaviour(string(e) + ": " + string(f))
}

// buffered holds an answer back so that a fault can spoil it.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (b *buffered) Header() http.Header { return b.header }

// Write implements http.ResponseWriter.
func (b *buffered) Write(p []byte) (int, error) { return b.body.Write(p) }

// WriteHeader implements http.ResponseWriter.
func (b *buffered) WriteHeader(status int) { b.status = status }

// faulty serves h unless a fault is due at e.
func (p *Provider) faulty(e Endpoint, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.record.call(e)
		places, h := []Endpoint{e}, h
		if e == Token && r.PostForm.Get("grant_type") == "refresh_token" {
			p.record.call(Refresh)
			places, h = append(places, Refresh), p.refreshing(h)
		}
		for _, f := range Faults() {
			for _, place := range places {
				if p.script.hit(At(place, f)) {
					p.suffer(w, r, e, f, h)
					return
				}
			}
		}
		h(w, r)
	}
}

func (p *Provider) suffer(w http.ResponseWriter, r *http.Request, e Endpoint, f Fault, h http.HandlerFunc) {
	delay, elsewhere := p.script.settings()
	switch f {
	case HTMLBody:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html><title>Sign in</title><h1>We are doing some maintenance</h1>")
	case EmptyBody:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
	case Redirected:
		http.Redirect(w, r, elsewhere+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	case Slow:
		if wait(r.Context(), delay) {
			h(w, r)
		}
	case HugeBody, TruncatedBody, Drip, Cut:
		answer := &buffered{header: w.Header(), status: http.StatusOK}
		h(answer, r)
		spoil(w, r, answer, f, delay)
	default:
		p.vendor.fault(e, f).write(w)
	}
}

func spoil(w http.ResponseWriter, r *http.Request, answer *buffered, f Fault, delay time.Duration) {
	body := answer.body.Bytes()
	flush := http.NewResponseController(w).Flush
	switch f {
	case HugeBody:
		w.WriteHeader(answer.status)
		blank := bytes.Repeat([]byte(" "), 64<<10)
		for sent := 0; sent < hugeBody; sent += len(blank) {
			if _, err := w.Write(blank); err != nil {
				return // the reader has had enough, as it should
			}
		}
		_, _ = w.Write(body)
	case TruncatedBody:
		w.WriteHeader(answer.status)
		_, _ = w.Write(body[:len(body)/2])
	case Drip:
		w.WriteHeader(answer.status)
		for i := range body {
			if !wait(r.Context(), delay/time.Duration(len(body))) {
				return
			}
			_, _ = w.Write(body[i : i+1])
			_ = flush()
		}
	case Cut:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
		w.WriteHeader(answer.status)
		_, _ = w.Write(body[:len(body)/2])
		_ = flush()
		// The server closes the connection on this value and logs nothing.
		panic(http.ErrAbortHandler)
	}
}

// wait pauses for d and reports whether the request is still wanted then.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// statusOf is the HTTP status of a fault that is one.
func statusOf(f Fault) int {
	switch f {
	case Unavailable:
		return http.StatusServiceUnavailable
	case TooManyRequests:
		return http.StatusTooManyRequests
	case Unauthorized:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

// plainFault is a fault in the shape of OAuth errors (RFC 6749 §5.2).
func plainFault(f Fault) answer {
	code := map[Fault]string{
		Unavailable: "temporarily_unavailable", TooManyRequests: "slow_down", Unauthorized: "invalid_token",
		Forbidden: "access_denied", NotFound: "not_found",
	}[f]
	if code == "" {
		code = "server_error"
	}
	return answer{status: statusOf(f), header: retryHeader(f), body: oauthError{Code: code, Description: "emulated fault"}}
}

// retryHeader is Retry-After where the fault carries one.
func retryHeader(f Fault) http.Header {
	h := http.Header{}
	if f == Unavailable || f == TooManyRequests {
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	return h
}
