package session

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"gatehouse/broker"
)

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// get is a request with cookies of the session's name.
func get(c *Cookies, values ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, v := range values {
		r.Header.Add("Cookie", c.name+"="+v)
	}
	return r
}

// issued is the cookie of a session that lives for a day.
func issued(t testing.TB, c *Cookies, r *http.Request, secret string) (*http.Cookie, *broker.Session) {
	t.Helper()
	stored := &broker.Session{ID: broker.NewID(start.Add(25 * time.Hour)), Expires: start.Add(24 * time.Hour)}
	w := httptest.NewRecorder()
	if err := c.Issue(w, r, stored, secret, start); err != nil {
		t.Fatal(err)
	}
	if len(w.Result().Cookies()) != 1 || len(w.Header()) != 1 {
		t.Fatalf("more than a cookie was written: %v", w.Header())
	}
	return w.Result().Cookies()[0], stored
}

// SS-02: the cookie is for this host alone, for HTTP alone, and says nothing.
func TestTheCookieIsOpaqueAndBoundToTheHost(t *testing.T) {
	t.Parallel()
	for issuer, https := range map[string]bool{"https://sso.example": true, "http://127.0.0.1:5556": false} {
		c := New(issuer)
		secret := NewSecret()
		cookie, stored := issued(t, c, get(c), secret)
		if strings.HasPrefix(cookie.Name, "__Host-") != https || cookie.Secure != https || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode {
			t.Errorf("%s: %+v", issuer, cookie)
		}
		if cookie.MaxAge != 24*60*60 || !cookie.Expires.Equal(stored.Expires) {
			t.Errorf("%s: MaxAge %d, Expires %v", issuer, cookie.MaxAge, cookie.Expires)
		}
		if cookie.Value != stored.ID+"."+secret || len(cookie.Name)+len(cookie.Value) > 160 {
			t.Errorf("%s: %s", issuer, cookie.Value)
		}
		ref := c.Ref(get(c, cookie.Value))
		if ref.ID != stored.ID || ref.Secret != broker.DigestOf(secret) {
			t.Errorf("%s: read back as %+v", issuer, ref)
		}
	}
	if first, second := NewSecret(), NewSecret(); first == second || len(first) != 43 {
		t.Error("secrets of less than 256 bits, or not random")
	}
}

// What is not one well-formed cookie is no session, and no error either.
func TestOnlyOneWellFormedCookieIsRead(t *testing.T) {
	t.Parallel()
	c := New("https://sso.example")
	cookie, _ := issued(t, c, get(c), NewSecret())
	good := cookie.Value
	id, secret, _ := strings.Cut(good, ".")
	for name, values := range map[string][]string{
		"none": nil, "empty": {""}, "twice": {good, good}, "beside another": {"x", good}, "no secret": {id}, "an empty secret": {id + "."}, "no ID": {"." + secret},
		"a short secret": {id + "." + secret[1:]}, "a long secret": {good + "A"}, "another spelling of the secret": {good[:len(good)-1] + string(good[len(good)-1]+1)},
		"padding": {good + "="}, "another ID": {strings.ToLower(id) + "." + secret}, "three parts": {good + ".x"}, "swapped": {secret + "." + id}, "a long value": {strings.Repeat("x", 9000)},
	} {
		r := get(c, values...)
		if ref := c.Ref(r); !ref.IsZero() {
			t.Errorf("%s: %+v", name, ref)
		}
		s, err := c.New(r, c.name)
		if err != nil || !s.IsNew || s.ID != "" || len(s.Values) != 0 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	if s, err := c.New(get(c, good), c.name); err != nil || s.IsNew || s.ID != id {
		t.Errorf("the good one: %+v, %v", s, err)
	}
	other := New("https://other.example")
	if ref := other.Ref(get(c, good)); !ref.IsZero() {
		t.Errorf("another issuer's: %+v", ref)
	}
}

// SS-01: a sign-in replaces whatever the browser came with, in the same request
// too, and signing out takes it away.
func TestASignInReplacesTheCookie(t *testing.T) {
	t.Parallel()
	c := New("https://sso.example")
	planted, _ := issued(t, c, get(c), NewSecret())
	r := get(c, planted.Value)
	before := c.Ref(r)
	secret := NewSecret()
	cookie, stored := issued(t, c, r, secret)
	after := c.Ref(r)
	if before.IsZero() || after.ID != stored.ID || after.Secret != broker.DigestOf(secret) || cookie.Value == planted.Value {
		t.Errorf("before %+v, after %+v", before, after)
	}
	w := httptest.NewRecorder()
	if err := c.Clear(w, r); err != nil {
		t.Fatal(err)
	}
	gone := w.Result().Cookies()
	if len(gone) != 1 || gone[0].MaxAge >= 0 || gone[0].Value != "" || gone[0].Name != cookie.Name || gone[0].Path != "/" || !gone[0].Secure {
		t.Errorf("%+v", gone)
	}
}

// A session that ends in this very second is still removed by the browser, not
// kept until it closes.
func TestACookieAlwaysHasAnEnd(t *testing.T) {
	t.Parallel()
	c := New("https://sso.example")
	for _, left := range []time.Duration{0, time.Millisecond, -time.Hour} {
		w := httptest.NewRecorder()
		if err := c.Issue(w, get(c), &broker.Session{ID: broker.NewID(start), Expires: start.Add(left)}, NewSecret(), start); err != nil {
			t.Fatal(err)
		}
		if cookie := w.Result().Cookies()[0]; cookie.MaxAge != 1 {
			t.Errorf("%v left: MaxAge %d", left, cookie.MaxAge)
		}
	}
}

// Save is gorilla's contract, and writes the cookie only: the record is the sign-in's.
func TestSaveWritesTheCookieOnly(t *testing.T) {
	t.Parallel()
	c := New("https://sso.example")
	r := get(c)
	s, err := sessions.Store(c).Get(r, c.name)
	if err != nil {
		t.Fatal(err)
	}
	s.ID = broker.NewID(start)
	s.Values[keySecret], s.Values["account"] = NewSecret(), "ada@corp.example"
	w := httptest.NewRecorder()
	if err := s.Save(r, w); err != nil {
		t.Fatal(err)
	}
	if set := w.Header()["Set-Cookie"]; len(set) != 1 || len(w.Header()) != 1 || w.Body.Len() != 0 || strings.Contains(set[0], "ada") {
		t.Errorf("%v", w.Header())
	}
	again, err := c.Get(r, c.name)
	if err != nil || again != s {
		t.Error("read twice within one request")
	}
}

// Whatever the header, it is a session of ours in its one spelling, or none.
func FuzzSessionCookie(f *testing.F) {
	c := New("https://sso.example")
	good := broker.NewID(start) + "." + strings.Repeat("A", 43)
	for _, header := range []string{c.name + "=" + good, c.name + "=" + good + "; " + c.name + "=" + good, c.name + "=" + good[1:], c.name + "=\"; " + c.name + "=" + good, "a=" + c.name + "=; " + c.name + "=" + good, c.name + "=\"" + good + "\"", "", c.name + "=" + good + "\r\nX: y", "a=b; " + c.name + "=" + good} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Cookie"] = []string{header}
		ref := c.Ref(r)
		if ref.IsZero() {
			if ref != (broker.SessionRef{}) {
				t.Fatalf("%q: %+v", header, ref)
			}
			return
		}
		named := 0
		for part := range strings.SplitSeq(header, ";") {
			if name, _, _ := strings.Cut(strings.TrimSpace(part), "="); strings.TrimSpace(name) == c.name {
				named++
			}
		}
		if _, ok := broker.IDForget(ref.ID); !ok || named != 1 || !strings.Contains(header, ref.ID+".") {
			t.Fatalf("%q: %+v", header, ref)
		}
	})
}
