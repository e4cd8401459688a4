package registration

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

// checkStranger holds a document to what package metadata leaves to the operator who
// writes it: nobody here has read this one, and pages show it (RFC 7591 §5).
func checkStranger(m *metadata.Client) (problems []metadata.Problem) {
	add := func(member, message string) {
		problems = append(problems, metadata.Problem{Member: member, Message: message})
	}
	if strings.ContainsFunc(m.ClientName, invisible) {
		add("client_name", "must not have characters that cannot be seen")
	}
	for _, page := range []struct{ member, uri string }{
		{"client_uri", m.ClientURI}, {"logo_uri", m.LogoURI}, {"policy_uri", m.PolicyURI}, {"tos_uri", m.TermsURI},
	} {
		// http on localhost is something on the machine of whoever is looking.
		if page.uri != "" && !strings.HasPrefix(page.uri, "https://") {
			add(page.member, "must be an https URL")
		}
	}
	if m.ApplicationType == "native" || !slices.Contains(m.GrantTypes, string(oauth.GrantTypeImplicit)) {
		return problems
	}
	// What a web application gets in the browser must not go to whatever listens on the
	// person's machine (OpenID Connect Registration §2, application_type). That a native
	// one uses no https that section says too, but RFC 8252 §7.2 is newer.
	for i, uri := range m.RedirectURIs {
		if u, err := url.Parse(uri); err == nil && isThisMachine(strings.ToLower(u.Hostname())) {
			add(element("redirect_uris", i), "must not be on localhost, for a web application with the grant type implicit")
		}
	}
	return problems
}

// invisible reports whether a character cannot be told from nothing, so that two names
// look alike. The joiners, which emoji and some scripts need, are none.
func invisible(r rune) bool {
	return r != '\u200c' && r != '\u200d' && unicode.In(r, unicode.Cf, unicode.Co, unicode.Cc)
}
