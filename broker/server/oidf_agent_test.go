package server_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// oidfAgent is the scripted browser of the suite. It picks a person on the
// upstream's page, agrees to what is asked, submits self-submitting forms if their
// policy lets their script run, and stops at the suite's own host. Unlike Go's
// cookie jar it knows what SameSite=Lax means for a POST from elsewhere.
type oidfAgent struct {
	t      *testing.T
	world  *oidfWorld
	client *http.Client
	jar    http.CookieJar
	person string
	// shown are the pages a person saw, by kind: sign-in, consent, sign-out.
	shown []string
	// hesitant agents answer neither the consent nor the sign-out page.
	hesitant bool
}

// oidfArrival is where the browser came to rest: at the suite, or on a page.
type oidfArrival struct {
	atSuite bool
	method  string
	url     *url.URL
	// form is what was posted to the suite.
	form   string
	status int
	header http.Header
	body   string
}

func oidfStay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (w *oidfWorld) transport() http.RoundTripper {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: w.roots}
	return transport
}

// agent is a fresh browser.
func (w *oidfWorld) agent(t *testing.T, person string) *oidfAgent {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &oidfAgent{t: t, world: w, jar: jar, person: person, client: &http.Client{Transport: w.direct.Transport, CheckRedirect: oidfStay}}
}

// visit follows a link of the suite.
func (a *oidfAgent) visit(address string) oidfArrival {
	a.t.Helper()
	return a.follow(a.request(http.MethodGet, address, "", oidfHost))
}

// post submits a form of the suite: to the broker a cross-site request.
func (a *oidfAgent) post(address, form string) oidfArrival {
	a.t.Helper()
	return a.follow(a.request(http.MethodPost, address, form, oidfHost))
}

// saw counts the pages of a kind.
func (a *oidfAgent) saw(kind string) int {
	n := 0
	for _, k := range a.shown {
		if k == kind {
			n++
		}
	}
	return n
}

// request is a navigation that was begun by a page of the origin.
func (a *oidfAgent) request(method, address, form, origin string) *http.Request {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), method, address, strings.NewReader(form))
	if err != nil {
		a.t.Fatal(err)
	}
	site := "cross-site"
	if origin == request.URL.Scheme+"://"+request.URL.Host {
		site = "same-origin"
	}
	request.Header.Set("Sec-Fetch-Site", site)
	request.Header.Set("Sec-Fetch-Mode", "navigate")
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", origin)
	}
	return request
}

// follow goes on until a person would have to do something this one does not do.
func (a *oidfAgent) follow(request *http.Request) oidfArrival {
	a.t.Helper()
	for range 25 {
		at := a.once(request)
		if location := at.header.Get("Location"); location != "" {
			next, err := at.url.Parse(location)
			if err != nil || at.status != http.StatusFound && at.status != http.StatusSeeOther {
				a.t.Fatalf("%s: %d to %q: %v", at.url, at.status, location, err)
			}
			if oidfAtSuite(next) {
				return oidfArrival{atSuite: true, method: http.MethodGet, url: next}
			}
			request = a.request(http.MethodGet, next.String(), "", oidfHost)
			continue
		}
		form, ok := oidfFormOf(at)
		if !ok || at.status != http.StatusOK {
			return at
		}
		action, err := at.url.Parse(form.action)
		if err != nil {
			a.t.Fatal(err)
		}
		if oidfAtSuite(action) {
			a.scriptMayRun(at)
			return oidfArrival{atSuite: true, method: http.MethodPost, url: action, form: form.fields.Encode()}
		}
		if !a.press(&form) {
			return at
		}
		request = a.request(http.MethodPost, action.String(), form.fields.Encode(), at.url.Scheme+"://"+at.url.Host)
	}
	a.t.Fatal("the browser is sent round in circles")
	return oidfArrival{}
}

// press chooses the button a willing person would.
func (a *oidfAgent) press(form *oidfForm) bool {
	switch {
	case slices.Contains(form.buttons, "-person="+a.person):
		a.shown = append(a.shown, "sign-in")
		form.fields.Set("-person", a.person)
	case slices.Contains(form.buttons, "decision=allow"):
		a.shown = append(a.shown, "consent")
		form.fields.Set("decision", "allow")
		return !a.hesitant
	case slices.Contains(form.buttons, "decision=sign_out"):
		a.shown = append(a.shown, "sign-out")
		form.fields.Set("decision", "sign_out")
		return !a.hesitant
	default:
		return false
	}
	return true
}

// once sends one request. Cookies that are SameSite=Lax, as all of ours are, stay
// behind when another site posts (RFC 6265bis §5.8.3).
func (a *oidfAgent) once(request *http.Request) oidfArrival {
	a.t.Helper()
	if request.Method == http.MethodGet || request.Header.Get("Sec-Fetch-Site") == "same-origin" {
		for _, c := range a.jar.Cookies(request.URL) {
			request.AddCookie(c)
		}
	}
	response, err := a.client.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		a.t.Fatal(err)
	}
	for _, c := range response.Cookies() {
		if c.SameSite != http.SameSiteLaxMode || strings.HasPrefix(a.world.issuer, "https://"+request.URL.Host) && (!c.Secure || !c.HttpOnly) {
			a.t.Errorf("cookie %s is not Lax, Secure and HttpOnly", c.Name)
		}
	}
	a.jar.SetCookies(request.URL, response.Cookies())
	return oidfArrival{method: request.Method, url: request.URL, status: response.StatusCode, header: response.Header, body: string(body)}
}

var oidfScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// scriptMayRun checks that a form_post page would submit itself: its script calls
// submit, the page's policy names the script's hash, and nothing in the policy
// keeps the form from leaving for the client (Form Post §2, CSP 3 §6.4.1).
func (a *oidfAgent) scriptMayRun(at oidfArrival) {
	a.t.Helper()
	script := oidfScript.FindStringSubmatch(at.body)
	policy := at.header.Get("Content-Security-Policy")
	if script == nil || !strings.Contains(script[1], "submit") {
		a.t.Errorf("the form does not submit itself: %s", at.body)
		return
	}
	sum := sha256.Sum256([]byte(script[1]))
	if !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		a.t.Errorf("the policy forbids the page's script: %s", policy)
	}
	if strings.Contains(policy, "form-action") {
		a.t.Errorf("the policy keeps the form from the client: %s", policy)
	}
}

func oidfAtSuite(u *url.URL) bool { return u.Scheme+"://"+u.Host == oidfHost }

// oidfForm is the only form of a page, or the first.
type oidfForm struct {
	action  string
	fields  url.Values
	buttons []string
}

var (
	oidfFormTag   = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)">(.*?)</form>`)
	oidfHiddenTag = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	oidfButtonTag = regexp.MustCompile(`<button [^>]*?name="([^"]*)" value="([^"]*)">`)
)

func oidfFormOf(at oidfArrival) (oidfForm, bool) {
	found := oidfFormTag.FindStringSubmatch(at.body)
	if found == nil {
		return oidfForm{}, false
	}
	form := oidfForm{action: html.UnescapeString(found[1]), fields: url.Values{}}
	for _, m := range oidfHiddenTag.FindAllStringSubmatch(found[2], -1) {
		form.fields.Add(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	for _, m := range oidfButtonTag.FindAllStringSubmatch(found[2], -1) {
		form.buttons = append(form.buttons, html.UnescapeString(m[1])+"="+html.UnescapeString(m[2]))
	}
	return form, true
}

// oidfReplace is strings.NewReplacer for one text.
func oidfReplace(text string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(text)
}
