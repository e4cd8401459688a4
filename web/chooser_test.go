package web

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// chooser renders the page.
func chooser(t testing.TB, c Chooser) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	newPages(t).Chooser(w, c)
	return w
}

func TestChooserEntriesAreLinksInOrder(t *testing.T) {
	t.Parallel()
	body := chooser(t, Chooser{ClientName: "Wiki", Choices: []Choice{
		{Name: "Okta", Type: "okta", URL: "/login/okta?flow=1&x=2"}, {Name: "Google", Type: "google", URL: "/login/google"}, {Name: "élan", Type: "strange", URL: "/login/e"},
	}}).Body.String()
	var got []string
	for _, m := range regexp.MustCompile(`<a class="choice" href="([^"]*)">\s*<span class="mark (mark-\w+) drawn" aria-hidden="true">(<svg|.)[^\n]*</span>\s*<span class="choice-text">([^\n]*)</span>\n`).FindAllStringSubmatch(body, -1) {
		got = append(got, strings.Join(m[1:], " "))
	}
	want := []string{
		"/login/okta?flow=1&amp;x=2 mark-okta <svg Continue with <bdi>Okta</bdi>",
		"/login/google mark-google <svg Continue with <bdi>Google</bdi>",
		"/login/e mark-other É Continue with <bdi>élan</bdi>",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("entries\n%q\nwant\n%q", got, want)
	}
	if strings.Contains(body, "<form") || strings.Contains(body, "<button") {
		t.Error("choosing must not need a form")
	}
}

func TestChooserWithoutChoicesSaysSo(t *testing.T) {
	t.Parallel()
	body := chooser(t, Chooser{ClientName: "Wiki"}).Body.String()
	if !strings.Contains(body, "There is no way to sign in") || strings.Contains(body, "<ul") {
		t.Error("an empty list needs a sentence")
	}
}

// Every vendor has a drawing of its own, which loads nothing and says nothing to
// somebody who listens to the page.
func TestVendorsHaveTheirOwnDrawings(t *testing.T) {
	t.Parallel()
	drawing := regexp.MustCompile(`(?s)<span class="mark mark-\w+ drawn" aria-hidden="true">(.*?)</span>`)
	seen := map[string]string{}
	for _, vendor := range []string{"google", "azuread", "okta", "github", "oidc"} {
		m := drawing.FindStringSubmatch(chooser(t, Chooser{Choices: []Choice{{Name: "X", Type: vendor, URL: "/"}}}).Body.String())
		if m == nil || !strings.HasPrefix(m[1], "<svg") || !strings.HasSuffix(m[1], "</svg>") || strings.Count(m[1], "<svg") != 1 {
			t.Errorf("%s: %q is no drawing", vendor, m)
			continue
		}
		for _, unwanted := range []string{"style", "href", "url(", "<script", "<image", "<use", "<title", "tabindex"} {
			if strings.Contains(m[1], unwanted) {
				t.Errorf("%s: the drawing holds %q", vendor, unwanted)
			}
		}
		if other, again := seen[m[1]]; again {
			t.Errorf("%s looks like %s", vendor, other)
		}
		seen[m[1]] = vendor
	}
}

// What is known of an upstream is said in words, and it can be chosen all the same.
func TestChooserSaysWhatIsKnownOfAnUpstream(t *testing.T) {
	t.Parallel()
	const last, down = "Used last time", "Not answering at the moment"
	for _, row := range []struct {
		name   string
		choice Choice
		says   []string
	}{
		{"nothing", Choice{}, nil},
		{"used last", Choice{Last: true}, []string{last}},
		{"down", Choice{Down: true}, []string{down}},
		{"both", Choice{Last: true, Down: true}, []string{last, down}},
	} {
		row.choice.Name, row.choice.URL = "Corp", "/login/corp"
		body := chooser(t, Chooser{Choices: []Choice{row.choice}}).Body.String()
		link := regexp.MustCompile(`(?s)<a class="choice" href="/login/corp">.*?</a>`).FindString(body)
		for _, words := range []string{last, down} {
			want := strings.Contains(strings.Join(row.says, " "), words)
			if strings.Contains(link, words) != want {
				t.Errorf("%s: %q within the link: %v", row.name, words, !want)
			}
		}
	}
}

// The address field works without scripts, has a label, and says beside it why an
// address leads nowhere.
func TestChooserAsksForAnAddress(t *testing.T) {
	t.Parallel()
	choices := []Choice{{Name: "A", URL: "/login/a"}, {Name: "B", URL: "/login/b"}}
	w := chooser(t, Chooser{Choices: choices, Email: &EmailField{Action: "https://sso.example/login", Fields: []Field{{"flow", "f&1"}, {"account", "other"}},
		Address: `ada"@example.org`, Problem: "No way to sign in is known for <b>."}})
	body := w.Body.String()
	for _, want := range []string{
		`<form method="get" action="https://sso.example/login"`, `<label for="email">E-mail address</label>`,
		`<input id="email" type="email" name="email" value="ada&#34;@example.org" autocomplete="username"`, `aria-invalid="true"`, `aria-describedby="email-use email-problem"`,
		`<p id="email-problem" class="problem" role="alert"><bdi>No way to sign in is known for &lt;b&gt;.</bdi></p>`, `<button class="button">Continue</button>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if got := hiddenFields(body); len(got) != 2 || got["flow"] != "f&1" || got["account"] != "other" {
		t.Errorf("hidden fields %q", got)
	}
	// The answer to the form may redirect to an upstream, and Chromium holds form-action
	// against that.
	if policy := w.Header().Get("Content-Security-Policy"); strings.Contains(policy, "form-action") {
		t.Errorf("policy %q", policy)
	}
	body = chooser(t, Chooser{Choices: choices, Email: &EmailField{Action: "/login"}}).Body.String()
	if strings.Contains(body, `aria-invalid="true"`) || strings.Contains(body, "email-problem") {
		t.Error("nothing is wrong yet")
	}
	body = chooser(t, Chooser{Choices: choices, Email: &EmailField{Action: "/login", Address: strings.Repeat("x", 100<<10)}}).Body.String()
	if strings.Contains(body, "xxxx") {
		t.Error("what is too long for an address comes back")
	}
}

func TestChooserLeadsToTheOthers(t *testing.T) {
	t.Parallel()
	if body := chooser(t, Chooser{OthersURL: "/login?flow=f"}).Body.String(); !strings.Contains(body, `<a href="/login?flow=f">Other ways to sign in</a>`) {
		t.Error("no link to the others")
	}
	if body := chooser(t, Chooser{}).Body.String(); strings.Contains(body, "Other ways") {
		t.Error("a link to nowhere")
	}
}
