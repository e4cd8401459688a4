package registration

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

// Bounds of what strangers say of themselves, where package metadata leaves it to the
// operator who writes it.
const (
	maxText = 255 // bytes of one text
	maxURI  = 2 << 10
	maxList = 100 // entries of one list
)

// checkStranger holds a document to more than a configured client: nobody here has
// read it, pages show it, and the answer is kept for as long as the client is used
// (RFC 7591 §5).
func checkStranger(m *metadata.Client) (problems []metadata.Problem) {
	add := func(member, message string) {
		problems = append(problems, metadata.Problem{Member: member, Message: message})
	}
	for _, l := range []struct {
		member string
		list   []string
	}{
		{"redirect_uris", m.RedirectURIs}, {"grant_types", m.GrantTypes}, {"response_types", m.ResponseTypes},
		{"response_modes", m.ResponseModes}, {"contacts", m.Contacts}, {"request_uris", m.RequestURIs},
		{"default_acr_values", m.DefaultACRValues}, {"post_logout_redirect_uris", m.PostLogout}, {"web_origins", m.WebOrigins},
	} {
		if len(l.list) > maxList {
			add(l.member, "has more than "+strconv.Itoa(maxList)+" entries")
		}
	}
	texts := append([]string{m.ClientName, m.SoftwareID, m.SoftwareVersion}, m.Contacts...)
	texts = append(texts, m.DefaultACRValues...)
	for i, text := range texts {
		if len(text) > maxText || strings.ContainsFunc(text, unprintable) {
			add(textMember(m, i), "must be printable text of at most "+strconv.Itoa(maxText)+" bytes, without characters that set its direction")
		}
	}
	for _, page := range []struct{ member, uri string }{
		{"client_uri", m.ClientURI}, {"logo_uri", m.LogoURI}, {"policy_uri", m.PolicyURI}, {"tos_uri", m.TermsURI},
		{"initiate_login_uri", m.InitiateLoginURI}, {"sector_identifier_uri", m.SectorURI},
	} {
		// http on loopback, which a configured client may use, would be something on the
		// machine of whoever is looking.
		if page.uri != "" && (!strings.HasPrefix(page.uri, "https://") || len(page.uri) > maxURI) {
			add(page.member, "must be an https URL of at most "+strconv.Itoa(maxURI)+" bytes")
		}
	}
	return append(problems, checkImplicit(m)...)
}

// checkImplicit: what a web application gets in the browser must not go to whatever
// listens on the person's machine (OpenID Connect Registration §2, application_type).
// An https address of a native application is fine (RFC 8252 §7.2), though that section
// knows only the other two kinds.
func checkImplicit(m *metadata.Client) (problems []metadata.Problem) {
	if m.ApplicationType == "native" || !slices.Contains(m.GrantTypes, string(oauth.GrantTypeImplicit)) {
		return nil
	}
	for i, uri := range m.RedirectURIs {
		if u, err := url.Parse(uri); err == nil && (u.Scheme != "https" || isThisMachine(strings.ToLower(u.Hostname()))) {
			problems = append(problems, metadata.Problem{Member: element("redirect_uris", i), Message: "must be https and not on localhost, for a web application with the grant type implicit"})
		}
	}
	return problems
}

// textMember names the text at i in the order in which checkStranger reads them.
func textMember(m *metadata.Client, i int) string {
	names := []string{"client_name", "software_id", "software_version"}
	switch {
	case i < len(names):
		return names[i]
	case i < len(names)+len(m.Contacts):
		return element("contacts", i-len(names))
	default:
		return element("default_acr_values", i-len(names)-len(m.Contacts))
	}
}

// unprintable reports whether a character shows nothing of its own but changes how
// others show: controls, direction overrides, line separators, invisible spaces.
func unprintable(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
