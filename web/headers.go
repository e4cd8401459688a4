package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// SecurityHeaders sets what every answer of ours carries, page or not, 404 and
// 500 included. They are the strictest: nothing may load, frame or be posted
// from such an answer, nothing is stored, nothing is told to the next site (RFC
// 9700 §4.2). Pages then widen Content-Security-Policy and Referrer-Policy by
// what they need; an endpoint that may be cached sets Cache-Control after this.
func SecurityHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY") // for browsers older than frame-ancestors
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
}

// form says where a page's form leads.
type form uint8

const (
	// noForm is a page of text and links.
	noForm form = iota
	// formToUs posts to the broker, which answers with another page of ours.
	formToUs
	// formToClient posts to a client, or to us with an answer that redirects to one.
	formToClient
)

// formAction restricts where forms may be sent. A form that ends at a client
// has no restriction: Chromium applies form-action to every redirect that
// follows the POST, and where a client redirects to is not known to us.
func (f form) formAction() string {
	switch f {
	case noForm:
		return "; form-action 'none'"
	case formToUs:
		return "; form-action 'self'"
	}
	return ""
}

// referrerPolicy is same-origin where a form posts: under no-referrer a
// browser would send "Origin: null" even to ourselves, which looks like an attack.
func (f form) referrerPolicy() string {
	if f == noForm {
		return "no-referrer"
	}
	return "same-origin"
}

// contentSecurityPolicy allows the style and script elements of the rendered
// page by their hashes, images of our own where it has any, and nothing else. The
// icon is within the page.
func contentSecurityPolicy(rendered []byte, f form) string {
	policy := "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; img-src"
	if bytes.Contains(rendered, []byte("<img")) {
		policy += " 'self'"
	}
	policy += " data:"
	for _, element := range []string{"style", "script"} {
		if hashes := hashElements(rendered, element); len(hashes) > 0 {
			policy += "; " + element + "-src " + strings.Join(hashes, " ")
		}
	}
	return policy + f.formAction()
}

// hashElements returns a CSP hash source for the content of each such element
// without attributes.
func hashElements(rendered []byte, element string) []string {
	var hashes []string
	open, end := []byte("<"+element+">"), []byte("</"+element+">")
	for {
		_, rest, found := bytes.Cut(rendered, open)
		if !found {
			return hashes
		}
		content, after, closed := bytes.Cut(rest, end)
		if !closed {
			return hashes
		}
		sum := sha256.Sum256(content)
		hashes = append(hashes, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		rendered = after
	}
}
