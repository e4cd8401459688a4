package fake

import (
	"crypto"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Provider is what the emulated vendors share: the people, the clients, the
// record, and the strings a test pulls. It is an http.Handler, safe for
// concurrent use; SetURL comes before the first request.
type Provider struct {
	opts   Options
	brand  brand
	vendor vendor
	mux    *http.ServeMux
	pages  *pages
	// weakACR is what WeakerACR says.
	weakACR string

	cast     *cast
	script   *script
	record   *record
	ledger   *ledger
	sessions *sessions
	consents *consents
	keys     *keyring
	asserted assertions

	mu      sync.Mutex
	base    *url.URL
	clients []Client
}

// vendor is what makes one provider differ from the next where the code is shared.
type vendor interface {
	// redirectURI settles where to answer: given if it is registered in the vendor's
	// opinion.
	redirectURI(c Client, given string) (string, bool)
	// issuer is the iss of authorization responses (RFC 9207); empty where the vendor
	// sends none.
	issuer(r *request) string
	// check applies the vendor's rules to a request whose client and redirect URI
	// are settled, and fills in what it found.
	check(r *request) *refusal
	// admit says whether this person may pass this request.
	admit(r *request, p Person) *refusal
	// consented says whether the person's earlier consent covers the request, so
	// that a session is enough.
	consented(r *request, p Person) bool
	// refuse words a trouble at the authorization endpoint.
	refuse(t trouble, r *request, detail string) *refusal
	// grantCode makes the code of a request that was granted.
	grantCode(r *request, g *grant) string
	// decorate adds the vendor's own members to a successful response.
	decorate(r *request, p Person, response url.Values)
	// fault is the vendor's shape of a fault that is a status.
	fault(e Endpoint, f Fault) answer
}

func newProvider(o Options, b brand, people []Person, v vendor) *Provider {
	if o.Now == nil {
		// A fake on another clock than its caller's would fail in confusing ways.
		panic("fake: Options.Now is required")
	}
	if o.People != nil {
		people = o.People
	}
	p := &Provider{
		opts: o, brand: b, vendor: v, mux: http.NewServeMux(), weakACR: "0",
		cast: newCast(people), script: newScript(o), record: newRecord(), ledger: newLedger(), sessions: newSessions(o.SignInAs),
		consents: newConsents(), clients: slices.Clone(o.Clients),
		base: &url.URL{Scheme: "http", Host: "fake.invalid"},
	}
	p.pages = newPages(b, func() string { return p.baseURL().Path })
	p.keys = newKeyring(o.Keys, "RS256", nameByThumbprint)
	p.mux.HandleFunc("GET /-/style.css", p.pages.serveStyle)
	p.mux.HandleFunc("GET /-/session", p.showSession)
	p.mux.HandleFunc("POST /-/session", p.endSession)
	return p
}

// route serves pattern as part of an endpoint, with the endpoint's faults.
func (p *Provider) route(pattern string, e Endpoint, h http.HandlerFunc) {
	p.mux.HandleFunc(pattern, p.faulty(e, h))
}

// SetURL tells the fake its public address, such as http://127.0.0.1:5561, without
// a trailing slash. A path is allowed: it comes before every path of the vendor.
// SetURL panics if base is not an absolute URL.
func (p *Provider) SetURL(base string) {
	u := mustBase(base)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.base = u
}

func mustBase(base string) *url.URL {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || strings.HasSuffix(base, "/") {
		panic(fmt.Sprintf("fake: %q is not an absolute URL without a trailing slash", base))
	}
	return u
}

// URL is the base URL; what the vendor's root is in reality.
func (p *Provider) URL() string { return p.baseURL().String() }

// SessionURL is a page that says who is signed in at the emulated vendor and signs
// them out. No vendor has it.
func (p *Provider) SessionURL() string { return p.at("/-/session") }

// Name is the vendor's name, such as "Google".
func (p *Provider) Name() string { return p.brand.Name }

func (p *Provider) baseURL() *url.URL {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.base
}

// at is the URL of a path.
func (p *Provider) at(path string) string { return p.URL() + path }

// maxForm bounds what a fake reads of a request.
const maxForm = 1 << 20

// ServeHTTP records the request and serves it.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.serve(w, r, p.mux, p.baseURL().Path)
}

// serve hands a request whose path begins with prefix to one of the fake's muxes.
func (p *Provider) serve(w http.ResponseWriter, r *http.Request, mux http.Handler, prefix string) {
	if prefix != "" {
		if !strings.HasPrefix(r.URL.Path, prefix+"/") {
			http.NotFound(w, r)
			return
		}
		r2 := r.Clone(r.Context())
		r2.URL.Path = strings.TrimPrefix(r.URL.Path, prefix)
		r2.URL.RawPath = ""
		r = r2
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	p.record.request(r, p.opts.Now())
	w.Header().Set("Date", p.opts.Now().UTC().Format(http.TimeFormat)) // the vendor's clock, not the machine's
	if h := p.script.replacement(r.URL.Path); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	mux.ServeHTTP(w, r)
}

// describeKeys makes the vendor's naming of keys the keyring's. Constructors call it.
func (p *Provider) describeKeys(algorithm string, describe func(jwk map[string]any, key crypto.Signer) error) {
	p.keys = newKeyring(p.opts.Keys, algorithm, describe)
}
