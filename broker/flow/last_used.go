package flow

import (
	"net/http"
	"strings"
	"time"

	"gatehouse/internal/httpx"
)

// lastUsedFor is how long a browser remembers through which upstream somebody
// signed in.
const lastUsedFor = 180 * 24 * time.Hour

// LastUsed names the entry of the chooser through which somebody last signed in
// with this browser: a connector, and the key of its choice if it has choices. It
// orders the page and nothing else: it tells nobody apart, and whoever forges it
// only finds another entry first.
type LastUsed struct{ Connector, Choice string }

// LastUsed reads what the browser remembers; the zero value for nothing. It is
// text of whoever has the browser, good for comparing alone.
func (d *Desk) LastUsed(r *http.Request) LastUsed {
	value, _ := httpx.OnlyCookie(r, d.lastUsedCookie())
	connector, choice, _ := strings.Cut(value, ".")
	return LastUsed{Connector: connector, Choice: choice}
}

// remember has the browser know the entry next time. Neither part holds a dot.
// Where there is only one there is nothing to put first.
func (d *Desk) remember(w http.ResponseWriter, u LastUsed) {
	if len(d.Upstreams) == 1 && len(d.Upstreams[0].Choices) < 2 {
		return
	}
	value := u.Connector
	if u.Choice != "" {
		value += "." + u.Choice
	}
	http.SetCookie(w, &http.Cookie{Name: d.lastUsedCookie(), Value: value, Path: "/", MaxAge: int(lastUsedFor / time.Second),
		Secure: strings.HasPrefix(d.Issuer, "https://"), HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func (d *Desk) lastUsedCookie() string { return httpx.CookieName(d.Issuer, "last") }
