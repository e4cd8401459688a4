package fake

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Endpoint names what an answer belongs to, the same for every vendor. Faults,
// edits and call counts are kept per endpoint.
type Endpoint string

// The endpoints every OpenID vendor has; GitHub has Authorize, Token and Revoke.
const (
	Discovery  Endpoint = "discovery"
	Keys       Endpoint = "keys"
	Authorize  Endpoint = "authorize"
	Token      Endpoint = "token"
	Userinfo   Endpoint = "userinfo"
	Revoke     Endpoint = "revoke"
	Introspect Endpoint = "introspect"
	Logout     Endpoint = "logout"
)

// Refresh is the token endpoint where it is asked with a refresh token. Its requests
// count for Token as well, and Token's faults concern it too.
const Refresh Endpoint = "refresh"

// IDToken is no endpoint but a document: the claims set, for Edit alone.
const IDToken Endpoint = "id token"

// always marks a misbehaviour that stays until Behave.
const always = -1

// script is what a test told a fake to do differently.
type script struct {
	mu        sync.Mutex
	active    map[Misbehaviour]int
	edits     map[Endpoint][]func(map[string]any)
	replaced  map[string]http.Handler
	delay     time.Duration
	elsewhere string
}

func newScript(o Options) *script {
	s := &script{
		active: map[Misbehaviour]int{}, edits: map[Endpoint][]func(map[string]any){},
		replaced: map[string]http.Handler{}, delay: o.Delay, elsewhere: o.Elsewhere,
	}
	if s.delay <= 0 {
		s.delay = 30 * time.Second
	}
	if s.elsewhere == "" {
		s.elsewhere = "https://elsewhere.invalid"
	}
	return s
}

func (s *script) set(times int, list []Misbehaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range list {
		switch {
		case times == always || s.active[m] == always:
			s.active[m] = always
		default:
			s.active[m] += times
		}
	}
}

func (s *script) behave(list []Misbehaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(list) == 0 {
		clear(s.active)
		clear(s.edits)
		clear(s.replaced)
		return
	}
	for _, m := range list {
		delete(s.active, m)
	}
}

// hit reports whether m is due now, and uses one of its times up. It is called
// only where the misbehaviour then takes effect.
func (s *script) hit(m Misbehaviour) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	left, on := s.active[m]
	switch {
	case !on:
		return false
	case left == 1:
		delete(s.active, m)
	case left > 1:
		s.active[m] = left - 1
	}
	return true
}

func (s *script) edit(e Endpoint, f func(map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edits[e] = append(s.edits[e], f)
}

// apply runs the edits registered for e over doc, and reports whether there are any.
func (s *script) apply(e Endpoint, doc map[string]any) bool {
	s.mu.Lock()
	edits := slices.Clone(s.edits[e])
	s.mu.Unlock()
	for _, f := range edits {
		f(doc)
	}
	return len(edits) > 0
}

func (s *script) replace(path string, h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h == nil {
		delete(s.replaced, path)
		return
	}
	s.replaced[path] = h
}

func (s *script) replacement(path string) http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replaced[path]
}

func (s *script) settings() (delay time.Duration, elsewhere string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.delay, s.elsewhere
}

func (s *script) setDelay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

func (s *script) setElsewhere(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.elsewhere = base
}
