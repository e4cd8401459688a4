package server_test

import (
	"net/http"
	"testing"

	"gatehouse/internal/brokertest"
)

// Discovery §3, RFC 8414 §2, RFC 9701 §7: what an operator has given some client is
// advertised, and is not where nobody has it.
func TestDiscoverySaysWhatConfiguredClientsHave(t *testing.T) {
	t.Parallel()
	read := func(b *brokertest.Broker) map[string]any {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.Issuer+"/.well-known/openid-configuration", nil)
		must(t, err)
		return b.Program(t, request, nil).Body
	}
	with := read(brokertest.New(t, brokertest.Options{Connector: levels, Clients: `  - client_id: wiki
    client_secret: wiki-secret
    redirect_uris: ["https://wiki.example/callback"]
    response_modes: [query, web_message]
    jwks_uri: https://wiki.example/jwks
    subject_type: pairwise
    userinfo_signed_response_alg: ES384
    id_token_encrypted_response_alg: ECDH-ES
    userinfo_encrypted_response_alg: RSA-OAEP-256
    userinfo_encrypted_response_enc: A256GCM
    introspection_signed_response_alg: PS256
    introspection_encrypted_response_alg: ECDH-ES+A256KW
    introspection_encrypted_response_enc: A128GCM
`}))
	without := read(brokertest.New(t, brokertest.Options{}))
	holds := func(document map[string]any, member, value string) bool {
		list, _ := document[member].([]any)
		for _, one := range list {
			if one == value {
				return true
			}
		}
		return false
	}
	for _, row := range [][2]string{
		{"response_modes_supported", "web_message"}, {"subject_types_supported", "pairwise"}, {"userinfo_signing_alg_values_supported", "ES384"},
		{"id_token_encryption_alg_values_supported", "ECDH-ES"}, {"id_token_encryption_enc_values_supported", "A128CBC-HS256"},
		{"userinfo_encryption_alg_values_supported", "RSA-OAEP-256"}, {"userinfo_encryption_enc_values_supported", "A256GCM"},
		{"introspection_signing_alg_values_supported", "PS256"}, {"introspection_encryption_alg_values_supported", "ECDH-ES+A256KW"},
		{"introspection_encryption_enc_values_supported", "A128GCM"}, {"acr_values_supported", "mfa"},
	} {
		if !holds(with, row[0], row[1]) {
			t.Errorf("%s is %v, without %s", row[0], with[row[0]], row[1])
		}
		if holds(without, row[0], row[1]) {
			t.Errorf("%s is %v where nobody has %s", row[0], without[row[0]], row[1])
		}
	}
}
