package server_test

import (
	"bytes"
	"html"
	"image"
	"image/color"
	"image/png"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	oidfLink  = regexp.MustCompile(`<a [^>]*href="([^"]*)"`)
	oidfImage = regexp.MustCompile(`<img [^>]*src="([^"]*)"`)
)

// found are the addresses on a page that a pattern finds.
func (at oidfArrival) found(pattern *regexp.Regexp) []string {
	var out []string
	for _, found := range pattern.FindAllStringSubmatch(at.body, -1) {
		out = append(out, html.UnescapeString(found[1]))
	}
	return out
}

// What the suite has a person look at: the sign-in page, and here the consent page
// too, of clients that have registered a policy, terms or a logo.
func TestOIDFRegistrationPages(t *testing.T) {
	t.Parallel()
	p := oidfPlan{t: t, world: openOIDFWorld(t, oidfSetting{registration: oidfRegistration, choice: true}), dynamic: true}
	for _, member := range []string{"policy_uri", "tos_uri"} {
		address := p.world.site.put("/"+member, "text/html", "<p>"+member)
		p.with(member, address).module("oidcc-registration-"+strings.ReplaceAll(member, "_", "-"), nil, func(m *oidfModule) {
			for name, page := range m.looked() {
				if !slices.Contains(page.found(oidfLink), address) {
					m.failf("the %s page has no link to %s: %v", name, address, page.found(oidfLink))
				}
			}
		})
	}
	purple := color.RGBA{R: 0x80, B: 0x80, A: 0xff}
	address := p.world.site.put("/logo.png", "image/png", oidfDrawn(t, purple))
	p.with("logo_uri", address).module("oidcc-registration-logo-uri", nil, func(m *oidfModule) {
		for name, page := range m.looked() {
			shown := page.found(oidfImage)
			if len(shown) != 1 || !strings.Contains(page.header.Get("Content-Security-Policy"), "img-src 'self'") {
				m.failf("the %s page shows %v under %s", name, shown, page.header.Get("Content-Security-Policy"))
				continue
			}
			// From our own host: whoever hosts a logo does not hear of everybody who signs in.
			from, err := page.url.Parse(shown[0])
			must(m.T, err)
			picture := m.world.fetch(m.T, from.String())
			drawn, err := png.Decode(bytes.NewReader(picture.body))
			if from.Host != page.url.Host || picture.status != 200 || picture.header.Get("Content-Type") != "image/png" || err != nil {
				m.failf("the logo of the %s page is at %s, and %d %s: %v", name, from, picture.status, picture.header.Get("Content-Type"), err)
				continue
			}
			middle := drawn.Bounds()
			if got := color.RGBAModel.Convert(drawn.At(middle.Dx()/2, middle.Dy()/2)); got != purple {
				m.failf("the logo of the %s page is another: %v", name, got)
			}
		}
	})
}

// looked is the sign-in page and the consent page, which a person looks at and does not
// answer.
func (m *oidfModule) looked() map[string]oidfArrival {
	m.Helper()
	m.agent.hesitant = true
	signIn := m.authorize(m.request())
	links := signIn.found(oidfLink)
	at := slices.IndexFunc(links, func(l string) bool { return strings.Contains(l, "/login/corp") })
	if at < 0 {
		m.Fatalf("no sign-in page: %d at %s: %s", signIn.status, signIn.url, signIn.body)
	}
	first, err := signIn.url.Parse(links[at])
	must(m.T, err)
	consent := m.agent.follow(m.agent.request("GET", first.String(), "", "https://"+signIn.url.Host))
	if m.agent.saw("consent") != 1 || consent.atSuite {
		m.Fatalf("no consent page: %d at %s", consent.status, consent.url)
	}
	return map[string]oidfArrival{"sign-in": signIn, "consent": consent}
}

// oidfDrawn is a PNG of one colour.
func oidfDrawn(t *testing.T, c color.RGBA) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range picture.Pix {
		picture.Pix[i] = []byte{c.R, c.G, c.B, c.A}[i%4]
	}
	var out bytes.Buffer
	must(t, png.Encode(&out, picture))
	return out.String()
}
