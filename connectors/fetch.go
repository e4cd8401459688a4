package connectors

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
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
	timeout time.Duration
	// roots is nil where the system's are trusted, or where nobody asked for them to
	// be read again.
	roots *File[*x509.CertPool]

	mu        sync.Mutex
	transport http.RoundTripper
	trusted   *x509.CertPool // what transport was made with
}

// NewFetcher returns a Fetcher that trusts the PEM bundle in caFile, an absolute
// path, instead of the system's roots; empty means the system's. The bundle is read
// once; OpenFetcher's is read again.
func NewFetcher(caFile string) (*Fetcher, error) {
	if caFile == "" {
		return newFetcherWith(nil), nil
	}
	roots := &File[*x509.CertPool]{Path: caFile, Key: "ca_file", Parse: parseBundle}
	if err := roots.Open(); err != nil {
		return nil, err
	}
	return newFetcherWith(roots.Last()), nil
}

// OpenFetcher returns the Fetcher that ca_file asks for. A bundle that changes is
// trusted from then on without a restart.
func (c *Common) OpenFetcher(env Environment) (*Fetcher, error) {
	if c.CAFile == "" {
		return newFetcherWith(nil), nil
	}
	roots := &File[*x509.CertPool]{
		Path: env.Path(c.CAFile), Key: "ca_file", Connector: c.ID, Parse: parseBundle, Now: env.Now, Log: env.Log,
	}
	if err := roots.Open(); err != nil {
		return nil, err
	}
	f := newFetcherWith(roots.Last())
	f.roots = roots
	return f, nil
}

func parseBundle(pem []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("holds no PEM certificate")
	}
	return pool, nil
}

func newFetcherWith(roots *x509.CertPool) *Fetcher {
	return &Fetcher{timeout: ExchangeTimeout, transport: newTransport(roots), trusted: roots}
}

func newTransport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig: &tls.Config{
			RootCAs:    roots,
			MinVersion: tls.VersionTLS12,
			// Forward secrecy and AEAD only (DESIGN.md §5); TLS 1.3 has nothing else.
			CipherSuites: []uint16{
				tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
				tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
				tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
			},
		},
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
	}
}

// current is the transport that trusts what ca_file holds now. Connections made
// under the bundle before are not used again.
func (f *Fetcher) current() http.RoundTripper {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.roots == nil {
		return f.transport
	}
	if roots := f.roots.Current(); roots != f.trusted {
		if old, ok := f.transport.(*http.Transport); ok {
			old.CloseIdleConnections()
		}
		f.transport, f.trusted = newTransport(roots), roots
	}
	return f.transport
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
	resp, err := f.current().RoundTrip(req.WithContext(ctx))
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
		return Answer{}, notAURL()
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	return f.Do(req, limit)
}

// PostForm sends a form and reads at most [MaxDocument] bytes of the answer.
func (f *Fetcher) PostForm(ctx context.Context, address string, form url.Values) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return Answer{}, notAURL()
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return f.Do(req, MaxDocument)
}

func notAURL() *Error {
	return &Error{Kind: Broken, Hint: "the upstream names an address that is not a URL"}
}
