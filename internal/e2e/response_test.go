package e2e

import (
	"net/url"
	"strings"
	"testing"
)

// request is an authorization request of the application, changed by pairs.
func (h *house) request(pairs ...string) url.Values {
	q := url.Values{
		"client_id": {"app"}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {h.app.URL + "/callback"},
		"state": {`the "state" <b>`}, "nonce": {"the-nonce"},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q
}

func (h *house) authorize(pairs ...string) string {
	return h.Issuer + "/authorize?" + h.request(pairs...).Encode()
}

// complete fails the test unless the parameters are those of a success.
func (h *house) complete(t *testing.T, v url.Values) {
	t.Helper()
	if v.Get("code") == "" || v.Get("state") != `the "state" <b>` || v.Get("iss") != h.Issuer || v.Has("error") {
		t.Errorf("the response is %v", v)
	}
}

// formPost is OAuth 2.0 Form Post Response Mode, under the broker's own content
// security policy.
func (h *house) formPost(t *testing.T) {
	arrived := func(t *testing.T, p *tab) {
		t.Helper()
		p.untilHeading("Done")
		got := h.app.last(t)
		if got.Method != "POST" || len(got.Query) != 0 {
			t.Errorf("the response came by %s with the query %v", got.Method, got.Query)
		}
		h.complete(t, got.Form)
	}
	t.Run("sends itself", func(t *testing.T) {
		p := h.browser.open(t)
		p.goTo(h.authorize("response_mode", "form_post"))
		arrived(t, p)
		p.quiet()
	})
	t.Run("has a button where there are no scripts", func(t *testing.T) {
		p := h.browser.open(t)
		p.withoutScripts()
		p.goTo(h.authorize("response_mode", "form_post"))
		p.untilHeading("Continue to App")
		// axe-core is a script. The page's own is over: it does not run later.
		p.do("Emulation.setScriptExecutionDisabled", params{"value": false})
		p.look(openGallery(t), "form-post")
		p.do("Emulation.setScriptExecutionDisabled", params{"value": true})
		p.click("Continue")
		arrived(t, p)
		p.quiet()
	})
	t.Run("carries errors too", func(t *testing.T) {
		p := h.browser.open(t)
		p.goTo(h.authorize("response_mode", "form_post", "prompt", "none"))
		p.untilHeading("Done")
		got := h.app.last(t)
		if got.Method != "POST" || got.Form.Get("error") != "login_required" || got.Form.Has("code") {
			t.Errorf("received %v", got)
		}
		p.quiet()
	})
}

// crossSitePost: a browser leaves Lax cookies out of a POST from another site
// (RFC 6265bis §5.8.3), so that the broker would not know anybody.
func (h *house) crossSitePost(t *testing.T) {
	post := func(pairs ...string) string {
		q := h.request(pairs...)
		q.Set("-action", h.Issuer+"/authorize")
		return h.app.URL + "/form?" + q.Encode()
	}
	p := h.browser.open(t)
	p.goTo(post("prompt", "none"))
	p.click("Send")
	p.untilHeading("Done")
	if got := h.app.last(t); got.Query.Get("error") != "login_required" {
		t.Errorf("without a session the answer to prompt=none is %v", got.Query)
	}
	p.goTo(post())
	p.click("Send")
	p.untilHeading("Done")
	h.complete(t, h.app.last(t).Query)
	asked := h.askedSoFar()
	for _, pairs := range [][]string{nil, {"prompt", "none"}} {
		p.goTo(post(pairs...))
		p.click("Send")
		p.untilHeading("Done")
		h.complete(t, h.app.last(t).Query)
	}
	if n := h.askedSoFar(); n != asked {
		t.Errorf("with a session the provider was asked %d times more", n-asked)
	}
	p.quiet()
}

func (h *house) askedSoFar() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

// fragment is OAuth 2.0 Multiple Response Type Encoding Practices §2.1. A browser
// keeps it from the server, and hands it on to where the application redirects.
func (h *house) fragment(t *testing.T) {
	p := h.browser.open(t)
	p.goTo(h.authorize("response_mode", "fragment"))
	p.untilHeading("Done")
	if got := h.app.last(t); len(got.Query) != 0 {
		t.Errorf("the query is %v", got.Query)
	}
	_, fragment, _ := strings.Cut(p.url(), "#")
	values, err := url.ParseQuery(fragment)
	if err != nil {
		t.Fatal(err)
	}
	h.complete(t, values)
	p.quiet()
}

// cookies over TLS are bound to the host by their names (RFC 6265bis §4.1.3.2).
func (h *house) cookies(t *testing.T) {
	p := h.browser.open(t)
	p.goTo(h.authorize("response_mode", "form_post"))
	p.untilHeading("Done")
	h.complete(t, h.app.last(t).Form)
	kept := 0
	for _, c := range p.cookies() {
		if !strings.Contains(c.Name, "gatehouse") {
			continue
		}
		kept++
		if !strings.HasPrefix(c.Name, "__Host-gatehouse-") || !c.Secure || !c.HTTPOnly || c.SameSite != "Lax" || c.Path != "/" || c.Domain != "localhost" {
			t.Errorf("cookie %+v", c)
		}
	}
	if kept != 1 {
		t.Errorf("%d cookies of the broker are left of a sign-in, want its session alone: %+v", kept, p.cookies())
	}
}

// violations makes sure that the tests would see one.
func (h *house) violations(t *testing.T) {
	p := h.browser.open(t)
	p.goTo(h.app.URL + "/violation")
	p.untilHeading("Violation")
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.complaints) == 0 {
		t.Error("the browser says nothing about a script that a policy forbids")
	}
}
