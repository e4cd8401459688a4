package fake

import (
	"crypto"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Entra emulates Microsoft Entra ID (v2.0 endpoints) with several tenants, the
// personal accounts, and the part of Microsoft Graph that tells groups. Its base
// URL stands for https://login.microsoftonline.com. Graph is served on the same
// host, and by Graph for a host of its own.
type Entra struct {
	*Provider
	exactRedirects
	graph *http.ServeMux

	assertions assertions

	graphMu  sync.Mutex
	graphURL *url.URL
}

// The segments that stand for more than one tenant.
const (
	segmentCommon        = "common"
	segmentOrganizations = "organizations"
	segmentConsumers     = "consumers"
)

const (
	entraCodeLife    = 10 * time.Minute
	entraRefreshLife = 90 * day
	// Tokens are dated five minutes back.
	entraBackdated = 5 * time.Minute
	entraTokenLife = 65 * time.Minute
	entraMaxGroups = 200
)

// NewEntra makes an emulated Entra ID with the cast EntraPeople in EntraTenants.
func NewEntra(o Options) *Entra {
	if o.Entra.Tenants == nil {
		o.Entra.Tenants = EntraTenants()
	}
	if o.Entra.OptionalClaims == nil {
		o.Entra.OptionalClaims = []string{"email", "xms_edov", "sid", "login_hint"}
	}
	f := &Entra{graph: http.NewServeMux()}
	f.Provider = newProvider(o, brand{Name: "Entra ID", Slug: "entra"}, EntraPeople(), f)
	f.describeKeys("RS256", f.certify)
	f.route("GET /{tenant}/v2.0/.well-known/openid-configuration", Discovery, f.inTenant(f.discovery))
	f.route("GET /{tenant}/discovery/v2.0/keys", Keys, f.inTenant(f.tenantKeys))
	f.route("/{tenant}/oauth2/v2.0/authorize", Authorize, f.inTenant(f.authorize))
	f.route("/{tenant}/oauth2/v2.0/token", Token, f.inTenant(f.token))
	f.route("/{tenant}/oauth2/v2.0/logout", Logout, f.inTenant(f.logout))
	for _, path := range []string{"/oidc/userinfo", "/v1.0/me", "/v1.0/me/{rest...}", "/v1.0/directoryObjects/{rest...}"} {
		f.mux.Handle(path, f.graph)
	}
	f.mountGraph()
	return f
}

// inTenant settles the tenant of a path: a tenant's GUID, whether it was named by
// GUID or domain, or one of the segments for many.
func (f *Entra) inTenant(h func(w http.ResponseWriter, r *http.Request, tenant string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		segment := r.PathValue("tenant")
		if tenant, ok := f.tenant(segment); ok {
			h(w, r, tenant)
			return
		}
		f.aadsts(http.StatusBadRequest, "invalid_request", 90002, "Tenant '"+segment+"' not found. Check to make sure you have the correct tenant ID.").write(w)
	}
}

func (f *Entra) tenant(segment string) (string, bool) {
	switch segment {
	case segmentCommon, segmentOrganizations, segmentConsumers:
		return segment, true
	case personalTenant:
		return segmentConsumers, true
	}
	for _, t := range f.opts.Entra.Tenants {
		if strings.EqualFold(segment, t.ID) || strings.EqualFold(segment, t.Domain) {
			return t.ID, true
		}
	}
	return "", false
}

// Issuer is the issuer of a tenant's tokens, and for the segments common and
// organizations the template of the discovery document.
func (f *Entra) Issuer(tenant string) string {
	switch tenant {
	case segmentCommon, segmentOrganizations:
		tenant = "{tenantid}"
	case segmentConsumers:
		tenant = personalTenant
	}
	return f.at("/" + tenant + "/v2.0")
}

// Graph serves Microsoft Graph at the root of a host of its own; SetGraphURL tells
// which.
func (f *Entra) Graph() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.serve(w, r, f.graph, mustBase(f.GraphURL()).Path)
	})
}

// SetGraphURL tells the address under which Graph is served.
func (f *Entra) SetGraphURL(base string) {
	u := mustBase(base)
	f.graphMu.Lock()
	defer f.graphMu.Unlock()
	f.graphURL = u
}

// GraphURL stands for https://graph.microsoft.com: what SetGraphURL said,
// otherwise URL.
func (f *Entra) GraphURL() string {
	f.graphMu.Lock()
	defer f.graphMu.Unlock()
	if f.graphURL != nil {
		return f.graphURL.String()
	}
	return f.URL()
}

// discovery has neither code_challenge_methods_supported nor revocation_endpoint.
func (f *Entra) discovery(w http.ResponseWriter, r *http.Request, tenant string) {
	segment := r.PathValue("tenant")
	if tenant != segmentCommon && tenant != segmentOrganizations && tenant != segmentConsumers {
		segment = tenant // endpoints name the GUID, even where the domain was asked for
	}
	at := func(rest string) string { return f.at("/" + segment + rest) }
	var region any
	if segment == tenant && strings.Contains(tenant, "-") {
		region = "EU"
	}
	f.serveDiscovery(w, map[string]any{
		"token_endpoint":                        at("/oauth2/v2.0/token"),
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic", "self_signed_tls_client_auth"},
		"jwks_uri":                              at("/discovery/v2.0/keys"),
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported":              []string{"code", "id_token", "code id_token", "id_token token"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"issuer":                                f.Issuer(tenant),
		"request_uri_parameter_supported":       false,
		"userinfo_endpoint":                     f.GraphURL() + "/oidc/userinfo",
		"authorization_endpoint":                at("/oauth2/v2.0/authorize"),
		"device_authorization_endpoint":         at("/oauth2/v2.0/devicecode"),
		"http_logout_supported":                 true, "frontchannel_logout_supported": true,
		"end_session_endpoint": at("/oauth2/v2.0/logout"),
		"claims_supported": []string{
			"sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud", "exp", "iat",
			"auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email",
		},
		"kerberos_endpoint":                          at("/kerberos"),
		"mtls_endpoint_aliases":                      map[string]any{"token_endpoint": at("/oauth2/v2.0/token")},
		"tls_client_certificate_bound_access_tokens": true,
		"tenant_region_scope":                        region, "cloud_instance_name": "microsoftonline.com",
		"cloud_graph_host_name": "graph.windows.net", "msgraph_host": hostOf(f.GraphURL()), "rbac_url": "https://pas.windows.net",
	})
}

func (f *Entra) issuer(*request) string { return "" }

func (f *Entra) check(r *request) *refusal {
	if !r.readMode("query", "fragment", "form_post") {
		r.mode = "query"
		return f.refuse(parameterBad, r, "response_mode")
	}
	switch {
	case r.params.Get("response_type") != "code":
		return f.refuse(responseTypeBad, r, r.params.Get("response_type"))
	case !r.promptAmong("none", "login", "consent", "select_account"),
		r.prompts("select_account") && r.params.Has("login_hint"):
		return f.refuse(parameterBad, r, "prompt")
	}
	if t, ok := r.pkce("S256", "plain"); !ok {
		return f.refuse(t, r, "code_challenge")
	}
	if acr, ok := authContext(r.params.Get("claims")); ok {
		r.acr = acr
	} else {
		return f.refuse(parameterBad, r, "claims")
	}
	r.refreshable = slices.Contains(strings.Fields(r.params.Get("scope")), "offline_access")
	return f.readScopes(r)
}

// admit lets the people of the endpoint's tenants pass. A guest needs the endpoint
// of the tenant they are a guest of.
func (f *Entra) admit(r *request, p Person) *refusal {
	personal, guest := p.Entra.TenantID == personalTenant, p.Entra.HomeTenantID != ""
	var welcome bool
	switch r.realm {
	case segmentCommon:
		welcome = !guest
	case segmentOrganizations:
		welcome = !guest && !personal
	case segmentConsumers:
		welcome = personal
	default:
		welcome = p.Entra.TenantID == r.realm
	}
	switch {
	case !welcome:
		return f.refuse(accountElsewhere, r, p.Entra.PreferredUsername)
	case f.script.hit(EntraUnassigned):
		return f.refuse(policyDenies, r, p.Entra.PreferredUsername)
	}
	return nil
}

func (f *Entra) consented(*request, Person) bool { return true }

// grantCode makes a code as long as Microsoft's are.
func (f *Entra) grantCode(_ *request, g *grant) string {
	value := random("1.A", 510)
	f.ledger.putCode(value, g, f.opts.Now().Add(entraCodeLife))
	return value
}

func (f *Entra) decorate(_ *request, p Person, response url.Values) {
	response.Set("session_state", entraSession(p))
}

// certify names a key by the certificate that comes with it: kid is x5t. There is
// no alg member.
func (f *Entra) certify(jwk map[string]any, key crypto.Signer) error {
	delete(jwk, "alg")
	return addCertificate(jwk, key, f.opts.Now())
}
