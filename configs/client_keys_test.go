package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

const (
	publicKey  = `{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	privateKey = `{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}`
)

func TestClientsThatSign(t *testing.T) {
	t.Parallel()
	robot := func(lines ...string) string {
		return minimal + "clients:\n  - client_id: robot\n    grant_types: [client_credentials]\n    " + strings.Join(lines, "\n    ") + "\n"
	}
	const method = "token_endpoint_auth_method: private_key_jwt"
	for _, row := range []struct {
		name, content string
		want          []string
	}{
		{"keys in the file", robot(method, "jwks: {keys: ["+publicKey+"]}"), nil},
		{"keys as JSON text", robot(method, `jwks: '{"keys":[`+publicKey+`]}'`), nil},
		{"keys elsewhere", robot(method, "jwks_uri: https://robot.example/jwks"), nil},
		{"one algorithm", robot(method, "jwks_uri: https://robot.example/jwks", "token_endpoint_auth_signing_alg: ES256"), nil},
		{"a secret to sign with", robot("token_endpoint_auth_method: client_secret_jwt", "client_secret: a-secret-of-thirty-two-characters", "token_endpoint_auth_signing_alg: HS256"), nil},
		{"a secret that is too short to sign with", robot("token_endpoint_auth_method: client_secret_jwt", "client_secret: short"), []string{"8: clients[0].client_secret: is too short to sign with"}},
		{"a hash to sign with", robot("token_endpoint_auth_method: client_secret_jwt", "client_secret: '"+bcryptHash+"'"), []string{"8: clients[0].client_secret: is a hash"}},
		{"no keys", robot(method), []string{"5: clients[0].jwks: required"}},
		{"both", robot(method, "jwks: {keys: ["+publicKey+"]}", "jwks_uri: https://robot.example/jwks"), []string{"9: clients[0].jwks_uri: cannot be combined"}},
		{"keys over plain HTTP", robot(method, "jwks_uri: http://robot.example/jwks"), []string{"8: clients[0].jwks_uri: must be an https URL"}},
		{"JW-08 a private key", robot(method, "jwks: {keys: ["+privateKey+"]}"), []string{"8: clients[0].jwks: holds a private or symmetric key"}},
		{"JW-08 a point that is not on the curve", robot(method, "jwks: {keys: ["+strings.Replace(publicKey, "x_FE", "y_FE", 1)+"]}"), []string{"8: clients[0].jwks: holds a key that is too weak or malformed"}},
		{"no key in it", robot(method, "jwks: {keys: []}"), []string{"8: clients[0].jwks: holds no key"}},
		{"what is no key set", robot(method, "jwks: hello"), []string{"8: clients[0].jwks: is not a JWK set"}},
		{"a list", robot(method, "jwks: [a]"), []string{"8: clients[0].jwks: must be a JWK set"}},
		{"an algorithm of the other kind", robot(method, "jwks_uri: https://robot.example/jwks", "token_endpoint_auth_signing_alg: HS256"), []string{"9: clients[0].token_endpoint_auth_signing_alg: is not an algorithm for private_key_jwt"}},
		{"no algorithm at all", robot(method, "jwks_uri: https://robot.example/jwks", "token_endpoint_auth_signing_alg: none"), []string{"9: clients[0].token_endpoint_auth_signing_alg: is not an algorithm"}},
		{"an algorithm for nothing", robot("client_secret: env:WIKI_SECRET", "token_endpoint_auth_signing_alg: ES256"), []string{"8: clients[0].token_endpoint_auth_signing_alg: is for private_key_jwt"}},
	} {
		t.Run(row.name, func(t *testing.T) { wantProblems(t, row.content, row.want...) })
	}
}

func TestResponseModesAndSignedRequests(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"response_modes: [query, web_message]": nil,
		"response_modes: [jwt]":                {"8: clients[0].response_modes[0]: must be query, fragment, form_post or web_message"},
		"response_modes: []":                   {"8: clients[0].response_modes: is an empty list"},
		"request_uris: [https://a.example/r]":  {"5: clients[0].jwks: required where the client signs requests"},
		"request_object_signing_alg: none":     {"5: clients[0].jwks: required where the client signs requests", "8: clients[0].request_object_signing_alg: must be one of"},
	} {
		t.Run(line, func(t *testing.T) { wantProblems(t, minimal+wiki+"    "+line+"\n", want...) })
	}
	keys := minimal + wiki + "    jwks_uri: https://a.example/jwks\n    request_uris: "
	wantProblems(t, keys+"[https://a.example/r]\n")
	wantProblems(t, keys+"[http://a.example/r]\n", "9: clients[0].request_uris[0]: must be an https URL")
}

func TestWebOrigins(t *testing.T) {
	t.Parallel()
	for origin, good := range map[string]bool{
		"https://app.example.com": true, "https://app.example.com:8443": true, "http://localhost:3000": true, "http://127.0.0.1:3000": true,
		"https://app.example.com/": false, "https://App.example.com": false, "https://app.example.com:443": false, "http://app.example.com": false, "null": false, "*": false,
		"https://*.example.com": false, "https://user@app.example.com": false, "https://": false, "app.example.com": false, "https://app.example.com?x": false, "file:///x": false,
	} {
		want := []string{"8: clients[0].web_origins[0]: must be an origin"}
		if good {
			want = nil
		}
		t.Run(origin, func(t *testing.T) { wantProblems(t, minimal+wiki+"    web_origins: ['"+origin+"']\n", want...) })
	}
}

func TestResources(t *testing.T) {
	t.Parallel()
	base := minimal + wiki + "    scope: openid orders.read\nresources:\n"
	for _, row := range []struct {
		name, content string
		want          []string
	}{
		{"an API", base + "  - {resource: 'https://orders.example', client: wiki, scopes: [orders.read]}\n", nil},
		{"an API that does not ask", base + "  - {resource: 'urn:example:orders', scopes: [orders.read]}\n", nil},
		{"two that share a scope", base + "  - {resource: 'https://a.example', scopes: [orders.read]}\n  - {resource: 'https://b.example', scopes: [orders.read]}\n", nil},
		{"the same twice", base + "  - {resource: 'https://a.example', scopes: [orders.read]}\n  - {resource: 'https://a.example', scopes: [x]}\n", []string{"11: resources[1].resource: is listed already"}},
		{"no name", base + "  - {scopes: [orders.read]}\n", []string{"10: resources[0].resource: required"}},
		{"a relative name", base + "  - {resource: /orders, scopes: [orders.read]}\n", []string{"10: resources[0].resource: must be an absolute URI"}},
		{"a fragment", base + "  - {resource: 'https://a.example#x', scopes: [orders.read]}\n", []string{"10: resources[0].resource: must be an absolute URI"}},
		{"an empty fragment", base + "  - {resource: 'https://a.example#', scopes: [orders.read]}\n", []string{"10: resources[0].resource: must be an absolute URI"}},
		{"a scheme alone", base + "  - {resource: 'https:', scopes: [orders.read]}\n", []string{"10: resources[0].resource: must be an absolute URI"}},
		{"an unknown client", base + "  - {resource: 'https://a.example', client: nobody, scopes: [orders.read]}\n", []string{"10: resources[0].client: is no client_id"}},
		{"no scopes", minimal + wiki + "resources: [{resource: 'https://a.example'}]\n", []string{"8: resources[0].scopes: required"}},
		{"a scope of the broker", base + "  - {resource: 'https://a.example', scopes: [orders.read, email]}\n", []string{"10: resources[0].scopes[1]: email is one of the broker's own"}},
		{"two scopes in one", base + "  - {resource: 'https://a.example', scopes: [orders.read, 'a b']}\n", []string{"10: resources[0].scopes[1]: is not one scope"}},
	} {
		t.Run(row.name, func(t *testing.T) { wantProblems(t, row.content, row.want...) })
	}
}

// robotKey is publicKey, for encryption.
var robotKey = strings.Replace(publicKey, `"kid":"a"`, `"kid":"a","use":"enc"`, 1)

func TestResourcesWhoseTokensAreEncrypted(t *testing.T) {
	t.Parallel()
	file := func(keys, entry string) string {
		return minimal + strings.TrimSuffix(wiki, "\n") + "\n    scope: openid orders.read\n" + keys + "resources:\n  - {resource: 'https://a.example', scopes: [orders.read], " + entry + "}\n"
	}
	const (
		remote = "    jwks_uri: https://a.example/jwks\n"
		alg    = "access_token_encrypted_response_alg: ECDH-ES"
		path   = "11: resources[0].access_token_encrypted_response_"
	)
	inline := func(key string) string { return "    jwks: {keys: [" + key + "]}\n" }
	for _, row := range []struct {
		name, content string
		want          []string
	}{
		{"keys elsewhere", file(remote, "client: wiki, "+alg), nil},
		{"a key", file(inline(robotKey), "client: wiki, access_token_encrypted_response_enc: A256GCM, "+alg), nil},
		{"a key of the other kind", file(inline(robotKey), "client: wiki, access_token_encrypted_response_alg: RSA-OAEP-256"), []string{path + "alg: needs a key among the jwks"}},
		{"no keys", strings.Replace(file("", "client: wiki, "+alg), "resources:", "# nothing\nresources:", 1), []string{path + "alg: needs a client with jwks"}},
		{"no client", file(remote, alg), []string{path + "alg: needs a client with jwks"}},
		{"content without a key", file(remote, "client: wiki, access_token_encrypted_response_enc: A256GCM"), []string{path + "enc: needs access_token_encrypted_response_alg"}},
		{"an algorithm of nobody's", file(remote, "client: wiki, access_token_encrypted_response_alg: RSA1_5"), []string{path + "alg: must be one of RSA-OAEP-256"}},
	} {
		t.Run(row.name, func(t *testing.T) { wantProblems(t, row.content, row.want...) })
	}
	c := mustLoad(t, file(remote, "client: wiki, "+alg))
	if got := c.BrokerResources(); got[0].Encryption != (broker.Encryption{Alg: "ECDH-ES", Enc: "A128CBC-HS256"}) {
		t.Errorf("%+v", got)
	}
}

// Key sets in files are looked at like those that are written out.
func TestKeySetsInFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"sig": `{"keys":[` + publicKey + `]}`, "enc": `{"keys":[` + robotKey + `]}`, "private": `{"keys":[` + privateKey + `]}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	with := func(name string, lines ...string) string {
		return minimal + wiki + "    jwks: 'file:" + filepath.Join(dir, name) + "'\n" + strings.Join(lines, "\n") + "\n"
	}
	resource := "    scope: openid orders.read\nresources: [{resource: 'https://a.example', client: wiki, scopes: [orders.read], access_token_encrypted_response_alg: ECDH-ES}]"
	for _, row := range []struct {
		name, content string
		want          []string
	}{
		{"a key to verify with", with("sig", "    request_object_signing_alg: ES256"), nil},
		{"a key to encrypt to", with("enc", "    id_token_encrypted_response_alg: ECDH-ES"), nil},
		{"a key to encrypt to, for a resource server", with("enc", resource), nil},
		{"a file that is not there", with("missing"), []string{"8: clients[0].jwks: the file "}},
		{"JW-08 a private key", with("private"), []string{"8: clients[0].jwks: holds a private"}},
		{"a key to encrypt to, for signatures", with("enc", "    request_object_signing_alg: ES256"), []string{"8: clients[0].jwks: holds no key that can verify"}},
		{"a key of the other kind", with("sig", "    id_token_encrypted_response_alg: RSA-OAEP-256"), []string{"8: clients[0].jwks: holds no key that something can be encrypted to"}},
		{"a key of the other kind, for a resource server", strings.Replace(with("sig", resource), "ECDH-ES", "RSA-OAEP-256", 1), []string{"10: resources[0].access_token_encrypted_response_alg: needs a key"}},
		{"a key to encrypt to, of an external issuer", externalFile(jobClient, forge+", jwks: 'file:"+filepath.Join(dir, "enc")+"'"), []string{"10: external_issuers[0].jwks: holds no key that can verify"}},
		{"a key to encrypt to, of an external issuer, written out", externalFile(jobClient, forge+", jwks: {keys: ["+robotKey+"]}"), []string{"10: external_issuers[0].jwks: holds no key that can verify"}},
	} {
		t.Run(row.name, func(t *testing.T) { wantProblems(t, row.content, row.want...) })
	}
}

func TestKeysOfClientsAreRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "robot.jwks"), []byte(`{"keys":[`+publicKey+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &Config{dir: dir, env: func(string) (string, bool) { return "a secret of the environment", true }, Clients: []Client{
		{ClientID: "file", AuthMethod: "private_key_jwt", JWKS: &JWKS{Path: "robot.jwks"}},
		{ClientID: "mac", AuthMethod: "client_secret_jwt", ClientSecret: "env:MAC"},
		{ClientID: "remote", AuthMethod: "private_key_jwt", JWKSURI: "https://a.example/jwks", AssertionAlg: "ES256"},
	}}
	clients, err := c.BrokerClients(plain)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(clients[0].JWKS), `"kid":"a"`) || len(clients[0].Secrets) != 0 {
		t.Errorf("%+v", clients[0])
	}
	if len(clients[1].MACSecrets) != 1 || string(clients[1].MACSecrets[0]) != "a secret of the environment" || len(clients[1].Secrets) != 0 {
		t.Error("the secret to sign with is not the secret itself")
	}
	if clients[2].JWKSURI == "" || clients[2].AssertionAlg != "ES256" || clients[2].AuthMethod != oauth.AuthMethodPrivateKeyJWT {
		t.Errorf("%+v", clients[2])
	}
	c.Clients = []Client{{ClientID: "gone", AuthMethod: "private_key_jwt", JWKS: &JWKS{Path: "missing"}}}
	if _, err := c.BrokerClients(plain); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("a file that is not there: %v", err)
	}
}
