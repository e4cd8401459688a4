package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, want string
	}{
		{"plain text stays", "Wiki", "Wiki"},
		{"letters of other scripts stay", "Вики 維基 ويكي", "Вики 維基 ويكي"},
		{"direction overrides go", "Wiki\u202egnp.exe", "Wikignp.exe"},
		{"direction isolates and marks go", "\u2066a\u2069\u200eb\u200fc\u061cd", "abcd"},
		{"control characters go", "a\x00b\x1b[31mc\x7f", "ab[31mc"},
		{"white space is single spaces", " a\r\n\tb\u2028c\u00a0 d ", "a b c d"},
		{"zero-width characters go", "pay\u200bpal\ufeff\u2060\u00ad", "paypal"},
		{"joiners stay, scripts need them", "می\u200cخواهم", "می\u200cخواهم"},
		{"letters that look like nothing go", "\u3164\u115f\u1160\uffa0", ""},
		{"tag characters go", "a\U000e0041\U000e0062", "a"},
		{"invalid UTF-8 goes", "a\xff\xfeb", "ab"},
		{"accents stay, stacks of them are cut", "e\u0301" + strings.Repeat("\u0335", 50), "e\u0301\u0335\u0335"},
		{"a long text is cut and says so", strings.Repeat("x", 100), strings.Repeat("x", maxName) + "…"},
		{"a cut leaves no space before the dots", strings.Repeat("x", maxName-1) + " y", strings.Repeat("x", maxName-1) + "…"},
		{"a text of exactly the cap is not cut", strings.Repeat("é", maxName), strings.Repeat("é", maxName)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := clean(tt.in, maxName); got != tt.want {
				t.Errorf("clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"Wiki", "a\u202eb", " \u0301\u0301\u0301\u0301", "\xff", strings.Repeat("é ", 100), "\u200d\u200c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s, maxName)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > maxName+1 {
			t.Fatalf("clean(%q) = %q", s, got)
		}
		if strings.TrimSpace(got) != got || strings.Contains(got, "  ") {
			t.Fatalf("clean(%q) = %q has stray spaces", s, got)
		}
		for _, r := range got {
			if unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) {
				t.Fatalf("clean(%q) = %q has %U", s, got, r)
			}
		}
	})
}

func TestLink(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		kept     bool
	}{
		{"https", "https://wiki.example.com/privacy?a=b#c", true},
		{"http", "http://127.0.0.1:5555/", true},
		{"a path of ours", "/login/google?flow=1", true},
		{"a query of ours", "?again=1", true},
		{"javascript", "javascript:alert(1)", false},
		{"javascript, spelled oddly", " JaVaScript:alert(1)", false},
		{"javascript with a tab", "java\tscript:alert(1)", false},
		{"data", "data:text/html,<script>alert(1)</script>", false},
		{"vbscript", "vbscript:x", false},
		{"another host without a scheme", "//evil.example/", false},
		{"another host behind a backslash", `/\evil.example/`, false},
		{"a custom scheme", "com.example.app:/callback", false},
		{"https without a host", "https:///x", false},
		{"opaque https", "https:x", false},
		{"a user that looks like a host", "https://accounts.example@evil.example/", false},
		{"a bare word", "privacy", false},
		{"nothing", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := link(tt.in)
			if want := map[bool]string{true: tt.in}[tt.kept]; got != want {
				t.Errorf("link(%q) = %q, want %q", tt.in, got, want)
			}
		})
	}
}

// TestHostileNamesAreInert is DR-04: what a registration or an upstream says
// about itself cannot act on the page or rewrite it.
func TestHostileNamesAreInert(t *testing.T) {
	t.Parallel()
	const evil = `</bdi></script></style><img src=x onerror=alert(1)>"'` + "\u202e`${1}{{.}}\r\nSet-Cookie: a=b"
	long := evil + strings.Repeat("A", 10<<10)
	p := newPages(t)
	pages := map[string]func(http.ResponseWriter){
		"chooser": func(w http.ResponseWriter) {
			p.Chooser(w, Chooser{ClientName: long, ClientHost: evil, PolicyURI: "javascript:alert(1)", TermsURI: "data:text/html," + evil,
				Choices: []Choice{{Name: long, Type: evil, URL: "javascript:alert(1)", Note: long}}, CancelURL: "//evil.example", OthersURL: "javascript:alert(1)"})
		},
		"chooser with an address": func(w http.ResponseWriter) {
			p.Chooser(w, Chooser{ClientName: long, Choices: []Choice{{Name: long, Type: evil}, {Name: "b", URL: "/b"}},
				Email: &EmailField{Action: "/login", Fields: []Field{{"account", "other"}}, Address: evil, Problem: long}})
		},
		"consent": func(w http.ResponseWriter) {
			p.Consent(w, Consent{Action: "/consent", Flow: evil, ClientName: long, ClientHost: evil, ClientURI: "javascript:alert(1)", PolicyURI: evil,
				AccountName: long, AccountEmail: long, ConnectorName: long, Scopes: []ScopeLine{{Scope: long}, {Sentence: long}}, SwitchURL: "javascript:alert(1)"})
		},
		"error": func(w http.ResponseWriter) {
			p.Error(w, 502, Error{Title: long, Message: long, Next: long, Reference: long, RetryURL: "javascript:alert(1)", RetryLabel: long, BackURL: "data:," + evil, BackLabel: long})
		},
		"form_post": func(w http.ResponseWriter) {
			p.FormPost(w, FormPost{Action: "https://wiki.example.com/cb?a=" + `"><script>`, ClientName: long, Fields: []Field{{"state", evil}}})
		},
		"logout": func(w http.ResponseWriter) {
			p.LogoutConfirm(w, LogoutConfirm{Action: "javascript:alert(1)", Fields: []Field{{"a", evil}}, AccountName: long, AccountEmail: long, ClientName: long})
		},
		"message": func(w http.ResponseWriter) {
			p.Message(w, 200, Message{Title: long, Message: long, Next: long, LinkURL: "javascript:alert(1)", LinkLabel: long})
		},
		"over": func(w http.ResponseWriter) {
			p.Over(w, Over{ClientName: long, BackURL: "javascript:alert(1)", Reference: long})
		},
		"signed": func(w http.ResponseWriter) {
			p.SignedOut(w, SignedOut{ClientName: long, BackURL: "javascript:alert(1)", StillSignedInAt: []string{long}})
		},
		"home": func(w http.ResponseWriter) { p.Home(w, Home{Issuer: long, DiscoveryURL: "javascript:alert(1)"}) },
	}
	for name, write := range pages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			write(w)
			body := w.Body.String()
			for _, bad := range []string{"<img", "onerror=alert(1)>", "\u202e", "javascript:", "href=\"data:text", "evil.example\"", "ZgotmplZ"} {
				// A hidden field carries its value back as it is; only as an attribute.
				if bad == "\u202e" && (name == "consent" || name == "form_post" || name == "logout") {
					continue
				}
				if strings.Contains(body, bad) {
					t.Errorf("the page holds %q", bad)
				}
			}
			if len(body) > len(Stylesheet())+16<<10 {
				t.Errorf("a long name made the page %d bytes", len(body))
			}
			checkHashes(t, w)
		})
	}
}

func TestANamelessClientGoesByItsHost(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for want, c := range map[string]Chooser{
		"wiki.example.com": {ClientName: "\u200b\u3164", ClientHost: "wiki.example.com"},
		"the application":  {},
	} {
		w := httptest.NewRecorder()
		p.Chooser(w, c)
		if !strings.Contains(w.Body.String(), "to continue to <strong><bdi>"+want+"</bdi></strong>") {
			t.Errorf("the page does not say %q", want)
		}
	}
}
