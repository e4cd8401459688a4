package web

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func newPages(t testing.TB) *Pages {
	t.Helper()
	p, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// everyPage writes each page with plausible data.
func everyPage() map[string]func(*Pages, http.ResponseWriter) {
	return map[string]func(*Pages, http.ResponseWriter){
		"chooser":        func(p *Pages, w http.ResponseWriter) { p.Chooser(w, chooserSpecimen.data.(Chooser)) },
		"chooser_email":  func(p *Pages, w http.ResponseWriter) { p.Chooser(w, chooserEmailSpecimen.data.(Chooser)) },
		"consent":        func(p *Pages, w http.ResponseWriter) { p.Consent(w, consentSpecimen.data.(Consent)) },
		"device_code":    func(p *Pages, w http.ResponseWriter) { p.DeviceCode(w, 400, deviceCodeSpecimen.data.(DeviceCode)) },
		"device_confirm": func(p *Pages, w http.ResponseWriter) { p.DeviceConfirm(w, deviceConfirmSpecimen.data.(DeviceConfirm)) },
		"error":          func(p *Pages, w http.ResponseWriter) { p.Error(w, 403, errorSpecimen.data.(Error)) },
		"form_post":      func(p *Pages, w http.ResponseWriter) { p.FormPost(w, formPostSpecimen.data.(FormPost)) },
		"home":           func(p *Pages, w http.ResponseWriter) { p.Home(w, homeSpecimen.data.(Home)) },
		"logout_confirm": func(p *Pages, w http.ResponseWriter) { p.LogoutConfirm(w, logoutConfirmSpecimen.data.(LogoutConfirm)) },
		"message":        func(p *Pages, w http.ResponseWriter) { p.Message(w, 200, messageSpecimen.data.(Message)) },
		"over":           func(p *Pages, w http.ResponseWriter) { p.Over(w, overSpecimen.data.(Over)) },
		"web_message": func(p *Pages, w http.ResponseWriter) {
			p.WebMessage(w, WebMessage{URI: "https://wiki.example.com/callback", ClientName: "Wiki", Fields: []Field{{"code", "c"}}})
		},
		"signed_out": func(p *Pages, w http.ResponseWriter) { p.SignedOut(w, signedOutSpecimen.data.(SignedOut)) },
	}
}

func TestEverySpecimenIsWrittenByATest(t *testing.T) {
	t.Parallel()
	for _, s := range specimens() {
		if _, ok := everyPage()[strings.TrimSuffix(s.name, ".html")]; !ok {
			t.Errorf("%s has no entry in everyPage", s.name)
		}
	}
}

func TestEveryPageIsWholeHTML(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for name, write := range everyPage() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			write(p, w)
			body := w.Body.String()
			for part, times := range map[string]int{
				"<!doctype html>": 1, `<html lang="en">`: 1, "<title>": 1, "<main": 1, "<h1": 1, "<style>": 1, "</html>": 1,
				"#ZgotmplZ": 0, "<no value>": 0, " style=": 0, " onclick=": 0, "<script src": 0, "<link rel=\"stylesheet\"": 0,
			} {
				if got := strings.Count(body, part); got != times {
					t.Errorf("%q occurs %d times, want %d", part, got, times)
				}
			}
			if strings.Contains(body, "<title> ") || strings.Contains(body, "<title>\n") {
				t.Error("the title begins with white space")
			}
		})
	}
}

func TestAPageThatCannotBeRenderedIsAPlain500(t *testing.T) {
	t.Parallel()
	// Renders with the specimen, and fails for an empty list.
	p, err := New(fstest.MapFS{"signed_out.html": {Data: []byte(
		`{{define "title"}}t{{end}}{{define "main"}}<p>half a page</p>{{index .StillSignedInAt 0}}{{end}}`)}})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	p.Log = slog.New(slog.NewTextHandler(&log, nil))
	w := httptest.NewRecorder()
	p.SignedOut(w, SignedOut{})
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "half") {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	if ct := w.Header().Get("Content-Type"); ct != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type %q", ct)
	}
	if !strings.Contains(log.String(), "signed_out.html") {
		t.Errorf("log %q does not name the page", log.String())
	}
}

func TestTheme(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		theme fstest.MapFS
		// problem is part of New's error; empty for a theme that is good.
		problem string
		shown   string
	}{
		{name: "a stylesheet replaces ours", theme: fstest.MapFS{"gatehouse.css": {Data: []byte("body{color:red}")}}, shown: "body{color:red}"},
		{name: "a page replaces ours", theme: fstest.MapFS{"home.html": {Data: []byte(`{{define "title"}}t{{end}}{{define "main"}}<h1>Hello {{.Issuer}}</h1>{{end}}`)}}, shown: "Hello https://sso.example.com"},
		{name: "files of other kinds are ignored", theme: fstest.MapFS{"README": {}, "logo.svg": {}}, shown: "sign-in service"},
		{name: "a page that does not exist is refused", theme: fstest.MapFS{"hoem.html": {}}, problem: "hoem.html: no page has that name"},
		{name: "a template with a syntax error is refused", theme: fstest.MapFS{"home.html": {Data: []byte(`{{define "title"}}`)}}, problem: "home.html"},
		{name: "an unknown field is found at start", theme: fstest.MapFS{"home.html": {Data: []byte(`{{define "title"}}{{end}}{{define "main"}}{{.Isuer}}{{end}}`)}}, problem: "Isuer"},
		{name: "a stylesheet cannot end its element", theme: fstest.MapFS{"gatehouse.css": {Data: []byte("</STYLE><script>")}}, problem: "</style"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := New(tt.theme)
			if tt.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tt.problem) {
					t.Fatalf("got error %v, want one with %q", err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			p.Home(w, homeSpecimen.data.(Home))
			if !strings.Contains(w.Body.String(), tt.shown) {
				t.Errorf("%q is not on the page", tt.shown)
			}
			checkHashes(t, w)
		})
	}
}

func TestThemeReportsAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := New(fstest.MapFS{"a.html": {}, "b.css": {}})
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) || len(joined.Unwrap()) != 2 {
		t.Errorf("got %v, want two problems", err)
	}
}
