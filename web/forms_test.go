package web

import (
	"html"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// hiddenFields reads the hidden fields of a page as a browser would.
func hiddenFields(body string) map[string]string {
	fields := map[string]string{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(body, -1) {
		fields[html.UnescapeString(m[1])] = html.UnescapeString(m[2])
	}
	return fields
}

// TestFormPostCarriesValuesExactly is AZ-09: a state is inert on the page and
// arrives byte for byte (Form Post Response Mode §2).
func TestFormPostCarriesValuesExactly(t *testing.T) {
	t.Parallel()
	states := []struct{ name, value string }{
		{"markup", `"><script>alert(1)</script>`},
		{"quotes and ampersands", `a'b"c&amp;d&#34;<e>+%20=`},
		{"two kilobytes", strings.Repeat("~x", 1024)},
		{"direction characters, which are the client's own", "\u202estate"},
		{"template delimiters", "{{.Fields}}"},
		{"nothing", ""},
	}
	p := newPages(t)
	for _, tt := range states {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			p.FormPost(w, FormPost{Action: "https://wiki.example.com/cb?a=b&c=d", Fields: []Field{{"code", "c0de"}, {"state", tt.value}}})
			got := hiddenFields(w.Body.String())
			if len(got) != 2 || got["state"] != tt.value || got["code"] != "c0de" {
				t.Errorf("fields %q, want state %q", got, tt.value)
			}
			if !strings.Contains(w.Body.String(), `<form method="post" action="https://wiki.example.com/cb?a=b&amp;c=d">`) {
				t.Error("the form does not lead to the redirect URI")
			}
			if !strings.Contains(w.Body.String(), `<button class="button primary">`) {
				t.Error("no button for browsers without scripts")
			}
			checkHashes(t, w)
		})
	}
}

func TestFormPostRefusesAnActionThatIsNotAWebAddress(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	for _, action := range []string{"javascript:alert(1)", "data:text/html,x", "com.example.app:/cb", "/relative", "//evil.example/", "https:opaque", "", "https://a b/"} {
		w := httptest.NewRecorder()
		p.FormPost(w, FormPost{Action: action, Fields: []Field{{"code", "c0de"}}})
		if w.Code != 400 || strings.Contains(w.Body.String(), "c0de") || strings.Contains(w.Body.String(), "<form") {
			t.Errorf("%q: status %d, and the code must not be on the page", action, w.Code)
		}
	}
}

func TestConsentSaysWhoAndWhat(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	newPages(t).Consent(w, Consent{
		Action: "/consent", Flow: "se<aled", Fields: []Field{{"account", "42"}},
		ClientName: "Payroll", ClientHost: "xn--pyroll-4wa.example",
		AccountName: "Ada Lovelace", AccountEmail: "ada@example.com", ConnectorName: "Okta",
		Scopes: []ScopeLine{{Scope: "email"}, {Scope: "reports:read"}, {Scope: "groups", Sentence: "A sentence of the caller's"}},
	})
	body := w.Body.String()
	for _, want := range []string{
		"Payroll", "xn--pyroll-4wa.example", "Ada Lovelace", "ada@example.com", "signed in with <bdi>Okta</bdi>",
		"See your e-mail address", "Use “reports:read”, a permission the application defines", "A sentence of the caller&#39;s",
		`<form method="post" action="/consent">`,
		`<button class="button" name="decision" value="deny">Cancel</button>`,
		`<button class="button primary" name="decision" value="allow">Allow</button>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if got := hiddenFields(body); len(got) != 2 || got["flow"] != "se<aled" || got["account"] != "42" {
		t.Errorf("hidden fields %q", got)
	}
}

func TestConsentNeverShortensTheHost(t *testing.T) {
	t.Parallel()
	host := "accounts.example.com." + strings.Repeat("very-long-label.", 13) + "evil.example"
	w := httptest.NewRecorder()
	newPages(t).Consent(w, Consent{ClientName: "Wiki", ClientHost: host})
	if !strings.Contains(w.Body.String(), ">"+host+"<") {
		t.Error("the end of the host, which says whose it is, is not on the page")
	}
}

func TestErrorSaysWhatToDoNext(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	w := httptest.NewRecorder()
	p.Error(w, 502, Error{Reference: "REF42", RetryURL: "/again", BackURL: "https://wiki.example.com/"})
	body := w.Body.String()
	if w.Code != 502 {
		t.Errorf("status %d", w.Code)
	}
	for _, want := range []string{"Something went wrong", "sign in again", "REF42", `href="/again">Try again<`, `href="https://wiki.example.com/">Back to the application<`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	w = httptest.NewRecorder()
	p.Error(w, 400, Error{Title: "T"})
	if body := w.Body.String(); strings.Contains(body, "Reference") || strings.Contains(body, "<a ") {
		t.Error("without a reference or links the page must not hint at them")
	}
}

func TestOverLeadsBackWhereItCan(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	w := httptest.NewRecorder()
	p.Over(w, Over{ClientName: "Wiki", BackURL: "https://wiki.example.com/"})
	if !strings.Contains(w.Body.String(), `href="https://wiki.example.com/">Back to&nbsp;<bdi>Wiki</bdi></a>`) || w.Code != 400 {
		t.Errorf("status %d, or no link back", w.Code)
	}
	w = httptest.NewRecorder()
	p.Over(w, Over{})
	if strings.Contains(w.Body.String(), "<a ") || !strings.Contains(w.Body.String(), "Open the application") {
		t.Error("without an address the page must say what to do instead")
	}
}

func TestLogoutConfirmAsksBothWays(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	newPages(t).LogoutConfirm(w, LogoutConfirm{Action: "/logout", Fields: []Field{{"flow", "f"}}, AccountEmail: "ada@example.com"})
	for _, want := range []string{`action="/logout"`, `name="decision" value="sign_out"`, `name="decision" value="stay"`, "ada@example.com"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if got := hiddenFields(w.Body.String()); got["flow"] != "f" {
		t.Errorf("hidden fields %q", got)
	}
}

func TestSignedOutNamesSessionsThatLiveOn(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	newPages(t).SignedOut(w, SignedOut{StillSignedInAt: []string{"Google", "Okta"}})
	if !strings.Contains(w.Body.String(), "<bdi>Google</bdi>, <bdi>Okta</bdi>") {
		t.Error("the upstreams are not named")
	}
}
