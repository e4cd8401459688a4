package registration

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"gatehouse/broker/outbound"
)

// sectorSite is a site on this machine that has sector documents and others.
func sectorSite(t *testing.T) (site *httptest.Server, connections *atomic.Int32) {
	t.Helper()
	const document = `["https://app.example.org/cb"]`
	mux := http.NewServeMux()
	as := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, body)
		}
	}
	mux.HandleFunc("/good", as("application/json", document))
	mux.HandleFunc("/text", as("text/plain", document))
	mux.HandleFunc("/large", as("application/json", document+strings.Repeat(" ", outbound.MaxBody)))
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/good", http.StatusFound) })
	mux.HandleFunc("/gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	connections = new(atomic.Int32)
	site = httptest.NewUnstartedServer(mux)
	site.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	site.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	site.StartTLS()
	t.Cleanup(site.Close)
	return site, connections
}

func sectorDocument(uri string) string {
	return `{"redirect_uris":["https://app.example.org/cb"],"subject_type":"pairwise","sector_identifier_uri":"` + uri + `"}`
}

// SF-01, SF-03: behind the guarded client no connection is made to an address that is
// not public, no redirect is followed, and whatever was found the answer is the same.
func TestSF03TheSectorDocumentThroughTheGuardedClient(t *testing.T) {
	t.Parallel()
	site, connections := sectorSite(t)
	roots := &tls.Config{RootCAs: site.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	var log bytes.Buffer
	w := newWorld(t, openPolicy())
	w.endpoint.Fetch = outbound.New(nil, roots, slog.New(slog.NewTextHandler(&log, nil))).Fetch
	port := site.URL[strings.LastIndexByte(site.URL, ':'):]
	blocked := w.do("POST", "/register", sectorDocument(site.URL+"/good"))
	for _, host := range []string{"127.0.0.1", "localhost", "localhost.", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0"} {
		got := w.do("POST", "/register", sectorDocument("https://"+host+port+"/good"))
		if got.status != http.StatusBadRequest || got.body != blocked.body {
			t.Errorf("%s: %d %s", host, got.status, got.body)
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections to this machine", n)
	}
	// An operator may open the network: what is wrong is refused all the same, and alike.
	w.endpoint.Fetch = outbound.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, roots, slog.New(slog.NewTextHandler(&log, nil))).Fetch
	for _, path := range []string{"/text", "/large", "/moved", "/gone"} {
		if got := w.do("POST", "/register", sectorDocument(site.URL+path)); got.status != http.StatusBadRequest || got.body != blocked.body {
			t.Errorf("%s: %d %s differs from %s", path, got.status, got.body, blocked.body)
		}
	}
	made := w.register(sectorDocument(site.URL + "/good"))
	if client := w.client(made); client.Sector != "127.0.0.1" {
		t.Errorf("sector %q", client.Sector)
	}
	if connections.Load() == 0 {
		t.Error("the site was not asked: the test shows nothing")
	}
}
