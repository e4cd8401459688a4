package server_test

import (
	"bytes"
	"encoding/pem"
	"html"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"gatehouse/internal/brokertest"
)

// logoFile is a picture of 256 by 256 pixels.
func logoFile(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 256, 256))))
	return b.String()
}

// gallery is a world of applications with logos, of which one can be had, and the site
// where they are.
func gallery(t *testing.T, path string) (b *brokertest.Broker, site string, fetched *atomic.Int32) {
	t.Helper()
	fetched = new(atomic.Int32)
	file := logoFile(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		if len(r.Cookies()) > 0 || r.Header.Get("Referer") != "" {
			t.Errorf("the site hears %v", r.Header)
		}
		switch r.URL.Path {
		case "/logo.png":
			_, _ = w.Write([]byte(file))
		case "/logo.svg":
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	client := func(id, more string) string {
		return "  - {client_id: " + id + ", client_secret: " + brokertest.Secret(id) + ", redirect_uris: ['" + brokertest.RedirectURI(id) + "'], " + more + "}\n"
	}
	return brokertest.New(t, brokertest.Options{
		Path: path, SecondConnector: true,
		Clients: client("shop", "connectors: [corp], logo_uri: '"+server.URL+"/logo.png', grant_types: [authorization_code, 'urn:ietf:params:oauth:grant-type:device_code']") +
			client("wiki", "logo_uri: '"+server.URL+"/logo.png'") + client("drawn", "connectors: [corp], logo_uri: '"+server.URL+"/logo.svg'") + client("bare", "connectors: [corp]"),
		Config: "outbound: {allow_networks: [127.0.0.0/8], ca_file: '" + ca + "'}\nregistration: {open: true}\n",
	}), server.URL, fetched
}

// pictures are the addresses of a page's images.
func pictures(body string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`<img src="([^"]*)" alt="">`).FindAllStringSubmatch(body, -1) {
		out = append(out, html.UnescapeString(m[1]))
	}
	return out
}

// OIDF oidcc-registration-logo-uri, DR-04: people see the logo of an application on
// every page about it, and it comes from us.
func TestLogosAreShownAndServedByUs(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/tenants/a"} {
		b, site, fetched := gallery(t, path)
		browser := b.Browser(t)
		pages := map[string]brokertest.Page{
			"chooser": b.Browser(t).Get(b.AuthorizeURL("wiki")),
			"consent": browser.Get(b.AuthorizeURL("shop")),
			"device":  begin(t, b, "shop", "scope", "openid").enter(browser),
		}
		if n := fetched.Load(); n != 0 {
			t.Errorf("pages wait for logos: %d fetches", n)
		}
		for name, page := range pages {
			shown := pictures(page.Body)
			if len(shown) != 1 || !strings.HasPrefix(shown[0], b.Issuer+"/logo/") || strings.Contains(page.Body, site) || page.Status != 200 {
				t.Errorf("%s: %d %v\n%s", name, page.Status, shown, page.Body)
				continue
			}
			if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "img-src 'self' data:;") {
				t.Errorf("%s: policy %q", name, policy)
			}
			if strings.Contains(page.Body, "has registered itself") {
				t.Errorf("%s: a client of the configuration is said to have registered itself", name)
			}
			logo := browser.Get(shown[0])
			m, err := png.Decode(bytes.NewReader([]byte(logo.Body)))
			if err != nil || logo.Status != 200 || m.Bounds() != image.Rect(0, 0, 128, 128) {
				t.Errorf("%s: %d, %v", name, logo.Status, err)
			}
			for header, want := range map[string]string{"Content-Type": "image/png", "Cache-Control": "public, max-age=3600",
				"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"} {
				if got := logo.Header.Get(header); got != want {
					t.Errorf("%s: %s is %q, want %q", name, header, got, want)
				}
			}
		}
		if n := fetched.Load(); n != 2 {
			t.Errorf("two logos were fetched %d times", n)
		}
	}
}

func TestLogosThatCannotBeHad(t *testing.T) {
	t.Parallel()
	b, _, fetched := gallery(t, "")
	browser := b.Browser(t)
	if page := browser.Get(b.AuthorizeURL("bare")); page.Status != 200 || len(pictures(page.Body)) != 0 || !strings.Contains(page.Body, "to use your account?") {
		t.Errorf("a page about an application without a logo: %d %s", page.Status, page.Body)
	}
	var bodies []string
	for range 3 {
		for _, id := range []string{"drawn", "bare", "nobody"} {
			answer := browser.Get(b.Issuer + "/logo/" + id)
			if answer.Status != 404 || answer.Header.Get("Content-Type") != "text/plain; charset=utf-8" || answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %v", id, answer.Status, answer.Header)
			}
			bodies = append(bodies, answer.Body)
		}
	}
	for _, body := range bodies {
		if body != bodies[0] {
			t.Errorf("%q and %q tell which is which", body, bodies[0])
		}
	}
	if n := fetched.Load(); n != 1 {
		t.Errorf("%d fetches of what is no logo", n)
	}
}

// DR-04: the logo that a client chose for itself stands beside the word that it did.
func TestTheLogoOfARegisteredClientIsMarked(t *testing.T) {
	t.Parallel()
	b, site, _ := gallery(t, "")
	registered := register(t, http.MethodPost, b.Issuer+"/register", "",
		`{"client_name":"Bank","redirect_uris":["https://bank.example/cb"],"logo_uri":"`+site+`/logo.png"}`)
	id, _ := registered["client_id"].(string)
	browser := b.Browser(t)
	chooser := browser.Get(b.AuthorizeURL(id, "redirect_uri", "https://bank.example/cb"))
	pages := map[string]brokertest.Page{"chooser": chooser, "consent": browser.Get(chooser.Link("/login/corp"))}
	for name, page := range pages {
		if shown := pictures(page.Body); len(shown) != 1 || browser.Get(shown[0]).Status != 200 || !strings.Contains(page.Body, "has registered itself here and chose its own name and picture") {
			t.Errorf("%s: %s\n%s", name, page.URL, page.Body)
		}
	}
	if !strings.Contains(pages["consent"].Body, "to use your account?") || !strings.Contains(chooser.Body, "Continue with") {
		t.Error("those were other pages")
	}
}
