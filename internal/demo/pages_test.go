package demo

import (
	"regexp"
	"strings"
	"testing"
)

func TestPagesAreWholeAndStrict(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	check := func(path string) {
		p := b.get(path)
		for part, times := range map[string]int{
			"<!doctype html>": 1, "<h1": 1, "<main": 1, "</html>": 1, `aria-current="page"`: 1,
			"<script": 0, " style=": 0, "#ZgotmplZ": 0, "<no value>": 0,
		} {
			if got := strings.Count(p.body, part); got != times {
				t.Errorf("%s: %q occurs %d times, want %d", path, part, got, times)
			}
		}
		policy := p.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'; style-src 'self'") || strings.Contains(policy, "form-action") || strings.Contains(policy, "script-src") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if p.header.Get("Cache-Control") != "no-store" || p.header.Get("Referrer-Policy") != "same-origin" || p.status != 200 {
			t.Errorf("%s: %d %v", path, p.status, p.header)
		}
	}
	for _, path := range []string{"/", "/second/", "/try", "/config"} {
		check(path)
	}
	b.get("/login")
	b.get("/second/login")
	for _, path := range []string{"/", "/second/"} {
		check(path)
	}
}

// TestLinksLeadSomewhere follows every link of the guide that stays here.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	links := regexp.MustCompile(`(?:href|src)="(/[^"]*)"`).FindAllStringSubmatch(b.get("/try").body+b.get("/").body, -1)
	if len(links) < 10 {
		t.Fatalf("only %d links", len(links))
	}
	for _, m := range links {
		if p := b.get(strings.ReplaceAll(m[1], "&amp;", "&")); p.status != 200 {
			t.Errorf("%s: %d", m[1], p.status)
		}
	}
}

func TestStylesheetIsTheBrokersAndOurs(t *testing.T) {
	t.Parallel()
	p := newBench(t).get("/style.css")
	if p.header.Get("Content-Type") != "text/css; charset=utf-8" || p.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", p.header)
	}
	p.wants(t, "--accent:", "prefers-color-scheme: dark", ".members")
}

func TestUnknownPathsAre404(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, path := range []string{"/nothing", "/second/nothing", "/secondary"} {
		if p := b.get(path); p.status != 404 {
			t.Errorf("%s: %d", path, p.status)
		}
	}
}
