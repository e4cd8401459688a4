package fake

import (
	"net/http"
)

// Issuer is the issuer of an authorization server at the org's own domain; empty
// means the org's.
func (f *Okta) Issuer(server string) string { return oktaIssuer(f.URL(), server) }

func oktaIssuer(base, server string) string {
	if server == "" {
		return base
	}
	return base + "/oauth2/" + server
}

func (f *Okta) endpoint(server, name string) string { return oktaEndpoint(f.URL(), server, name) }

func oktaEndpoint(base, server, name string) string {
	if server == "" {
		return base + "/oauth2/v1/" + name
	}
	return base + "/oauth2/" + server + "/v1/" + name
}

// The issuer modes of an application (at the org's server) and of a custom server:
// "Customize domain and email address" and "Authorization servers" (issuerMode).
const (
	OktaIssuerOrg     = "ORG_URL"
	OktaIssuerCustom  = "CUSTOM_URL"
	OktaIssuerDynamic = "DYNAMIC"
)

// SetCustomDomain lets the org be reached under a second base URL besides its own:
// the same listener under another name.
func (f *Okta) SetCustomDomain(base string) {
	u := mustBase(base)
	f.domain.Lock()
	defer f.domain.Unlock()
	f.custom = u
}

// reached is the base URL by which a request came.
func (f *Okta) reached(r *http.Request) string {
	f.domain.Lock()
	defer f.domain.Unlock()
	if f.custom != nil && r.Host == f.custom.Host {
		return f.custom.String()
	}
	return f.URL()
}

// issuerBase is what issuers begin with in tokens. DYNAMIC follows the host that a
// request was sent to.
func (f *Okta) issuerBase(r *http.Request) string {
	if f.opts.Okta.IssuerMode == OktaIssuerDynamic {
		return f.reached(r)
	}
	f.domain.Lock()
	defer f.domain.Unlock()
	if f.opts.Okta.IssuerMode == OktaIssuerCustom && f.custom != nil {
		return f.custom.String()
	}
	return f.URL()
}
