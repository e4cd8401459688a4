package adminsock

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"time"

	"gatehouse/broker/keys"
)

// ErrNoServer: nobody listens on the socket, or there is none. Whoever asked may open the database itself.
var ErrNoServer = errors.New("no broker is running")

// ErrNotPermitted: the socket is somebody else's.
var ErrNotPermitted = errors.New("the running broker belongs to another user: run the command as that user")

const (
	// requestTime bounds a request. Making an RSA key may take seconds on a small machine.
	requestTime = 60 * time.Second
	// maxAnswer bounds an answer, in bytes: some thousand keys.
	maxAnswer = 1 << 20
)

// Client asks the broker behind a socket.
type Client struct{ http *http.Client }

// NewClient returns a client of the socket at path. It does not connect yet.
func NewClient(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	return &Client{&http.Client{
		Timeout:   requestTime,
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
	}}
}

// List returns the signing keys. Errors: [ErrNoServer], [ErrNotPermitted], or what the broker said.
func (c *Client) List(ctx context.Context) ([]keys.Info, error) {
	return c.do(ctx, http.MethodGet, "/keys", nil)
}

// Rotate replaces the signing keys, as [keys.Ring.Rotate] does, and returns them. Errors are those of List.
func (c *Client) Rotate(ctx context.Context, emergency bool) ([]keys.Info, error) {
	body, err := json.Marshal(rotateRequest{emergency})
	if err != nil {
		return nil, err
	}
	return c.do(ctx, http.MethodPost, "/keys/rotate", body)
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) ([]keys.Info, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://broker"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	switch {
	case err == nil:
	case nobodyListens(err):
		return nil, ErrNoServer
	case errors.Is(err, fs.ErrPermission):
		return nil, ErrNotPermitted
	default:
		return nil, fmt.Errorf("asking the running broker: %w", err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("asking the running broker: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		var f failure
		if err := json.Unmarshal(content, &f); err != nil || f.Error == "" {
			return nil, fmt.Errorf("the running broker answered %s: is it of another version?", response.Status)
		}
		return nil, fmt.Errorf("the running broker: %s", f.Error)
	}
	var list keyList
	if err := json.Unmarshal(content, &list); err != nil {
		return nil, fmt.Errorf("the running broker's answer: %w", err)
	}
	return list.Keys, nil
}
