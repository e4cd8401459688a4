package login

import (
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/internal/httpx"
)

// upstream is a scripted connector; its Name is the ID in capitals.
func upstream(id string, domains ...string) *scripted {
	return &scripted{Description: connectors.Description{ID: id, Type: "oidc", Name: strings.ToUpper(id), Domains: domains, Reauthentication: connectors.ReauthAsked},
		identity: broker.Identity{Key: broker.IdentityKey{Connector: id, Issuer: "https://idp.example", Subject: "ada"}}}
}

func plainRequest(*broker.AuthorizationRequest) {}

func hinted(hint string) func(*broker.AuthorizationRequest) {
	return func(r *broker.AuthorizationRequest) { r.LoginHint = hint }
}

// listed are the names on a chooser page, and links where they lead.
func listed(page *httptest.ResponseRecorder) (names, links []string) {
	entry := regexp.MustCompile(`(?s)<a class="choice" href="([^"]*)">.*?Continue with <bdi>([^<]*)</bdi>`)
	for _, m := range entry.FindAllStringSubmatch(page.Body.String(), -1) {
		links, names = append(links, html.UnescapeString(m[1])), append(names, html.UnescapeString(m[2]))
	}
	return names, links
}

// outcome is where a person is: at an upstream, or before a list.
func outcome(answer *httptest.ResponseRecorder) string {
	if to, err := url.Parse(answer.Header().Get("Location")); err == nil && to.Host == "idp.example" {
		return "at " + strings.TrimPrefix(to.Path, "/")
	}
	names, _ := listed(answer)
	return strings.Join(names, " ")
}

// local is the path of an address of ours.
func local(t testing.TB, address string) string {
	t.Helper()
	path, ours := strings.CutPrefix(address, "https://sso.example")
	if !ours {
		t.Fatalf("%s is not ours", address)
	}
	return path
}

// chooserOf is the path of the chooser page of the browser's only flow.
func (w *world) chooserOf() string {
	w.t.Helper()
	prefix := httpx.CookieName(w.endpoint.Desk.Issuer, "flow") + "-"
	for name := range w.cookies {
		if id, ok := strings.CutPrefix(name, prefix); ok {
			return "/login?flow=" + url.QueryEscape(id)
		}
	}
	w.t.Fatal("there is no flow")
	return ""
}

// Every entry leads to its upstream, in configured order; one that has choices is
// there once for each, and the choice is known to the connector on both ways.
func TestChoicesOfAConnectorAreEntries(t *testing.T) {
	t.Parallel()
	entra := upstream("entra")
	entra.Name, entra.Choices = "Microsoft", []connectors.Choice{{Key: "acme", Name: "Acme"}, {Key: "beta-2", Name: "Beta"}}
	w := newWorld(t, upstream("corp"), entra)
	names, links := listed(w.authorize(plainRequest))
	if !slices.Equal(names, []string{"CORP", "Acme (Microsoft)", "Beta (Microsoft)"}) {
		t.Fatalf("listed %q", names)
	}
	if answer := w.get(t.Context(), w.answer(w.get(t.Context(), local(t, links[2])))); answer.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	if sent, judged := entra.asked[0].Choice, entra.answered[0].Choice; sent != "beta-2" || judged != "beta-2" {
		t.Errorf("asked with choice %q, judged with %q", sent, judged)
	}
}

// What a URL may name is what is offered.
func TestOnlyWhatIsOfferedCanBeChosen(t *testing.T) {
	t.Parallel()
	entra := upstream("entra")
	entra.Choices = []connectors.Choice{{Key: "acme", Name: "Acme"}, {Key: "beta", Name: "Beta"}}
	w := newWorld(t, upstream("corp"), entra)
	w.authorize(plainRequest)
	query := strings.TrimPrefix(w.chooserOf(), "/login")
	for _, target := range []string{"/login/entra" + query, "/login/entra" + query + "&choice=", "/login/entra" + query + "&choice=gone",
		"/login/entra" + query + "&choice=ACME", "/login/corp" + query + "&choice=acme", "/login/other" + query} {
		if answer := w.get(t.Context(), target); answer.Code != http.StatusBadRequest {
			t.Errorf("%s: %d to %q", target, answer.Code, answer.Header().Get("Location"))
		}
	}
	if len(entra.asked)+len(w.upstream.asked) != 0 {
		t.Error("an upstream was visited")
	}
	callback := w.answer(w.get(t.Context(), "/login/entra"+query+"&choice=acme"))
	entra.Choices = entra.Choices[1:]
	if answer := w.get(t.Context(), callback); answer.Code != http.StatusBadRequest || len(entra.answered) != 0 {
		t.Errorf("a choice that has gone meanwhile: %d, %d exchanges", answer.Code, len(entra.answered))
	}
}

// A connector alone is gone to, unless it has choices; then they are the page.
func TestOneConnectorWithChoicesHasAChooser(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		choices []connectors.Choice
		want    string
	}{
		{"none", nil, "at entra"},
		{"one", []connectors.Choice{{Key: "acme", Name: "Acme"}}, "at entra"},
		{"two", []connectors.Choice{{Key: "acme", Name: "Acme"}, {Key: "beta", Name: "Beta"}}, "Acme (ENTRA) Beta (ENTRA)"},
	} {
		entra := upstream("entra")
		entra.Choices = row.choices
		w := newWorld(t, entra, upstream("corp"))
		if got := outcome(w.authorize(func(r *broker.AuthorizationRequest) { r.Connector = "entra" })); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if len(row.choices) == 1 && (len(entra.asked) != 1 || entra.asked[0].Choice != "acme") {
			t.Errorf("%s: asked %+v", row.name, entra.asked)
		}
	}
}

// The entry of last time comes first, with its choice; what a cookie says is
// compared with what there is, and with nothing else.
func TestTheLastUsedEntryIsFirst(t *testing.T) {
	t.Parallel()
	entra := upstream("entra")
	entra.Name, entra.Choices = "Microsoft", []connectors.Choice{{Key: "acme", Name: "Acme"}, {Key: "beta", Name: "Beta"}}
	w := newWorld(t, upstream("corp"), upstream("hub"), entra)
	name := httpx.CookieName(w.endpoint.Desk.Issuer, "last")
	page := w.authorize(plainRequest)
	if _, there := w.cookies[name]; there || strings.Contains(page.Body.String(), "Used last time") {
		t.Fatal("something is remembered before anybody signed in")
	}
	_, links := listed(page)
	callback := w.answer(w.get(t.Context(), local(t, links[3])))
	if w.cookies[name] != nil {
		t.Error("a visit that has brought nobody yet is remembered")
	}
	w.get(t.Context(), callback)
	c := w.cookies[name]
	if c == nil || c.Value != "entra.beta" || !strings.HasPrefix(c.Name, "__Host-gatehouse-last-") || !c.Secure || !c.HttpOnly ||
		c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 180*24*60*60 {
		t.Fatalf("cookie %+v", c)
	}
	const configured = "CORP|HUB|Acme (Microsoft)|Beta (Microsoft)"
	for value, want := range map[string]string{
		"entra.beta": "Beta (Microsoft)|CORP|HUB|Acme (Microsoft)",
		"hub":        "HUB|CORP|Acme (Microsoft)|Beta (Microsoft)",
		"corp":       configured,
		"entra":      configured, "entra.gone": configured, "corp.acme": configured, "gone": configured, ".": configured, "": configured,
		"hub.": "HUB|CORP|Acme (Microsoft)|Beta (Microsoft)", `<script>`: configured, strings.Repeat("hub", 1000): configured,
	} {
		w.cookies[name] = &http.Cookie{Name: name, Value: value}
		page := w.authorize(func(r *broker.AuthorizationRequest) { r.Prompt = oauth.PromptSelectAccount })
		names, _ := listed(page)
		if got := strings.Join(names, "|"); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
		if says := strings.Contains(page.Body.String(), "Used last time"); says != (want != configured || value == "corp") {
			t.Errorf("%q: the page says so: %v", value, says)
		}
	}
}

// What is remembered is a sign-in that was recorded, where there is another entry
// that it comes before.
func TestWhatIsRemembered(t *testing.T) {
	t.Parallel()
	two := []connectors.Choice{{Key: "a", Name: "A"}, {Key: "b", Name: "B"}}
	for _, row := range []struct {
		name  string
		alone bool
		given []connectors.Choice
		err   error
		want  string
	}{
		{"one of two", false, nil, nil, "corp"},
		{"one of two, and it failed", false, nil, &connectors.Error{Kind: connectors.Declined}, ""},
		{"the only one", true, nil, nil, ""},
		{"the only one, with one choice", true, two[:1], nil, ""},
		{"the only one, with two choices", true, two, nil, "corp.a"},
	} {
		all := []*scripted{upstream("corp"), upstream("hub")}
		all[0].Choices, all[0].err = row.given, row.err
		if row.alone {
			all = all[:1]
		}
		w := newWorld(t, all...)
		w.authorize(plainRequest)
		target := "/login/corp" + strings.TrimPrefix(w.chooserOf(), "/login")
		if len(row.given) > 0 {
			target += "&choice=a"
		}
		w.get(t.Context(), w.answer(w.get(t.Context(), target)))
		got := ""
		if c := w.cookies[httpx.CookieName(w.endpoint.Desk.Issuer, "last")]; c != nil {
			got = c.Value
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// An upstream that could last not be reached, or refused us, is marked and can be
// chosen all the same; nobody is asked for the page.
func TestAnUpstreamThatIsDownIsMarked(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		trouble error
		want    bool
	}{
		{"well", nil, false},
		{"not answering", &connectors.Error{Kind: connectors.Transient}, true},
		{"refusing us", &connectors.Error{Kind: connectors.Operator}, true},
		{"somebody's bad answer", &connectors.Error{Kind: connectors.Broken}, false},
		{"somebody who declined", &connectors.Error{Kind: connectors.Declined}, false},
		{"what no connector classified", errors.New("CANARY"), false},
	} {
		w := newWorld(t, upstream("corp"), upstream("hub"))
		w.upstream.trouble = row.trouble
		page := w.authorize(plainRequest)
		if got := strings.Count(page.Body.String(), "Not answering at the moment"); got != map[bool]int{true: 1}[row.want] {
			t.Errorf("%s: marked %d times", row.name, got)
		}
		if strings.Contains(page.Body.String(), "CANARY") || len(w.upstream.asked) != 0 {
			t.Errorf("%s: the cause is shown, or the upstream was asked", row.name)
		}
		_, links := listed(page)
		if got := outcome(w.get(t.Context(), local(t, links[0]))); got != "at corp" {
			t.Errorf("%s: %s", row.name, got)
		}
	}
}
