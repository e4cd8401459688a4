package web

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// palette reads the colours of a :root rule.
func palette(css string) map[string]string {
	colours := map[string]string{}
	for _, m := range regexp.MustCompile(`--([a-z-]+):\s*(#[0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
		colours[m[1]] = m[2]
	}
	return colours
}

// luminance is WCAG 2.2's relative luminance of #rrggbb.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	if len(colour) != 7 {
		t.Fatalf("%q is not a colour", colour)
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast holds both palettes to WCAG 2.2 AA: 4.5 for text (§1.4.3), 3 for
// outlines that tell something (§1.4.11).
func TestContrast(t *testing.T) {
	t.Parallel()
	light, rest, found := strings.Cut(Stylesheet(), "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("there is no dark palette")
	}
	dark, _, _ := strings.Cut(rest, "*, *::before")
	text := map[string][]string{
		"text":          {"page", "glow", "card", "raised", "tile", "danger-tint"},
		"muted":         {"page", "glow", "card", "raised"},
		"accent":        {"page", "card", "raised", "good-tint"},
		"accent-strong": {"card", "page"},
		"on-accent":     {"accent", "accent-strong"},
		"danger":        {"card", "raised", "danger-tint"},
	}
	outlines := map[string][]string{"focus": {"page", "card", "raised"}, "edge": {"card"}}
	for scheme, colours := range map[string]map[string]string{"light": palette(light), "dark": palette(dark)} {
		check := func(front, frontColour, back string, least float64) {
			if got := contrast(t, frontColour, colours[back]); got < least {
				t.Errorf("%s: %s on %s is %.2f, want at least %.1f", scheme, front, back, got, least)
			}
		}
		for front, backs := range text {
			for _, back := range backs {
				check(front, colours[front], back, 4.5)
			}
		}
		for front, backs := range outlines {
			for _, back := range backs {
				check(front, colours[front], back, 3)
			}
		}
		for _, mark := range []string{"google", "azuread", "okta", "github"} {
			check("the initial", "#ffffff", mark, 4.5)
		}
	}
}
