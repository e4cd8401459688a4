package e2e

import (
	"net/url"
	"testing"
)

// answered is what the waiting page was told, and by whom.
type answered struct {
	Origin   string            `json:"origin"`
	Response map[string]string `json:"response"`
}

// webMessage: the answer reaches the page that waits for it, in a frame and in a
// window, under the broker's own content security policy.
func (h *house) webMessage(t *testing.T) {
	waiting := func(more string, pairs ...string) string {
		return h.app.URL + "/waiting?" + more + "to=" + url.QueryEscape(h.authorize(append(pairs, "response_mode", "web_message")...))
	}
	told := func(t *testing.T, p *tab) answered {
		t.Helper()
		p.untilHeading("Answered")
		var a answered
		if err := p.read("window.answer", &a); err != nil {
			t.Fatal(err)
		}
		if a.Origin != h.Issuer || a.Response["iss"] != h.Issuer || a.Response["state"] != `the "state" <b>` {
			t.Errorf("told %+v", a)
		}
		return a
	}
	t.Run("a frame of another site has no session", func(t *testing.T) {
		p := h.browser.open(t)
		p.goTo(waiting("frame&", "prompt", "none"))
		if a := told(t, p); a.Response["error"] != "login_required" || a.Response["code"] != "" {
			t.Errorf("told %+v", a)
		}
		p.quiet()
	})
	t.Run("a window signs in", func(t *testing.T) {
		p := h.browser.open(t)
		p.goTo(waiting(""))
		p.do("Runtime.evaluate", params{"expression": "ask()", "userGesture": true})
		if a := told(t, p); a.Response["code"] == "" || a.Response["error"] != "" {
			t.Errorf("told %+v", a)
		}
		p.do("Runtime.evaluate", params{"expression": "popup.close()"})
		p.quiet()
	})
}
