package connectors

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wristwatch is a clock that moves when told to.
type wristwatch struct{ at time.Time }

func (w *wristwatch) now() time.Time { return w.at }

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAFileIsReadAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	watch := &wristwatch{at: time.Unix(1795132800, 0)}
	var log bytes.Buffer
	parsed := 0
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "one")
	f := &File[string]{
		Path: path, Key: "the_key", Connector: "up", Now: watch.now, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Parse: func(content []byte) (string, error) {
			if parsed++; len(content) == 0 {
				return "", errors.New("is empty")
			}
			return string(content), nil
		},
	}
	if err := f.Open(); err != nil {
		t.Fatal(err)
	}
	want := func(value string) {
		t.Helper()
		if got := f.Current(); got != value {
			t.Fatalf("got %q, want %q", got, value)
		}
	}
	want("one")
	write(t, path, "two")
	watch.at = watch.at.Add(rereadPause - time.Second)
	want("one") // looked at a moment ago
	watch.at = watch.at.Add(time.Second)
	want("two")
	watch.at = watch.at.Add(rereadPause)
	if want("two"); parsed != 2 {
		t.Errorf("understood %d times, although it changed once", parsed)
	}
	for _, bad := range []string{"", strings.Repeat("x", maxFile+1)} {
		write(t, path, bad)
		watch.at = watch.at.Add(rereadPause)
		want("two")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	watch.at = watch.at.Add(rereadPause)
	want("two")
	if n := strings.Count(log.String(), "last good version"); n != 1 || !strings.Contains(log.String(), "the_key") {
		t.Errorf("logged %d times: %s", n, log.String())
	}
	write(t, path, "three")
	watch.at = watch.at.Add(-time.Hour) // a clock that was set back
	want("three")
	if f.Last() != "three" {
		t.Errorf("the last version is %q", f.Last())
	}
}

// authority makes a self-signed certificate for 127.0.0.1 and its PEM.
func authority(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestABundleThatChangesIsTrustedWithoutARestart(t *testing.T) {
	t.Parallel()
	certificate, bundle := authority(t)
	_, other := authority(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	server.StartTLS()
	t.Cleanup(server.Close)

	watch := &wristwatch{at: time.Unix(1795132800, 0)}
	path := filepath.Join(t.TempDir(), "ca.pem")
	c := Common{ID: "up", CAFile: "ca.pem"}
	env := Environment{Now: watch.now, Log: slog.New(slog.DiscardHandler), Path: func(string) string { return path }}
	write(t, path, other)
	f, err := c.OpenFetcher(env)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		bundle string
		fine   bool
	}{{other, false}, {bundle, true}, {"", true}, {other, false}, {bundle + other, true}} {
		write(t, path, step.bundle)
		watch.at = watch.at.Add(rereadPause)
		_, err := f.Get(t.Context(), server.URL, "", MaxDocument)
		if (err == nil) != step.fine {
			t.Errorf("step %d: got %v", i, err)
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || !e.Unspent) {
			t.Errorf("step %d: a request that was never sent counts as sent: %v", i, err)
		}
	}
}
