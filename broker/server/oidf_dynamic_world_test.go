package server_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/broker"
	"gatehouse/broker/server"
)

// oidfRegistration is a section that lets the suite register: everybody may, for all
// that its plans need, and nobody has to send a challenge.
const oidfRegistration = "{open: true, grant_types: [authorization_code, refresh_token, implicit], require_pkce: false}"

// newOIDFDynamicWorld is a world in which clients register themselves.
func newOIDFDynamicWorld(t *testing.T) *oidfWorld {
	t.Helper()
	return openOIDFWorld(t, oidfSetting{registration: oidfRegistration})
}

// oidfSigningKeys are those of the first world in which clients register, put into the
// others: two of them are RSA keys, which take longer to make than a plan to run. All
// worlds begin at one moment, so the keys are as good there.
var oidfSigningKeys struct {
	sync.Mutex
	set []broker.Key
}

func openWithSharedKeys(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	if o.Config.Registration.Enabled() {
		oidfSigningKeys.Lock()
		defer oidfSigningKeys.Unlock()
		_, version, err := o.Store.Keys(t.Context())
		must(t, err)
		if oidfSigningKeys.set != nil {
			must(t, o.Store.ReplaceKeys(t.Context(), version, oidfSigningKeys.set, broker.Event{Type: broker.EventKeysReplaced, At: o.Now()}))
		}
	}
	opened, err := server.Open(t.Context(), o)
	must(t, err)
	if o.Config.Registration.Enabled() {
		oidfSigningKeys.set, _, err = o.Store.Keys(t.Context())
		must(t, err)
	}
	return opened
}

// oidfPair is a key of the suite.
type oidfPair struct {
	private crypto.Signer
	kid     string
	alg     string
}

// jwk is the public half, for an algorithm and a use.
func (k *oidfPair) jwk(t *testing.T, use string) map[string]any {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKey{Key: k.private.Public(), KeyID: k.kid, Use: use, Algorithm: k.alg})
	must(t, err)
	var out map[string]any
	must(t, json.Unmarshal(raw, &out))
	return out
}

// oidfKeyRing are the keys of the suite's clients. Those of RSA, first and second, are
// made once: it makes new ones for every module.
type oidfKeyRing struct {
	first, second *oidfPair
	// signing has one for each algorithm, by its name.
	signing map[string]*oidfPair
}

var oidfKeys = sync.OnceValue(func() oidfKeyRing {
	one, err1 := rsa.GenerateKey(rand.Reader, 2048)
	two, err2 := rsa.GenerateKey(rand.Reader, 2048)
	p256, err3 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err4 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, edwards, err5 := ed25519.GenerateKey(rand.Reader)
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			panic(err)
		}
	}
	ring := oidfKeyRing{
		// A key that is alone needs no name, and the suite gives it none.
		first: &oidfPair{private: one, alg: "RS256"}, second: &oidfPair{private: two, alg: "RS256"},
		signing: map[string]*oidfPair{},
	}
	for alg, key := range map[string]crypto.Signer{"RS256": one, "PS256": two, "ES256": p256, "ES384": p384, "EdDSA": edwards} {
		ring.signing[alg] = &oidfPair{private: key, kid: "signs-" + alg, alg: alg}
	}
	return ring
})

// named is the key under a name.
func (k *oidfPair) named(kid string) *oidfPair {
	return &oidfPair{private: k.private, kid: kid, alg: k.alg}
}

// oidfKeySet is a JWK set of keys that sign.
func oidfKeySet(t *testing.T, keys ...*oidfPair) map[string]any {
	t.Helper()
	list := []any{}
	for _, k := range keys {
		list = append(list, k.jwk(t, "sig"))
	}
	return map[string]any{"keys": list}
}

// oidfSite is where the suite keeps what its clients refer to: on loopback, so that
// the broker has to be told that it may go there, and under a certificate of its own.
type oidfSite struct {
	url, ca string

	mu      sync.Mutex
	pages   map[string]oidfPage
	fetched map[string]int
}

type oidfPage struct{ kind, body string }

func newOIDFSite(t *testing.T) *oidfSite {
	t.Helper()
	s := &oidfSite{pages: map[string]oidfPage{}, fetched: map[string]int{}}
	listener := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fetched[r.URL.Path]++
		page, there := s.pages[r.URL.Path]
		if !there || r.Method != http.MethodGet {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", page.kind)
		_, _ = w.Write([]byte(page.body))
	}))
	t.Cleanup(listener.Close)
	s.url, s.ca = listener.URL, filepath.Join(t.TempDir(), "site.pem")
	must(t, os.WriteFile(s.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: listener.Certificate().Raw}), 0o600))
	return s
}

// put publishes a document and returns its address.
func (s *oidfSite) put(path, kind, body string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = oidfPage{kind, body}
	return s.url + path
}

// visits counts how often a document was asked for.
func (s *oidfSite) visits(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetched[path]
}
