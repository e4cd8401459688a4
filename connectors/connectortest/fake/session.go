package fake

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"
)

// maxSessions bounds the browser sessions a fake remembers.
const maxSessions = 10000

// session is a browser that is signed in at the vendor.
type session struct {
	person   string
	authTime time.Time
}

type sessions struct {
	mu   sync.Mutex
	open map[string]session
	auto string
}

func newSessions(signInAs string) *sessions {
	return &sessions{open: map[string]session{}, auto: signInAs}
}

func (s *sessions) start(person string, authTime time.Time) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= maxSessions {
		evict(s.open, func(s session) time.Time { return s.authTime })
	}
	id = random("", 24)
	s.open[id] = session{person: person, authTime: authTime}
	return id
}

func (s *sessions) find(id string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[id]
	return found, ok
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

// endOf ends a person's sessions, or everybody's if person is empty.
func (s *sessions) endOf(person string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, found := range s.open {
		if person == "" || found.person == person {
			delete(s.open, id)
		}
	}
}

func (s *sessions) signInAs(person string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auto = person
}

func (s *sessions) automatic() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.auto
}

// cookieName differs from fake to fake: on loopback, ports share their cookies.
func (p *Provider) cookieName() string {
	sum := sha256.Sum256([]byte(p.URL()))
	return "fake_" + p.brand.Slug + "_" + hex.EncodeToString(sum[:4])
}

func (p *Provider) setCookie(w http.ResponseWriter, value string, maxAge int) {
	base := p.baseURL()
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(), Value: value, Path: base.Path + "/", MaxAge: maxAge,
		HttpOnly: true, Secure: base.Scheme == "https", SameSite: http.SameSiteLaxMode,
	})
}

// signedIn returns the browser's session, if its person still exists and is not
// disabled.
func (p *Provider) signedIn(r *http.Request) (session, Person, bool) {
	cookie, err := r.Cookie(p.cookieName())
	if err != nil {
		return session{}, Person{}, false
	}
	found, ok := p.sessions.find(cookie.Value)
	if !ok {
		return session{}, Person{}, false
	}
	person, ok := p.cast.find(found.person)
	if !ok || p.cast.isDisabled(person.ID) {
		return session{}, Person{}, false
	}
	return found, person, true
}

// signIn starts a session for the browser in place of the one it had.
func (p *Provider) signIn(w http.ResponseWriter, r *http.Request, person Person) time.Time {
	if cookie, err := r.Cookie(p.cookieName()); err == nil {
		p.sessions.end(cookie.Value)
	}
	now := p.opts.Now()
	p.setCookie(w, p.sessions.start(person.ID, now), 0)
	return now
}

func (p *Provider) signOut(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(p.cookieName()); err == nil {
		p.sessions.end(cookie.Value)
		p.setCookie(w, "", -1)
	}
}
