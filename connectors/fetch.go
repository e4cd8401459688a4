package connectors

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// What one conversation with an upstream may cost at most.
const (
	// ExchangeTimeout bounds a single request, from dialling to the last byte.
	ExchangeTimeout = 10 * time.Second
	// MaxDocument bounds discovery documents, key sets, token and userinfo answers,
	// in bytes; MaxList bounds one page of a list.
	MaxDocument = 512 << 10
	MaxList     = 1 << 20
)

const (
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second
	userAgent        = "gatehouse"
)

// Fetcher is how an adapter speaks with its upstream: bounded in time and size,
// never following a redirect, and with errors that name neither the query of a
// URL nor anything the other side sent. It is safe for concurrent use.
type Fetcher struct {
	transport http.RoundTripper
	timeout   time.Duration
}

// NewFetcher returns a Fetcher that trusts the PEM bundle in caFile, an absolute
// path, instead of the system's roots; empty means the system's.
func NewFetcher(caFile string) (*Fetcher, error) {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		// Forward secrecy and AEAD only (DESIGN.md §5); TLS 1.3 has nothing else.
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file: %s holds no PEM certificate", caFile)
		}
	}
	return &Fetcher{timeout: ExchangeTimeout, transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    handshakeTimeout,
		ResponseHeaderTimeout:  ExchangeTimeout,
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    16,
		// A slow upstream holds this many sockets and no more; who comes later waits
		// no longer than their own request's time.
		MaxConnsPerHost:    64,
		DisableCompression: true, // so that the limit counts what was sent
		ForceAttemptHTTP2:  true,
	}}, nil
}

// Answer is a whole response, read within the limit.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// OK reports whether the status is a success with content. To a POST some
// servers say 201 where RFC 6749 §5.1 has 200.
func (a Answer) OK() bool { return a.Status == http.StatusOK || a.Status == http.StatusCreated }

// Do sends the request and reads at most limit bytes. A redirect is returned
// like any other answer. Its errors are Transient, or Broken for a body above
// the limit.
func (f *Fetcher) Do(req *http.Request, limit int64) (Answer, error) {
	ctx, cancel := context.WithTimeout(req.Context(), f.timeout)
	defer cancel()
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	// GitHub answers 403 to requests without one.
	req.Header.Set("User-Agent", userAgent)
	resp, err := f.transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return Answer{}, unreachable(req.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return Answer{}, unreachable(req.URL, err)
	}
	if int64(len(body)) > limit {
		return Answer{}, &Error{Kind: Broken, Hint: fmt.Sprintf("%s answered with more than %d bytes", req.URL.Host, limit)}
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// Get fetches a URL; a non-empty bearer token is sent in the header, never in
// the URL (RFC 6750 §2.1).
func (f *Fetcher) Get(ctx context.Context, address, bearer string, limit int64) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Answer{}, &Error{Kind: Broken, Hint: "the upstream names an address that is not a URL"}
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	return f.Do(req, limit)
}
