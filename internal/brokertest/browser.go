package brokertest

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser is one person's browser: cookies, and redirects that are followed one
// by one until they leave this machine or lead to a client.
type Browser struct {
	t      testing.TB
	broker *Broker
	client *http.Client
	// Trail is every URL that was asked for.
	Trail []string
}

// Page is where a browser ended up: an answer, or a redirect to a client.
type Page struct {
	Status int
	Header http.Header
	Body   string
	// URL of the answer; for a redirect to a client, the URL it would have gone to.
	URL *url.URL
	// AtClient says that URL is a client's: the flow is over.
	AtClient bool
}

// Browser opens a new one, without cookies.
func (b *Broker) Browser(t testing.TB) *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{t: t, broker: b, client: &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Get goes to a URL and follows redirects.
func (br *Browser) Get(to string) Page {
	br.t.Helper()
	request, err := http.NewRequestWithContext(br.t.Context(), http.MethodGet, to, nil)
	if err != nil {
		br.t.Fatal(err)
	}
	return br.follow(request)
}

// Post submits a form as a page of the broker would.
func (br *Browser) Post(to string, form url.Values) Page {
	br.t.Helper()
	return br.PostFrom(br.broker.Issuer, to, form)
}

// PostFrom submits a form as a page of the origin would.
func (br *Browser) PostFrom(origin, to string, form url.Values) Page {
	br.t.Helper()
	request, err := http.NewRequestWithContext(br.t.Context(), http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		br.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if u, err := url.Parse(origin); err == nil {
		request.Header.Set("Origin", u.Scheme+"://"+u.Host)
	}
	return br.follow(request)
}

// follow sends a request and goes where it leads, to a bounded depth.
func (br *Browser) follow(request *http.Request) Page {
	br.t.Helper()
	for range 15 {
		page := br.Send(request)
		location := page.Header.Get("Location")
		if location == "" {
			return page
		}
		next, err := page.URL.Parse(location)
		if err != nil {
			br.t.Fatalf("Location %q: %v", location, err)
		}
		if !br.ours(next) {
			page.URL, page.AtClient = next, true
			return page
		}
		if request, err = http.NewRequestWithContext(br.t.Context(), http.MethodGet, next.String(), nil); err != nil {
			br.t.Fatal(err)
		}
	}
	br.t.Fatal("too many redirects")
	return Page{}
}

// Send sends one request with the browser's cookies and follows nothing.
func (br *Browser) Send(request *http.Request) Page {
	br.t.Helper()
	br.Trail = append(br.Trail, request.URL.String())
	response, err := br.client.Do(request)
	if err != nil {
		br.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		br.t.Fatal(err)
	}
	return Page{Status: response.StatusCode, Header: response.Header, Body: string(body), URL: request.URL}
}

// ours reports whether a URL is one of the broker or an upstream.
func (br *Browser) ours(u *url.URL) bool {
	for _, base := range []string{br.broker.Issuer, br.broker.Upstream.URL(), br.broker.otherURL()} {
		if b, err := url.Parse(base); err == nil && base != "" && b.Host == u.Host {
			return true
		}
	}
	return false
}

func (b *Broker) otherURL() string {
	if b.Other == nil {
		return ""
	}
	return b.Other.URL()
}

// Cookies are those the browser would send to the broker.
func (br *Browser) Cookies() []*http.Cookie {
	u, err := url.Parse(br.broker.Issuer)
	if err != nil {
		br.t.Fatal(err)
	}
	return br.client.Jar.Cookies(u)
}

// SetCookies puts cookies into the browser.
func (br *Browser) SetCookies(cookies ...*http.Cookie) {
	u, err := url.Parse(br.broker.Issuer)
	if err != nil {
		br.t.Fatal(err)
	}
	for _, c := range cookies {
		if c.Path == "" {
			c.Path = "/"
		}
	}
	br.client.Jar.SetCookies(u, cookies)
}

var (
	inputs  = regexp.MustCompile(`<input[^>]*\bname="([^"]*)"[^>]*\bvalue="([^"]*)"`)
	anchors = regexp.MustCompile(`<a[^>]*\bhref="([^"]*)"`)
)

// Fields are the hidden fields of the page's form.
func (p Page) Fields() url.Values {
	out := url.Values{}
	for _, m := range inputs.FindAllStringSubmatch(p.Body, -1) {
		out.Add(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return out
}

// Links are the targets of the page's links.
func (p Page) Links() []string {
	var out []string
	for _, m := range anchors.FindAllStringSubmatch(p.Body, -1) {
		out = append(out, html.UnescapeString(m[1]))
	}
	return out
}

// Link is the first link whose target contains the text.
func (p Page) Link(containing string) string {
	for _, l := range p.Links() {
		if strings.Contains(l, containing) {
			return l
		}
	}
	return ""
}
