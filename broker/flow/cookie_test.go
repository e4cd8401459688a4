package flow

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/seal"
)

func jar(t testing.TB, issuer string, now *time.Time) *Jar {
	keys, err := seal.New([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return NewJar(issuer, keys, func() time.Time { return *now })
}

// carry sends what was set back, as a browser does.
func carry(w *httptest.ResponseRecorder, r *http.Request) *http.Request {
	cookies := map[string]*http.Cookie{}
	for _, c := range r.Cookies() {
		cookies[c.Name] = c
	}
	for _, c := range w.Result().Cookies() {
		cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(cookies, c.Name)
		}
	}
	next := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range cookies {
		next.AddCookie(c)
	}
	return next
}

func TestAFlowComesBackInTheBrowserThatBeganIt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	j := jar(t, "https://sso.example", &now)
	f := New(now, &broker.AuthorizationRequest{ClientID: "wiki", State: `a<b>&"c"`})
	w := httptest.NewRecorder()
	if err := j.Put(w, httptest.NewRequest(http.MethodGet, "/", nil), f); err != nil {
		t.Fatal(err)
	}
	c := w.Result().Cookies()[0]
	if !strings.HasPrefix(c.Name, "__Host-gatehouse-flow-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("SS-02: cookie %+v", c)
	}
	r := carry(w, httptest.NewRequest(http.MethodGet, "/", nil))
	got, err := j.Take(r, f.ID)
	if err != nil || got.Request.State != f.Request.State {
		t.Fatalf("got %+v, %v", got, err)
	}
	for name, take := range map[string]func() (*Flow, error){
		"another browser":   func() (*Flow, error) { return j.Take(httptest.NewRequest(http.MethodGet, "/", nil), f.ID) },
		"another flow's ID": func() (*Flow, error) { return j.Take(r, newID(now)) },
		"no ID":             func() (*Flow, error) { return j.Take(r, "") },
		"two of the name": func() (*Flow, error) {
			twice := r.Clone(t.Context())
			twice.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
			return j.Take(twice, f.ID)
		},
		"under another name": func() (*Flow, error) {
			moved := httptest.NewRequest(http.MethodGet, "/", nil)
			other := newID(now)
			moved.AddCookie(&http.Cookie{Name: j.prefix + other, Value: c.Value})
			return j.Take(moved, other)
		},
		"another issuer": func() (*Flow, error) { return jar(t, "https://other.example", &now).Take(r, f.ID) },
	} {
		if _, err := take(); !errors.Is(err, ErrNoFlow) {
			t.Errorf("%s: %v", name, err)
		}
	}
	now = now.Add(Lifetime + time.Second)
	if _, err := j.Take(r, f.ID); !errors.Is(err, ErrNoFlow) {
		t.Errorf("after its lifetime: %v", err)
	}
}

// SS-06: many parallel sign-ins stay within what a browser sends, the oldest
// leaves, and the latest still completes.
func TestManyFlowsAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	j := jar(t, "https://sso.example", &now)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	var last *Flow
	for i := range 200 {
		now = now.Add(time.Second)
		last = New(now, &broker.AuthorizationRequest{ClientID: "wiki", State: strings.Repeat("s", i*10)})
		w := httptest.NewRecorder()
		if err := j.Put(w, r, last); err != nil {
			t.Fatal(err)
		}
		r = carry(w, r)
		size := 0
		for _, c := range r.Cookies() {
			size += len(c.Name) + len(c.Value)
		}
		if size > maxCookies {
			t.Fatalf("after %d flows the cookies take %d bytes", i+1, size)
		}
		if _, err := j.Take(r, last.ID); err != nil {
			t.Fatalf("the flow just begun was evicted: %v", err)
		}
	}
	if len(r.Cookies()) < 2 {
		t.Error("nothing but the last flow was kept")
	}
}

func TestARequestThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	j := jar(t, "https://sso.example", &now)
	put := func(state string) error {
		return j.Put(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), New(now, &broker.AuthorizationRequest{
			ClientID: "wiki", RedirectURI: "https://wiki.example/callback", State: state, Nonce: strings.Repeat("n", 43), Challenge: strings.Repeat("c", 43)}))
	}
	if err := put(strings.Repeat("s", 2048)); err != nil {
		t.Errorf("a state of 2 KiB: %v", err)
	}
	if err := put(strings.Repeat("s", 3000)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("what does not fit: %v", err)
	}
}
