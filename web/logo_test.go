package web

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// aboutClient are the pages about an application, with a logo and a mark or without.
func aboutClient(t *testing.T, logo string, selfRegistered bool) map[string]string {
	t.Helper()
	p, standing := newPages(t), ClientVerified
	if selfRegistered {
		standing = ClientSelfRegistered
	}
	out := map[string]string{}
	for name, write := range map[string]func(*httptest.ResponseRecorder){
		"chooser": func(w *httptest.ResponseRecorder) {
			p.Chooser(w, Chooser{ClientName: "Bank", LogoURL: logo, SelfRegistered: selfRegistered})
		},
		"consent": func(w *httptest.ResponseRecorder) {
			p.Consent(w, Consent{ClientName: "Bank", LogoURL: logo, SelfRegistered: selfRegistered})
		},
		"device": func(w *httptest.ResponseRecorder) {
			p.DeviceConfirm(w, DeviceConfirm{ClientName: "Bank", LogoURL: logo, Standing: standing})
		},
	} {
		w := httptest.NewRecorder()
		write(w)
		out[name] = w.Body.String()
	}
	return out
}

// DR-04: a logo is a picture without a meaning of its own, and one that a client chose
// for itself stands on the page that says so.
func TestPagesShowTheLogo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, logo, shown string
		selfRegistered    bool
		mark              string
	}{
		{"a logo", "https://sso.example.com/logo/a%2Fb", "https://sso.example.com/logo/a%2Fb", false, ""},
		{"no logo", "", "", false, ""},
		{"of a client that registered itself", "/logo/bank", "/logo/bank", true, "has registered itself here and chose its own name and picture."},
		{"that client without one", "", "", true, "has registered itself here and chose its own name."},
		{"a script", "javascript:alert(1)", "", false, ""},
		{"a document", "data:image/svg+xml,<svg/>", "", false, ""},
		{"a way out of the attribute", `/logo/a"onload="alert(1)`, "/logo/a%22onload=%22alert%281%29", false, ""},
	} {
		for page, body := range aboutClient(t, row.logo, row.selfRegistered) {
			want := ""
			if row.shown != "" {
				want = `<img src="` + row.shown + `" alt="">`
			}
			if got := regexp.MustCompile(`<img[^>]*>`).FindString(body); got != want {
				t.Errorf("%s, %s: %q, want %q", row.name, page, got, want)
			}
			if (row.mark != "") != strings.Contains(body, "has registered itself") || !strings.Contains(body, row.mark) {
				t.Errorf("%s, %s: the mark should be %q\n%s", row.name, page, row.mark, body)
			}
		}
	}
}

// A logo that is not there shows nothing: in browsers a broken picture without a text
// is an empty line of no height, as long as nothing gives it sides or an edge. That
// its place is kept is so that a late one does not move a button.
func TestAMissingLogoLooksLikeNone(t *testing.T) {
	t.Parallel()
	rules := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\.logo[^{]*?) *\{([^}]*)\}`).FindAllStringSubmatch(Stylesheet(), -1) {
		rules[m[1]] = m[2]
	}
	if place := rules[".logo"]; !regexp.MustCompile(`\bwidth: [0-9.]+rem; height: [0-9.]+rem;`).MatchString(place) || regexp.MustCompile(`border|background|outline|shadow`).MatchString(place) {
		t.Errorf("the place: %q", place)
	}
	if picture := rules[".logo img"]; picture == "" || regexp.MustCompile(`(^|[^-])\b(width|height|padding|border|outline|display|content):`).MatchString(picture) {
		t.Errorf("the picture: %q", picture)
	}
}
