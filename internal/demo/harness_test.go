package demo

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors/connectortest/fake"
)

// bench is the two applications in front of an OpenID Provider that signs a
// person in without asking, and a browser.
type bench struct {
	t        *testing.T
	provider *fake.OIDC
	site     *site
	url      string
	browser  *http.Client
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t}
	front := httptest.NewUnstartedServer(nil)
	b.url = "http://" + front.Listener.Addr().String()
	clients := []fake.Client{
		{ID: "wiki", Secret: "wiki-secret", RedirectURIs: []string{b.url + "/callback"}, PostLogoutRedirectURIs: []string{b.url + "/signed-out"}},
		{ID: "payroll", Secret: "payroll-secret", RedirectURIs: []string{b.url + "/second/callback"}, PostLogoutRedirectURIs: []string{b.url + "/second/signed-out"}},
	}
	b.provider = fake.NewOIDC(fake.Options{Now: time.Now, Clients: clients, SignInAs: "ada",
		OIDC: fake.OIDCOptions{Algorithm: "ES256", RotateRefreshTokens: true, ResponseIssuer: true}})
	upstream := httptest.NewServer(b.provider)
	t.Cleanup(upstream.Close)
	b.provider.SetURL(upstream.URL)
	log := slog.New(slog.DiscardHandler)
	p, err := newPages(log)
	if err != nil {
		t.Fatal(err)
	}
	b.site = newSite(b.url, upstream.URL, [2]string{"wiki-secret", "payroll-secret"}, p, time.Now)
	front.Config.Handler = b.site.routes()
	front.Start()
	t.Cleanup(front.Close)
	b.browser = b.newBrowser()
	return b
}

func (b *bench) newBrowser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// page is an answer at the end of all redirects.
type page struct {
	status int
	body   string
	url    *url.URL
	header http.Header
}

func (b *bench) do(method, path string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.browser.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{status: res.StatusCode, body: string(body), url: res.Request.URL, header: res.Header}
}

func (b *bench) get(path string) page  { b.t.Helper(); return b.do(http.MethodGet, path) }
func (b *bench) post(path string) page { b.t.Helper(); return b.do(http.MethodPost, path) }

// wants checks for texts that must and, with a ! in front, must not be there.
func (p page) wants(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if absent, unwanted := strings.CutPrefix(text, "!"); unwanted {
			if strings.Contains(p.body, absent) {
				t.Errorf("%s: the page holds %q", p.url.Path, absent)
			}
		} else if !strings.Contains(p.body, text) {
			t.Errorf("%s: the page lacks %q", p.url.Path, text)
		}
	}
}
