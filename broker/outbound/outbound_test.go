package outbound

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// SF-01: which addresses are dialled.
func TestSF01OnlyPublicAddressesAreDialled(t *testing.T) {
	t.Parallel()
	c := New(nil, nil, slog.New(slog.DiscardHandler))
	for _, address := range []string{
		"127.0.0.1", "127.8.8.8", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "169.254.169.254", "169.254.170.2", "10.1.2.3",
		"172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "[fe80::1]", "[fe80::1%eth0]", "[fc00::1]", "[fd12::1]", "0.0.0.0", "[::]", "192.0.0.8",
		"192.0.2.1", "224.0.0.1", "[ff02::1]", "240.0.0.1", "255.255.255.255", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001::1]", "[2001:db8::1]", "[::127.0.0.1]", "[fec0::1]",
		"[::ffff:0:7f00:1]", "[4000::1]", "[100::1]", "[64:ff9b:1::7f00:1]", "[5f00::1]", "[3fff::1]",
	} {
		if c.check(address+":443") == nil {
			t.Errorf("%s is dialled", address)
		}
	}
	for _, address := range []string{"8.8.8.8", "1.1.1.1", "[2606:4700::1111]", "[2a00:1450:4001::1]", "[::ffff:8.8.8.8]"} {
		if err := c.check(address + ":443"); err != nil {
			t.Errorf("%s is not dialled: %v", address, err)
		}
	}
	if c.check("localhost:443") == nil || c.check("") == nil {
		t.Error("what is no address is dialled")
	}
}

func TestNetworksThatAreOpened(t *testing.T) {
	t.Parallel()
	c := New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("fd00:1::/32")}, nil, slog.New(slog.DiscardHandler))
	for address, open := range map[string]bool{"127.0.0.1": true, "[::ffff:127.0.0.1]": true, "[::1]": false, "10.0.0.1": false, "[fd00:1::2]": true, "[fd00:2::2]": false, "[fd00:1::2%eth0]": false} {
		if err := c.check(address + ":80"); (err == nil) != open {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// world is an https server and a client that may reach it and trusts it.
func world(t *testing.T, handler http.HandlerFunc) (*Client, string, *bytes.Buffer) {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	var log bytes.Buffer
	roots := &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}
	return New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, roots, slog.New(slog.NewTextHandler(&log, nil))), server.URL, &log
}

func TestFetch(t *testing.T) {
	t.Parallel()
	c, address, _ := world(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		fmt.Fprintf(w, `{"path":%q,"auth":%q}`, r.URL.String(), r.Header.Get("Authorization")+r.Header.Get("Cookie"))
	})
	body, err := c.Fetch(t.Context(), address+"/jwks?a=b#v1", "application/json")
	if err != nil || string(body) != `{"path":"/jwks?a=b","auth":""}` {
		t.Errorf("%s, %v", body, err)
	}
}

// SF-03: everything that goes wrong is the same error.
func TestSF03WhatIsNotFetched(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	internal := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(internal.Close)
	c, address, log := world(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, internal.URL+"/secret", http.StatusFound)
		case "/large":
			_, _ = w.Write(make([]byte, MaxBody+1))
		case "/exact":
			_, _ = w.Write(make([]byte, MaxBody))
		case "/status":
			w.WriteHeader(http.StatusInternalServerError)
		case "/created":
			w.WriteHeader(http.StatusCreated)
		case "/html":
			w.Header().Set("Content-Type", "text/html")
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("\x1f\x8b"))
		}
	})
	if body, err := c.Fetch(t.Context(), address+"/exact", "application/json"); err != nil || len(body) != MaxBody {
		t.Errorf("a document as large as may be: %d, %v", len(body), err)
	}
	for _, target := range []string{
		address + "/redirect", address + "/large", address + "/status", address + "/created", address + "/html", "http" + strings.TrimPrefix(address, "https") + "/plain",
		"https://user:pass@" + strings.TrimPrefix(address, "https://") + "/", "ftp://a.example/", "file:///etc/passwd", "gopher://a.example/", "unix:///run/x", "", "https://", "https:///x",
		"https://no-such-host.invalid/", "https://[::1]:1/", "https://10.0.0.1:1/", address + "/" + strings.Repeat("x", maxURL),
	} {
		if body, err := c.Fetch(t.Context(), target, "application/json"); !errors.Is(err, ErrFetch) || body != nil || err.Error() != ErrFetch.Error() {
			t.Errorf("%.60s: %q, %v", target, body, err)
		}
	}
	if reached.Load() != 0 {
		t.Error("a redirect was followed")
	}
	if s := log.String(); strings.Contains(s, "pass@") || strings.Contains(s, "/secret") || !strings.Contains(s, "is not public") {
		t.Errorf("log: %s", s)
	}
}

func TestTheProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	t.Cleanup(proxy.Close)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	c, address, _ := world(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := c.Fetch(t.Context(), address); err != nil {
		t.Error(err)
	}
}

func TestAServerThatTricklesIsGivenUp(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	c, address, _ := world(t, func(w http.ResponseWriter, r *http.Request) {
		for range 1000 {
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			select {
			case <-done:
				return
			case <-r.Context().Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() { close(done) })
	c.timeout = 200 * time.Millisecond
	if _, err := c.Fetch(t.Context(), address); !errors.Is(err, ErrFetch) {
		t.Error(err)
	}
}
