package httpx

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

// chain is one that logs everything into the buffer.
func chain(log *bytes.Buffer) Chain {
	return Chain{
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: time.Now,
		Headers: func(h http.Header) { h.Set("X-Everywhere", "yes") },
		Failed:  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "failed", http.StatusInternalServerError) },
	}
}

func TestEveryAnswerHasAReferenceAndTheHeaders(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	seen := map[string]bool{}
	for range 100 {
		w := httptest.NewRecorder()
		chain(&log).Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			id := About(r.Context()).ID
			if !regexp.MustCompile(`^[0-9a-z]{16}$`).MatchString(id) || seen[id] {
				t.Errorf("reference %q", id)
			}
			seen[id] = true
			if a := About(r.Context()).Address.String(); a != "192.0.2.1" {
				t.Errorf("address %s", a)
			}
		})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Header().Get("X-Everywhere") == "" {
			t.Error("the headers are missing")
		}
	}
	if (Request{}) != About(t.Context()) {
		t.Error("facts outside of a request")
	}
}

func TestAPanicIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		handler http.HandlerFunc
		status  int
		body    string
	}{
		{"before the answer", func(http.ResponseWriter, *http.Request) { panic("oops") }, 500, "failed\n"},
		{"an error", func(http.ResponseWriter, *http.Request) { panic(errors.New("oops")) }, 500, "failed\n"},
		{"after the status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(303); panic("oops") }, 303, ""},
		{"in the middle", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "half"); panic("oops") }, 200, "half"},
	} {
		var log bytes.Buffer
		var observed int
		c := chain(&log)
		c.Observe = func(_ string, status int, _ time.Duration) { observed = status }
		w := httptest.NewRecorder()
		c.Wrap(row.handler).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != row.status || w.Body.String() != row.body || observed != row.status {
			t.Errorf("%s: %d %q, observed %d", row.name, w.Code, w.Body, observed)
		}
		if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "oops") || !strings.Contains(log.String(), "handler_test.go") {
			t.Errorf("%s: the log has no panic with its stack: %s", row.name, &log)
		}
	}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("net/http does not hear of an aborted answer: %v", p)
		}
	}()
	chain(new(bytes.Buffer)).Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
}

// LG-02: one request is one line, of bounded length, without its query.
func TestTheAccessLogIsOneBoundedLineEach(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := httptest.NewRequest(http.MethodGet, "/x?code=SECRET", nil)
	r.Method = strings.Repeat("M", 5000)
	r.URL.Path = "/\r\nlevel=ERROR msg=forged\x1b[31m\xff" + strings.Repeat("p", 100_000)
	chain(&log).Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	line := log.String()
	if strings.Count(line, "\n") != 1 || len(line) > 1000 || strings.ContainsAny(line, "\r\x1b") || strings.Contains(line, "SECRET") {
		t.Errorf("%q", line)
	}
	if !strings.Contains(line, "status=404") || !strings.Contains(line, "100") {
		t.Errorf("%q", line)
	}
	log.Reset()
	chain(&log).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("a failure of ours does not stand out: %s", &log)
	}
}

func TestTheResponseControllerReachesTheConnection(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	chain(new(bytes.Buffer)).Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if !w.Flushed {
		t.Error("not flushed")
	}
}

// Link previews and prefetching browsers are nobody's doing.
func TestInteractiveServesPeopleAlone(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, method, header, value string
		status                      int
		served                      bool
	}{
		{"a person", "GET", "", "", 200, true},
		{"a person's browser that says why", "GET", "Sec-Fetch-Mode", "navigate", 200, true},
		{"HEAD", "HEAD", "", "", 405, false},
		{"a prefetch", "GET", "Sec-Purpose", "prefetch", 204, false},
		{"a prerender", "GET", "Sec-Purpose", "Prefetch;prerender", 204, false},
		{"a prefetch of an older browser", "GET", "Purpose", "prefetch", 204, false},
	} {
		served := false
		r := httptest.NewRequest(row.method, "/", nil)
		if row.header != "" {
			r.Header.Set(row.header, row.value)
		}
		w := httptest.NewRecorder()
		Interactive(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = true })).ServeHTTP(w, r)
		if w.Code != row.status || served != row.served || row.status == 405 && w.Header().Get("Allow") != "GET" {
			t.Errorf("%s: %d, served %v, Allow %q", row.name, w.Code, served, w.Header().Get("Allow"))
		}
	}
}

// SS-02: __Host- wherever the browser can enforce it; two brokers on one host have
// two names.
func TestCookieNames(t *testing.T) {
	t.Parallel()
	if name := CookieName("https://sso.example", "session"); !regexp.MustCompile(`^__Host-gatehouse-session-[0-9a-f]{8}$`).MatchString(name) {
		t.Error(name)
	}
	a, b := CookieName("http://127.0.0.1:1", "session"), CookieName("http://127.0.0.1:2", "session")
	if a == b || strings.HasPrefix(a, "__Host-") || a == CookieName("http://127.0.0.1:1", "flow") {
		t.Errorf("%s, %s", a, b)
	}
}
