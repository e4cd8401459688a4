package metadata_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

// FuzzMetadata: whatever a document holds, it is refused, or has problems, or is a
// client of the broker that has nothing an operator grants; and it means the same after
// it has been stored.
func FuzzMetadata(f *testing.F) {
	for _, seed := range []string{
		``, `"redirect_uris":"-"`, `"grant_types":["password"]`, deviceClient, clientOfItself,
		// DR-02
		`"scope":"admin","first_party":true,"skip_consent":true,"connectors":["corp"]`, `"scope":"openid orders.read"`,
		`"grant_types":["urn:ietf:params:oauth:grant-type:token-exchange"],"token_exchange":{"people":true}`, `"software_statement":"eyJhbGciOiJub25lIn0.e30."`,
		// DR-04
		`"client_name":"<svg onload=alert(1)>"`, `"client_name":"\u202egpj.exe"`, `"logo_uri":"data:image/svg+xml,<svg/>"`, `"tos_uri":"javascript:alert(1)"`,
		`"policy_uri":"http://localhost/"`, `"client_uri":"https://a@b"`, `"initiate_login_uri":"https://a.example#x"`,
		// DR-06
		`"subject_type":"pairwise","redirect_uris":["https://a.example","https://b.example"]`, `"subject_type":"pairwise","sector_identifier_uri":"https://s.example/x"`,
		`"subject_type":"pairwise","redirect_uris":[{},1]`, `"subject_type":"pairwise","sector_identifier_uri":"file:///etc/passwd"`, `"subject_type":"pairwise",` + deviceClient + `,"jwks_uri":"https://k.example"`,
		`"jwks":` + keySet(ecKey, ecEnc) + `,"id_token_encrypted_response_alg":"ECDH-ES","token_endpoint_auth_method":"private_key_jwt"`, `"jwks":` + keySet(private), `"jwks":null`,
		`"userinfo_encrypted_response_enc":"A256GCM"`, `"access_token_format":"opaque","default_max_age":1,"default_acr_values":["1"],"require_auth_time":false`,
	} {
		f.Add(document(f, seed))
	}
	f.Add([]byte(`{"redirect_uris":["a"],"Redirect_uris":["b"]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, document []byte) {
		decoded, err := metadata.Decode(document)
		if err != nil {
			return
		}
		c := decoded.WithRegistrationDefaults()
		for _, p := range c.Validate(rules()) {
			if p.Member == "" || p.Message == "" {
				t.Fatalf("%q: a problem that says nothing: %+v", document, p)
			}
		}
		if len(c.Validate(rules())) > 0 {
			_, _ = c.Broker() // an error at most
			return
		}
		client, err := c.Broker()
		if err != nil {
			t.Fatalf("%q has no problem and does not convert: %v", document, err)
		}
		checkClient(t, &c, &client)
		stored, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("%q cannot be stored: %v", document, err)
		}
		again, err := metadata.Decode(stored)
		if err != nil {
			t.Fatalf("%s was stored and is refused: %v", stored, err)
		}
		same, err := again.Broker()
		if client.JWKS, same.JWKS = nil, nil; err != nil || !reflect.DeepEqual(client, same) { // spaces in the keys may be others
			t.Fatalf("%q became %+v by being stored as %s, %v", document, same, stored, err)
		}
	})
}

// checkClient holds a client to what is true of every one that has no problem.
func checkClient(t *testing.T, c *metadata.Client, client *broker.Client) {
	t.Helper()
	granted := broker.Client{ID: client.ID, Secrets: client.Secrets, MACSecrets: client.MACSecrets, Connectors: client.Connectors, SkipConsent: client.SkipConsent,
		PKCEOptional: client.PKCEOptional, Allow: client.Allow, Audience: client.Audience, Registered: client.Registered, MinimalIDToken: client.MinimalIDToken,
		Lifetimes: client.Lifetimes, Exchange: client.Exchange, MayAct: client.MayAct}
	switch codes := client.AllowsGrantType(oauth.GrantTypeAuthorizationCode); {
	case !reflect.DeepEqual(granted, broker.Client{}):
		t.Fatalf("a client has given itself what an operator grants: %+v", granted)
	case !rules().Scopes.Contains(client.Scopes):
		t.Fatalf("a client has a scope that is not there: %v", client.Scopes)
	case codes && len(client.RedirectURIs) == 0:
		t.Fatal("a client has codes and nowhere to send them")
	case client.AllowsResponseType(oauth.ResponseTypeCode) && !codes:
		t.Fatal("a client is answered with codes that it cannot redeem")
	case c.SubjectType == "pairwise" && (client.Sector == "" || client.Sector != strings.ToLower(client.Sector)):
		t.Fatalf("a client with pairwise subjects is of the sector %q", client.Sector)
	case c.SubjectType != "pairwise" && client.Sector != "":
		t.Fatalf("a client with public subjects is of the sector %q", client.Sector)
	case len(client.JWKS) > 0 && client.JWKSURI != "":
		t.Fatal("a client has its keys in two places")
	}
	for _, e := range []broker.Encryption{client.IDTokenEncryption, client.UserInfoEncryption, client.IntrospectionEncryption} {
		if !e.IsZero() && (e.Alg == "" || e.Enc == "" || len(client.JWKS) == 0 && client.JWKSURI == "") {
			t.Fatalf("something is encrypted with %+v to no key", e)
		}
	}
	for _, page := range []string{client.URI, client.LogoURI, client.PolicyURI, client.TermsURI, client.InitiateLoginURI} {
		if page != "" && !strings.HasPrefix(strings.ToLower(page), "http") {
			t.Fatalf("people are sent to %q", page)
		}
	}
	for _, uri := range client.RedirectURIs {
		if uri == "" || strings.Contains(uri, "#") {
			t.Fatalf("an answer goes to %q", uri)
		}
	}
}
