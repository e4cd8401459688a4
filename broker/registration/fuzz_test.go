package registration

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"gatehouse/broker/oauth"
)

// FuzzRegistration sends any body to /register. What is accepted is a client of no
// more than the policy has, can be read again, and is answered with one secret at most;
// what is refused is refused in the words of RFC 7591 §3.2.2.
func FuzzRegistration(f *testing.F) {
	const cb = `{"redirect_uris":["https://app.example.org/cb"]`
	for _, seed := range []string{
		minimal, `{}`, `[]`, `null`, ``, cb + `,"redirect_uris":[]}`, cb + `,"Redirect_uris":["https://evil.example"]}`,
		cb + `,"scope":"openid admin","skip_consent":true,"grant_types":["authorization_code","implicit"],"response_types":["token id_token code"]}`,
		cb + `,"grant_types":["urn:ietf:params:oauth:grant-type:token-exchange"],"software_statement":"e30.e30."}`,
		cb + `,"client_name":"\u202egpj.exe","client_name#de":"\u0000","logo_uri":"data:image/svg+xml,<svg onload=alert(1)>"}`,
		cb + `,"token_endpoint_auth_method":"client_secret_jwt","token_endpoint_auth_signing_alg":"HS512"}`,
		cb + `,"token_endpoint_auth_method":"private_key_jwt",` + keys + `}`,
		cb + `,"subject_type":"pairwise","sector_identifier_uri":"https://sector.example.org/"}`,
		`{"redirect_uris":["http://127.0.0.1:80@evil.example/","com.example.app:/cb","javascript:alert(1)"],"application_type":"native"}`,
		`{"redirect_uris":[],"grant_types":["client_credentials"],"response_types":[]}`,
		cb + `,"default_max_age":-1,"require_auth_time":true,"id_token_encrypted_response_alg":"RSA-OAEP-256"}`,
	} {
		f.Add(seed)
	}
	p := openPolicy()
	p.RedirectHosts = []string{"app.example.org"}
	store := openStore(f)
	f.Fuzz(func(t *testing.T, body string) {
		if json.Valid([]byte(body)) && json.Unmarshal([]byte(body), new(any)) != nil {
			return // a key may have a member with a number that the reader of answers below cannot take
		}
		w := worldOver(t, p, store)
		got := w.do("POST", "/register", body, "Content-Type", "application/json")
		if got.status != http.StatusCreated {
			code := oauth.Code(got.text("error"))
			if got.status != http.StatusBadRequest || code != oauth.InvalidRequest && code != oauth.InvalidClientMetadata && code != oauth.InvalidRedirectURI {
				t.Fatalf("answered %d %s", got.status, got.body)
			}
			wantRefused(t, got, got.status, code)
			return
		}
		client := w.client(got)
		if len(client.Scopes) == 0 || !p.Scopes.Contains(client.Scopes) || client.PKCEOptional || client.SkipConsent || !client.Registered {
			t.Fatalf("client %+v", client)
		}
		for _, g := range client.GrantTypes {
			if !p.allowsGrant(g) {
				t.Fatalf("grant type %s", g)
			}
		}
		for _, uri := range client.RedirectURIs {
			if !strings.HasPrefix(strings.ToLower(uri), "https://app.example.org") {
				t.Fatalf("redirect URI %q", uri)
			}
		}
		if (got.text("client_secret") != "") != client.AuthMethod.UsesSecret() {
			t.Fatalf("a secret for %s: %s", client.AuthMethod, got.body)
		}
		read := w.manage("GET", got, "")
		if read.status != http.StatusOK {
			t.Fatalf("read answered %d %s", read.status, read.body)
		}
		// What was answered can be sent back as an update (RFC 7592 §2.2), and changes
		// nothing.
		for _, own := range []string{"registration_access_token", "registration_client_uri", "client_id_issued_at"} {
			delete(read.json, own)
		}
		document, err := json.Marshal(read.json)
		if err != nil {
			t.Fatal(err)
		}
		if again := w.manage("PUT", got, string(document)); len(document) <= maxBody && (again.status != http.StatusOK || again.body != w.manage("GET", got, "").body) {
			t.Fatalf("sent back %s: %d %s", document, again.status, again.body)
		}
	})
}
