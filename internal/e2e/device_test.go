package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// parlour is a broker with two upstreams, and devices that have neither a browser
// nor a keyboard.
type parlour struct {
	browser *chromium
	issuer  string
}

// TestDevice is the device grant (RFC 8628) as the person with the device in front
// of them sees it.
func TestDevice(t *testing.T) {
	enabled(t)
	l := &parlour{}
	l.start(t)
	l.browser = startChromium(t)
	t.Run("a code that is typed badly, and yes", l.typed)
	t.Run("a link, and no", l.linked)
	t.Run("keyboard alone", l.keyboard)
	t.Run("scripts switched off", l.scriptless)
	t.Run("two browsers with one code", l.late)
}

func (l *parlour) start(t *testing.T) {
	t.Helper()
	port := freePort(t)
	l.issuer = "http://127.0.0.1:" + port
	config := filepath.Join(t.TempDir(), "broker.yaml")
	text := fmt.Sprintf(`
issuer: %s
listen: 127.0.0.1:%s
storage: {type: bolt, path: broker.db}
health: {listen: "off"}
connectors:
  - {id: north, type: oidc, name: North, client_id: broker, client_secret: upstream-secret, issuer: %q}
  - {id: south, type: oidc, name: South, client_id: broker, client_secret: upstream-secret, issuer: %q}
clients:
  - {client_id: tv, client_name: Television, token_endpoint_auth_method: none, grant_types: ["urn:ietf:params:oauth:grant-type:device_code", refresh_token]}
  - {client_id: printer, client_name: Printer, client_uri: "https://printers.example/", client_secret: the-secret-of-the-printer, grant_types: ["urn:ietf:params:oauth:grant-type:device_code"]}
`, l.issuer, port, newUpstream(t, l.issuer, "north").URL, newUpstream(t, l.issuer, "south").URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, `serving.*issuer=`, buildBroker(t), "serve", "-c", config)
}

// waiting is a device that shows a code.
type waiting struct {
	t        *testing.T
	issuer   string
	client   string
	Device   string `json:"device_code"`
	User     string `json:"user_code"`
	Page     string `json:"verification_uri"`
	Complete string `json:"verification_uri_complete"`
	Interval int    `json:"interval"`
}

// begin is a device that asks for a code.
func (l *parlour) begin(t *testing.T, client string) *waiting {
	t.Helper()
	d := &waiting{t: t, issuer: l.issuer, client: client}
	d.ask("/device_authorization", http.StatusOK, url.Values{"scope": {"openid profile email offline_access"}}, d)
	return d
}

// poll asks for tokens, and fails the test unless the error is that.
func (d *waiting) poll(want string) {
	d.t.Helper()
	var answer struct {
		Error string `json:"error"`
		Token string `json:"access_token"`
	}
	status := http.StatusBadRequest
	if want == "" {
		status = http.StatusOK
	}
	d.ask("/token", status, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {d.Device}}, &answer)
	if answer.Error != want || (answer.Token == "") != (want != "") {
		d.t.Errorf("the device is told %q, want %q", answer.Error, want)
	}
}

// patiently waits for as long as a device has to between two polls.
func (d *waiting) patiently() {
	time.Sleep(time.Duration(d.Interval)*time.Second + 100*time.Millisecond)
}

func (d *waiting) ask(path string, status int, form url.Values, into any) {
	d.t.Helper()
	if d.client == "tv" {
		form.Set("client_id", "tv")
	}
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "LivingRoom/4.2 (a television)")
	if d.client != "tv" {
		r.SetBasicAuth(d.client, "the-secret-of-the-"+d.client)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil || response.StatusCode != status {
		d.t.Fatalf("%s answers %d, %v: %+v", path, response.StatusCode, err, into)
	}
}

// typeCode replaces what stands in the field of the code, and presses Enter.
func (p *tab) typeCode(code string) {
	p.t.Helper()
	p.ask(p.read(`(() => { const e = document.getElementById("user-code"); e.focus(); e.select(); return true })()`, new(bool)))
	p.do("Input.insertText", params{"text": code})
	p.press("Enter")
}

// signInAt passes the chooser and the upstream.
func (p *tab) signInAt(name string) {
	p.t.Helper()
	p.untilHeading("Sign in")
	p.click("Continue with " + name)
	p.untilHeading("Choose an account")
	p.click("Ada Winter")
}

func (l *parlour) typed(t *testing.T) {
	g, d, p := openGallery(t), l.begin(t, "tv"), l.browser.open(t)
	d.poll("authorization_pending")
	p.goTo(d.Page)
	p.untilHeading("Connect a device")
	p.contains("Did someone send you this code or link?")
	var focused string
	if p.ask(p.read(`document.activeElement.id`, &focused)); focused != "user-code" {
		t.Errorf("the focus is on %q", focused)
	}
	p.look(g, "device-code")
	for _, bad := range []struct{ name, code, says string }{
		{"spelling", "ABC 123", "A code has eight letters"},
		{"unknown", "BBBB-BBBB", "There is no such code"},
	} {
		p.typeCode(bad.code)
		p.until("the page says what is wrong", `document.readyState === "complete" && document.querySelector("[role=alert]")?.innerText.includes("`+bad.says+`")`)
		var field struct{ Value, Invalid, Described string }
		p.ask(p.read(`(() => { const e = document.getElementById("user-code");
			return {value: e.value, invalid: e.getAttribute("aria-invalid"), described: e.getAttribute("aria-describedby")} })()`, &field))
		if field.Value != bad.code || field.Invalid != "true" || !strings.Contains(field.Described, "code-problem") {
			t.Errorf("after %q the field is %+v", bad.code, field)
		}
		p.look(g, "device-code-"+bad.name)
	}
	// As a phone's keyboard has it: small letters, spaces, and look-alikes.
	p.typeCode(" " + strings.NewReplacer("-", " ", "l", "1", "z", "2", "s", "5", "g", "6", "b", "8", "v", "u").Replace(strings.ToLower(d.User)) + " ")
	p.signInAt("North")
	p.untilHeading("Let Television on a device use your account?")
	p.contains("any program can ask in the name of Television", "Only continue if you started this yourself", d.User,
		"127.0.0.1", "LivingRoom/4.2 (a television)", "less than a minute ago", "Ada Winter", "ada@corp.example", "signed in with North")
	if strings.Contains(p.text(), "not the network") {
		t.Error("the device is said to be elsewhere")
	}
	p.look(g, "device-confirm")
	p.click("Allow")
	p.untilHeading("You can go back to your device")
	p.contains("Television can now use your account there")
	if u := p.url(); strings.Contains(u, d.User) || strings.Contains(u, d.Device) {
		t.Errorf("the code is in the address: %s", u)
	}
	p.look(g, "device-allowed")
	d.patiently()
	d.poll("")
	d.poll("invalid_grant")
	// The code is spent for people too.
	p.goTo(d.Page)
	p.typeCode(d.User)
	p.until("the page says that there is no such code", `document.querySelector("[role=alert]")?.innerText.includes("There is no such code")`)
	p.quiet()
}

func (l *parlour) linked(t *testing.T) {
	g, d, p := openGallery(t), l.begin(t, "printer"), l.browser.open(t)
	p.goTo(d.Complete)
	p.untilHeading("Connect a device")
	p.contains("Check that your device shows this very code", "Did someone send you this code or link?")
	var value string
	if p.ask(p.read(`document.getElementById("user-code").value`, &value)); value != d.User {
		t.Errorf("the field holds %q, the device shows %q", value, d.User)
	}
	p.look(g, "device-link")
	p.click("Continue")
	p.signInAt("South")
	p.untilHeading("Let Printer on a device use your account?")
	p.contains("Verified", "printers.example", "signed in with South")
	p.look(g, "device-confirm-verified")
	p.click("Use another account")
	p.untilHeading("Sign in")
	p.click("Continue with South")
	p.untilHeading("Choose an account")
	p.click("Ben Harrow")
	p.untilHeading("Let Printer on a device use your account?")
	p.contains("Ben Harrow")
	p.click("Do not allow")
	p.untilHeading("Nothing was allowed")
	p.look(g, "device-denied")
	d.poll("access_denied")
	p.quiet()
}

// keyboard connects a device without a mouse.
func (l *parlour) keyboard(t *testing.T) {
	d, p := l.begin(t, "tv"), l.browser.open(t)
	p.goTo(d.Page)
	p.untilHeading("Connect a device")
	p.until("the field has the focus", `document.hasFocus() && document.activeElement.id === "user-code"`)
	p.do("Input.insertText", params{"text": d.User})
	p.until("the code is in the field", `document.activeElement.value !== ""`)
	p.tabTo("Continue")
	p.press("Enter")
	p.untilHeading("Sign in")
	p.tabTo("Continue with North")
	p.press("Enter")
	p.untilHeading("Choose an account")
	p.tabTo("Ada Winter")
	p.press("Enter")
	p.untilHeading("Let Television on a device use your account?")
	p.tabTo("Do not allow")
	p.press("Tab")
	p.press("Space")
	p.untilHeading("You can go back to your device")
	d.poll("")
	p.quiet()
}

func (l *parlour) scriptless(t *testing.T) {
	d, p := l.begin(t, "tv"), l.browser.open(t)
	p.withoutScripts()
	p.goTo(d.Complete)
	p.click("Continue")
	p.signInAt("South")
	p.untilHeading("Let Television on a device use your account?")
	p.click("Allow")
	p.untilHeading("You can go back to your device")
	d.poll("")
	for _, c := range p.cookies() {
		if strings.HasPrefix(c.Name, "gatehouse-flow") {
			t.Errorf("a finished flow leaves the cookie %s", c.Name)
		}
	}
	p.quiet()
}

// late: of two browsers with one code, the second one comes too late.
func (l *parlour) late(t *testing.T) {
	g, d := openGallery(t), l.begin(t, "tv")
	first, second := l.browser.open(t), l.browser.open(t)
	for _, p := range []*tab{first, second} {
		p.goTo(d.Complete)
		p.click("Continue")
		p.signInAt("North")
		p.untilHeading("Let Television on a device use your account?")
	}
	first.click("Do not allow")
	first.untilHeading("Nothing was allowed")
	second.click("Allow")
	second.untilHeading("This code can no longer be used")
	second.look(g, "device-over")
	second.click("Enter a code")
	second.untilHeading("Connect a device")
	d.poll("access_denied")
	second.quiet()
}
