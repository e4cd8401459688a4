package fake

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Google emulates Google's sign-in for consumer and Workspace accounts, on one
// host where Google uses four.
//
// It has no prompt=login and no auth_time, so nobody can make it prove a fresh
// login; refresh tokens come with the first consent alone and never change.
type Google struct {
	*Provider
	exactRedirects

	service serviceTokens
}

// Misbehaviours of Google.
const (
	GoogleHDMissing Misbehaviour = "id token: no hd"
	GoogleHDWrong   Misbehaviour = "id token: hd of another domain"
	// GoogleLegacyIssuer leaves the scheme out of iss, as Google says it may; the
	// other does so with a foreign host.
	GoogleLegacyIssuer        Misbehaviour = "id token: issuer without a scheme"
	GoogleForeignBareIssuer   Misbehaviour = "id token: another issuer without a scheme"
	GoogleBlockedByAdmin      Misbehaviour = "authorize: the Workspace admin blocks the application"
	GoogleInternalApp         Misbehaviour = "authorize: the application is internal to another organisation"
	GoogleVerifiedWithoutMail Misbehaviour = "id token: no email, email_verified true"
)

const (
	googleCodeLife   = 10 * time.Minute
	googleTokenLife  = time.Hour
	googleAccessLife = 3599 * time.Second
	googleIdle       = 180 * day
	googleLiveTokens = 100 // refresh tokens per account and client
	googleScope      = "https://www.googleapis.com/auth/userinfo."
)

// NewGoogle makes an emulated Google with the cast GooglePeople.
func NewGoogle(o Options) *Google {
	f := &Google{}
	f.Provider = newProvider(o, brand{Name: "Google", Slug: "google"}, GooglePeople(), f)
	f.describeKeys("RS256", nameByHexDigest)
	f.route("GET /.well-known/openid-configuration", Discovery, f.discovery)
	f.route("GET /oauth2/v3/certs", Keys, f.certs)
	f.route("/o/oauth2/v2/auth", Authorize, func(w http.ResponseWriter, r *http.Request) { f.authorize(w, r, "") })
	f.route("/token", Token, f.token)
	f.route("/v1/userinfo", Userinfo, f.userinfo)
	f.route("POST /revoke", Revoke, f.revoke)
	f.mountDirectory()
	f.mountCloudIdentity()
	f.mountWorkload()
	return f
}

// nameByHexDigest gives keys ids of 40 hexadecimal digits, as Google's are.
func nameByHexDigest(jwk map[string]any, _ crypto.Signer) error {
	sum := sha256.Sum256([]byte(thumbprint(jwk)))
	jwk["kid"] = hex.EncodeToString(sum[:20])
	return nil
}

// discovery has no end_session_endpoint and knows no offline_access.
func (f *Google) discovery(w http.ResponseWriter, _ *http.Request) {
	f.serveDiscovery(w, map[string]any{
		"issuer":                        f.URL(),
		"authorization_endpoint":        f.at("/o/oauth2/v2/auth"),
		"device_authorization_endpoint": f.at("/device/code"),
		"token_endpoint":                f.at("/token"),
		"userinfo_endpoint":             f.at("/v1/userinfo"),
		"revocation_endpoint":           f.at("/revoke"),
		"jwks_uri":                      f.at("/oauth2/v3/certs"),
		"response_types_supported": []string{
			"code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token", "none",
		},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid", "email", "profile"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic"},
		"claims_supported": []string{
			"aud", "email", "email_verified", "exp", "family_name", "given_name", "iat", "iss", "name", "picture", "sub",
		},
		"authorization_response_iss_parameter_supported": true,
		"code_challenge_methods_supported":               []string{"plain", "S256"},
		"grant_types_supported": []string{
			"authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer",
		},
	})
}

// certs always has a second key.
func (f *Google) certs(w http.ResponseWriter, _ *http.Request) {
	spare, err := f.keys.spare()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	f.serveKeys(w, "public, max-age=21600, must-revalidate, no-transform", spare)
}

func (f *Google) issuer(*request) string { return f.URL() }

func (f *Google) check(r *request) *refusal {
	if !r.readMode("query", "fragment", "form_post") {
		return f.refuse(parameterBad, r, "response_mode")
	}
	if r.params.Get("response_type") != "code" {
		return f.refuse(responseTypeBad, r, r.params.Get("response_type"))
	}
	if r.params.Get("scope") == "" {
		return f.refuse(parameterBad, r, "scope")
	}
	for _, scope := range strings.Fields(r.params.Get("scope")) {
		full, known := googleFullScope(scope)
		if !known {
			return f.refuse(scopeBad, r, scope)
		}
		if !slices.Contains(r.scopes, full) {
			r.scopes = append(r.scopes, full)
		}
	}
	// There is no prompt=login at Google.
	if !r.promptAmong("none", "consent", "select_account") {
		return f.refuse(parameterBad, r, "prompt")
	}
	if access := r.params.Get("access_type"); access != "" && access != "online" && access != "offline" {
		return f.refuse(parameterBad, r, "access_type")
	}
	if t, ok := r.pkce("S256", "plain"); !ok {
		return f.refuse(t, r, "code_challenge")
	}
	return nil
}

// googleFullScope is the name under which Google returns a scope. offline_access
// is none of Google's.
func googleFullScope(scope string) (string, bool) {
	switch scope {
	case "openid":
		return "openid", true
	case "email", googleScope + "email":
		return googleScope + "email", true
	case "profile", googleScope + "profile":
		return googleScope + "profile", true
	case googleGroupsScope, googleDirectoryRead:
		return scope, true
	}
	return "", false
}

func (f *Google) admit(r *request, p Person) *refusal {
	switch {
	case f.script.hit(GoogleBlockedByAdmin):
		return &refusal{status: http.StatusBadRequest, code: "admin_policy_enforced", description: "The administrator of this account does not allow the application."}
	case f.script.hit(GoogleInternalApp):
		return &refusal{status: http.StatusForbidden, code: "org_internal", description: r.client.title() + " is restricted to users within its organization."}
	}
	return nil
}

func (f *Google) consented(r *request, p Person) bool {
	return f.consents.cover(r.client.ID, p.ID, r.scopes)
}

// grantCode decides about the refresh token: with access_type=offline and the
// first consent, or one asked for again.
func (f *Google) grantCode(r *request, g *grant) string {
	if f.script.hit(GoogleScopeUnchecked) { // "Granular permissions": each scope is a box to tick
		g.scopes = slices.DeleteFunc(slices.Clone(g.scopes), func(s string) bool { return s == googleGroupsScope })
	}
	first := !f.consents.cover(g.client.ID, g.person, g.scopes)
	g.refreshable = r.params.Get("access_type") == "offline" && (first || r.prompts("consent"))
	f.consents.add(g.client.ID, g.person, g.scopes)
	return f.newCode("4/0A", g, googleCodeLife)
}

func (f *Google) decorate(r *request, p Person, response url.Values) {
	response.Set("scope", strings.Join(r.scopes, " "))
	response.Set("authuser", "0")
	response.Set("prompt", "none")
	if r.prompts("consent") {
		response.Set("prompt", "consent")
	}
	if p.Google.HostedDomain != "" {
		response.Set("hd", p.Google.HostedDomain)
	}
}

// refuse stays on Google's own page except for what the person or a silent
// request decided.
func (f *Google) refuse(t trouble, r *request, detail string) *refusal {
	page := func(status int, code, description string) *refusal {
		return &refusal{status: status, code: code, description: description}
	}
	switch t {
	case unknownClient:
		return page(http.StatusUnauthorized, "invalid_client", "The OAuth client was not found.")
	case redirectUnregistered:
		return page(http.StatusBadRequest, "redirect_uri_mismatch", "The redirect URI "+detail+" is not among the authorized ones.")
	case responseTypeBad:
		return page(http.StatusBadRequest, "unsupported_response_type", "Invalid response_type: "+detail)
	case scopeBad:
		return page(http.StatusBadRequest, "invalid_scope", "Some requested scopes were invalid: "+detail)
	case accountSuspended:
		return page(http.StatusForbidden, "account_disabled", "The account of "+detail+" has been disabled.")
	case signInCancelled:
		return &refusal{code: "access_denied"}
	case signInRequired, consentRequired:
		return &refusal{code: "interaction_required"}
	}
	return page(http.StatusBadRequest, "invalid_request", "Invalid or missing parameter: "+detail)
}
