package external

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

const publicKey = `{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`

// site answers with what a path has.
func site(t *testing.T, pages map[string]string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		switch to, redirect := strings.CutPrefix(page, "-> "); {
		case redirect:
			http.Redirect(w, r, to, http.StatusFound)
		case !ok:
			http.NotFound(w, r)
		default:
			_, _ = w.Write([]byte(page))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestKeysAreFound(t *testing.T) {
	t.Parallel()
	pages := map[string]string{"/keys": publicKey, "/moved": "-> /keys", "/large": strings.Repeat(" ", maxDocument) + publicKey, "/private": strings.Replace(publicKey, `"kid"`, `"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI","kid"`, 1)}
	s := site(t, pages)
	discover := func(document map[string]string) string {
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	pages["/good"+wellKnown] = discover(map[string]string{"issuer": s.URL + "/good", "jwks_uri": s.URL + "/keys"})
	pages["/other"+wellKnown] = discover(map[string]string{"issuer": s.URL, "jwks_uri": s.URL + "/keys"})
	pages["/none"+wellKnown] = discover(map[string]string{"issuer": s.URL + "/none"})
	pages["/clear"+wellKnown] = discover(map[string]string{"issuer": s.URL + "/clear", "jwks_uri": "http://forge.example/keys"})
	pages["/redirects"+wellKnown] = "-> /good" + wellKnown
	pages["/twice"+wellKnown] = `{"issuer":"` + s.URL + `/twice","issuer":"x","jwks_uri":"` + s.URL + `/keys"}`
	for _, row := range []struct {
		name   string
		issuer broker.ExternalIssuer
		good   bool
	}{
		{"discovered", broker.ExternalIssuer{Issuer: s.URL + "/good"}, true},
		{"discovered behind a slash", broker.ExternalIssuer{Issuer: s.URL + "/good/"}, false},
		{"at an address", broker.ExternalIssuer{Issuer: "x", JWKSURI: s.URL + "/keys"}, true},
		{"in the configuration", broker.ExternalIssuer{Issuer: "x", JWKS: []byte(publicKey)}, true},
		{"a document of another issuer", broker.ExternalIssuer{Issuer: s.URL + "/other"}, false},
		{"a document without keys", broker.ExternalIssuer{Issuer: s.URL + "/none"}, false},
		{"keys in the clear", broker.ExternalIssuer{Issuer: s.URL + "/clear"}, false},
		{"a document that moved", broker.ExternalIssuer{Issuer: s.URL + "/redirects"}, false},
		{"a document with two readings", broker.ExternalIssuer{Issuer: s.URL + "/twice"}, false},
		{"no document", broker.ExternalIssuer{Issuer: s.URL + "/missing"}, false},
		{"keys that moved", broker.ExternalIssuer{Issuer: "x", JWKSURI: s.URL + "/moved"}, false},
		{"too many keys", broker.ExternalIssuer{Issuer: "x", JWKSURI: s.URL + "/large"}, false},
		{"JW-08 a private key", broker.ExternalIssuer{Issuer: "x", JWKSURI: s.URL + "/private"}, false},
	} {
		fetcher, err := connectors.NewFetcher("")
		if err != nil {
			t.Fatal(err)
		}
		now := func() time.Time { return time.Unix(1773480413, 0) }
		cache := &clientkeys.Cache{Fetch: Fetch(fetcher, &row.issuer), Now: now}
		keys, err := Keys(cache, &row.issuer).Keys(t.Context(), "a", jose.ES256)
		if (err == nil && len(keys) == 1) != row.good {
			t.Errorf("%s: %v, %v", row.name, keys, err)
		}
		if !row.good && !strings.Contains(row.name, "JW-08") && !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{"https://a.example/k": true, "https://10.0.0.1:6443/openid/v1/jwks?x=y": true, "http://127.0.0.1:1/k": true, "http://a.example/k": false, "": false, "a": false,
		"https://u:p@a.example/": false, "https://a.example/#f": false, "file:///etc/passwd": false, "https://" + strings.Repeat("a", 2048): false} {
		if (CheckURL(address, "") == nil) != want {
			t.Errorf("%q", address)
		}
	}
	if CheckURL("http://127.0.0.1/k", "https://a.example") == nil {
		t.Error("a downgrade")
	}
}
