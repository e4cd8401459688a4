//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"gatehouse/broker/oauth"
)

// verifier is the PKCE verifier of every authorization request.
const verifier = "a-verifier-of-the-wiki-that-is-long-enough-for-pkce"

// browser is somebody's browser: cookies, and redirects that are followed until they lead away from this machine. A
// broker may be killed while it asks, so what goes wrong is returned.
type browser struct {
	w    *world
	jar  *cookiejar.Jar
	http *http.Client
}

func (w *world) browser() *browser {
	jar, _ := cookiejar.New(nil) // fails only for options that are wrong
	return w.browserWith(jar)
}

func (w *world) browserWith(jar *cookiejar.Jar) *browser {
	return &browser{w: w, jar: jar, http: &http.Client{Jar: jar, Transport: w.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// remember returns a browser with the cookies that this one has now.
func (b *browser) remember() *browser {
	other := b.w.browser()
	u, _ := url.Parse(b.w.issuer)
	kept := b.jar.Cookies(u)
	for _, c := range kept {
		c.Path, c.Secure = "/", u.Scheme == "https"
	}
	other.jar.SetCookies(u, kept)
	return other
}

// page is where a browser ended up.
type page struct {
	status int
	header http.Header
	body   string
	url    *url.URL
	// away says that url is a client's, which was not asked for.
	away bool
}

func (b *browser) get(ctx context.Context, to string) (page, error) {
	return b.follow(ctx, http.MethodGet, to, nil)
}

// post submits a form of a page of the origin that it goes to.
func (b *browser) post(ctx context.Context, to string, form url.Values) (page, error) {
	return b.follow(ctx, http.MethodPost, to, form)
}

func (b *browser) follow(ctx context.Context, method, to string, form url.Values) (page, error) {
	for range 20 {
		p, err := b.send(ctx, method, to, form)
		if err != nil {
			return p, err
		}
		location := p.header.Get("Location")
		if location == "" {
			return p, nil
		}
		next, err := p.url.Parse(location)
		if err != nil {
			return p, err
		}
		if strings.HasSuffix(next.Host, ".example") && !strings.HasPrefix(next.String(), b.w.issuer) {
			p.url, p.away = next, true
			return p, nil
		}
		method, to, form = http.MethodGet, next.String(), nil
	}
	return page{}, errors.New("too many redirects")
}

// send sends one request and follows nothing.
func (b *browser) send(ctx context.Context, method, to string, form url.Values) (page, error) {
	request, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(form.Encode()))
	if err != nil {
		return page{}, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", request.URL.Scheme+"://"+request.URL.Host)
	}
	response, err := b.http.Do(request)
	if err != nil {
		return page{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return page{status: response.StatusCode, header: response.Header, body: string(body), url: request.URL}, err
}

var (
	fieldTag  = regexp.MustCompile(`<(?:input|button)\b[^>]*>`)
	attribute = regexp.MustCompile(`\b(name|value)="([^"]*)"`)
	formTag   = regexp.MustCompile(`<form\b[^>]*\baction="([^"]*)"`)
	anchorTag = regexp.MustCompile(`<a\b[^>]*\bhref="([^"]*)"`)
)

// form is the target of the page's form that holds the text, and its fields, buttons not pressed.
func (p page) form(holding string) (string, url.Values, error) {
	for _, part := range strings.SplitAfter(p.body, "</form>") {
		at := strings.LastIndex(part, "<form")
		if at < 0 || !strings.Contains(part[at:], holding) {
			continue
		}
		part = part[at:]
		action, err := p.url.Parse(html.UnescapeString(formTag.FindStringSubmatch(part)[1]))
		if err != nil {
			return "", nil, err
		}
		fields := url.Values{}
		for _, tag := range fieldTag.FindAllString(part, -1) {
			if !strings.HasPrefix(tag, "<input") {
				continue
			}
			var name, value string
			for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
				if a[1] == "name" {
					name = html.UnescapeString(a[2])
				} else {
					value = html.UnescapeString(a[2])
				}
			}
			fields.Add(name, value)
		}
		return action.String(), fields, nil
	}
	return "", nil, fmt.Errorf("%s with status %d has no form with %q:\n%s", p.url, p.status, holding, p.body)
}

// link is the target of the first link that contains the text.
func (p page) link(containing string) (string, error) {
	for _, m := range anchorTag.FindAllStringSubmatch(p.body, -1) {
		if target := html.UnescapeString(m[1]); strings.Contains(target, containing) {
			u, err := p.url.Parse(target)
			return u.String(), err
		}
	}
	return "", fmt.Errorf("%s with status %d has no link with %q:\n%s", p.url, p.status, containing, p.body)
}

// authorizeURL is an authorization request of the wiki, changed by pairs of name and value.
func (w *world) authorizeURL(pairs ...string) string {
	q := url.Values{
		"client_id": {"wiki"}, "response_type": {"code"}, "scope": {"openid profile offline_access"}, "redirect_uri": {wikiRedirect},
		"state": {"the-state"}, "nonce": {"the-nonce"}, "code_challenge": {oauth.S256(verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return w.issuer + "/authorize?" + q.Encode()
}

// signIn asks for a code and returns the parameters of the answer that the client got.
func (b *browser) signIn(ctx context.Context, pairs ...string) (url.Values, error) {
	p, err := b.get(ctx, b.w.authorizeURL(pairs...))
	if err != nil {
		return nil, err
	}
	if !p.away {
		return nil, fmt.Errorf("sign-in ended at %s with status %d:\n%s", p.url, p.status, p.body)
	}
	return p.url.Query(), nil
}

// answer is what an endpoint for programs answered.
type answer struct {
	status int
	body   map[string]any
}

func (a answer) text(name string) string { s, _ := a.body[name].(string); return s }

// refused reports that the answer is the refusal of a code or token (RFC 6749 §5.2).
func (a answer) refused() bool {
	return a.status == http.StatusBadRequest && a.text("error") == "invalid_grant"
}

func (a answer) String() string {
	names := make([]string, 0, len(a.body))
	for name := range a.body {
		names = append(names, name)
	}
	return fmt.Sprintf("%d %s %s %v", a.status, a.text("error"), a.text("error_description"), names)
}

// program sends a request as a program does.
func (w *world) program(request *http.Request) (answer, error) {
	response, err := w.transport.RoundTrip(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	a := answer{status: response.StatusCode}
	if err == nil && strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		err = json.Unmarshal(body, &a.body)
	}
	return a, err
}

// token sends a token request of the wiki.
func (w *world) token(ctx context.Context, pairs ...string) (answer, error) {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("wiki", wikiSecret)
	return w.program(request)
}

func (w *world) redeem(ctx context.Context, code string) (answer, error) {
	return w.token(ctx, "grant_type", "authorization_code", "code", code, "redirect_uri", wikiRedirect, "code_verifier", verifier)
}

func (w *world) refresh(ctx context.Context, token string) (answer, error) {
	return w.token(ctx, "grant_type", "refresh_token", "refresh_token", token)
}

func (w *world) userInfo(ctx context.Context, accessToken string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.issuer+"/userinfo", nil)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+accessToken)
	return w.program(request)
}
