package server_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The plan oidcc-config-certification-test-plan, for an issuer at the root and one
// with a path.
func TestOIDFConfig(t *testing.T) {
	t.Parallel()
	for name, setting := range map[string]oidfSetting{
		"": {}, ", clients register themselves": {registration: oidfRegistration}, ", issuer path /tenants/a": {path: "/tenants/a"},
		", both": {path: "/tenants/a", registration: oidfRegistration},
	} {
		world, path := openOIDFWorld(t, setting), setting.path
		t.Run("oidcc-discovery-endpoint-verification"+name, func(t *testing.T) {
			var f oidfFindings
			address := world.issuer + "/.well-known/openid-configuration"
			reply := world.fetch(t, address)
			if reply.status != 200 || !strings.HasPrefix(reply.header.Get("Content-Type"), "application/json") {
				t.Fatalf("%d %s", reply.status, reply.header.Get("Content-Type"))
			}
			document := f.metadata(reply.body, address)
			keys := world.fetch(t, document["jwks_uri"].(string))
			if kind := keys.header.Get("Content-Type"); keys.status != 200 || kind != "application/json" && kind != "application/jwk-set+json" {
				t.Errorf("the key set is %d of type %s", keys.status, kind)
			}
			f.jwks(keys.body)
			f.forRegistration(document, setting.registration != "")
			m := oidfModule{T: t, oidfFindings: f}
			m.conclude(nil)
		})
		t.Run("RFC 8414 §3.1: where the document is"+name, func(t *testing.T) {
			oidfWellKnown(t, world, path)
		})
	}
}

// oidfWellKnown: OpenID Connect appends the well-known part to the issuer
// (Discovery §4.1), OAuth puts it before the issuer's path (RFC 8414 §3.1); clients
// that confuse the two are served as well (§5).
func oidfWellKnown(t *testing.T, world *oidfWorld, path string) {
	root := strings.TrimSuffix(world.issuer, path)
	want := world.fetch(t, world.issuer+"/.well-known/openid-configuration")
	for _, address := range []string{
		root + "/.well-known/oauth-authorization-server" + path,
		world.issuer + "/.well-known/oauth-authorization-server",
	} {
		reply := world.fetch(t, address)
		if reply.status != 200 || string(reply.body) != string(want.body) || reply.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", address, reply.status, reply.header.Get("Content-Type"))
		}
	}
	for _, address := range []string{
		root + "/.well-known/oauth-authorization-server/another/path",
		root + "/.well-known/oauth-authorization-server/",
		world.issuer + "/.well-known/openid-configuration/",
	} {
		if reply := world.fetch(t, address); reply.status != 404 {
			t.Errorf("%s: %d", address, reply.status)
		}
	}
	if path != "" {
		// Whoever is at the root is another issuer, and not we.
		for _, address := range []string{root + "/.well-known/openid-configuration", root + "/.well-known/oauth-authorization-server", root + "/jwks", root + "/authorize"} {
			if reply := world.fetch(t, address); reply.status != 404 {
				t.Errorf("%s: %d", address, reply.status)
			}
		}
	}
}

// oidfMembers are the members of the metadata that the specifications know, by
// type: RFC 8414 §2, Discovery §3, RP-Initiated Logout §2.1, RFC 9207 §3, RFC 9701 §7, and
// Initiating User Registration §4.1.
func oidfMembers(kind string) []string {
	lists := map[string]string{
		"url": `issuer authorization_endpoint token_endpoint userinfo_endpoint jwks_uri registration_endpoint
			service_documentation op_policy_uri op_tos_uri revocation_endpoint introspection_endpoint
			end_session_endpoint check_session_iframe pushed_authorization_request_endpoint device_authorization_endpoint`,
		"list": `scopes_supported response_types_supported response_modes_supported grant_types_supported acr_values_supported
			subject_types_supported id_token_signing_alg_values_supported userinfo_signing_alg_values_supported
			request_object_signing_alg_values_supported token_endpoint_auth_methods_supported
			token_endpoint_auth_signing_alg_values_supported display_values_supported claim_types_supported claims_supported
			claims_locales_supported ui_locales_supported code_challenge_methods_supported prompt_values_supported
			revocation_endpoint_auth_methods_supported introspection_endpoint_auth_methods_supported
			revocation_endpoint_auth_signing_alg_values_supported introspection_endpoint_auth_signing_alg_values_supported
			introspection_signing_alg_values_supported introspection_encryption_alg_values_supported introspection_encryption_enc_values_supported
			id_token_encryption_alg_values_supported id_token_encryption_enc_values_supported userinfo_encryption_alg_values_supported
			userinfo_encryption_enc_values_supported dpop_signing_alg_values_supported`,
		"bool": `claims_parameter_supported request_parameter_supported request_uri_parameter_supported
			require_request_uri_registration require_pushed_authorization_requests authorization_response_iss_parameter_supported
			frontchannel_logout_supported frontchannel_logout_session_supported backchannel_logout_supported
			backchannel_logout_session_supported require_signed_request_object`,
	}
	return strings.Fields(lists[kind])
}

var (
	oidfScopeToken = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`) // RFC 6749 §3.3
	oidfLanguage   = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`)
)

// metadata checks a discovery document found at an address.
func (f *oidfFindings) metadata(raw []byte, address string) map[string]any {
	document := f.object("the metadata", raw)
	for name, value := range document {
		switch {
		case slices.Contains(oidfMembers("url"), name):
			f.httpsURL(name, value)
		case slices.Contains(oidfMembers("list"), name):
			f.list(name, value)
		case slices.Contains(oidfMembers("bool"), name):
			if _, ok := value.(bool); !ok {
				f.failf("%s is %v, not a boolean", name, value)
			}
		default:
			f.warnf("unknown metadata", "no specification knows %s", name)
		}
	}
	issuer, _ := document["issuer"].(string)
	if strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration" != address || strings.ContainsAny(issuer, "?#") {
		f.failf("issuer is %s at %s", issuer, address)
	}
	has := func(name, value string) bool {
		list, _ := document[name].([]any)
		return slices.Contains(list, any(value))
	}
	for _, required := range [][2]string{
		{"response_types_supported", "code"},
		{"id_token_signing_alg_values_supported", "RS256"},
		{"scopes_supported", "openid"},
		{"grant_types_supported", "authorization_code"},
		{"code_challenge_methods_supported", "S256"},
	} {
		if !has(required[0], required[1]) {
			f.failf("%s lacks %s: %v", required[0], required[1], document[required[0]])
		}
	}
	if !has("subject_types_supported", "public") && !has("subject_types_supported", "pairwise") {
		f.failf("subject_types_supported is %v", document["subject_types_supported"])
	}
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "claims_supported"} {
		if document[name] == nil {
			f.failf("%s is missing", name)
		}
	}
	if document["request_object_signing_alg_values_supported"] != nil && !has("request_object_signing_alg_values_supported", "RS256") {
		f.warnf("request objects", "RS256 is not among %v", document["request_object_signing_alg_values_supported"])
	}
	if document["authorization_response_iss_parameter_supported"] != true {
		f.failf("iss in authorization responses is not promised (RFC 9207 §3)")
	}
	return document
}

// forRegistration checks what the variant dynamic_client adds (Discovery §3: what an OP
// has to support whom anybody may register with).
func (f *oidfFindings) forRegistration(document map[string]any, open bool) {
	if _, there := document["registration_endpoint"]; there != open {
		f.failf("registration_endpoint is %v", document["registration_endpoint"])
	}
	for name, values := range map[string][]string{
		"response_types_supported": {"code", "id_token", "id_token token"}, "grant_types_supported": {"authorization_code", "implicit"},
	} {
		list, _ := document[name].([]any)
		for _, v := range values {
			if open && !slices.Contains(list, any(v)) {
				f.failf("%s lacks %s: %v", name, v, list)
			}
		}
	}
}

func (f *oidfFindings) httpsURL(name string, value any) {
	text, _ := value.(string)
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.Fragment != "" || u.User != nil {
		f.failf("%s is %v, not an https URL", name, value)
	}
}

// list checks a list of strings, which has members, each once.
func (f *oidfFindings) list(name string, value any) {
	elements, _ := value.([]any)
	if len(elements) == 0 {
		f.failf("%s is %v, not a list with something in it", name, value)
	}
	seen := map[string]bool{}
	for _, e := range elements {
		text, ok := e.(string)
		if !ok || text == "" || seen[text] {
			f.failf("%s has the member %#v", name, e)
		}
		seen[text] = true
		if name == "scopes_supported" && !oidfScopeToken.MatchString(text) || strings.HasSuffix(name, "_locales_supported") && !oidfLanguage.MatchString(text) {
			f.failf("%s has the member %q", name, text)
		}
	}
}

// What is advertised is what there is: response modes answer, algorithms sign,
// scopes bring what they should and no claim that is not advertised.
func TestOIDFWhatIsAdvertisedIsThere(t *testing.T) {
	t.Parallel()
	p := oidfPlan{t: t, world: newOIDFWorld(t, ""), client: oidfTrusted}
	p.module("response_modes_supported", nil, func(m *oidfModule) {
		m.flow(m.request())
		for _, mode := range m.advertised("response_modes_supported") {
			r := m.request("response_mode", mode, "prompt", "none")
			at := m.authorize(r)
			if mode != "fragment" {
				m.code(at, r)
				continue
			}
			q, err := url.ParseQuery(at.url.EscapedFragment())
			if err != nil || at.url.RawQuery != "" || !q.Has("code") {
				m.failf("fragment: %s", at.url)
			}
			m.response(q, r.get("state"), m.world.issuer)
		}
	})
	p.module("id_token_signing_alg_values_supported", nil, func(m *oidfModule) {
		if !slices.Equal(m.advertised("id_token_signing_alg_values_supported"), []string{"RS256", "ES256"}) {
			m.failf("advertised are %v", m.document["id_token_signing_alg_values_supported"])
		}
		m.client, m.alg = oidfElliptic, "ES256"
		m.flow(m.request())
	})
	p.module("scopes_supported, claims_supported", nil, func(m *oidfModule) {
		m.client, m.alg = oidfElliptic, "ES256"
		m.scope = strings.Join(m.advertised("scopes_supported"), " ")
		t := m.flow(m.request())
		for _, claims := range []map[string]any{t.id, m.userInfo("get", t)} {
			for claim := range claims {
				if !slices.Contains(m.advertised("claims_supported"), claim) {
					m.failf("the claim %s is not advertised", claim)
				}
			}
		}
		if t.refresh == "" {
			m.failf("offline_access is advertised and brings no refresh token")
		}
	})
}
