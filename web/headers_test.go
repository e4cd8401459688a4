package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// checkHashes computes the hashes of the page's inline elements by itself and
// wants each in the policy, and no other.
func checkHashes(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	policy := w.Header().Get("Content-Security-Policy")
	want := 0
	for _, element := range []string{"style", "script"} {
		for _, m := range regexp.MustCompile(`(?s)<`+element+`[^>]*>(.*?)</`+element+`>`).FindAllStringSubmatch(w.Body.String(), -1) {
			sum := sha256.Sum256([]byte(m[1]))
			source := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
			if !strings.Contains(policy, element+"-src "+source) {
				t.Errorf("policy %q does not allow the page's own %s", policy, element)
			}
			want++
		}
	}
	if got := strings.Count(policy, "sha256-"); got != want {
		t.Errorf("policy %q has %d hashes, the page %d inline elements", policy, got, want)
	}
}

func TestPageHeaders(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	const (
		noForms = "form-action 'none'"
		anyForm = ""
	)
	// Where each page's form leads decides two headers; every other is the same.
	tests := map[string]struct{ formAction, referrer string }{
		"chooser":        {noForms, "no-referrer"},
		"chooser_email":  {anyForm, "same-origin"},
		"consent":        {anyForm, "same-origin"},
		"device_code":    {anyForm, "same-origin"},
		"device_confirm": {anyForm, "same-origin"},
		"error":          {noForms, "no-referrer"},
		"form_post":      {anyForm, "same-origin"},
		"home":           {noForms, "no-referrer"},
		"logout_confirm": {anyForm, "same-origin"},
		"message":        {noForms, "no-referrer"},
		"over":           {noForms, "no-referrer"},
		"signed_out":     {noForms, "no-referrer"},
		"web_message":    {noForms, "no-referrer"},
	}
	for name, write := range everyPage() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			write(p, w)
			want, ok := tests[name]
			if !ok {
				t.Fatal("no expectation for this page")
			}
			frames := "DENY"
			if name == "web_message" { // the one page that its client's origin may frame
				frames = ""
			}
			for header, value := range map[string]string{
				"Content-Type":           "text/html; charset=utf-8",
				"X-Frame-Options":        frames,
				"X-Content-Type-Options": "nosniff",
				"Cache-Control":          "no-store",
				"Referrer-Policy":        want.referrer,
			} {
				if got := w.Header().Get(header); got != value {
					t.Errorf("%s is %q, want %q", header, got, value)
				}
			}
			if w.Header().Get("Permissions-Policy") == "" {
				t.Error("no Permissions-Policy")
			}
			framed := "'none'"
			if name == "web_message" {
				framed = "https://wiki.example.com;"
			}
			images := "img-src data:;"
			if name == "chooser" || name == "chooser_email" || name == "consent" || name == "device_confirm" { // those with a logo
				images = "img-src 'self' data:;"
			}
			if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, images) {
				t.Errorf("policy %q lacks %q", policy, images)
			}
			checkPolicy(t, w.Header(), want.formAction, framed)
			checkHashes(t, w)
			if hasForm := strings.Contains(w.Body.String(), "<form"); hasForm != (want.formAction == anyForm) {
				t.Errorf("has a form: %v, form-action %q", hasForm, want.formAction)
			}
		})
	}
}

func checkPolicy(t *testing.T, h http.Header, formAction, framed string) {
	t.Helper()
	policy := h.Get("Content-Security-Policy")
	for _, directive := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors " + framed, formAction} {
		if !strings.Contains(policy, directive) {
			t.Errorf("policy %q lacks %q", policy, directive)
		}
	}
	// Chromium applies form-action to the redirects after a POST: any value would
	// keep people from returning to the client.
	if formAction == "" && strings.Contains(policy, "form-action") {
		t.Errorf("policy %q restricts a form that leads to a client", policy)
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q has an unsafe source", policy)
	}
}

func TestSecurityHeadersAllowNothing(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	SecurityHeaders(h)
	for _, directive := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'none'"} {
		if !strings.Contains(h.Get("Content-Security-Policy"), directive) {
			t.Errorf("policy lacks %q", directive)
		}
	}
	if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", h)
	}
}

func TestOnlyThePagesForClientsHaveAScript(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for name, write := range everyPage() {
		w := httptest.NewRecorder()
		write(p, w)
		want := name == "form_post" || name == "web_message"
		if got := strings.Contains(w.Body.String(), "<script"); got != want {
			t.Errorf("%s: script %v, want %v", name, got, want)
		}
		if got := strings.Contains(w.Header().Get("Content-Security-Policy"), "script-src"); got != want {
			t.Errorf("%s: script-src %v, want %v", name, got, want)
		}
	}
}
