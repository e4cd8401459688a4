package server_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/internal/jwttest"
)

// with is the plan whose modules register one more member; nil takes away one that the
// suite sends by itself.
func (p oidfPlan) with(member string, value any) oidfPlan {
	p.more = maps.Clone(p.more)
	if p.more == nil {
		p.more = map[string]any{}
	}
	p.more[member] = value
	return p
}

// bySelf is the plan whose modules register for themselves.
func (p oidfPlan) bySelf() oidfPlan {
	p.itself = true
	return p
}

// posting is the plan with the variant client_secret_post.
func (p oidfPlan) posting() oidfPlan {
	if !p.dynamic {
		p.client = oidfPosting
	}
	return p.with("token_endpoint_auth_method", "client_secret_post")
}

// grantTypes are those that the plan's response type needs, and more.
func (p oidfPlan) grantTypes(more ...any) []any {
	var out []any
	if p.gives("code") {
		out = append(out, "authorization_code")
	}
	if p.gives("id_token") || p.gives("token") {
		out = append(out, "implicit")
	}
	return append(out, more...)
}

// second is the suite's second client, which has another redirect URI and other keys.
func (m *oidfModule) second() oidfClient {
	m.Helper()
	if !m.dynamic {
		return oidfSecond
	}
	return m.registerKey(oidfKeys().second, map[string]any{"client_name": "Suite 2", "redirect_uris": []any{oidfCallbackQuery}})
}

// metadataOf is a registration request as the suite makes it for the plan, with
// changes; nil takes a member away.
func (m *oidfModule) metadataOf(key *oidfPair, changes map[string]any) map[string]any {
	m.Helper()
	request := map[string]any{
		"client_name": "Suite " + oidfRandom(6), "contacts": []any{"suite@suite.example"}, "redirect_uris": []any{oidfCallback},
		"response_types": []any{cmp.Or(m.responseType, "code")}, "grant_types": m.grantTypes(), "token_endpoint_auth_method": "client_secret_basic",
		// Sent by clients that have no use for it, too.
		"jwks": oidfKeySet(m.T, key),
	}
	maps.Copy(request, m.more)
	maps.Copy(request, changes)
	maps.DeleteFunc(request, func(_ string, v any) bool { return v == nil })
	return request
}

// register registers the suite's first client, which the module's flows then use if it
// is the plan's (OpenID Connect Registration §3).
func (m *oidfModule) register(changes map[string]any) oidfClient {
	m.Helper()
	return m.registerKey(oidfKeys().first, changes)
}

func (m *oidfModule) registerKey(key *oidfPair, changes map[string]any) oidfClient {
	m.Helper()
	asked := m.metadataOf(key, changes)
	answer := m.registration(m.send(http.MethodPost, m.endpoint("registration_endpoint"), "", asked), http.StatusCreated, asked)
	m.require()
	text := func(name string) string { s, _ := answer[name].(string); return s }
	client := oidfClient{id: text("client_id"), secret: text("client_secret"), method: text("token_endpoint_auth_method"), key: key,
		alg: text("token_endpoint_auth_signing_alg"), configuration: text("registration_client_uri"), token: text("registration_access_token")}
	if uris, _ := asked["redirect_uris"].([]any); len(uris) > 0 {
		client.redirectURI, _ = uris[0].(string)
	}
	if !slices.Contains(m.advertised("token_endpoint_auth_methods_supported"), client.method) {
		m.failf("%s is not advertised", client.method)
	}
	m.registered = append(m.registered, client)
	return client
}

// send sends a document to the registration endpoint, or to what it has said.
func (m *oidfModule) send(method, address, token string, document map[string]any) oidfReply {
	m.Helper()
	var body []byte
	if document != nil {
		body = oidfJSON(m.T, document)
	}
	request, err := http.NewRequestWithContext(m.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		m.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	if document != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return m.world.send(m.T, request)
}

// unregister is what the suite does at the end of a module. Nothing is left behind.
func (m *oidfModule) unregister(client oidfClient) {
	m.Helper()
	if reply := m.send(http.MethodDelete, client.configuration, client.token, nil); reply.status != http.StatusNoContent || len(reply.body) > 0 {
		m.failf("the client is deleted with %d %s (RFC 7592 §2.3)", reply.status, reply.body)
	}
	if reply := m.send(http.MethodGet, client.configuration, client.token, nil); reply.status != http.StatusUnauthorized {
		m.failf("the client is deleted, and its registration answers %d", reply.status)
	}
}

// oidfClientMembers are what a client information response may hold: RFC 7591 §2,
// §3.2.1, RFC 7592 §3, OpenID Connect Registration §2, RP-Initiated Logout §3.1, RFC
// 9701 §6.
func oidfClientMembers() []string {
	return strings.Fields(`client_id client_secret client_id_issued_at client_secret_expires_at registration_access_token registration_client_uri
		redirect_uris token_endpoint_auth_method token_endpoint_auth_signing_alg grant_types response_types response_modes client_name client_uri
		logo_uri policy_uri tos_uri scope contacts jwks jwks_uri software_id software_version application_type subject_type sector_identifier_uri
		id_token_signed_response_alg id_token_encrypted_response_alg id_token_encrypted_response_enc userinfo_signed_response_alg
		userinfo_encrypted_response_alg userinfo_encrypted_response_enc introspection_signed_response_alg introspection_encrypted_response_alg
		introspection_encrypted_response_enc request_object_signing_alg request_uris default_max_age require_auth_time default_acr_values
		initiate_login_uri post_logout_redirect_uris`)
}

// registration checks a client information response against what was asked for (RFC
// 7591 §3.2.1, RFC 7592 §3, OpenID Connect Registration §3.2) and returns it.
func (f *oidfFindings) registration(reply oidfReply, status int, asked map[string]any) map[string]any {
	f.json("the registration", reply, status)
	f.uncached(reply)
	answer := f.object("the registration", reply.body)
	if id, _ := answer["client_id"].(string); id == "" || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }) {
		f.failf("client_id is %v", answer["client_id"]) // RFC 6749 appendix A.1
	}
	f.credentials(answer, status == http.StatusCreated)
	for name := range answer {
		if !slices.Contains(oidfClientMembers(), name) {
			f.warnf("unknown member", "no specification knows %s", name)
		}
	}
	for name, value := range asked {
		if !reflect.DeepEqual(answer[name], oidfPlain(value)) {
			f.failf("%s is registered as %v, asked for was %v", name, answer[name], value)
		}
	}
	return answer
}

// credentials checks those of the client and those of its registration. A secret is
// shown when it has been made.
func (f *oidfFindings) credentials(answer map[string]any, made bool) {
	_, there := answer["client_secret"]
	method, _ := answer["token_endpoint_auth_method"].(string)
	if there != (made && strings.HasPrefix(method, "client_secret_")) {
		f.failf("the client authenticates with %s, and client_secret is %v", method, answer["client_secret"])
	}
	if there {
		secret, _ := answer["client_secret"].(string)
		f.entropy("the client secret", secret, 128)
		if end, ok := f.number(answer, "client_secret_expires_at"); !ok || end < 0 {
			f.failf("client_secret_expires_at is %v", answer["client_secret_expires_at"])
		}
	}
	if at, ok := f.number(answer, "client_id_issued_at"); !ok || at <= 0 {
		f.failf("client_id_issued_at is %v", answer["client_id_issued_at"])
	}
	// Both or neither; the plans need both.
	f.httpsURL("registration_client_uri", answer["registration_client_uri"])
	token, _ := answer["registration_access_token"].(string)
	f.entropy("the registration access token", token, 128)
}

// oidfPlain is a value as it comes out of a JSON document.
func oidfPlain(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	out, err := oidfValue(decoder)
	if err != nil {
		return err
	}
	return out
}

// notRegistered is the refusal of a registration (RFC 7591 §3.2.2).
func (m *oidfModule) notRegistered(reply oidfReply, allowed ...string) {
	m.Helper()
	m.json("the refusal", reply, http.StatusBadRequest)
	m.uncached(reply)
	body := m.object("the refusal", reply.body)
	if code, _ := body["error"].(string); !slices.Contains(allowed, code) {
		m.failf("error is %v, want one of %v", body["error"], allowed)
	}
	description, _ := body["error_description"].(string)
	m.description(description, "")
	if body["client_id"] != nil {
		m.failf("a refusal has a client_id")
	}
}

// assertion is what a client proves with who it is (Core §9, RFC 7523 §3).
func (m *oidfModule) assertion(client oidfClient) string {
	m.Helper()
	now := m.world.clock.Now()
	claims := map[string]any{"iss": client.id, "sub": client.id, "aud": cmp.Or(m.audience, m.endpoint("token_endpoint")), "jti": oidfRandom(20),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	if client.method == "client_secret_jwt" {
		return jwttest.Sign(m.T, jwttest.Key{Algorithm: jose.SignatureAlgorithm(cmp.Or(client.alg, "HS256")), Key: []byte(client.secret)}, claims)
	}
	return jwttest.Sign(m.T, client.key.signer(), claims)
}

func (k *oidfPair) signer() jwttest.Key {
	return jwttest.Key{Algorithm: jose.SignatureAlgorithm(k.alg), ID: k.kid, Key: k.private}
}

// opened is a token without its encryption.
func (m *oidfModule) opened(raw string) string {
	m.Helper()
	if m.open == nil {
		return raw
	}
	return m.open(raw)
}
