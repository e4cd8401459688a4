//go:build unix

package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/connectors/connectortest/fake"
)

// world is a configuration in a directory of its own, an emulated upstream in this process, and whatever broker runs.
//
// Its issuer has a fixed port where nobody listens: browser and programs are led to the port that the broker got, so
// that no two tests, and no two starts of one broker, want the same.
type world struct {
	t        testing.TB
	dir      string
	path     string
	issuer   string
	upstream *fake.OIDC
	// heard is what upstream and broker said to each other.
	heard     *wire
	serves    atomic.Pointer[string]
	transport *http.Transport
}

// settings are what differs between configurations.
type settings struct {
	// Listen, Health and Level are 127.0.0.1:0, off and info when empty.
	Listen, Health, Level string
	// Clients are more entries; Top is more of the file.
	Clients, Top string
}

const (
	wikiSecret     = "the-secret-of-the-wiki-0123456789"
	upstreamSecret = "the-secret-at-the-upstream-012345"
	wikiRedirect   = "https://wiki.example/callback"
)

// newWorld makes a world whose issuer is at a host, such as http://localhost:7. The secret key, the database and the
// admin socket are at their default places.
func newWorld(t testing.TB, issuer string, s settings) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "gh") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := &world{t: t, dir: dir, path: filepath.Join(dir, "broker.yaml"), issuer: issuer, heard: &wire{}}
	w.upstream = fake.NewOIDC(fake.Options{Now: time.Now, SignInAs: "ada", TrustLoginHint: true, OIDC: fake.OIDCOptions{Algorithm: "ES256"},
		Clients: []fake.Client{{ID: "gatehouse", Secret: upstreamSecret, RedirectURIs: []string{issuer + "/callback/corp"}}}})
	server := httptest.NewServer(w.heard.around(w.upstream))
	t.Cleanup(server.Close)
	w.upstream.SetURL(server.URL)
	w.transport = &http.Transport{DialContext: w.dial, MaxIdleConnsPerHost: 16}
	t.Cleanup(w.transport.CloseIdleConnections)
	w.configure(s)
	return w
}

// dial leads whoever asks for the issuer to the broker that runs.
func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if u, err := url.Parse(w.issuer); err == nil && (address == u.Host || address == u.Host+":443") {
		serves := w.serves.Load()
		if serves == nil {
			return nil, fmt.Errorf("no broker runs for %s", address)
		}
		address = *serves
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// configure writes the configuration.
func (w *world) configure(s settings) {
	w.t.Helper()
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	w.write("broker.yaml", fmt.Sprintf(`issuer: %s
listen: %s
health: {listen: %q}
storage: {type: bolt, path: broker.db}
signing: {id_token: ES256, access_token: ES256}
limits: "off"
log: {level: %s}
connectors:
  - {id: corp, type: oidc, client_id: gatehouse, client_secret: %s, issuer: %q, scopes: [openid, profile, email, groups]}
clients:
  - client_id: wiki
    client_secret: %s
    redirect_uris: [%s]
    post_logout_redirect_uris: [https://wiki.example/bye]
    skip_consent: true
%s%s`, w.issuer, or(s.Listen, "127.0.0.1:0"), or(s.Health, "off"), or(s.Level, "info"), upstreamSecret, w.upstream.URL(),
		wikiSecret, wikiRedirect, s.Clients, s.Top))
}

// file is the path of a file of the world.
func (w *world) file(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, content string) {
	w.t.Helper()
	if err := os.WriteFile(w.file(name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(name string) string {
	w.t.Helper()
	content, err := os.ReadFile(w.file(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(content)
}

// names are the files of the world.
func (w *world) names() string {
	w.t.Helper()
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

const servingLine = `msg=serving .*listen=(\S+)`

// serve starts the broker and waits until it serves.
func (w *world) serve() *program {
	w.t.Helper()
	p := launch(w.t, nil, "serve", "-c", w.path)
	w.lead(p.await(p.stderr, servingLine)[1])
	return p
}

// lead makes an address the one that serves the issuer.
func (w *world) lead(address string) {
	w.transport.CloseIdleConnections()
	w.serves.Store(&address)
}

// used makes the world's database, as a first start and a clean stop do.
func (w *world) used() *world {
	w.t.Helper()
	w.serve().stop()
	return w
}

// keep notes the mode and content of all files and returns a check that nothing has changed.
func (w *world) keep() (same func()) {
	w.t.Helper()
	look := func() map[string]string {
		seen := map[string]string{}
		err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			seen[path] = info.Mode().String()
			if info.Mode().IsRegular() {
				content, err := os.ReadFile(path)
				seen[path] += string(content)
				return err
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
		return seen
	}
	before := look()
	return func() {
		w.t.Helper()
		after := look()
		for path := range after {
			if _, there := before[path]; !there {
				w.t.Errorf("%s has appeared", path)
			}
		}
		for path, content := range before {
			if after[path] != content {
				w.t.Errorf("%s was changed", path)
			}
		}
	}
}
