package web

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// RFC 8628 §3.3: a field for the code that works on every keyboard, named and
// described, and nothing that sends it by itself.
func TestDeviceCodeAsksForACode(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name         string
		page         DeviceCode
		status       int
		want, lacks  []string
		wantValue    string
		wantProblems int
	}{
		{"an empty field", DeviceCode{Action: "/device"}, 200,
			[]string{"Enter the code that your device shows", " autofocus"}, []string{`aria-invalid="`}, "", 0},
		{"the code of the link that the device showed", DeviceCode{Action: "/device", UserCode: "BCDF-GHJK", FromLink: true}, 200,
			[]string{"Check that your device shows this very code"}, []string{" autofocus", `aria-invalid="`}, "BCDF-GHJK", 0},
		{"what was typed, and what is wrong with it", DeviceCode{Action: "/device", UserCode: `"><b>` + strings.Repeat("x", 99), Problem: "There is no such code."}, 400,
			[]string{`<p id="code-problem" class="problem" role="alert">There is no such code.</p>`, `aria-invalid="true"`, `aria-describedby="code-form code-problem"`},
			[]string{"<b>"}, "&#34;&gt;&lt;b&gt;" + strings.Repeat("x", 35) + "…", 1},
	} {
		w := httptest.NewRecorder()
		newPages(t).DeviceCode(w, row.status, row.page)
		body := w.Body.String()
		if w.Code != row.status {
			t.Errorf("%s: status %d", row.name, w.Code)
		}
		always := []string{`<form method="post" action="/device"`, `<label for="user-code">`, `name="user_code" value="` + row.wantValue + `"`, "Eight letters, like XXXX-XXXX",
			`inputmode="text"`, `autocapitalize="characters"`, `autocomplete="off"`, `spellcheck="false"`, "Did someone send you this code or link?"}
		for _, want := range append(always, row.want...) {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page does not hold %q", row.name, want)
			}
		}
		for _, other := range append(row.lacks, "<script", "http-equiv", "pattern=") {
			if strings.Contains(body, other) {
				t.Errorf("%s: the page holds %q", row.name, other)
			}
		}
		if got := strings.Count(body, `role="alert"`); got != row.wantProblems {
			t.Errorf("%s: %d problems", row.name, got)
		}
	}
}

// DV-02, DV-07: the page names the client, how far to believe that, the code to
// compare, where it was started and whose account it is, and warns.
func TestDeviceConfirmSaysWhoWhatAndWhere(t *testing.T) {
	t.Parallel()
	page := DeviceConfirm{
		Action: "/device/confirm", Flow: "se<aled", Fields: []Field{{"account", "42"}}, UserCode: "BCDF-GHJK",
		ClientName: "Television", ClientHost: "tv.example", AccountName: "Ada Lovelace", AccountEmail: "ada@example.com", ConnectorName: "Okta",
		Scopes: []ScopeLine{{Scope: "email"}, {Scope: "reports:read"}}, When: "3 minutes ago", Address: "192.0.2.7", Agent: "<b>TV</b>", SwitchURL: "/login?flow=f",
	}
	for _, row := range []struct {
		name   string
		change func(*DeviceConfirm)
		want   []string
		lacks  []string
	}{
		{"a client that proved who it is", func(d *DeviceConfirm) { d.Standing = ClientVerified }, []string{"Verified: <bdi>Television</bdi> has proved"}, []string{"Not verified"}},
		{"a public client", func(*DeviceConfirm) {}, []string{"Not verified:", "any program can ask in the name of"}, []string{"has proved"}},
		{"a client that registered itself", func(d *DeviceConfirm) { d.Standing = ClientSelfRegistered }, []string{"Not verified:", "chose its own name"}, []string{"has proved"}},
		{"another network", func(d *DeviceConfirm) { d.Elsewhere = true }, []string{"not the network you are using now"}, nil},
		{"the same network", func(*DeviceConfirm) {}, nil, []string{"not the network"}},
		{"nothing is known of where", func(d *DeviceConfirm) { d.Address, d.Agent = "", "" }, nil, []string{"Address", "Program"}},
	} {
		w, d := httptest.NewRecorder(), page
		row.change(&d)
		newPages(t).DeviceConfirm(w, d)
		body := w.Body.String()
		always := []string{"Television", "tv.example", "BCDF-GHJK", "The device must show this code", "3 minutes ago", "Ada Lovelace", "ada@example.com", "signed in with <bdi>Okta</bdi>",
			"See your e-mail address", "Use “reports:read”, a permission the application defines",
			"Only continue if you started this yourself", "If someone sent you this link or code, choose “Do not allow”",
			`<form method="post" action="/device/confirm">`, `name="decision" value="deny">Do not allow`, `name="decision" value="allow">Allow`, `<a href="/login?flow=f">Use another account</a>`}
		for _, want := range append(always, row.want...) {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page does not hold %q", row.name, want)
			}
		}
		for _, other := range append(row.lacks, "<b>", "autofocus", "<script") {
			if strings.Contains(body, other) {
				t.Errorf("%s: the page holds %q", row.name, other)
			}
		}
		if got := hiddenFields(body); len(got) != 2 || got["flow"] != "se<aled" || got["account"] != "42" {
			t.Errorf("%s: hidden fields %q", row.name, got)
		}
		// Who presses Enter anywhere in the form sends its first button: the cautious one.
		if first := regexp.MustCompile(`<button[^>]*value="([a-z]+)"`).FindStringSubmatch(body); len(first) != 2 || first[1] != "deny" {
			t.Errorf("%s: the first button is %q", row.name, first)
		}
	}
}

// A device's name, program and links come from strangers.
func TestDeviceConfirmCleansWhatStrangersSay(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	newPages(t).DeviceConfirm(w, DeviceConfirm{Action: "/device/confirm", ClientName: "\u202eTV" + strings.Repeat("x", 200), Agent: "a\u0000\u202e\n" + strings.Repeat("y", 500),
		ClientURI: "javascript:alert(1)", PolicyURI: "data:text/html,x", TermsURI: "https://tv.example/terms"})
	body := w.Body.String()
	for _, bad := range []string{"\u202e", "\x00", "javascript:", "data:text", strings.Repeat("x", 100), strings.Repeat("y", 100)} {
		if strings.Contains(body, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if !strings.Contains(body, `href="https://tv.example/terms"`) {
		t.Error("a good link is gone")
	}
}
