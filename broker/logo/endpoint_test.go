package logo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/outbound"
	"gatehouse/internal/httpx"
)

// known are clients by their ID.
type known map[string]*broker.Client

func (k known) Client(_ context.Context, id string) (*broker.Client, error) {
	if client, ok := k[id]; ok {
		return client, nil
	}
	if id == "trouble" {
		return nil, errors.New("the store is down")
	}
	return nil, broker.ErrNotFound
}

// world is an endpoint behind its route.
type world struct {
	*Endpoint
	mux     *http.ServeMux
	log     bytes.Buffer
	now     time.Time
	fetched map[string]int
}

// newWorld has files at addresses. A client has the ID and the logo_uri of one.
func newWorld(t *testing.T, files map[string][]byte) *world {
	t.Helper()
	w := &world{mux: http.NewServeMux(), now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), fetched: map[string]int{}}
	clients := known{"bare": {ID: "bare"}}
	for id := range files {
		clients[id] = &broker.Client{ID: id, LogoURI: "https://site.example/" + id, Registered: strings.HasPrefix(id, "registered")}
	}
	w.Endpoint = &Endpoint{Clients: clients, Log: slog.New(slog.NewTextHandler(&w.log, nil)), Now: func() time.Time { return w.now },
		Fetch: func(_ context.Context, address string, _ ...string) ([]byte, error) {
			w.fetched[address]++
			if file := files[strings.TrimPrefix(address, "https://site.example/")]; file != nil {
				return file, nil
			}
			return nil, outbound.ErrFetch
		}}
	w.Mount(w.mux)
	return w
}

func (w *world) get(path string) *httptest.ResponseRecorder {
	recorded := httptest.NewRecorder()
	w.mux.ServeHTTP(recorded, httptest.NewRequest(http.MethodGet, path, nil))
	return recorded
}

func TestALogoIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]byte{"app": jpegOf(t, filled(300, 150, color.White)), "registered": pngOf(t, filled(3, 3, color.Black)), "a/b?c%d": pngOf(t, filled(4, 4, color.Black))})
	for path, sides := range map[string]string{"/logo/app": "128x64", "/logo/registered": "3x3", "/logo/a%2Fb%3Fc%25d": "4x4"} {
		got := w.get(path)
		if got.Code != 200 {
			t.Fatalf("%s: %d %s", path, got.Code, got.Body)
		}
		for header, want := range map[string]string{
			"Content-Type": "image/png", "Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff",
			"Cross-Origin-Resource-Policy": "same-origin", "Content-Length": fmt.Sprint(got.Body.Len()),
		} {
			if value := got.Header().Get(header); value != want {
				t.Errorf("%s: %s is %q, want %q", path, header, value, want)
			}
		}
		if policy := got.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if b := decoded(t, got.Body.Bytes()).Bounds(); fmt.Sprintf("%dx%d", b.Dx(), b.Dy()) != sides {
			t.Errorf("%s: %v", path, b)
		}
	}
	if got := w.get("/logo/app"); got.Code != 200 || w.fetched["https://site.example/app"] != 1 {
		t.Errorf("the second time: %d after %v fetches", got.Code, w.fetched)
	}
}

// Whether there is such a client, and what is wrong with its logo, is not told.
func TestWhatIsNotThereLooksAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]byte{"gone": nil, "drawn": []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), "bomb": claiming(t, 65535, 65535)})
	first := w.get("/logo/nobody")
	for _, id := range []string{"bare", "gone", "drawn", "bomb", "trouble", strings.Repeat("x", 5000), "%00", "nobody"} {
		got := w.get("/logo/" + id)
		if got.Code != 404 || got.Body.String() != first.Body.String() || !maps.EqualFunc(got.Header(), first.Header(), func(a, b []string) bool { return strings.Join(a, ",") == strings.Join(b, ",") }) {
			t.Errorf("%.20s: %d %q %v", id, got.Code, got.Body, got.Header())
		}
	}
	if c := first.Header().Get("Cache-Control"); c != "no-store" {
		t.Errorf("Cache-Control %q: a logo that comes later would not be seen", c)
	}
	for _, want := range []string{"client_id=drawn", "client_id=bomb", "the store is down"} {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("the log does not say %q: %s", want, &w.log)
		}
	}
	if w.get("/logo/drawn"); w.fetched["https://site.example/drawn"] != 1 {
		t.Errorf("what failed is fetched again: %v", w.fetched)
	}
	if len(w.configured.entries)+len(w.registered.entries) != 3 {
		t.Error("something is kept for clients that have no logo or are none")
	}
}

// I11: those that register themselves do not displace the operator's.
func TestRegisteredClientsHaveAShelfOfTheirOwn(t *testing.T) {
	t.Parallel()
	files := map[string][]byte{"app": pngOf(t, filled(3, 3, color.Black))}
	for i := range maxEntries + 10 {
		files[fmt.Sprint("registered", i)] = nil // a fetch that fails is remembered as well
	}
	w := newWorld(t, files)
	for i := range maxEntries + 10 {
		w.get(fmt.Sprint("/logo/registered", i))
	}
	if got := w.get("/logo/app"); got.Code != 200 {
		t.Errorf("%d: there is no room for a client of the configuration", got.Code)
	}
	if len(w.registered.entries) != maxEntries || len(w.configured.entries) != 1 {
		t.Errorf("%d and %d entries", len(w.registered.entries), len(w.configured.entries))
	}
}

func TestRequestsAreLimitedPerAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]byte{"app": pngOf(t, filled(3, 3, color.Black))})
	w.PerAddress = &httpx.Limiter{Rate: 0.5, Burst: 2, Now: w.Now}
	if w.get("/logo/app").Code != 200 || w.get("/logo/nobody").Code != 404 {
		t.Fatal("not served")
	}
	if got := w.get("/logo/app"); got.Code != 429 || got.Header().Get("Retry-After") != "2" || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
}

// SF-01, SF-03: through the guarded client nothing is fetched from this network, over
// plain HTTP or out of the address itself, and no redirect is followed.
func TestSF01ALogoIsFetchedThroughTheGuardedClient(t *testing.T) {
	t.Parallel()
	logo, inside := pngOf(t, filled(3, 3, color.Black)), 0
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/inside.png", http.StatusFound)
		case "/inside.png":
			inside++
			_, _ = w.Write(logo)
		default:
			w.Header().Set("Content-Type", "text/html") // what it is called does not matter
			_, _ = w.Write(logo)
		}
	}))
	t.Cleanup(site.Close)
	roots := site.Client().Transport.(*http.Transport).TLSClientConfig
	open := outbound.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, roots, slog.New(slog.DiscardHandler))
	shut := outbound.New(nil, roots, slog.New(slog.DiscardHandler))
	for _, row := range []struct {
		name, address string
		by            *outbound.Client
		want          int
	}{
		{"a logo", site.URL + "/logo.png", open, 200},
		{"a logo on this machine", site.URL + "/logo.png", shut, 404},
		{"a redirect", site.URL + "/redirect", open, 404},
		{"plain HTTP", "http" + strings.TrimPrefix(site.URL, "https") + "/logo.png", open, 404},
		{"data", "data:image/png;base64,iVBORw0KGgo=", open, 404},
		{"a file", "file:///etc/passwd", open, 404},
	} {
		w := newWorld(t, nil)
		w.Fetch, w.Clients = row.by.Fetch, known{"app": {ID: "app", LogoURI: row.address}}
		if got := w.get("/logo/app"); got.Code != row.want {
			t.Errorf("%s: %d", row.name, got.Code)
		}
	}
	if inside != 0 {
		t.Error("the redirect was followed")
	}
}
