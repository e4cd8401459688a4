package e2e

import (
	"strconv"
	"strings"
	"testing"
)

// keyboard signs in without a mouse, and sees at every step where it is.
func (d *demo) keyboard(t *testing.T) {
	p := d.browser.open(t)
	p.goTo(d.App + "/try")
	p.tabTo("Be asked for consent again")
	p.press("Enter")
	p.untilHeading("Sign in")
	p.tabTo("Continue with Okta")
	p.press("Enter")
	p.untilHeading("Choose an account")
	p.tabTo("Ada Winter")
	p.press("Enter")
	p.untilHeading("Allow Wiki to use your account?")
	p.tabTo("Allow")
	p.press("Space")
	p.untilSignedIn("/", "Ada Winter")
	p.quiet()
}

// tabTo presses Tab until the control has the focus. Every stop on the way must
// be visible and show that it is where the focus is.
func (p *tab) tabTo(text string) {
	p.t.Helper()
	var trail []string
	for range 60 {
		p.press("Tab")
		var at struct {
			Text    string
			Outline string
			Visible bool
		}
		p.ask(p.read(`(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
			return {text: e.innerText.trim().replace(/\s+/g, " "), outline: s.outlineStyle === "none" ? "" : s.outlineWidth,
				visible: r.width > 0 && r.height > 0 && r.bottom > 0 && r.top < innerHeight} })()`, &at))
		if at.Outline == "" || at.Outline == "0px" || !at.Visible {
			p.t.Errorf("at %s the focus cannot be seen on %q (outline %q, visible %v)", p.url(), at.Text, at.Outline, at.Visible)
		}
		if trail = append(trail, at.Text); strings.Contains(at.Text, text) {
			return
		}
	}
	p.t.Fatalf("%q is not reached by keyboard; what is: %q", text, trail)
}

// scriptless signs in with scripts switched off.
func (d *demo) scriptless(t *testing.T) {
	for _, who := range admitted() {
		t.Run("through "+who.Choice, func(t *testing.T) {
			p := d.browser.open(t)
			p.withoutScripts()
			d.arrive(p, who)
			verified(p)
			p.click("Refresh the tokens")
			p.untilHeading("New tokens")
			p.click("Sign out")
			p.until("the person is signed out", `document.readyState === "complete" && /signed out|Sign out\?/i.test(document.querySelector("h1,h2").innerText)`)
			p.quiet()
		})
	}
}

// withoutScripts switches the pages' scripts off, and makes sure of it.
func (p *tab) withoutScripts() {
	p.t.Helper()
	p.do("Emulation.setScriptExecutionDisabled", params{"value": true})
	p.goTo("data:text/html,<!doctype html><title>off</title><script>document.title='on'</script>")
	var title string
	if p.ask(p.read("document.title", &title)); title != "off" {
		p.t.Fatalf("scripts are %s", title)
	}
}

// cookies on plain HTTP are bare of prefix and Secure, and otherwise as strict.
func (d *demo) cookies(t *testing.T) {
	p := d.browser.open(t)
	d.arrive(p, person{"okta", "Okta", "Ada Winter"})
	sessions := 0
	for _, c := range p.cookies() {
		if !strings.HasPrefix(c.Name, "gatehouse-") {
			continue
		}
		if !c.HTTPOnly || c.SameSite != "Lax" || c.Path != "/" || c.Secure {
			t.Errorf("cookie %+v", c)
		}
		if strings.HasPrefix(c.Name, "gatehouse-last") && c.Value == "okta" {
			continue // the name of the connector, which is no secret
		}
		if strings.HasPrefix(c.Name, "gatehouse-flow") {
			t.Errorf("a finished flow leaves the cookie %s", c.Name)
		} else {
			sessions++
		}
		if strings.Contains(p.text(), c.Value) {
			t.Errorf("the value of %s is shown on a page", c.Name)
		}
	}
	if sessions != 1 {
		t.Errorf("%d sessions among the cookies %+v", sessions, p.cookies())
	}
}

// scheme and width are what the pages are looked at in.
var (
	schemes = []string{"light", "dark"}
	widths  = []int{360, 1280}
)

// look shows the page in every scheme and width to the camera and to axe-core.
func (p *tab) look(g gallery, name string) {
	p.t.Helper()
	p.quiet()
	for _, scheme := range schemes {
		p.do("Emulation.setEmulatedMedia", params{"features": []params{
			{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}}})
		for _, width := range widths {
			p.do("Emulation.setDeviceMetricsOverride", params{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false})
			var needed int
			if p.ask(p.read("document.documentElement.scrollWidth", &needed)); needed > width {
				p.t.Errorf("%s is %d pixels wide on a screen of %d", name, needed, width)
			}
			view := name + "-" + scheme + "-" + strconv.Itoa(width)
			if g.dir != "" {
				p.picture(g.dir, view)
			}
			if g.axe != "" {
				p.accessible(g.axe, view)
			}
		}
	}
	p.do("Emulation.clearDeviceMetricsOverride", nil)
}

// accessible applies axe-core's rules.
func (p *tab) accessible(axe, view string) {
	p.t.Helper()
	var there bool
	p.ask(p.read(axe+`; typeof axe.run === "function"`, &there))
	var found []struct {
		ID, Impact, Help string
		Where            []string
	}
	p.ask(p.read(`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v =>
		({id: v.id, impact: v.impact, help: v.help, where: v.nodes.map(n => n.target.join(" ") + ": " + n.failureSummary)})))`, &found))
	for _, v := range found {
		if v.Impact == "serious" || v.Impact == "critical" {
			p.t.Errorf("%s: %s: %s (%s)\n\t%s", view, v.Impact, v.Help, v.ID, strings.Join(v.Where, "\n\t"))
		} else {
			p.t.Logf("%s: %s: %s (%s)\n\t%s", view, v.Impact, v.Help, v.ID, strings.Join(v.Where, "\n\t"))
		}
	}
}
