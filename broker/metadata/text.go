package metadata

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse/broker/outbound"
)

const (
	maxName = 100     // bytes; it is on the consent page
	maxText = 255     // bytes of another text
	maxPage = 2 << 10 // bytes of an address
	maxList = 200     // entries of any list
)

// validateTexts checks what is shown to people, or kept for them.
func (c *Client) validateTexts(p *problems) {
	if len(c.ClientName) > maxName {
		p.add("client_name", "must be at most %d bytes: it is shown on pages", maxName)
	}
	type text struct{ member, text string }
	all := []text{{"client_name", c.ClientName}, {"software_id", c.SoftwareID}, {"software_version", c.SoftwareVersion}}
	for i, one := range c.Contacts {
		all = append(all, text{element("contacts", i), one})
		if one == "" {
			p.add(element("contacts", i), "is empty: name somebody, usually by an e-mail address")
		}
	}
	for _, one := range all {
		switch {
		case misleading(one.text):
			p.add(one.member, "must be text without control characters and without those that change its direction")
		case one.member != "client_name" && len(one.text) > maxText:
			p.add(one.member, "must be at most %d bytes", maxText)
		}
	}
}

// misleading reports whether a text could show as another one than it is: a name is
// all that people know a client by (RFC 7591 §5).
func misleading(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
	})
}

// validatePages checks the addresses that people are shown or sent to.
func (c *Client) validatePages(p *problems) {
	for _, page := range []struct{ member, uri string }{
		{"client_uri", c.ClientURI}, {"logo_uri", c.LogoURI}, {"policy_uri", c.PolicyURI}, {"tos_uri", c.TermsURI},
	} {
		if page.uri == "" {
			continue
		}
		u, err := url.Parse(page.uri)
		if err != nil || !isWord(page.uri, maxPage) || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
			p.add(page.member, "must be an https URL (http only on localhost)")
		}
	}
	// OpenID Connect Core §4: parameters are appended to it, and the scheme is https
	// even on loopback.
	if uri := c.InitiateLoginURI; uri != "" && (!isHTTPS(uri) || strings.Contains(uri, "#")) {
		p.add("initiate_login_uri", "must be an https URL without a fragment")
	}
}

// isHTTPS reports whether a URI is one from which a document can be fetched.
func isHTTPS(uri string) bool { return outbound.CheckURL(uri) == nil && isWord(uri, maxPage) }

// isWord reports whether s is printable ASCII without spaces, as URIs are (RFC 3986
// §2), of at most so many bytes.
func isWord(s string, most int) bool {
	return len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// validateLengths: every list is gone through when somebody is waiting.
func (c *Client) validateLengths(p *problems) {
	for _, l := range []struct {
		member string
		list   []string
	}{
		{"redirect_uris", c.RedirectURIs}, {"grant_types", c.GrantTypes}, {"response_types", c.ResponseTypes}, {"response_modes", c.ResponseModes},
		{"contacts", c.Contacts}, {"request_uris", c.RequestURIs}, {"default_acr_values", c.DefaultACRValues},
		{"post_logout_redirect_uris", c.PostLogout}, {"web_origins", c.WebOrigins},
	} {
		if len(l.list) > maxList {
			p.add(l.member, "must have at most %d entries", maxList)
		}
	}
}
