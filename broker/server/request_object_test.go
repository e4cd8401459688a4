package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/internal/brokertest"
	"gatehouse/internal/jwttest"
)

// requester is an application that signs its requests, and the site where its keys
// and requests are.
type requester struct {
	b    *brokertest.Broker
	key  *ecdsa.PrivateKey
	site string

	mu      sync.Mutex
	content map[string]string
	fetched atomic.Int32
}

func newRequester(t *testing.T) *requester {
	t.Helper()
	r := &requester{content: map[string]string{}}
	var err error
	if r.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.fetched.Add(1)
		r.mu.Lock()
		defer r.mu.Unlock()
		body, ok := r.content[q.URL.Path]
		if !ok {
			http.NotFound(w, q)
			return
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	r.site = server.URL
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "k1", Key: r.key.Public()}}})
	if err != nil {
		t.Fatal(err)
	}
	r.put("/jwks", string(set))
	r.put("/hashed", "hello")
	r.b = brokertest.New(t, brokertest.Options{
		Clients: `  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ["https://wiki.example/callback", "https://wiki.example/other"], skip_consent: true, require_pkce: false, jwks_uri: "` +
			r.site + `/jwks", request_uris: ["` + r.site + `/request", "` + r.site + `/gone", "` + r.site + `/hashed#` + hashOf("hello") + `", "` + r.site + `/hashed#` + hashOf("other") + `"]}
  - {client_id: shop, client_secret: shop-secret, redirect_uris: ["https://shop.example/callback"], skip_consent: true}
`,
		Config: "outbound: {allow_networks: [127.0.0.0/8], ca_file: " + ca + "}\n",
	})
	return r
}

func (r *requester) put(path, content string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.content[path] = content
}

// object is a signed request with the usual parameters, changed; nil removes one.
func (r *requester) object(t *testing.T, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{"iss": "wiki", "aud": r.b.Issuer, "exp": r.b.Clock.Now().Add(time.Minute).Unix(), "client_id": "wiki", "response_type": "code",
		"redirect_uri": "https://wiki.example/callback", "scope": "openid email", "state": "inside", "nonce": "n-inside", "max_age": 3600}
	maps.Copy(claims, changes)
	for name, value := range claims {
		if value == nil {
			delete(claims, name)
		}
	}
	return signedBy(t, r.key, "k1", claims)
}

func signedBy(t *testing.T, key *ecdsa.PrivateKey, kid string, claims map[string]any) string {
	t.Helper()
	return jwttest.Sign(t, jwttest.Key{Algorithm: jose.ES256, ID: kid, Key: key}, claims)
}

// ask sends the parameters as they are.
func (r *requester) ask(t *testing.T, pairs ...string) brokertest.Page {
	t.Helper()
	return r.b.Browser(t).Get(r.b.Issuer + "/authorize?" + with(url.Values{}, pairs...).Encode())
}

// OpenID Connect Core §6.1: what is signed stands in the place of what is beside it.
func TestSignedRequests(t *testing.T) {
	t.Parallel()
	r := newRequester(t)
	page := r.ask(t, "client_id", "wiki", "response_type", "code", "scope", "openid", "request", r.object(t, nil))
	got := page.URL.Query()
	if !page.AtClient || got.Get("state") != "inside" || got.Get("code") == "" {
		t.Fatalf("%s", page.URL)
	}
	tokens := r.b.Token(t, "wiki", with(brokertest.CodeForm("wiki", got.Get("code")), "code_verifier", ""))
	if tokens.Text("scope") != "openid email" || claimsOf(t, tokens.Text("id_token"))["nonce"] != "n-inside" {
		t.Errorf("%v", tokens.Body)
	}
	// OIDF oidcc-ensure-request-object-with-redirect-uri: inside wins, whatever is outside.
	page = r.ask(t, "client_id", "wiki", "response_type", "code", "scope", "openid", "redirect_uri", "https://evil.example/", "state", "outside",
		"request", r.object(t, map[string]any{"redirect_uri": "https://wiki.example/other"}))
	if !page.AtClient || page.URL.Path != "/other" || page.URL.Query().Get("state") != "inside" {
		t.Errorf("%s", page.URL)
	}
	// What is not inside may be beside it (§6.1).
	page = r.ask(t, "client_id", "wiki", "response_type", "code", "scope", "openid", "state", "outside", "request", r.object(t, map[string]any{"state": nil, "response_type": nil}))
	if page.URL.Query().Get("state") != "outside" || page.URL.Query().Get("code") == "" {
		t.Errorf("%s", page.URL)
	}
	if strings.Contains(r.b.Log.String(), "n-inside") {
		t.Error("the object is in the log")
	}
}

// §6.2: by reference, registered byte for byte, fetched by the guarded client.
func TestRequestsByReference(t *testing.T) {
	t.Parallel()
	r := newRequester(t)
	r.put("/request", r.object(t, nil))
	ask := func(uri string) url.Values {
		page := r.ask(t, "client_id", "wiki", "response_type", "code", "scope", "openid", "redirect_uri", "https://wiki.example/callback", "state", "outside", "request_uri", uri)
		if !page.AtClient {
			t.Fatalf("%s: %d %s", uri, page.Status, page.URL)
		}
		return page.URL.Query()
	}
	if got := ask(r.site + "/request"); got.Get("code") == "" || got.Get("state") != "inside" {
		t.Errorf("%v", got)
	}
	fetched := r.fetched.Load()
	for _, uri := range []string{r.site + "/other", r.site + "/request?x", r.site + "/request#x", r.site + "/REQUEST", "http://127.0.0.1/request", "https://169.254.169.254/", "file:///etc/passwd", "urn:x"} {
		if got := ask(uri); got.Get("error") != "invalid_request_uri" || got.Get("state") != "outside" {
			t.Errorf("SF-01 %s: %v", uri, got)
		}
	}
	if r.fetched.Load() != fetched {
		t.Error("SF-01: what is not registered was fetched")
	}
	if got := ask(r.site + "/gone"); got.Get("error") != "invalid_request_uri" {
		t.Errorf("what is not there: %v", got)
	}
	r.put("/request", "hello")
	if got := ask(r.site + "/request"); got.Get("error") != "invalid_request_object" {
		t.Errorf("what is no request object: %v", got)
	}
}

// Core §6.2: a fragment is for caches, of which there are none. A client that registers
// it before it has made a request, as the conformance suite does, cannot know the hash.
func TestTheFragmentOfARequestURI(t *testing.T) {
	t.Parallel()
	r := newRequester(t)
	for _, name := range []string{"hello", "other"} {
		for _, state := range []string{"first", "second"} {
			r.put("/hashed", r.object(t, map[string]any{"state": state}))
			page := r.ask(t, "client_id", "wiki", "response_type", "code", "scope", "openid", "redirect_uri", "https://wiki.example/callback", "request_uri", r.site+"/hashed#"+hashOf(name))
			if got := page.URL.Query(); got.Get("state") != state || got.Get("code") == "" {
				t.Errorf("the hash of %q: %s", name, page.URL)
			}
		}
	}
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// RO-06: what is not accepted, and that nothing comes of it.
func TestRO06RequestObjectsThatAreRefused(t *testing.T) {
	t.Parallel()
	r := newRequester(t)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := r.object(t, nil)
	payload := strings.Split(good, ".")[1]
	commits := r.b.Store.Commits()
	for name, object := range map[string]string{
		"unsigned":                   "eyJhbGciOiJub25lIn0." + payload + ".",
		"of a stranger":              signedBy(t, stranger, "k1", map[string]any{"iss": "wiki", "aud": r.b.Issuer, "client_id": "wiki", "response_type": "code"}),
		"altered":                    good[:len(good)-4] + "AAAA",
		"nonsense":                   "x",
		"large":                      good + strings.Repeat("A", 33<<10),
		"of another client":          r.object(t, map[string]any{"iss": "shop"}),
		"for another server":         r.object(t, map[string]any{"aud": "https://other.example"}),
		"over":                       r.object(t, map[string]any{"exp": r.b.Clock.Now().Add(-time.Hour).Unix()}),
		"not yet":                    r.object(t, map[string]any{"nbf": r.b.Clock.Now().Add(time.Hour).Unix()}),
		"good for a year":            r.object(t, map[string]any{"exp": r.b.Clock.Now().Add(9000 * time.Hour).Unix()}),
		"with another client_id":     r.object(t, map[string]any{"client_id": "shop"}),
		"with another response_type": r.object(t, map[string]any{"response_type": "token"}),
		"nested":                     r.object(t, map[string]any{"request": good}),
		"nested by reference":        r.object(t, map[string]any{"request_uri": r.site + "/request"}),
		"with a list":                r.object(t, map[string]any{"state": []string{"a"}}),
	} {
		page := r.ask(t, "client_id", "wiki", "response_type", "code", "scope", "openid", "redirect_uri", "https://wiki.example/callback", "state", "outside", "request", object)
		if got := page.URL.Query(); !page.AtClient || got.Get("error") != "invalid_request_object" || got.Get("code") != "" || got.Get("state") != "outside" {
			t.Errorf("%s: %s", name, page.URL)
		}
	}
	page := r.ask(t, "client_id", "wiki", "response_type", "code", "scope", "openid", "redirect_uri", "https://wiki.example/callback", "request", good, "request_uri", r.site+"/request")
	if page.URL.Query().Get("error") != "invalid_request" {
		t.Errorf("both: %s", page.URL)
	}
	page = r.ask(t, "client_id", "shop", "response_type", "code", "scope", "openid", "redirect_uri", "https://shop.example/callback", "request", good)
	if page.URL.Query().Get("error") != "request_not_supported" {
		t.Errorf("a client without keys: %s", page.URL)
	}
	// AZ-01, I3: without a good address beside it there is only a page, and an address inside is held to the same.
	isPage(t, "an object that cannot be read", r.ask(t, "client_id", "wiki", "response_type", "code", "scope", "openid", "redirect_uri", "https://evil.example/", "request", "x"))
	isPage(t, "an address inside that is not registered", r.ask(t, "client_id", "wiki", "response_type", "code", "scope", "openid", "request", r.object(t, map[string]any{"redirect_uri": "https://evil.example/"})))
	isPage(t, "nobody's", r.ask(t, "response_type", "code", "scope", "openid", "request", good))
	if r.b.Store.Commits() != commits {
		t.Error("a refusal was committed")
	}
}
