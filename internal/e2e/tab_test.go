package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long anything may take on a machine with other things to do.
const patience = 30 * time.Second

// tab is one page of one person: every tab has cookies of its own.
type tab struct {
	t       *testing.T
	browser *chromium
	session string
	context string

	mu sync.Mutex
	// complaints are what the browser's console says is wrong with the pages.
	complaints []string
	// documents are the answers to navigations, in order.
	documents []document
}

// document is the answer to a navigation.
type document struct {
	URL     string            `json:"url"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
}

// params are the parameters of a command.
type params map[string]any

// open opens a tab without cookies. It is closed with the test.
func (c *chromium) open(t *testing.T) *tab {
	t.Helper()
	p := &tab{t: t, browser: c}
	var made struct{ BrowserContextID, TargetID, SessionID string }
	p.ask(c.call("", "Target.createBrowserContext", params{"disposeOnDetach": true}, &made))
	p.context = made.BrowserContextID
	t.Cleanup(func() {
		if err := c.call("", "Target.disposeBrowserContext", params{"browserContextId": p.context}, nil); err != nil {
			t.Error(err)
		}
	})
	p.ask(c.call("", "Target.createTarget", params{"url": "about:blank", "browserContextId": p.context, "width": 1280, "height": 900}, &made))
	p.ask(c.call("", "Target.attachToTarget", params{"targetId": made.TargetID, "flatten": true}, &made))
	p.session = made.SessionID
	c.mu.Lock()
	c.tabs[p.session] = p
	c.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log", "Network", "Audits"} {
		p.do(domain+".enable", nil)
	}
	return p
}

func (p *tab) ask(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) do(method string, with params) {
	p.t.Helper()
	p.ask(p.browser.call(p.session, method, with, nil))
}

// observe notes events that matter to a test.
func (p *tab) observe(e event) {
	var got struct {
		Type     string
		Response document
		Entry    struct{ Source, Level, Text, URL string }
		Issue    struct {
			Code    string
			Details json.RawMessage
		}
		Args             []struct{ Value any }
		ExceptionDetails struct{ Text string }
	}
	if json.Unmarshal(e.Params, &got) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Method {
	case "Network.responseReceived":
		if got.Type == "Document" {
			p.documents = append(p.documents, got.Response)
		}
	case "Log.entryAdded":
		// That a page came with status 403 is said by its document already.
		if got.Entry.Level != "verbose" && got.Entry.Source != "network" {
			p.complain("%s %s: %s (%s)", got.Entry.Source, got.Entry.Level, got.Entry.Text, got.Entry.URL)
		}
	case "Runtime.consoleAPICalled":
		p.complain("console.%s: %v", got.Type, got.Args)
	case "Runtime.exceptionThrown":
		p.complain("exception: %s", got.ExceptionDetails.Text)
	case "Audits.issueAdded":
		// Most others are advice, about what the pages do on purpose.
		if slices.Contains([]string{"ContentSecurityPolicyIssue", "MixedContentIssue", "GenericIssue", "QuirksModeIssue"}, got.Issue.Code) {
			p.complain("issue %s: %s", got.Issue.Code, got.Issue.Details)
		}
	}
}

func (p *tab) complain(format string, a ...any) {
	p.complaints = append(p.complaints, fmt.Sprintf(format, a...))
}

// quiet fails the test if the browser has complained about a page.
func (p *tab) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.complaints {
		p.t.Errorf("the browser complains: %s", c)
	}
	p.complaints = nil
}

// lastDocument is the answer to the latest navigation.
func (p *tab) lastDocument() document {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.documents) == 0 {
		p.t.Fatal("no document was loaded")
	}
	return p.documents[len(p.documents)-1]
}

// goTo opens a URL.
func (p *tab) goTo(url string) {
	p.t.Helper()
	var answer struct{ ErrorText string }
	p.ask(p.browser.call(p.session, "Page.navigate", params{"url": url}, &answer))
	if answer.ErrorText != "" {
		p.t.Fatalf("%s: %s", url, answer.ErrorText)
	}
	p.until("the page is loaded", `document.readyState === "complete"`)
}

// read evaluates an expression in the page. It works in pages whose own scripts
// are switched off, too.
func (p *tab) read(expression string, result any) error {
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	err := p.browser.call(p.session, "Runtime.evaluate", params{"expression": expression, "returnByValue": true, "awaitPromise": true}, &answer)
	if err != nil {
		return err
	}
	if e := answer.ExceptionDetails; e != nil {
		return fmt.Errorf("%s: %s %s", expression, e.Text, e.Exception.Description)
	}
	if len(answer.Result.Value) == 0 {
		return fmt.Errorf("%s is undefined", expression)
	}
	return json.Unmarshal(answer.Result.Value, result)
}

// until waits for a condition. While a navigation is under way there may be no
// page to ask.
func (p *tab) until(what, condition string) {
	p.t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var holds bool
		if err = p.read("!!("+condition+")", &holds); err == nil && holds {
			return
		}
	}
	p.t.Fatalf("waited in vain until %s (%v); at %s:\n%s", what, err, p.url(), p.text())
}

// untilHeading waits until a loaded page has the heading.
func (p *tab) untilHeading(text string) {
	p.t.Helper()
	p.until("the heading is "+strconv.Quote(text),
		`document.readyState === "complete" && [...document.querySelectorAll("h1,h2")].some(h => h.textContent.trim().startsWith(`+strconv.Quote(text)+`))`)
}

func (p *tab) url() string {
	var u string
	_ = p.read("location.href", &u)
	return u
}

func (p *tab) text() string {
	var text string
	_ = p.read("document.body.innerText", &text)
	return text
}

// contains fails the test unless the page shows the texts.
func (p *tab) contains(texts ...string) {
	p.t.Helper()
	shown := p.text()
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			p.t.Errorf("the page at %s does not say %q:\n%s", p.url(), text, shown)
		}
	}
}

// control finds the first link or button whose text begins so.
func control(text string) string {
	return `[...document.querySelectorAll("a,button,summary")].find(e => e.innerText.trim().replace(/\s+/g, " ").includes(` + strconv.Quote(text) + `))`
}

// click presses a link or a button with the mouse.
func (p *tab) click(text string) {
	p.t.Helper()
	p.until("there is a control "+strconv.Quote(text), `document.readyState === "complete" && `+control(text))
	var at struct{ X, Y float64 }
	p.ask(p.read(`(() => { const e = `+control(text)+`; e.scrollIntoView({block: "center"});
		const r = e.getClientRects()[0]; return {x: r.x + r.width / 2, y: r.y + r.height / 2} })()`, &at))
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.do("Input.dispatchMouseEvent", params{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1})
	}
}

// press presses a key: Tab, Enter or Space.
func (p *tab) press(key string) {
	p.t.Helper()
	code, text := map[string]int{"Tab": 9, "Enter": 13, "Space": 32}[key], map[string]string{"Enter": "\r", "Space": " "}[key]
	name := map[string]string{"Space": " "}[key]
	if name == "" {
		name = key
	}
	p.do("Input.dispatchKeyEvent", params{"type": "keyDown", "key": name, "code": key, "windowsVirtualKeyCode": code, "text": text})
	p.do("Input.dispatchKeyEvent", params{"type": "keyUp", "key": name, "code": key, "windowsVirtualKeyCode": code})
}

// cookie is one of the browser's.
type cookie struct {
	Name, Value, Domain, Path, SameSite string
	HTTPOnly, Secure, Session           bool
}

func (p *tab) cookies() []cookie {
	p.t.Helper()
	var answer struct{ Cookies []cookie }
	p.ask(p.browser.call("", "Storage.getCookies", params{"browserContextId": p.context}, &answer))
	return answer.Cookies
}

// picture writes a picture of the whole page.
func (p *tab) picture(dir, name string) {
	p.t.Helper()
	var size struct{ Width, Height int }
	p.ask(p.read(`({width: innerWidth, height: Math.max(innerHeight, document.documentElement.scrollHeight)})`, &size))
	clip := params{"x": 0, "y": 0, "width": size.Width, "height": size.Height, "scale": 1}
	var answer struct{ Data string }
	p.ask(p.browser.call(p.session, "Page.captureScreenshot", params{"captureBeyondViewport": true, "clip": clip}, &answer))
	png, err := base64.StdEncoding.DecodeString(answer.Data)
	p.ask(err)
	p.ask(os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}
