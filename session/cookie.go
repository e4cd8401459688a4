package session

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"gatehouse/broker"
	"gatehouse/internal/httpx"
)

// Cookies is the gorilla/sessions store of one issuer.
type Cookies struct {
	name   string
	secure bool
}

var _ sessions.Store = (*Cookies)(nil)

// New returns the store of an issuer.
func New(issuer string) *Cookies {
	return &Cookies{name: httpx.CookieName(issuer, "session"), secure: strings.HasPrefix(issuer, "https://")}
}

// The keys of a gorilla session's values.
const (
	keySecret  = "secret"
	keyExpires = "expires"
)

// NewSecret returns a cookie secret with 256 random bits.
func NewSecret() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Get returns the session of the request, read once per request.
func (c *Cookies) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(c, name)
}

// New reads the session's cookie. It never fails: whatever is not one
// well-formed cookie is a new, empty session.
func (c *Cookies) New(r *http.Request, name string) (*sessions.Session, error) {
	s := sessions.NewSession(c, name)
	s.Options = &sessions.Options{Path: "/", Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	s.IsNew = true
	value, ok := httpx.OnlyCookie(r, name)
	if !ok {
		return s, nil
	}
	id, secret, ok := strings.Cut(value, ".")
	if _, valid := broker.IDForget(id); !ok || !valid || !wellFormed(secret) {
		return s, nil
	}
	s.ID, s.IsNew = id, false
	s.Values[keySecret] = secret
	return s, nil
}

// wellFormed accepts only what NewSecret makes, in its one spelling.
func wellFormed(secret string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	return err == nil && len(b) == 32
}

// Save writes the cookie and nothing else. A negative MaxAge removes it.
func (c *Cookies) Save(_ *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	value := ""
	if s.Options.MaxAge >= 0 {
		secret, _ := s.Values[keySecret].(string)
		value = s.ID + "." + secret
	}
	cookie := sessions.NewCookie(s.Name(), value, s.Options)
	if expires, ok := s.Values[keyExpires].(time.Time); ok && s.Options.MaxAge > 0 {
		cookie.Expires = expires.UTC()
	}
	http.SetCookie(w, cookie)
	return nil
}

// Ref returns what the browser's cookie proves; the zero value for none.
func (c *Cookies) Ref(r *http.Request) broker.SessionRef {
	s, err := c.Get(r, c.name)
	if err != nil || s.IsNew {
		return broker.SessionRef{}
	}
	secret, _ := s.Values[keySecret].(string)
	return broker.SessionRef{ID: s.ID, Secret: broker.DigestOf(secret)}
}

// Issue gives the browser the cookie of a session that has been stored.
func (c *Cookies) Issue(w http.ResponseWriter, r *http.Request, stored *broker.Session, secret string, now time.Time) error {
	s, err := c.Get(r, c.name)
	if err != nil {
		return err
	}
	s.ID, s.IsNew = stored.ID, false
	s.Values[keySecret], s.Values[keyExpires] = secret, stored.Expires
	s.Options.MaxAge = max(int(stored.Expires.Sub(now)/time.Second), 1)
	return s.Save(r, w)
}

// Clear removes the cookie from the browser.
func (c *Cookies) Clear(w http.ResponseWriter, r *http.Request) error {
	s, err := c.Get(r, c.name)
	if err != nil {
		return err
	}
	s.Options.MaxAge = -1
	return s.Save(r, w)
}
