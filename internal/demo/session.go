package demo

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Bounds of what browsers can make an application remember.
const (
	maxSessions = 500
	maxPending  = 8
	maxHistory  = 12
)

// session is what an application remembers of a browser. Fields are guarded by
// the sessions it belongs to.
type session struct {
	begun   time.Time
	pending []attempt
	// person is nil until somebody has signed in.
	person *signIn
	// notice is shown once.
	notice *notice
}

// attempt is a sign-in under way. All three values are checked at its end, and
// only in the browser that began it.
type attempt struct{ state, nonce, verifier string }

// notice tells what the last thing done came to.
type notice struct {
	Good        bool
	Title, Text string
	// Code and Description are those of an OAuth error.
	Code, Description string
}

// sessions are an application's browsers by cookie value. The zero value is empty.
type sessions struct {
	mu   sync.Mutex
	open map[string]*session
}

// cookieName tells applications and their ports apart: on loopback, ports share
// cookies.
func (a *application) cookieName() string {
	return "demo-" + a.ClientID + "-" + strings.NewReplacer(".", "-", ":", "-", "[", "", "]", "").Replace(a.host())
}

// with calls f with the browser's session, or nil if there is none.
func (a *application) with(r *http.Request, f func(*session)) {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	var s *session
	if c, err := r.Cookie(a.cookieName()); err == nil {
		s = a.sessions.open[c.Value]
	}
	f(s)
}

// begin makes sure that the browser has a session and adds the attempt to it.
func (a *application) begin(w http.ResponseWriter, r *http.Request, begun attempt) {
	found := false
	a.with(r, func(s *session) {
		if found = s != nil; found {
			s.add(begun)
		}
	})
	if found {
		return
	}
	a.replace(w, r, &session{pending: []attempt{begun}})
}

// replace gives the browser a session under a new cookie value, in place of the
// one it had. A value from before the sign-in must not become a signed-in one.
func (a *application) replace(w http.ResponseWriter, r *http.Request, s *session) {
	id := rand.Text()
	a.sessions.mu.Lock()
	if c, err := r.Cookie(a.cookieName()); err == nil {
		delete(a.sessions.open, c.Value)
	}
	if a.sessions.open == nil {
		a.sessions.open = map[string]*session{}
	}
	if len(a.sessions.open) >= maxSessions {
		a.sessions.evict()
	}
	s.begun = a.Now()
	a.sessions.open[id] = s
	a.sessions.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: a.cookieName(), Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func (s *sessions) evict() {
	var oldest string
	for id, candidate := range s.open {
		if oldest == "" || candidate.begun.Before(s.open[oldest].begun) {
			oldest = id
		}
	}
	delete(s.open, oldest)
}

func (s *session) add(a attempt) {
	if len(s.pending) >= maxPending {
		s.pending = s.pending[1:]
	}
	s.pending = append(s.pending, a)
}

// take removes and returns the attempt with this state.
func (s *session) take(state string) (attempt, bool) {
	if s == nil || state == "" {
		return attempt{}, false
	}
	for i, a := range s.pending {
		if a.state == state {
			s.pending = append(s.pending[:i:i], s.pending[i+1:]...)
			return a, true
		}
	}
	return attempt{}, false
}
