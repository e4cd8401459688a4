// Package e2e drives a real Chromium through `broker demo` and `broker serve`:
// what a person sees and does, with the cookies, redirects, forms and content
// security policies that only a browser applies.
//
// It runs when GATEHOUSE_E2E is set, and then a missing browser is a failure:
//
//	GATEHOUSE_E2E=1 go test ./internal/e2e
//
// GATEHOUSE_SCREENSHOTS names a directory that gets a picture of every page, in
// light and dark and in two widths; GATEHOUSE_AXE a file with axe-core, whose
// accessibility rules are then applied to every page as well.
package e2e

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// demo is a running `broker demo`, and a browser.
type demo struct {
	browser *chromium
	program *program
	// App is the address of the sample applications, without a slash at the end.
	App string
}

func enabled(t *testing.T) {
	t.Helper()
	if os.Getenv("GATEHOUSE_E2E") == "" {
		t.Skip("set GATEHOUSE_E2E=1 to drive a real Chromium")
	}
}

// TestDemo is what a person who has just cloned the repository can do.
func TestDemo(t *testing.T) {
	enabled(t)
	d := &demo{}
	var found []string
	d.program, found = run(t, `open (http://\S+)/ in a browser`, buildBroker(t), "demo")
	d.App = found[1]
	d.browser = startChromium(t)
	t.Run("sign in", d.signIn)
	t.Run("sign-in is once for all applications", d.secondApplication)
	t.Run("refresh", d.refresh)
	t.Run("saying no", d.deny)
	t.Run("keyboard alone", d.keyboard)
	t.Run("scripts switched off", d.scriptless)
	t.Run("cookies", d.cookies)
	t.Run("pages", d.pages)
	d.program.stop()
	printed := d.program.printed.String()
	// The beginnings of JWTs, of our codes and refresh tokens, and of Google's codes: I10.
	for _, unwanted := range []string{"panic", "eyJ", "gc_", "gr_", "4/0A", "4%2F0A", "code_verifier"} {
		if strings.Contains(printed, unwanted) {
			t.Errorf("the demo printed %q:\n%s", unwanted, printed)
		}
	}
	if !strings.Contains(printed, "hosted_domain") {
		t.Errorf("the log does not say why people were turned away:\n%s", printed)
	}
}

// person is somebody who can pass at a vendor.
type person struct{ Vendor, Choice, Name string }

func admitted() []person {
	return []person{{"google", "Google", "Ada Winter"}, {"entra", "Entra", "Ada Winter"}, {"okta", "Okta", "Ada Winter"}, {"github", "GitHub", "Ada Winter"}}
}

// enter goes from the sample application through the vendor. Who signed in
// before, in whichever browser, is not asked for consent again, unless consent says so.
func (d *demo) enter(p *tab, who person, consent bool) {
	p.t.Helper()
	p.goTo(d.App + "/")
	if consent {
		p.goTo(d.App + "/login?prompt=consent")
	} else {
		p.click("Sign in")
	}
	p.untilHeading("Sign in")
	p.click("Continue with " + who.Choice)
	p.untilHeading("Choose an account")
	p.click(who.Name)
	if consent {
		p.untilHeading("Allow Wiki to use your account?")
	}
}

// arrive signs in to the end.
func (d *demo) arrive(p *tab, who person) {
	p.t.Helper()
	d.enter(p, who, true)
	p.click("Allow")
	p.untilSignedIn("/", who.Name)
}

// untilSignedIn waits until the sample application at this path shows somebody.
func (p *tab) untilSignedIn(path, name string) {
	p.t.Helper()
	p.until(path+" shows "+name, `document.readyState === "complete" && location.pathname === `+strconv.Quote(path)+
		` && document.body.innerText.includes(`+strconv.Quote("Signed in as "+name)+`)`)
}

// verified fails the test unless both tokens on the page have been verified.
func verified(p *tab) {
	p.t.Helper()
	var tags []string
	p.ask(p.read(`[...document.querySelectorAll("h2 .tag")].map(e => e.innerText)`, &tags))
	if strings.Join(tags, ",") != "verified,verified" {
		p.t.Errorf("the tokens are %q:\n%s", tags, p.text())
	}
	if text := p.text(); strings.Contains(text, "fails:") || strings.Contains(text, "refuses") {
		p.t.Errorf("something does not hold:\n%s", text)
	}
}

func (d *demo) signIn(t *testing.T) {
	for _, who := range admitted() {
		t.Run("through "+who.Choice, func(t *testing.T) {
			p := d.browser.open(t)
			d.enter(p, who, false)
			p.untilHeading("Allow Wiki to use your account?")
			p.contains("See which groups", "signed in with "+who.Choice)
			p.click("Allow")
			p.untilSignedIn("/", who.Name)
			verified(p)
			p.contains("Signed in as "+who.Name, "is about the same person as the ID token")
			if u := p.url(); u != d.App+"/" {
				t.Errorf("the flow leaves its parameters in the address: %s", u)
			}
			p.quiet()

			again := d.browser.open(t)
			d.enter(again, who, false)
			again.untilSignedIn("/", who.Name)
			again.quiet()
		})
	}
}

func (d *demo) secondApplication(t *testing.T) {
	p := d.browser.open(t)
	d.arrive(p, person{"okta", "Okta", "Ada Winter"})
	before := len(p.documents)
	p.click("Sign in to Payroll too")
	p.untilSignedIn("/second/", "Ada Winter")
	verified(p)
	// Redirects are no documents: only Payroll's own page was shown.
	for _, shown := range p.documents[before:] {
		if !strings.HasPrefix(shown.URL, d.App+"/second/") {
			t.Errorf("something was asked at %s", shown.URL)
		}
	}
	p.goTo(d.App + "/login?prompt=none")
	p.untilSignedIn("/", "Ada Winter")
	p.quiet()

	t.Run("but not for people whom the application does not admit", func(t *testing.T) {
		p := d.browser.open(t)
		d.arrive(p, person{"google", "Google", "Ada Winter"})
		p.click("Sign in to Payroll too")
		p.until("Payroll is told", `document.readyState === "complete" && document.body.innerText.includes("access_denied")`)
		p.quiet()
	})
}

func (d *demo) refresh(t *testing.T) {
	p := d.browser.open(t)
	d.arrive(p, person{"github", "GitHub", "Ada Winter"})
	const tokens = `[...document.querySelectorAll(".history code")].map(e => e.innerText).join()`
	var before, after string
	p.ask(p.read(tokens, &before))
	p.click("Refresh the tokens")
	p.untilHeading("New tokens")
	verified(p)
	p.contains("rotated")
	p.ask(p.read(tokens, &after))
	if rest, ok := strings.CutPrefix(after, before+","); !ok || strings.Contains(rest, before[:8]) {
		t.Errorf("the tokens went from %s to %s", before, after)
	}
	p.quiet()
}

func (d *demo) deny(t *testing.T) {
	t.Run("to the application", func(t *testing.T) {
		p := d.browser.open(t)
		d.enter(p, person{"okta", "Okta", "Ben Harrow"}, true)
		p.click("Cancel")
		p.untilHeading("The broker did not sign you in")
		p.contains("access_denied")
		p.quiet()
	})
	t.Run("at the provider", func(t *testing.T) {
		p := d.browser.open(t)
		p.goTo(d.App + "/login?idp_hint=google")
		p.untilHeading("Choose an account")
		p.click("Cancel")
		p.until("somebody says so", `document.readyState === "complete" && document.querySelector("h1,h2").innerText !== "Choose an account"`)
		if text := p.text(); !strings.Contains(text, "Google") && !strings.Contains(text, "access_denied") {
			t.Errorf("nobody says that the sign-in was cancelled:\n%s", text)
		}
		p.quiet()
	})
	for _, who := range []person{{"google", "Google", "Ben Harrow"}, {"github", "GitHub", "Ben Harrow"}, {"okta", "Okta", "Eve Forster"}} {
		t.Run("to "+who.Name+" from "+who.Choice, func(t *testing.T) {
			p := d.browser.open(t)
			p.goTo(d.App + "/login?idp_hint=" + who.Vendor)
			p.untilHeading("Choose an account")
			p.click(who.Name)
			p.until("the person is turned away", `document.readyState === "complete" && document.querySelector("h1") && document.querySelector("h1").innerText !== "Choose an account"`)
			text := p.text()
			if strings.Contains(text, "Signed in as") || strings.Contains(text, "to use your account?") {
				t.Fatalf("%s got in:\n%s", who.Name, text)
			}
			if !strings.Contains(text, who.Choice) {
				t.Errorf("the page does not say who refused:\n%s", text)
			}
			d.wayOut(p)
			p.quiet()
		})
	}
}

// wayOut: where the broker has turned somebody away it offers another try, and
// the provider, which still knows them, must not send the same account again.
func (d *demo) wayOut(p *tab) {
	p.t.Helper()
	if !strings.Contains(p.text(), "Try again") {
		return
	}
	p.click("Try again")
	p.until("there is a choice", `document.readyState === "complete" && ["Sign in", "Choose an account"].includes(document.querySelector("h1")?.innerText)`)
}
