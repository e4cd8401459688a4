package connectors

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
)

// unreachable says in fixed words why an upstream could not be asked. The text
// of transport errors is not passed on: it holds URLs with their queries and
// pieces of what the other side sent.
func unreachable(u *url.URL, err error) *Error {
	e := &Error{Kind: Transient, Hint: "no answer from " + u.Host, Err: errors.New(reason(err)), Unspent: neverSent(err)}
	for _, sentinel := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, sentinel) {
			e.Err = sentinel
		}
	}
	return e
}

// neverSent reports whether an error shows that no connection was made, so that
// nothing of the request can have arrived.
func neverSent(err error) bool {
	var (
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		op   *net.OpError
	)
	return errors.As(err, &dns) || errors.As(err, &cert) || errors.As(err, &op) && op.Op == "dial"
}

func reason(err error) string {
	var (
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		netErr  net.Error
		op      *net.OpError
		timeout = errors.As(err, &netErr) && netErr.Timeout()
	)
	switch {
	case timeout:
		return "timed out"
	case errors.As(err, &dns):
		return "the name cannot be resolved"
	case errors.As(err, &cert):
		return "its certificate is not trusted; a private authority goes into ca_file"
	case errors.As(err, &op) && op.Op == "dial":
		return "the connection cannot be made"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &op):
		return "the connection broke"
	}
	return "the answer is not sound HTTP"
}
