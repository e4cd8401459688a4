// Package outbound is the one client that fetches what a client of the broker
// names: its jwks_uri, request_uri or sector_identifier_uri (invariant I8).
//
// Where a request goes is checked when the connection is dialled, on the address
// the name has resolved to, so that a name which resolves differently the second
// time gains nothing. Only public addresses are dialled, and those the operator
// has opened. Redirects are not followed, the environment's proxy is not used, the
// answer is bounded in size and time, and its error does not say what was found at
// the other end: a client must not be able to map the network behind the broker.
package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// Timeout bounds one fetch, from resolving the name to the last byte.
	Timeout = 5 * time.Second
	// MaxBody bounds an answer, in bytes.
	MaxBody = 128 << 10
	maxURL  = 2 << 10
)

// ErrFetch is every failure to fetch. What it was is in the log alone.
var ErrFetch = errors.New("the document could not be fetched")

// Client fetches. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	log     *slog.Logger
	allow   []netip.Prefix
	timeout time.Duration
}

// New returns a Client that may dial the networks in allow besides public
// addresses. roots, when set, configures whom its TLS trusts.
func New(allow []netip.Prefix, roots *tls.Config, log *slog.Logger) *Client {
	c := &Client{log: log, allow: slices.Clone(allow), timeout: Timeout}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if roots != nil {
		config = roots.Clone()
	}
	dialer := &net.Dialer{Timeout: Timeout, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		return c.check(address)
	}}
	c.http = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:       nil, // a proxy would be dialled instead, and resolve the name itself
			DialContext: dialer.DialContext, TLSClientConfig: config, TLSHandshakeTimeout: Timeout, ResponseHeaderTimeout: Timeout,
			MaxResponseHeaderBytes: 32 << 10, DisableCompression: true, DisableKeepAlives: true, ForceAttemptHTTP2: true,
		},
	}
	return c
}

var errNotPublic = errors.New("the address is not public")

// check refuses an address that is about to be dialled.
func (c *Client) check(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errNotPublic
	}
	ip := at.Addr().Unmap().WithZone("")
	if slices.ContainsFunc(c.allow, func(p netip.Prefix) bool { return p.Contains(ip) }) && at.Addr().Zone() == "" {
		return nil
	}
	if !Public(at.Addr()) {
		return errNotPublic
	}
	return nil
}

// Fetch reads the document at an https URL. types are the media types it may have;
// any will do when there are none. Its only error is ErrFetch, wrapped.
func (c *Client) Fetch(ctx context.Context, address string, types ...string) ([]byte, error) {
	body, err := c.fetch(ctx, address, types)
	if err != nil {
		c.log.LogAttrs(ctx, slog.LevelWarn, "a document that a client names could not be fetched",
			slog.String("host", hostOf(address)), slog.String("reason", reason(err)))
		return nil, ErrFetch
	}
	return body, nil
}

func (c *Client) fetch(ctx context.Context, address string, types []string) ([]byte, error) {
	if err := CheckURL(address); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errURL
	}
	request.Header.Set("User-Agent", "gatehouse")
	request.Header.Set("Accept", strings.Join(append(slices.Clone(types), "*/*;q=0.1"), ", "))
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, statusError(response.StatusCode)
	}
	if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); len(types) > 0 && (err != nil || !slices.Contains(types, kind)) {
		return nil, errType
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxBody+1))
	if err == nil {
		// A server that sees us hang up may end its answer in order, and what it had sent
		// by then would pass for the whole.
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	if len(body) > MaxBody {
		return nil, errSize
	}
	return body, nil
}

// statusError is an answer of another status than 200.
type statusError int

// Error implements error.
func (s statusError) Error() string { return fmt.Sprintf("status %d", int(s)) }

var (
	errURL  = errors.New("not an https URL")
	errType = errors.New("another media type than expected")
	errSize = errors.New("the document is too large")
)

// CheckURL refuses what is not an absolute https URL without credentials. A
// fragment is a client's way to say which version it means and is not sent.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || len(address) > maxURL || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return errURL
	}
	return nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// reason leaves URLs, which have queries, out of the log.
func reason(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "timed out"
	}
	return err.Error()
}
