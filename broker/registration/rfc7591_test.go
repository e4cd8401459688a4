package registration

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker/clientauth"
	"gatehouse/broker/oauth"
)

// RFC 7591 §3.2.1, OpenID Connect Registration §3.2.
func TestAClientRegistersItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	got := w.register(`{"client_name":"Notes","client_name#de":"Notizen","redirect_uris":["https://app.example.org/cb?bar=foo"],
		"contacts":["ops@example.org"],"initiate_login_uri":"https://app.example.org/login","favourite_colour":"green"}`)
	id := got.text("client_id")
	for member, want := range map[string]any{
		"client_name": "Notes", "token_endpoint_auth_method": "client_secret_basic", "application_type": "web",
		"id_token_signed_response_alg": "RS256", "scope": "openid profile email offline_access",
		"initiate_login_uri": "https://app.example.org/login", "registration_client_uri": issuer + "/register/" + id,
		"client_id_issued_at": float64(epoch.Unix()), "client_secret_expires_at": float64(0),
	} {
		if got.json[member] != want {
			t.Errorf("%s is %v, want %v", member, got.json[member], want)
		}
	}
	for member, want := range map[string]string{"redirect_uris": "https://app.example.org/cb?bar=foo", "contacts": "ops@example.org",
		"grant_types": "authorization_code", "response_types": "code"} {
		if list, _ := got.json[member].([]any); len(list) != 1 || list[0] != want {
			t.Errorf("%s is %v, want [%s]", member, got.json[member], want)
		}
	}
	if got.json["client_name#de"] != nil || got.json["favourite_colour"] != nil {
		t.Errorf("what is not supported is answered as if it were registered: %s", got.body)
	}
	if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Pragma") != "no-cache" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", got.header)
	}
	client := w.client(got)
	if !client.Registered || client.Name != "Notes" || client.InitiateLoginURI != "https://app.example.org/login" || client.PKCEOptional || client.SkipConsent ||
		!slices.Equal(client.GrantTypes, []oauth.GrantType{oauth.GrantTypeAuthorizationCode}) {
		t.Errorf("client %+v", client)
	}
	if secrets := clientauth.NewSecrets(); len(client.Secrets) != 1 || !secrets.Verify(t.Context(), client.Secrets[0], got.text("client_secret")) {
		t.Errorf("the secret %q is not that of %v", got.text("client_secret"), client.Secrets)
	}
	if len(got.text("client_secret")) < 43 || len(got.text("registration_access_token")) < 43 || strings.Contains(id, ":") || len(id) < 26 {
		t.Errorf("credentials that can be guessed: %s", got.body)
	}
}

// RFC 7591 §2: only methods that rest on a secret get one.
func TestSecretsGoWithTheMethod(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	for _, row := range []struct {
		method string
		secret int // least length
	}{
		{"client_secret_basic", 43}, {"client_secret_post", 43}, {"client_secret_jwt", 64}, {"none", 0}, {"private_key_jwt", 0},
	} {
		got := w.register(`{"redirect_uris":["https://app.example.org/cb"],"token_endpoint_auth_method":"` + row.method + `",` + keys + `}`)
		secret, expires := got.text("client_secret"), got.json["client_secret_expires_at"]
		if row.secret == 0 && (secret != "" || expires != nil) || row.secret > 0 && (len(secret) < row.secret || expires != float64(0)) {
			t.Errorf("%s: %s", row.method, got.body)
		}
		client := w.client(got)
		signs := row.method == "client_secret_jwt"
		if (len(client.MACSecrets) == 1 && string(client.MACSecrets[0]) == secret) != signs || (len(client.Secrets) == 1) != (row.secret > 0 && !signs) {
			t.Errorf("%s: kept %v and %d to sign with", row.method, client.Secrets, len(client.MACSecrets))
		}
	}
}

// keys is the member jwks with a key that nobody has the other half of.
const keys = `"jwks":{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`

// RFC 7591 §3.1.
func TestWhatIsNoDocumentIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	for _, row := range []struct {
		name, body string
		kind       string
		code       oauth.Code
	}{
		{"a form", "redirect_uris=https://app.example.org/cb", "application/x-www-form-urlencoded", oauth.InvalidRequest},
		{"JSON that says to be text", minimal, "text/plain", oauth.InvalidRequest},
		{"no type", minimal, " ", oauth.InvalidRequest},
		{"nothing", " ", "application/json", oauth.InvalidClientMetadata},
		{"an array", "[" + minimal + "]", "application/json", oauth.InvalidClientMetadata},
		{"null", "null", "application/json", oauth.InvalidClientMetadata},
		{"a document and more", minimal + minimal, "application/json", oauth.InvalidClientMetadata},
		{"a member twice", `{"redirect_uris":["https://app.example.org/cb"],"redirect_uris":["https://evil.example/cb"]}`, "application/json", oauth.InvalidClientMetadata},
		{"a member in another case", `{"redirect_uris":["https://app.example.org/cb"],"Redirect_URIs":["https://evil.example/cb"]}`, "application/json", oauth.InvalidClientMetadata},
		{"a member twice, deep within", `{"redirect_uris":["https://app.example.org/cb"],"jwks":{"keys":[],"keys":[]}}`, "application/json", oauth.InvalidClientMetadata},
		{"a member of a wrong type", `{"redirect_uris":"https://app.example.org/cb"}`, "application/json", oauth.InvalidClientMetadata},
		{"64 KiB and a byte", `{"redirect_uris":["https://app.example.org/cb"]}` + strings.Repeat(" ", maxBody+1-len(minimal)), "application/json", oauth.InvalidRequest},
	} {
		got := w.do("POST", "/register", row.body, "Content-Type", row.kind)
		if wantRefused(t, got, http.StatusBadRequest, row.code); t.Failed() {
			t.Fatal(row.name)
		}
	}
	twice := httptest.NewRequestWithContext(t.Context(), "POST", "/register", strings.NewReader(minimal))
	twice.Header["Content-Type"] = []string{"application/json", "text/plain"}
	rec := httptest.NewRecorder()
	if w.handler.ServeHTTP(rec, twice); rec.Code != http.StatusBadRequest {
		t.Errorf("two types: %d", rec.Code)
	}
	w.register(minimal+strings.Repeat(" ", maxBody-len(minimal)), "Content-Type", "application/json; charset=utf-8")
}

// RFC 7591 §2, RFC 7592 §2.2: null and empty are absent.
func TestNullAndEmptyAreAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	got := w.register(`{"redirect_uris":["https://app.example.org/cb"],"grant_types":[],"response_types":null,"scope":"","jwks":null,
		"client_name":null,"logo_uri":"","web_origins":[],"response_modes":[],"token_endpoint_auth_method":null,"software_statement":null}`)
	plain := w.register("")
	for _, r := range []reply{got, plain} {
		for _, own := range []string{"client_id", "client_secret", "registration_access_token", "registration_client_uri"} {
			delete(r.json, own)
		}
	}
	if len(got.json) != len(plain.json) || got.json["scope"] != plain.json["scope"] {
		t.Errorf("%v, want as without these members: %v", got.json, plain.json)
	}
}

// RFC 7591 §3.2.2.
func TestErrorsNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	const cb = `"redirect_uris":["https://app.example.org/cb"],`
	for _, row := range []struct {
		name, document, member string
		code                   oauth.Code
	}{
		{"a fragment", `{"redirect_uris":["https://app.example.org/cb#x"]}`, "redirect_uris[0]", oauth.InvalidRedirectURI},
		{"plain http", `{"redirect_uris":["http://app.example.org/cb"]}`, "redirect_uris[0]", oauth.InvalidRedirectURI},
		{"no redirect URI", `{}`, "redirect_uris", oauth.InvalidRedirectURI},
		{"a script", `{"redirect_uris":["javascript:alert(1)"]}`, "redirect_uris[0]", oauth.InvalidRedirectURI},
		{"a private scheme of a web application", `{"redirect_uris":["com.example.app:/cb"]}`, "redirect_uris[0]", oauth.InvalidRedirectURI},
		{"a response type without its grant type", `{` + cb + `"response_types":["id_token"]}`, "response_types[0]", oauth.InvalidClientMetadata},
		{"an unknown method", `{` + cb + `"token_endpoint_auth_method":"tls_client_auth"}`, "token_endpoint_auth_method", oauth.InvalidClientMetadata},
		{"keys twice", `{` + cb + keys + `,"jwks_uri":"https://app.example.org/jwks"}`, "jwks_uri", oauth.InvalidClientMetadata},
		{"an unknown algorithm", `{` + cb + `"id_token_signed_response_alg":"none"}`, "id_token_signed_response_alg", oauth.InvalidClientMetadata},
		{"the password grant", `{` + cb + `"grant_types":["password"]}`, "grant_types[0]", oauth.InvalidClientMetadata},
		{"a scope that is none", `{` + cb + `"scope":"open\"id"}`, "scope", oauth.InvalidClientMetadata},
		{"quotes and line breaks", `{` + cb + `"grant_types":["a\"b\r\nSet-Cookie: c=d"],"response_types":["\u202e"]}`, "grant_types[0]", oauth.InvalidClientMetadata},
	} {
		got := w.do("POST", "/register", row.document)
		wantRefused(t, got, http.StatusBadRequest, row.code)
		if !strings.Contains(got.text("error_description"), row.member) {
			t.Errorf("%s: %s does not name %s", row.name, got.body, row.member)
		}
	}
}

// RFC 6749 §3.1.1: response types are sets.
func TestResponseTypesAreSets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	got := w.register(`{"redirect_uris":["https://app.example.org/cb"],"grant_types":["authorization_code","implicit"],"response_types":["id_token code"]}`)
	if client := w.client(got); !client.AllowsResponseType(oauth.ResponseTypeCodeIDToken) {
		t.Errorf("response types %v", client.ResponseTypes)
	}
}
