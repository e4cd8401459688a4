package flow

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/broker/seal"
	"gatehouse/internal/httpx"
)

const (
	// maxCookie is what one flow may take in the browser, maxCookies what all of
	// them may: together with the session they stay below the 8 KiB of header that
	// common proxies accept.
	maxCookie  = 3800
	maxCookies = 6 << 10
)

// ErrTooLarge: the request does not fit into a cookie.
var ErrTooLarge = errors.New("request is too large to carry")

// ErrNoFlow: this browser has no such flow: it took too long, was finished, or
// began elsewhere.
var ErrNoFlow = errors.New("no such flow in this browser")

// Jar keeps flows as sealed cookies of the browser.
type Jar struct {
	box    *seal.Box
	prefix string
	secure bool
	now    func() time.Time
}

// NewJar returns the jar of an issuer.
func NewJar(issuer string, keys *seal.Keyring, now func() time.Time) *Jar {
	return &Jar{
		box:    keys.Box("flow cookie"),
		prefix: httpx.CookieName(issuer, "flow") + "-",
		secure: strings.HasPrefix(issuer, "https://"),
		now:    now,
	}
}

// Put writes the flow's cookie. The oldest other flows of the browser leave when
// all would take too much. ErrTooLarge when this one alone does.
func (j *Jar) Put(w http.ResponseWriter, r *http.Request, f *Flow) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(f); err != nil {
		return err
	}
	name := j.prefix + f.ID
	value := j.box.SealString(body.Bytes(), []byte(name))
	size := len(name) + len(value)
	if size > maxCookie {
		return ErrTooLarge
	}
	j.evict(w, r, name, maxCookies-size)
	http.SetCookie(w, j.cookie(name, value, int(Lifetime/time.Second)))
	return nil
}

// evict expires the oldest of the browser's other flows until the rest fit.
func (j *Jar) evict(w http.ResponseWriter, r *http.Request, keep string, room int) {
	var others []*http.Cookie
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, j.prefix) && c.Name != keep {
			others = append(others, c)
		}
	}
	slices.SortFunc(others, func(a, b *http.Cookie) int { return strings.Compare(b.Name, a.Name) })
	for _, c := range others {
		room -= len(c.Name) + len(c.Value)
		if room < 0 {
			http.SetCookie(w, j.cookie(c.Name, "", -1))
		}
	}
}

// Take opens the flow of this browser with the ID. ErrNoFlow for every reason
// there may be.
func (j *Jar) Take(r *http.Request, id string) (*Flow, error) {
	name := j.prefix + id
	value, ok := httpx.OnlyCookie(r, name)
	if id == "" || !ok {
		return nil, ErrNoFlow
	}
	plain, err := j.box.OpenString(value, []byte(name))
	if err != nil {
		return nil, ErrNoFlow
	}
	var f Flow
	if err := json.Unmarshal(plain, &f); err != nil || f.ID != id || f.Expired(j.now()) {
		return nil, ErrNoFlow
	}
	if !f.sound() {
		return nil, ErrNoFlow
	}
	return &f, nil
}

// Drop removes a finished flow from the browser.
func (j *Jar) Drop(w http.ResponseWriter, f *Flow) {
	http.SetCookie(w, j.cookie(j.prefix+f.ID, "", -1))
}

func (j *Jar) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: j.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}
