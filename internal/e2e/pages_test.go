package e2e

import (
	"net/url"
	"os"
	"strings"
	"testing"
)

// gallery is where pictures go and what else looks at the pages.
type gallery struct {
	// dir gets a picture of every page; none are taken when it is empty.
	dir string
	// axe is the text of axe-core; empty when it is not there.
	axe string
}

func openGallery(t *testing.T) gallery {
	t.Helper()
	g := gallery{dir: os.Getenv("GATEHOUSE_SCREENSHOTS")}
	if g.dir != "" {
		if err := os.MkdirAll(g.dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if path := os.Getenv("GATEHOUSE_AXE"); path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		g.axe = string(text)
	}
	return g
}

// pages goes to every page there is and looks at it.
func (d *demo) pages(t *testing.T) {
	g := openGallery(t)
	t.Run("of a sign-in", func(t *testing.T) { d.pagesOfASignIn(t, g) })
	t.Run("of the demo", func(t *testing.T) {
		p := d.browser.open(t)
		for name, path := range map[string]string{"demo-home": "/", "demo-payroll": "/second/", "demo-try": "/try", "demo-configuration": "/config"} {
			p.goTo(d.App + path)
			p.look(g, name)
		}
	})
	t.Run("of the emulated vendors", func(t *testing.T) {
		for _, who := range admitted() {
			p := d.browser.open(t)
			p.goTo(d.App + "/login?idp_hint=" + who.Vendor)
			p.untilHeading("Choose an account")
			p.look(g, "vendor-"+who.Vendor)
		}
	})
	t.Run("of refusals", func(t *testing.T) { d.pagesOfRefusals(t, g) })
}

func (d *demo) pagesOfASignIn(t *testing.T, g gallery) {
	p := d.browser.open(t)
	p.goTo(d.App + "/login?prompt=consent")
	p.untilHeading("Sign in")
	p.look(g, "chooser")
	issuer := origin(p.url())
	p.click("Continue with Okta")
	p.untilHeading("Choose an account")
	p.click("Ada Winter")
	p.untilHeading("Allow Wiki")
	p.look(g, "consent")
	p.click("Allow")
	p.untilSignedIn("/", "Ada Winter")
	p.look(g, "demo-signed-in")
	p.click("Refresh the tokens")
	p.untilHeading("New tokens")
	p.look(g, "demo-refreshed")
	p.click("As it travels")
	p.look(g, "demo-raw-token")
	p.goTo(issuer + "/")
	p.look(g, "broker-home")
	p.goTo(issuer + "/logout")
	p.look(g, "logout-unasked")
	p.goTo(d.App + "/")
	p.click("Sign out")
	p.until("the person is signed out", `document.readyState === "complete" && /signed out|Sign out\?/i.test(document.querySelector("h1,h2").innerText)`)
	p.look(g, "signed-out")
}

// pagesOfRefusals are what people see when something is wrong.
func (d *demo) pagesOfRefusals(t *testing.T, g gallery) {
	p := d.browser.open(t)
	p.goTo(d.App + "/login")
	p.untilHeading("Sign in")
	chooser, err := url.Parse(p.url())
	if err != nil {
		t.Fatal(err)
	}
	issuer := origin(p.url())
	for name, path := range map[string]string{
		"error-unknown-client": "/authorize?client_id=nobody&response_type=code&redirect_uri=https://wiki.example/callback",
		"error-redirect-uri":   "/authorize?client_id=wiki&response_type=code&redirect_uri=https://elsewhere.example/callback",
		"error-no-such-page":   "/no/such/page",
		"error-stale-flow":     chooser.Path + "?flow=AAAAAAAAAAAAAAAAAAAAAAAAAA",
		"error-no-flow":        "/callback/google?state=stale&code=stale",
	} {
		p.goTo(issuer + path)
		if s := p.lastDocument().Status; s < 400 || s > 499 {
			t.Errorf("%s has status %d", path, s)
		}
		if text := p.text(); strings.TrimSpace(text) == "" {
			t.Errorf("%s shows nothing", path)
		}
		if strings.HasPrefix(p.lastDocument().Headers["content-type"]+p.lastDocument().Headers["Content-Type"], "text/html") {
			p.look(g, name)
		}
	}
	p.goTo(d.App + "/login?idp_hint=google")
	p.untilHeading("Choose an account")
	p.click("Ben Harrow")
	p.until("the person is turned away", `document.readyState === "complete" && document.querySelector("h1") && document.querySelector("h1").innerText !== "Choose an account"`)
	p.look(g, "not-admitted")
	// Google goes on knowing Ben.
	p = d.browser.open(t)
	p.goTo(d.App + "/second/login?idp_hint=google")
	p.untilHeading("Choose an account")
	p.click("Ada Winter")
	p.until("the application is told", `document.readyState === "complete" && document.querySelector("h1,h2").innerText !== "Choose an account"`)
	p.look(g, "not-admitted-by-the-application")
}

func origin(u string) string {
	parsed, err := url.Parse(u)
	if err != nil {
		return ""
	}
	return parsed.Scheme + "://" + parsed.Host
}
