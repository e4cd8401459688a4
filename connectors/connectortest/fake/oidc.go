package fake

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// OIDC is a generic OpenID Provider that keeps to the specifications. Its issuer
// is its base URL.
type OIDC struct {
	*Provider
	exactRedirects
}

const (
	oidcCodeLife   = time.Minute
	oidcTokenLife  = time.Hour
	oidcAccessLife = time.Hour
)

// NewOIDC makes a generic provider with the cast OIDCPeople.
func NewOIDC(o Options) *OIDC {
	f := &OIDC{}
	f.Provider = newProvider(o, brand{Name: "OpenID Provider", Slug: "oidc"}, OIDCPeople(), f)
	algorithm := o.OIDC.Algorithm
	if algorithm == "" {
		algorithm = "RS256"
	}
	f.describeKeys(algorithm, nameByThumbprint)
	f.route("GET /.well-known/openid-configuration", Discovery, f.discovery)
	f.route("GET /jwks", Keys, func(w http.ResponseWriter, _ *http.Request) { f.serveKeys(w, "max-age=300") })
	f.route("/authorize", Authorize, func(w http.ResponseWriter, r *http.Request) { f.authorize(w, r, "") })
	f.route("/token", Token, f.token)
	f.route("/userinfo", Userinfo, f.userinfo)
	f.route("POST /revoke", Revoke, f.revoke)
	f.route("/logout", Logout, f.logout)
	return f
}

func (f *OIDC) issuer(*request) string {
	if f.opts.OIDC.ResponseIssuer {
		return f.URL()
	}
	return ""
}

func (f *OIDC) discovery(w http.ResponseWriter, _ *http.Request) {
	doc := map[string]any{
		"issuer":                                f.URL(),
		"authorization_endpoint":                f.at("/authorize"),
		"token_endpoint":                        f.at("/token"),
		"userinfo_endpoint":                     f.at("/userinfo"),
		"jwks_uri":                              f.at("/jwks"),
		"revocation_endpoint":                   f.at("/revoke"),
		"end_session_endpoint":                  f.at("/logout"),
		"scopes_supported":                      []string{"openid", "profile", "email", "groups", "offline_access"},
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{f.keys.algorithm},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"claims_supported": []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash",
			"name", "given_name", "family_name", "preferred_username", "email", "email_verified", "groups",
		},
		"prompt_values_supported":     []string{"none", "login", "consent", "select_account"},
		"claims_parameter_supported":  false,
		"request_parameter_supported": false, "request_uri_parameter_supported": false,
	}
	if !f.opts.OIDC.NoPKCE {
		doc["code_challenge_methods_supported"] = []string{"S256"}
	}
	if f.opts.OIDC.ResponseIssuer {
		doc["authorization_response_iss_parameter_supported"] = true
	}
	f.serveDiscovery(w, doc)
}

// check is OIDC Core §3.1.2.1 and §3.1.2.2.
func (f *OIDC) check(r *request) *refusal {
	if !r.readMode("query", "fragment", "form_post") {
		r.mode = "query"
		return f.refuse(parameterBad, r, "response_mode")
	}
	switch {
	case r.params.Get("response_type") != "code":
		return f.refuse(responseTypeBad, r, r.params.Get("response_type"))
	case r.params.Has("request") || r.params.Has("request_uri"):
		return &refusal{code: "request_not_supported"}
	case !r.promptAmong("none", "login", "consent", "select_account"):
		return f.refuse(parameterBad, r, "prompt")
	case !r.readMaxAge():
		return f.refuse(parameterBad, r, "max_age")
	}
	if f.opts.OIDC.NoPKCE {
		r.params.Del("code_challenge")
		r.params.Del("code_challenge_method")
	} else if t, ok := r.pkce("S256"); !ok {
		return f.refuse(t, r, "code_challenge")
	}
	// Unknown scopes are ignored: OIDC Core §3.1.2.1.
	for _, scope := range strings.Fields(r.params.Get("scope")) {
		if slices.Contains([]string{"openid", "profile", "email", "groups", "offline_access"}, scope) {
			r.scopes = append(r.scopes, scope)
		}
	}
	r.refreshable = slices.Contains(r.scopes, "offline_access")
	if acr := strings.Fields(r.params.Get("acr_values")); len(acr) > 0 {
		r.acr = acr[0]
	}
	return nil
}

func (f *OIDC) admit(*request, Person) *refusal               { return nil }
func (f *OIDC) consented(*request, Person) bool               { return true }
func (f *OIDC) decorate(*request, Person, url.Values)         {}
func (f *OIDC) fault(_ Endpoint, fault Fault) answer          { return plainFault(fault) }
func (f *OIDC) grantCode(_ *request, g *grant) (value string) { return f.newCode("", g, oidcCodeLife) }

func (f *OIDC) refuse(t trouble, r *request, detail string) *refusal {
	switch t {
	case parameterRepeated:
		return &refusal{status: http.StatusBadRequest, code: "invalid_request", description: "The parameter " + detail + " occurs twice."}
	case unknownClient:
		return &refusal{status: http.StatusBadRequest, code: "invalid_client", description: "No client is registered as " + detail + "."}
	case redirectUnregistered:
		return &refusal{status: http.StatusBadRequest, code: "invalid_request", description: "The redirect URI " + detail + " is not registered."}
	case responseTypeBad:
		return &refusal{code: "unsupported_response_type"}
	case signInCancelled:
		return &refusal{code: "access_denied", description: "The person cancelled."}
	case signInRequired:
		return &refusal{code: "login_required"}
	case consentRequired:
		return &refusal{code: "consent_required"}
	case accountSuspended:
		return &refusal{code: "access_denied", description: "The account is disabled."}
	}
	return &refusal{code: "invalid_request", description: "The parameter " + detail + " is not acceptable."}
}

// logout is OpenID Connect RP-Initiated Logout §2.
func (f *OIDC) logout(w http.ResponseWriter, r *http.Request) {
	f.signOut(w, r)
	client, _ := f.client(r.FormValue("client_id"))
	if hint := r.FormValue("id_token_hint"); hint != "" {
		client, _ = f.client(audienceOf(hint))
	}
	f.afterLogout(w, r, client)
}
