package fake

import (
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/internal/clocktest"
)

// pool is shared so that the package makes each RSA key once.
var pool = &KeyPool{}

const (
	clientID     = "client-1"
	clientSecret = "s3cret:with/odd+characters"
	callback     = "https://broker.example/callback/up"
	verifier     = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

// clock is a fake's time, moved by hand.
type clock = clocktest.Clock

func newClock() *clock { return clocktest.New(time.Unix(1795132800, 0).UTC()) }

// options are what most tests want.
func options(c *clock) Options {
	return Options{
		Now: c.Now, Keys: pool,
		Clients: []Client{{
			ID: clientID, Secret: clientSecret, Name: "Gatehouse", RedirectURIs: []string{callback},
			PostLogoutRedirectURIs: []string{"https://broker.example/bye"},
		}},
	}
}

// serve puts a fake on a loopback port.
func serve(t *testing.T, p *Provider) {
	t.Helper()
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	p.SetURL(srv.URL)
}

// browser keeps cookies and does not follow redirects.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// reply is a response whose body has been read.
type reply struct {
	*http.Response
	body string
}

func do(t *testing.T, c *http.Client, req *http.Request) reply {
	t.Helper()
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res, string(body)}
}

func get(t *testing.T, c *http.Client, url string, header ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(t, c, req)
}

func post(t *testing.T, c *http.Client, target string, form url.Values, header ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(t, c, req)
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(r.body), &doc); err != nil {
		t.Fatalf("status %d: %v in %.300q", r.StatusCode, err, r.body)
	}
	return doc
}

// location is the parameters of a redirect to the client.
func (r reply) location(t *testing.T) url.Values {
	t.Helper()
	to := r.Header.Get("Location")
	if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, callback+"?") {
		t.Fatalf("want a 303 to the callback, got %d to %q: %.300s", r.StatusCode, to, r.body)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// authRequest is a proper authorization request; overrides come in pairs, and an
// empty value removes the parameter.
func authRequest(scope string, overrides ...string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	v := url.Values{
		"client_id": {clientID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {scope},
		"state": {"st-1"}, "nonce": {"n-1"}, "code_challenge": {b64(sum[:])}, "code_challenge_method": {"S256"},
	}
	override(v, overrides)
	return v
}

// codeRequest is a proper token request for a code.
func codeRequest(code string, overrides ...string) url.Values {
	v := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
		"client_id": {clientID}, "client_secret": {clientSecret},
	}
	override(v, overrides)
	return v
}

func refreshRequest(token string, overrides ...string) url.Values {
	v := url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {clientID}, "client_secret": {clientSecret},
	}
	override(v, overrides)
	return v
}

func override(v url.Values, pairs []string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			v.Del(pairs[i])
			continue
		}
		v.Set(pairs[i], pairs[i+1])
	}
}

// verify checks an ID token's signature against a key set and returns its claims.
func verify(t *testing.T, keySet string, idToken any) map[string]any {
	t.Helper()
	claims, err := tryVerify(keySet, idToken)
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func tryVerify(keySet string, idToken any) (map[string]any, error) {
	text, _ := idToken.(string)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(keySet), &set); err != nil {
		return nil, err
	}
	parsed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return nil, err
	}
	payload, err := parsed.Verify(set)
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	return claims, json.Unmarshal(payload, &claims)
}

// fixture reads the member names of a vendor document: from the shared fixtures
// where they are present, otherwise from the copy of the shape in testdata.
func fixture(t *testing.T, name string) map[string]any {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("../../../../shared/fixtures", name))
	if err != nil {
		body, err = os.ReadFile(filepath.Join("testdata", name))
	}
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// sameMembers fails unless every member of want is in got, except the named ones.
func sameMembers(t *testing.T, want, got map[string]any, except ...string) {
	t.Helper()
next:
	for name := range want {
		for _, e := range except {
			if e == name {
				continue next
			}
		}
		if _, ok := got[name]; !ok {
			t.Errorf("member %q of the vendor's document is missing", name)
		}
	}
}
