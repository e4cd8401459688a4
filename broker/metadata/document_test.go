package metadata_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

func TestDocumentsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, document, reason string }{
		{"no object", `[]`, "a JSON object"},
		{"nothing", ``, "a JSON object"},
		{"null", `null`, "a JSON object"},
		{"a text", `"redirect_uris"`, "a JSON object"},
		{"two objects", `{}{}`, ""},
		{"a member twice", `{"redirect_uris":["https://a.example"],"redirect_uris":["https://b.example"]}`, "occurs twice"},
		{"a member in another case", `{"Redirect_URIs":["https://a.example"]}`, ""},
		{"a text for a list", `{"redirect_uris":"https://a.example"}`, `"redirect_uris" is of a wrong type`},
		{"DR-06 entries that are no text", `{"redirect_uris":[{}]}`, "redirect_uris"},
		{"a number for a text", `{"client_name":1}`, `"client_name" is of a wrong type`},
		{"a text for a number", `{"default_max_age":"60"}`, `"default_max_age" is of a wrong type`},
		{"half a text", `{"client_name":"\ud800"}`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := metadata.Decode([]byte(row.document))
			if !errors.Is(err, jose.ErrMalformed) || !strings.Contains(err.Error(), row.reason) {
				t.Errorf("%v", err)
			}
		})
	}
}

// DR-02: what an operator grants is no metadata, whoever asks for it.
func TestDR02PrivilegesAreNotMetadata(t *testing.T) {
	t.Parallel()
	plain := registered(t, ``)
	asking := registered(t, `"skip_consent":true,"first_party":true,"connectors":["corp"],"allowed_connectors":["corp"],"allow":{"groups":["admins"]},
		"lifetimes":{"access_token":"24h"},"token_exchange":{"people":true},"may_act":"wiki","require_pkce":false,"audience":["https://a.example"],
		"id_token_claims":"full","client_id":"wiki","client_secret":"x","registration_access_token":"y","software_statement":"a.b.c","client_name#de":"Bank"`)
	if !reflect.DeepEqual(plain, asking) {
		t.Errorf("%+v", asking)
	}
	got, err := asking.Broker()
	want := broker.Client{AuthMethod: oauth.AuthMethodClientSecretBasic, RedirectURIs: []string{"https://app.example.com/cb"},
		GrantTypes: []oauth.GrantType{oauth.GrantTypeAuthorizationCode}, ResponseTypes: []oauth.ResponseType{oauth.ResponseTypeCode}, IDTokenAlg: "RS256"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

// RFC 7591 §2, OpenID Connect Registration §2.
func TestDefaultsOfRegistration(t *testing.T) {
	t.Parallel()
	c := registered(t, `"jwks":null,"client_name":null,"scope":null`)
	want := metadata.Client{RedirectURIs: []string{"https://app.example.com/cb"}, AuthMethod: "client_secret_basic",
		GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"}, ApplicationType: "web", IDTokenAlg: "RS256"}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v", c)
	}
	// What is said stays, and a client without codes has no response types.
	c = registered(t, deviceClient+`,"token_endpoint_auth_method":"none","application_type":"native","id_token_signed_response_alg":"ES256"`)
	want = metadata.Client{AuthMethod: "none", GrantTypes: []string{"urn:ietf:params:oauth:grant-type:device_code"}, ApplicationType: "native", IDTokenAlg: "ES256"}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v", c)
	}
	if got, err := c.Broker(); err != nil || len(got.ResponseTypes) != 0 || !got.Public() || !got.AllowsGrantType(oauth.GrantTypeDeviceCode) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Metadata are stored as JSON: an empty list must not come back as an absent one, whose
// default is another.
func TestEmptyListsSurviveBeingStored(t *testing.T) {
	t.Parallel()
	c := registered(t, noRedirects+`,"grant_types":[]`)
	stored, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := metadata.Decode(stored)
	if err != nil || again.GrantTypes == nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%s comes back as %+v, %v", stored, again, err)
	}
	if got, err := again.Broker(); err != nil || len(got.GrantTypes) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestMetadataOfTheBroker(t *testing.T) {
	t.Parallel()
	c := registered(t, `"redirect_uris":["com.example.app:/cb"],"application_type":"native","token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"ES256",
		"jwks":`+keySet(ecKey)+`,"grant_types":["authorization_code","refresh_token","implicit"],"response_types":["code","id_token"],"response_modes":["form_post"],
		"client_name":"App","client_uri":"https://a.example","logo_uri":"https://a.example/logo","policy_uri":"https://a.example/policy","tos_uri":"https://a.example/tos",
		"scope":"openid email","request_uris":["https://a.example/r"],"request_object_signing_alg":"ES256","default_max_age":60,"default_acr_values":["mfa"],
		"initiate_login_uri":"https://a.example/login","post_logout_redirect_uris":["https://a.example/bye"],"web_origins":["https://a.example"],
		"id_token_signed_response_alg":"ES384","access_token_format":"opaque","userinfo_signed_response_alg":"PS256","introspection_signed_response_alg":"EdDSA",
		"subject_type":"pairwise","sector_identifier_uri":"https://a.example/sector","introspection_encrypted_response_alg":"ECDH-ES"`)
	wantProblems(t, c)
	got, err := c.Broker()
	want := broker.Client{Name: "App", AuthMethod: oauth.AuthMethodPrivateKeyJWT, AssertionAlg: "ES256", JWKS: []byte(keySet(ecKey)),
		RedirectURIs: []string{"com.example.app:/cb"}, PostLogout: []string{"https://a.example/bye"}, WebOrigins: []string{"https://a.example"},
		GrantTypes:    []oauth.GrantType{oauth.GrantTypeAuthorizationCode, oauth.GrantTypeRefreshToken, oauth.GrantTypeImplicit},
		ResponseTypes: []oauth.ResponseType{oauth.ResponseTypeCode, oauth.ResponseTypeIDToken}, ResponseModes: []oauth.ResponseMode{oauth.ResponseModeFormPost},
		Scopes: oauth.Scopes{"openid", "email"}, RequestURIs: []string{"https://a.example/r"}, RequestObjectAlg: "ES256", DefaultMaxAge: time.Minute,
		DefaultACRValues: []string{"mfa"}, InitiateLoginURI: "https://a.example/login", IDTokenAlg: "ES384", UserInfoAlg: "PS256", IntrospectionAlg: "EdDSA",
		IntrospectionEncryption: broker.Encryption{Alg: "ECDH-ES", Enc: "A128CBC-HS256"}, OpaqueAccessTokens: true, Sector: "a.example",
		URI: "https://a.example", LogoURI: "https://a.example/logo", PolicyURI: "https://a.example/policy", TermsURI: "https://a.example/tos"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
	bad := registered(t, `"scope":"openid \""`)
	if _, err := bad.Broker(); err == nil {
		t.Error("a scope that is none was converted")
	}
}
