package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// maxDescription bounds a description in bytes: it travels in redirect URIs and headers.
const maxDescription = 300

// Error is a refusal in the words of the protocol. Code and Description may be shown to the client; the cause is for
// the log alone. Make it with Errorf. An *Error is never changed once made: the With and Because methods return copies,
// so one value may be shared between requests.
type Error struct {
	// Code is what the client's program decides by.
	Code Code
	// Description is a sentence for the client's developer, in the character set of RFC 6749 §5.2. It must hold no
	// secret and nothing about other clients or people.
	Description string
	// Challenge is the WWW-Authenticate value to send along; empty sends none.
	Challenge string
	// RetryAfter, when positive, is sent as Retry-After in whole seconds. The status is 429, because a limit was reached,
	// or 503 after [Error.WithOutage].
	RetryAfter time.Duration

	cause  error
	status int
}

// Errorf makes an Error whose description is formatted from format and args. Bytes outside the character set of
// RFC 6749 §5.2 are replaced and anything past 300 bytes is cut off, so args may come from the request.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Description: describe(fmt.Sprintf(format, args...))}
}

// From returns err as an Error. An err that holds none becomes server_error without any detail and with err as its
// cause; nil stays nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok && e != nil {
		return e
	}
	return (&Error{Code: ServerError}).Because(err)
}

// Because returns a copy of e that remembers why, for the log. The cause is never sent to anyone.
func (e *Error) Because(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// WithChallenge returns a copy of e that is answered with challenge as its WWW-Authenticate header. RFC 6749 §5.2
// wants one for invalid_client only when the client tried the Authorization header, which the caller alone knows.
func (e *Error) WithChallenge(challenge string) *Error {
	c := *e
	c.Challenge = challenge
	return &c
}

// WithOutage returns a copy of e that is answered with 503 and says when to try again: nobody has asked too often.
func (e *Error) WithOutage(d time.Duration) *Error {
	c := *e.WithRetryAfter(d)
	c.status = http.StatusServiceUnavailable
	return &c
}

// WithRetryAfter returns a copy of e that is answered with 429 and asks the client to wait for d.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// withStatus returns a copy of e with an HTTP status other than its code's.
func (e *Error) withStatus(status int) *Error {
	c := *e
	c.status = status
	return &c
}

// Error is the code, the description and the cause, for the log. It is not for clients: the cause is in it.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Description != "" {
		b.WriteString(": ")
		b.WriteString(e.Description)
	}
	if e.cause != nil {
		b.WriteString(": ")
		b.WriteString(e.cause.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Status is the HTTP status of an answer that carries the error in its body: 429 when RetryAfter is set and nothing else
// was said, otherwise
// that of the code, unless the fault was the request's form (405, 413).
func (e *Error) Status() int {
	switch {
	case e.status != 0:
		return e.status
	case e.RetryAfter > 0:
		return http.StatusTooManyRequests
	default:
		return e.Code.Status()
	}
}

// describe brings s into the character set of error_description, %x20-21 / %x23-5B / %x5D-7E (RFC 6749 §5.2), and
// to at most maxDescription bytes.
func describe(s string) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() == maxDescription {
			break
		}
		switch {
		case r == '"':
			b.WriteByte('\'')
		case r == '\\':
			b.WriteByte('/')
		case r < 0x20 || r > 0x7e:
			b.WriteByte('?')
		default:
			b.WriteByte(byte(r))
		}
	}
	return b.String()
}
