package fake

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of the record: the newest requests are kept, and paths beyond the
// limit are no longer told apart.
const (
	maxRecorded    = 2000
	maxPathsCounts = 5000
)

// Recorded is a request as a fake received it, without what is secret: values of
// secret form fields read "(secret)", the Authorization header is reduced to its
// scheme, and cookies are left out.
type Recorded struct {
	Time   time.Time
	Method string
	Host   string
	Path   string
	Query  url.Values
	Form   url.Values
	Header http.Header
	// ClientID is the user name of HTTP Basic authentication, if any.
	ClientID string
}

// secret says whether no record keeps the values of a form or query member.
func secret(field string) bool {
	switch field {
	case "client_secret", "client_assertion", "assertion", "subject_token", "code", "code_verifier", "refresh_token",
		"access_token", "token", "id_token", "id_token_hint", "password":
		return true
	}
	return false
}

type record struct {
	mu     sync.Mutex
	newest []Recorded
	paths  map[string]int
	calls  map[Endpoint]int
}

func newRecord() *record {
	return &record{paths: map[string]int{}, calls: map[Endpoint]int{}}
}

func (l *record) request(r *http.Request, now time.Time) {
	entry := Recorded{
		Time: now, Method: r.Method, Host: r.Host, Path: r.URL.Path,
		Query: withoutSecrets(r.URL.Query()), Form: withoutSecrets(r.PostForm), Header: r.Header.Clone(),
	}
	entry.ClientID, _, _ = r.BasicAuth()
	entry.Header.Del("Cookie")
	if scheme, _, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		entry.Header.Set("Authorization", scheme)
	} else {
		entry.Header.Del("Authorization")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.newest) == maxRecorded {
		l.newest = slices.Delete(l.newest, 0, maxRecorded/4)
	}
	l.newest = append(l.newest, entry)
	if _, known := l.paths[r.URL.Path]; known || len(l.paths) < maxPathsCounts {
		l.paths[r.URL.Path]++
	}
}

func (l *record) call(e Endpoint) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[e]++
}

func (l *record) all() []Recorded {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.newest)
}

func (l *record) count(path string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.paths[path]
}

func (l *record) callsOf(e Endpoint) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[e]
}

func (l *record) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest = nil
	clear(l.paths)
	clear(l.calls)
}

func withoutSecrets(form url.Values) url.Values {
	out := make(url.Values, len(form))
	for name, values := range form {
		if secret(name) {
			out[name] = slices.Repeat([]string{"(secret)"}, len(values))
			continue
		}
		out[name] = slices.Clone(values)
	}
	return out
}
