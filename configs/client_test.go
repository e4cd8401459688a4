package configs

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

// plain stands for the digest of package clientauth, so that tests see what went in.
func plain(secret string) (string, error) { return "digest of " + secret, nil }

const (
	bcryptHash = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
	argonHash  = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
)

func TestClientKeys(t *testing.T) {
	t.Parallel()
	public := "clients: [{client_id: cli, token_endpoint_auth_method: none, redirect_uris: ['http://127.0.0.1/cb']"
	with := func(line string) string { return minimal + wiki + "    " + line + "\n" }
	for _, row := range []struct {
		name, content string
		want          []string
	}{
		{"a public client", minimal + public + "}]\n", nil},
		{"a native client with a scheme of its own", minimal + strings.Replace(public, "http://127.0.0.1/cb", "com.example.app:/cb", 1) + ", application_type: native}]\n", nil},
		{"a web client with a scheme of its own", minimal + strings.Replace(public, "http://127.0.0.1/cb", "com.example.app:/cb", 1) + "}]\n",
			[]string{"4: clients[0].redirect_uris[0]: redirect URI uses a private-use scheme"}},
		{"a public client with a secret", minimal + public + ", client_secret: env:WIKI_SECRET}]\n", []string{"4: clients[0].client_secret: must be absent"}},
		{"a public client with a list of secrets", minimal + public + ", client_secrets: [env:WIKI_SECRET]}]\n", []string{"4: clients[0].client_secret: must be absent"}},
		{"a public client without PKCE", minimal + public + ", require_pkce: false}]\n", []string{"4: clients[0].require_pkce: must not be false"}},
		{"a confidential client without secret", minimal + "clients: [{client_id: a, redirect_uris: ['https://a.example']}]\n", []string{"4: clients[0].client_secret: required"}},
		{"a confidential client with an empty list of secrets", minimal + "clients: [{client_id: a, client_secrets: [], redirect_uris: ['https://a.example']}]\n", []string{"4: clients[0].client_secret: required"}},
		{"a secret and a list of them", with("client_secrets: [env:CORP_SECRET]"), []string{"8: clients[0].client_secrets: cannot be combined"}},
		{"two clients of one name", minimal + wiki + strings.TrimPrefix(wiki, "clients:\n"), []string{"8: clients[1].client_id: is that of clients[0] too"}},
		{"a reserved name", minimal + strings.Replace(wiki, "wiki", "gatehouse", 1), []string{"5: clients[0].client_id: gatehouse is reserved"}},
		{"a name that is a URL", minimal + strings.Replace(wiki, "wiki", "https://a.example/c", 1), []string{"5: clients[0].client_id: must not be a URL"}},
		{"a name with a space", minimal + strings.Replace(wiki, "wiki", "the wiki", 1), []string{"5: clients[0].client_id: must be at most 255"}},
		{"no name", minimal + strings.Replace(wiki, "client_id: wiki", "client_name: Wiki", 1), []string{"5: clients[0].client_id: required"}},
		{"a name for pages that fills them", with("client_name: " + strings.Repeat("x", 101)), []string{"8: clients[0].client_name: must be at most 100"}},
		{"no redirect URI", minimal + "clients: [{client_id: a, client_secret: env:WIKI_SECRET, redirect_uris: []}]\n", []string{"4: clients[0].redirect_uris: required"}},
		{"a redirect URI twice", with("post_logout_redirect_uris: ['https://a.example', 'https://a.example']"), []string{"8: clients[0].post_logout_redirect_uris[1]: is in the list already"}},
		{"a redirect URI with a wildcard", minimal + strings.Replace(wiki, "https://wiki.example.com", "https://*.example.com", 1), []string{"7: clients[0].redirect_uris[0]: redirect URI must not have a wildcard"}},
		{"plain HTTP after sign-out", with("post_logout_redirect_uris: ['http://wiki.example.com']"), []string{"8: clients[0].post_logout_redirect_uris[0]: redirect URI must use https"}},
		{"an unknown authentication method", with("token_endpoint_auth_method: basic"), []string{"8: clients[0].token_endpoint_auth_method: must be client_secret_basic"}},
		{"a key and a secret", with("token_endpoint_auth_method: private_key_jwt"), []string{"5: clients[0].jwks: required with private_key_jwt", "6: clients[0].client_secret: must be absent with private_key_jwt"}},
		{"the password grant", with("grant_types: [authorization_code, password]"), []string{"8: clients[0].grant_types[1]: password is refused"}},
		{"devices", with("grant_types: [authorization_code, 'urn:ietf:params:oauth:grant-type:device_code']"), nil},
		{"a client that acts for itself as well", with("grant_types: [authorization_code, client_credentials]"), nil},
		{"a public client that acts for itself", minimal + public + ", grant_types: [authorization_code, client_credentials]}]\n", []string{"4: clients[0].grant_types[1]: client_credentials is not for a public client"}},
		{"an unknown grant", with("grant_types: [authorization_code, code]"), []string{"8: clients[0].grant_types[1]: must be authorization_code"}},
		{"grants without a way to sign in", with("grant_types: [refresh_token]"), []string{"8: clients[0].grant_types: refresh_token is of no use"}},
		{"the implicit flow", with("response_types: [code, token]"), []string{"8: clients[0].response_types[1]: hands out tokens in the browser"}},
		{"no response type", with("response_types: []"), []string{"8: clients[0].response_types: is an empty list"}},
		{"an unknown scope", with("scope: openid mail"), []string{"8: clients[0].scope: mail is not known here"}},
		{"an empty scope", with("scope: ''"), []string{"8: clients[0].scope: is empty"}},
		{"a scope that is none", with("scope: 'openid \"'"), []string{"8: clients[0].scope: scope contains a character"}},
		{"an unknown connector", with("connectors: [crop]"), []string{"8: clients[0].connectors[0]: is not the id of a connector: did you mean corp?"}},
		{"a connector twice", with("connectors: [corp, corp]"), []string{"8: clients[0].connectors[1]: is in the list already"}},
		{"no connector at all", with("connectors: []"), []string{"8: clients[0].connectors: is an empty list, which would admit nobody"}},
		{"a rule that says nothing", with("allow: {}"), []string{"8: clients[0].allow: is empty, which would admit everybody"}},
		{"a rule with an empty list", with("allow: {groups: [], email_domains: [example.com]}"), []string{"8: clients[0].allow.groups: is an empty list, which would admit everybody"}},
		{"a rule with an empty group", with("allow: {groups: ['']}"), []string{"8: clients[0].allow.groups[0]: is empty"}},
		{"a rule with an address for a domain", with("allow: {email_domains: ['@example.com']}"), []string{"8: clients[0].allow.email_domains[0]: must be a domain"}},
		{"a signature with a shared secret", with("id_token_signed_response_alg: HS256"), []string{"8: clients[0].id_token_signed_response_alg: must be one of"}},
		{"an unsigned access token", with("access_token_signed_response_alg: none"), []string{"8: clients[0].access_token_signed_response_alg: must be one of"}},
		{"some claims", with("id_token_claims: some"), []string{"8: clients[0].id_token_claims: must be full or minimal"}},
		{"an age of zero", with("default_max_age: 0"), []string{"8: clients[0].default_max_age: must be a number of seconds from 1"}},
		{"an application type of its own", with("application_type: spa"), []string{"8: clients[0].application_type: must be web or native"}},
		{"a key of later", with("backchannel_logout_uri: https://wiki.example.com/out"), []string{"8: clients[0].backchannel_logout_uri: is not supported by this version"}},
		{"a device without redirect URIs", minimal + "clients: [{client_id: tv, token_endpoint_auth_method: none, grant_types: ['urn:ietf:params:oauth:grant-type:device_code', refresh_token]}]\n", nil},
		{"two hosts and pairwise subjects", with("subject_type: pairwise") + "  - {client_id: b, client_secret: env:WIKI_SECRET, subject_type: pairwise, redirect_uris: ['https://a.example', 'https://b.example']}\n",
			[]string{"9: clients[1].sector_identifier_uri: required for pairwise subjects"}},
		{"something encrypted to no key", with("userinfo_encrypted_response_alg: ECDH-ES"), []string{"5: clients[0].jwks: required where something is encrypted"}},
		{"content encrypted with no key", with("introspection_encrypted_response_enc: A256GCM"), []string{"8: clients[0].introspection_encrypted_response_enc: needs"}},
		{"an unknown format", with("access_token_format: paseto"), []string{"8: clients[0].access_token_format: must be jwt or opaque"}},
		{"a sign-in begun over plain HTTP", with("initiate_login_uri: http://localhost/login"), []string{"8: clients[0].initiate_login_uri: must be an https URL"}},
		{"an audience", with("audience: ['https://a.example/api', 'urn:example:b']"), nil},
		{"no audience", with("audience: []"), []string{"8: clients[0].audience: is an empty list"}},
		{"an empty audience", with("audience: ['']"), []string{"8: clients[0].audience[0]: must be an absolute URI"}},
		{"a relative audience", with("audience: [/api]"), []string{"8: clients[0].audience[0]: must be an absolute URI"}},
		{"an audience with an empty fragment", with("audience: ['https://a.example#']"), []string{"8: clients[0].audience[0]: must be an absolute URI"}},
		{"an audience twice", with("audience: ['urn:a', 'urn:a']"), []string{"8: clients[0].audience[1]: is in the list already"}},
		{"an audience for a hall", with("audience: ['a:0', 'a:1', 'a:2', 'a:3', 'a:4', 'a:5', 'a:6', 'a:7', 'a:8', 'a:9', 'a:10']"), []string{"8: clients[0].audience: must have at most 10"}},
		{"a logo over plain HTTP", with("logo_uri: http://wiki.example.com/logo.png"), []string{"8: clients[0].logo_uri: must be an https URL"}},
		{"a script for a policy", with("policy_uri: 'javascript:alert(1)'"), []string{"8: clients[0].policy_uri: must be an https URL"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, row.content, row.want...)
		})
	}
}

func TestConnectorThatCannotBeReadHidesNoOtherProblem(t *testing.T) {
	t.Parallel()
	// The client names corp, which is the entry that could not be read: that is one problem, not two.
	wantProblems(t, strings.Replace(minimal, "type: fake", "type: faker", 1)+wiki+"    connectors: [corp]\n    scope: x\n",
		"3: connectors[0].type: unknown connector type", "9: clients[0].scope: x is not known")
}

func TestClientsOfTheBroker(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal+wiki+`  - client_id: full
    client_name: Full
    client_secrets: [env:CORP_SECRET, "`+bcryptHash+`", "`+argonHash+`"]
    token_endpoint_auth_method: client_secret_post
    redirect_uris: [https://a.example/cb, https://b.example/cb]
    post_logout_redirect_uris: [https://a.example/bye]
    grant_types: [authorization_code]
    response_types: [code]
    scope: openid email
    connectors: [corp]
    skip_consent: true
    require_pkce: false
    allow: {groups: [corp:staff], email_domains: [Example.COM]}
    id_token_signed_response_alg: ES256
    access_token_signed_response_alg: RS256
    id_token_claims: minimal
    lifetimes: {code: 10s}
    default_max_age: 3600
    client_uri: https://a.example
    logo_uri: https://a.example/logo.png
    policy_uri: https://a.example/policy
    tos_uri: https://a.example/tos
`)
	got, err := c.BrokerClients(plain)
	if err != nil {
		t.Fatal(err)
	}
	want := []broker.Client{{
		ID: "wiki", Name: "wiki", Secrets: []string{"digest of wiki-secret-in-the-environment!!"},
		RedirectURIs:  []string{"https://wiki.example.com/callback"},
		GrantTypes:    []oauth.GrantType{oauth.GrantTypeAuthorizationCode, oauth.GrantTypeRefreshToken},
		ResponseTypes: []oauth.ResponseType{oauth.ResponseTypeCode},
	}, {
		ID: "full", Name: "Full", Secrets: []string{"digest of corp-secret-in-the-environment", bcryptHash, argonHash},
		AuthMethod:   oauth.AuthMethodClientSecretPost,
		RedirectURIs: []string{"https://a.example/cb", "https://b.example/cb"}, PostLogout: []string{"https://a.example/bye"},
		GrantTypes: []oauth.GrantType{oauth.GrantTypeAuthorizationCode}, ResponseTypes: []oauth.ResponseType{oauth.ResponseTypeCode},
		Scopes: oauth.Scopes{"openid", "email"}, Connectors: []string{"corp"}, SkipConsent: true, PKCEOptional: true,
		Allow:      broker.Allow{Groups: []string{"corp:staff"}, EmailDomains: []string{"example.com"}},
		IDTokenAlg: "ES256", AccessTokenAlg: "RS256", MinimalIDToken: true,
		Lifetimes: broker.Lifetimes{Code: 10 * time.Second}, DefaultMaxAge: time.Hour,
		URI: "https://a.example", LogoURI: "https://a.example/logo.png", PolicyURI: "https://a.example/policy", TermsURI: "https://a.example/tos",
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("clients:\n%+v\nwant:\n%+v", got, want)
	}
	failure := errors.New("no digest today")
	if _, err := c.BrokerClients(func(string) (string, error) { return "", failure }); !errors.Is(err, failure) {
		t.Errorf("the error of digest is lost: %v", err)
	}
}

// The members that a client can register are those that an entry can have.
func TestMetadataOfAnEntry(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal+wiki+`    application_type: web
    token_endpoint_auth_method: client_secret_jwt
    token_endpoint_auth_signing_alg: HS256
    jwks_uri: https://keys.example/jwks
    response_modes: [query]
    web_origins: [https://wiki.example.com]
    request_uris: [https://wiki.example.com/r]
    request_object_signing_alg: ES256
    subject_type: pairwise
    sector_identifier_uri: https://sector.example/uris
    access_token_format: opaque
    userinfo_signed_response_alg: PS256
    introspection_signed_response_alg: EdDSA
    id_token_encrypted_response_alg: RSA-OAEP-256
    userinfo_encrypted_response_alg: ECDH-ES
    userinfo_encrypted_response_enc: A256GCM
    introspection_encrypted_response_alg: ECDH-ES+A256KW
    introspection_encrypted_response_enc: A128GCM
    require_auth_time: true
    default_acr_values: [mfa]
    initiate_login_uri: https://wiki.example.com/login
    contacts: [ops@example.com]
    software_id: wiki
    software_version: "2"
    audience: [https://search.example.com]
`)
	got, err := c.BrokerClients(plain)
	want := []broker.Client{{
		ID: "wiki", Name: "wiki", MACSecrets: [][]byte{[]byte("wiki-secret-in-the-environment!!")}, AuthMethod: oauth.AuthMethodClientSecretJWT, AssertionAlg: "HS256",
		JWKSURI: "https://keys.example/jwks", RequestURIs: []string{"https://wiki.example.com/r"}, RequestObjectAlg: "ES256",
		RedirectURIs: []string{"https://wiki.example.com/callback"}, WebOrigins: []string{"https://wiki.example.com"},
		GrantTypes:    []oauth.GrantType{oauth.GrantTypeAuthorizationCode, oauth.GrantTypeRefreshToken},
		ResponseTypes: []oauth.ResponseType{oauth.ResponseTypeCode}, ResponseModes: []oauth.ResponseMode{oauth.ResponseModeQuery},
		UserInfoAlg: "PS256", IntrospectionAlg: "EdDSA", IDTokenEncryption: broker.Encryption{Alg: "RSA-OAEP-256", Enc: "A128CBC-HS256"},
		UserInfoEncryption:      broker.Encryption{Alg: "ECDH-ES", Enc: "A256GCM"},
		IntrospectionEncryption: broker.Encryption{Alg: "ECDH-ES+A256KW", Enc: "A128GCM"}, OpaqueAccessTokens: true,
		Audience: []string{"https://search.example.com"}, Sector: "sector.example", InitiateLoginURI: "https://wiki.example.com/login", DefaultACRValues: []string{"mfa"},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
}

// Whatever a client can register an operator can configure: a member that is added to the metadata has a key of its name,
// and its value arrives.
func TestEveryMemberOfTheMetadataIsAKey(t *testing.T) {
	t.Parallel()
	keys := reflect.TypeFor[Client]()
	for member := range reflect.TypeFor[metadata.Client]().Fields() {
		name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
		at := -1
		for i := range keys.NumField() {
			if keys.Field(i).Tag.Get("yaml") == name {
				at = i
			}
		}
		if at < 0 {
			t.Errorf("%s is no key of clients", name)
			continue
		}
		var c Client
		switch v := reflect.ValueOf(&c).Elem().Field(at); v.Interface().(type) {
		case string:
			v.SetString("x")
		case []string:
			v.Set(reflect.ValueOf([]string{"x"}))
		case *JWKS:
			v.Set(reflect.ValueOf(&JWKS{Text: []byte("x")}))
		default: // pointers to the basic kinds
			v.Set(reflect.New(v.Type().Elem()))
		}
		if reflect.ValueOf(*c.metadata()).FieldByIndex(member.Index).IsZero() {
			t.Errorf("%s does not arrive", name)
		}
	}
}

func TestClientSecretsThatAreHashes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, secret, problem string }{
		{"bcrypt", bcryptHash, ""},
		{"argon2id", argonHash, ""},
		{"bcrypt cut short", bcryptHash[:50], "looks like a bcrypt hash but is not one"},
		{"bcrypt with something behind it", bcryptHash + "x", "looks like a bcrypt hash but is not one"},
		{"bcrypt that takes a minute", strings.Replace(bcryptHash, "$10$", "$18$", 1), "has a bcrypt cost of 18"},
		{"argon2i", strings.Replace(argonHash, "argon2id", "argon2i", 1), "looks like an argon2id hash but is not one"},
		{"argon2id of another version", strings.Replace(argonHash, "v=19", "v=16", 1), "looks like an argon2id hash but is not one"},
		{"argon2id without parameters", strings.Replace(argonHash, "m=65536,t=3,p=4", "m=65536", 1), "looks like an argon2id hash but is not one"},
		{"argon2id with parameters behind", strings.Replace(argonHash, "p=4", "p=4,x=1", 1), "looks like an argon2id hash but is not one"},
		{"argon2id with a short salt", strings.Replace(argonHash, "c29tZXNhbHRzb21lc2FsdA", "c2E", 1), "looks like an argon2id hash but is not one"},
		{"argon2id with no rounds", strings.Replace(argonHash, "t=3", "t=0", 1), "looks like an argon2id hash but is not one"},
		{"argon2id that takes gigabytes", strings.Replace(argonHash, "m=65536", "m=4194304", 1), "has argon2id parameters beyond"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			content := minimal + strings.Replace(wiki, "env:WIKI_SECRET", "'"+row.secret+"'", 1)
			if row.problem == "" {
				if warnings := mustLoad(t, content).Warnings(); len(warnings) > 0 {
					t.Errorf("a hash is warned of: %v", warnings)
				}
				return
			}
			got := problemsOf(t, content)
			if len(got) != 1 || !strings.HasPrefix(got[0], "6: clients[0].client_secret: "+row.problem) || strings.Contains(got[0], row.secret) {
				t.Errorf("problems: %v", got)
			}
		})
	}
}
