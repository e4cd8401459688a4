package fake

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Okta emulates an Okta organisation: its org authorization server, whose issuer
// is the base URL, and custom ones below /oauth2. ID tokens of the code flow are
// thin: e-mail verification and groups are at the userinfo endpoint.
type Okta struct {
	*Provider
	exactRedirects

	domain sync.Mutex
	custom *url.URL // the custom domain; nil without
}

// Misbehaviours of Okta.
const (
	OktaFatToken        Misbehaviour = "id token: fat, groups and profile inside"
	OktaGroupsAbsent    Misbehaviour = "userinfo: no groups although asked for"
	OktaGroupsTruncated Misbehaviour = "userinfo: groups cut off at 100 without a word"
	OktaPolicyDenies    Misbehaviour = "authorize: no access policy matches"
	OktaNoGroupsScope   Misbehaviour = "authorize: the scope groups is not configured"
	// OktaAPIShape answers token errors in the shape of Okta's management API.
	OktaAPIShape Misbehaviour = "token: errors in the API's shape"
	// OktaDPoPRequired is the setting of a service app that new ones have.
	OktaDPoPRequired Misbehaviour = "token: a service app has to prove possession"
	// What may be wrong with the list of groups of the management API.
	OktaNextElsewhere  Misbehaviour = "groups: the next page is at another host"
	OktaNextOtherPath  Misbehaviour = "groups: the next page is another resource"
	OktaNextIsPrevious Misbehaviour = "groups: the next page is the one before"
	OktaEndlessGroups  Misbehaviour = "groups: there is always a next page"
	OktaBrokenLink     Misbehaviour = "groups: a Link header that cannot be read"
	OktaNamelessGroup  Misbehaviour = "groups: a group without a name"
	OktaHostileGroup   Misbehaviour = "groups: a name of two lines"
)

const (
	oktaCodeLife    = time.Minute
	oktaTokenLife   = time.Hour
	oktaRefreshIdle = 7 * day
	oktaGrace       = 30 * time.Second
	oktaMaxGroups   = 100
)

// oktaState says whether a state is present and of the few characters allowed.
func oktaState(state string) bool {
	return state != "" && strings.Trim(state, alphabet+",.") == ""
}

// NewOkta makes an emulated Okta organisation with the cast OktaPeople.
func NewOkta(o Options) *Okta {
	f := &Okta{}
	f.Provider = newProvider(o, brand{Name: "Okta", Slug: "okta"}, OktaPeople(), f)
	f.weakACR = "urn:okta:loa:1fa:pwd"
	for _, name := range []string{"openid-configuration", "oauth-authorization-server"} {
		f.route("GET /.well-known/"+name, Discovery, f.inServer(f.discovery))
		f.route("GET /oauth2/{as}/.well-known/"+name, Discovery, f.inServer(f.discovery))
	}
	for _, at := range []string{"/oauth2/v1", "/oauth2/{as}/v1"} {
		f.route(at+"/authorize", Authorize, f.inServer(f.authorize))
		f.route(at+"/token", Token, f.inServer(f.token))
		f.route(at+"/userinfo", Userinfo, f.inServer(f.userinfo))
		f.route("GET "+at+"/keys", Keys, f.inServer(func(w http.ResponseWriter, _ *http.Request, _ string) {
			// The real one says 44 days; a client must not believe it.
			f.serveKeys(w, "max-age=3832304, must-revalidate")
		}))
		f.route("POST "+at+"/revoke", Revoke, f.inServer(f.revoke))
		f.route("POST "+at+"/introspect", Introspect, f.inServer(f.introspect))
		f.route(at+"/logout", Logout, f.inServer(f.logout))
	}
	f.route("GET /api/v1/users/{user}/groups", OktaGroups, f.userGroups)
	return f
}

// inServer finds the authorization server of a path; the org's has no name.
func (f *Okta) inServer(h func(w http.ResponseWriter, r *http.Request, server string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		server := r.PathValue("as")
		known := f.opts.Okta.AuthorizationServers
		if known == nil {
			known = []string{"default"}
		}
		if server != "" && !slices.Contains(known, server) {
			oktaAPI(http.StatusNotFound, "E0000007", "Not found: Resource not found: "+server+" (AuthorizationServer)").write(w)
			return
		}
		h(w, r, server)
	}
}

// discovery follows the host it is asked at, and with a client_id names the issuer
// that this client's tokens carry.
func (f *Okta) discovery(w http.ResponseWriter, r *http.Request, server string) {
	base := f.reached(r)
	issuer := oktaIssuer(base, server)
	if id := r.URL.Query().Get("client_id"); id != "" {
		if _, known := f.client(id); !known {
			oktaAPI(http.StatusBadRequest, "invalid_client", "Invalid value for 'client_id' parameter.").write(w)
			return
		}
		issuer = oktaIssuer(f.issuerBase(r), server)
	}
	at := func(name string) string { return oktaEndpoint(base, server, name) }
	auth := []string{"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"}
	scopes := []string{"openid", "email", "profile", "address", "phone", "offline_access", "groups"}
	if server != "" {
		scopes = append(scopes, "device_sso")
	}
	f.serveDiscovery(w, map[string]any{
		"issuer": issuer, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"),
		"userinfo_endpoint": at("userinfo"), "registration_endpoint": base + "/oauth2/v1/clients", "jwks_uri": at("keys"),
		"response_types_supported":              []string{"code", "id_token", "code id_token", "code token", "id_token token", "code id_token token"},
		"response_modes_supported":              []string{"query", "fragment", "form_post", "okta_post_message"},
		"grant_types_supported":                 []string{"authorization_code", "implicit", "refresh_token", "password", "urn:ietf:params:oauth:grant-type:device_code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      scopes,
		"token_endpoint_auth_methods_supported": auth,
		"claims_supported": []string{
			"iss", "ver", "sub", "aud", "iat", "exp", "jti", "auth_time", "amr", "idp", "nonce", "name", "nickname", "preferred_username",
			"given_name", "middle_name", "family_name", "email", "email_verified", "profile", "zoneinfo", "locale", "address", "phone_number",
			"picture", "website", "gender", "birthdate", "updated_at", "at_hash", "c_hash",
		},
		"code_challenge_methods_supported": []string{"S256"},
		"introspection_endpoint":           at("introspect"), "introspection_endpoint_auth_methods_supported": auth,
		"revocation_endpoint": at("revoke"), "revocation_endpoint_auth_methods_supported": auth,
		"end_session_endpoint": at("logout"), "request_parameter_supported": true,
		"request_object_signing_alg_values_supported": []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512"},
		"device_authorization_endpoint":               at("device/authorize"), "pushed_authorization_request_endpoint": at("par"),
	})
}

func (f *Okta) issuer(*request) string { return "" }

func (f *Okta) check(r *request) *refusal {
	if !r.readMode("query", "fragment", "form_post") {
		r.mode = "query"
		return f.refuse(parameterBad, r, "response_mode")
	}
	r.refreshable = slices.Contains(strings.Fields(r.params.Get("scope")), "offline_access")
	switch {
	case r.params.Get("response_type") != "code":
		return f.refuse(responseTypeBad, r, "")
	case !oktaState(r.params.Get("state")):
		// Required, unlike anywhere else, and of few characters.
		return f.refuse(stateMissing, r, "state")
	case !r.promptAmong("none", "login", "consent", "enroll_authenticator"):
		return f.refuse(parameterBad, r, "prompt")
	case !r.readMaxAge():
		return f.refuse(parameterBad, r, "max_age")
	}
	if t, ok := r.pkce("S256"); !ok {
		return f.refuse(t, r, "code_challenge")
	}
	r.scopes = strings.Fields(r.params.Get("scope"))
	for _, scope := range r.scopes {
		known := slices.Contains([]string{"openid", "email", "profile", "address", "phone", "offline_access", "groups"}, scope) ||
			scope == "device_sso" && r.realm != ""
		if !known || scope == "groups" && f.script.hit(OktaNoGroupsScope) {
			return f.refuse(scopeBad, r, scope)
		}
	}
	if len(r.scopes) == 0 {
		return f.refuse(scopeBad, r, "")
	}
	if acr := strings.Fields(r.params.Get("acr_values")); len(acr) > 0 {
		if !strings.HasPrefix(acr[0], "urn:okta:loa:") && acr[0] != "phr" && acr[0] != "phrh" {
			return f.refuse(parameterBad, r, "acr_values")
		}
		r.acr = acr[0]
	}
	return nil
}

func (f *Okta) admit(r *request, p Person) *refusal {
	factors := orPassword(p.Okta.Factors)
	switch {
	case p.Okta.Unassigned:
		return f.refuse(accountElsewhere, r, "")
	case f.script.hit(OktaPolicyDenies):
		return f.refuse(policyDenies, r, "")
	case r.acr == "urn:okta:loa:2fa:any" && !slices.Contains(factors, "mfa"),
		strings.Contains(r.acr, "phr") && !slices.Contains(factors, "hwk"):
		return f.refuse(acrUnmet, r, "")
	}
	return nil
}

func (f *Okta) consented(*request, Person) bool       { return true }
func (f *Okta) decorate(*request, Person, url.Values) {}
func (f *Okta) grantCode(_ *request, g *grant) string { return f.newCode("", g, oktaCodeLife) }
func (f *Okta) fault(_ Endpoint, fault Fault) answer  { return f.oktaFault(fault) }

func (f *Okta) refuse(t trouble, r *request, detail string) *refusal {
	switch t {
	case unknownClient:
		return &refusal{status: http.StatusBadRequest, code: "invalid_client", description: "Invalid value for 'client_id' parameter."}
	case redirectUnregistered:
		return &refusal{
			status: http.StatusBadRequest, code: "invalid_request",
			description: "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings: " + detail,
		}
	case parameterRepeated:
		return &refusal{status: http.StatusBadRequest, code: "invalid_request", description: "The parameter '" + detail + "' occurs twice."}
	case accountSuspended:
		return &refusal{status: http.StatusForbidden, code: "access_denied", description: "Unable to sign in " + detail + "."}
	case responseTypeBad:
		return &refusal{code: "unsupported_response_type", description: "The response type is not supported by the authorization server."}
	case stateMissing:
		return &refusal{code: "invalid_request", description: "The authentication request has an invalid 'state' parameter."}
	case scopeBad:
		return &refusal{code: "invalid_scope", description: "One or more scopes are not configured for the authorization server resource."}
	case pkceRequired:
		return &refusal{code: "invalid_request", description: "PKCE code challenge is required when the token endpoint authentication method is 'NONE'."}
	case signInCancelled:
		return &refusal{code: "access_denied", description: "Resource owner denied the request."}
	case signInRequired:
		return &refusal{code: "login_required", description: "The client specified not to prompt, but the user is not logged in."}
	case accountElsewhere:
		return &refusal{code: "access_denied", description: "User is not assigned to the client application."}
	case policyDenies:
		return &refusal{code: "access_denied", description: "Policy evaluation failed for this request, please check the policy configuration."}
	case acrUnmet:
		return &refusal{code: "unmet_authentication_requirements", description: "The user cannot meet the requested acr_values."}
	}
	return &refusal{code: "invalid_request", description: "The value of the parameter '" + detail + "' is invalid."}
}
