package metadata_test

import (
	"strings"
	"testing"
)

const (
	deviceGrant    = `"urn:ietf:params:oauth:grant-type:device_code"`
	noRedirects    = `"redirect_uris":"-"`
	deviceClient   = noRedirects + `,"grant_types":[` + deviceGrant + `]`
	clientOfItself = noRedirects + `,"grant_types":["client_credentials"]`
)

func TestGrantTypesAndWhatTheyNeed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, with string
		want       []string
	}{
		{"nothing but a redirect URI", ``, nil},
		{"everything a person signs in with", `"grant_types":["authorization_code","refresh_token","implicit"],"response_types":["code","id_token","code id_token token"]`, nil},
		{"a device alone", deviceClient, nil},
		{"a public device", deviceClient + `,"token_endpoint_auth_method":"none"`, nil},
		{"a device that refreshes", noRedirects + `,"grant_types":[` + deviceGrant + `,"refresh_token"]`, nil},
		{"a program that acts for itself", clientOfItself, nil},
		{"a program that acts for itself and says so", clientOfItself + `,"response_types":[]`, nil},
		{"a device that also acts for itself", noRedirects + `,"grant_types":[` + deviceGrant + `,"client_credentials"]`, nil},
		{"no grant at all", noRedirects + `,"grant_types":[]`, nil},
		{"a device with codes as well has somewhere to send them", noRedirects + `,"grant_types":[` + deviceGrant + `,"authorization_code"]`, []string{"redirect_uris: required"}},
		{"what refreshes nothing", noRedirects + `,"grant_types":["client_credentials","refresh_token"]`, []string{"grant_types: refresh_token is of no use"}},
		{"the password grant", `"grant_types":["authorization_code","password"]`, []string{"grant_types[1]: password is refused"}},
		{"a grant of nobody's", `"grant_types":["authorization_code","device_code"]`, []string{"grant_types[1]: must be authorization_code"}},
		{"a public client that acts for itself", clientOfItself + `,"token_endpoint_auth_method":"none"`, []string{"grant_types[0]: client_credentials is not for a public client"}},
		{"nowhere to send codes", noRedirects, []string{"redirect_uris: required"}},
		{"codes without the grant", deviceClient + `,"response_types":["code"]`, []string{"response_types[0]: needs authorization_code"}},
		{"tokens in the browser by accident", `"response_types":["code","token"]`, []string{"response_types[1]: hands out tokens in the browser"}},
		{"a response type with its words turned round", `"grant_types":["implicit"],"response_types":["token id_token"]`, []string{`response_types[0]: is written "id_token token"`}},
		{"no response type for codes", `"response_types":[]`, []string{"response_types: is an empty list"}},
		{"implicit for nothing", `"grant_types":["authorization_code","implicit"]`, []string{"grant_types: implicit needs response_types"}},
		{"a response mode of nobody's", `"response_modes":["jwt"]`, []string{"response_modes[0]: must be query"}},
		{"a scope that is not there", `"scope":"openid admin"`, []string{"scope: admin is not known here"}},
		{"an unknown way to authenticate", `"token_endpoint_auth_method":"tls_client_auth"`, []string{"token_endpoint_auth_method: must be"}},
		{"a fragment in a redirect URI", `"redirect_uris":["https://app.example.com/cb#x"]`, []string{"redirect_uris[0]: redirect URI must not have a fragment"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, registered(t, row.with), row.want...)
		})
	}
}

func TestTokensAndSignIns(t *testing.T) {
	t.Parallel()
	const algorithms = ": must be one of RS256, PS256, ES256, ES384, EdDSA"
	for _, row := range []struct {
		name, with string
		want       []string
	}{
		{"an algorithm each", `"id_token_signed_response_alg":"ES256","userinfo_signed_response_alg":"PS256","introspection_signed_response_alg":"EdDSA","access_token_signed_response_alg":"ES384"`, nil},
		{"no algorithm at all", `"id_token_signed_response_alg":"none"`, []string{"id_token_signed_response_alg" + algorithms}},
		{"a shared secret", `"userinfo_signed_response_alg":"HS256","introspection_signed_response_alg":"HS256"`, []string{"userinfo_signed_response_alg" + algorithms, "introspection_signed_response_alg" + algorithms}},
		{"opaque access tokens", `"access_token_format":"opaque"`, nil},
		{"JWTs by name", `"access_token_format":"jwt","access_token_signed_response_alg":"RS256"`, nil},
		{"a format of nobody's", `"access_token_format":"at+jwt"`, []string{"access_token_format: must be jwt or opaque"}},
		{"an algorithm of what is no JWT", `"access_token_format":"opaque","access_token_signed_response_alg":"RS256"`, []string{"access_token_signed_response_alg: is for access tokens that are JWTs"}},
		{"what every ID token has", `"require_auth_time":true`, nil},
		{"an age of zero", `"default_max_age":0`, []string{"default_max_age: must be a number of seconds"}},
		{"levels of authentication", `"default_acr_values":["urn:mace:incommon:iap:silver","1"]`, nil},
		{"two levels in one", `"default_acr_values":["1","2 3"]`, []string{"default_acr_values[1]: must be one value of acr"}},
		{"an empty level", `"default_acr_values":[""]`, []string{"default_acr_values[0]: must be one value of acr"}},
		{"a place to begin a sign-in", `"initiate_login_uri":"https://app.example.com/login?x=y"`, nil},
		{"a place to begin a sign-in on loopback", `"initiate_login_uri":"http://localhost/login"`, []string{"initiate_login_uri: must be an https URL"}},
		{"a place to begin a sign-in with a fragment", `"initiate_login_uri":"https://app.example.com/#login"`, []string{"initiate_login_uri: must be an https URL without"}},
		{"a script to begin a sign-in", `"initiate_login_uri":"javascript:alert(1)"`, []string{"initiate_login_uri: must be an https URL"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, registered(t, row.with), row.want...)
		})
	}
}

// DR-04: names and pages of strangers are shown to people.
func TestDR04WhatPeopleAreShown(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, with string
		want       []string
	}{
		{"markup is text like any other", `"client_name":"<svg onload=alert(1)>"`, nil},
		{"a name in another script", `"client_name":"یادداشت` + "\u200c" + `ها שלום 日本"`, nil},
		{"a name that is turned round", `"client_name":"elgooG \u202Eelbatsurt"`, []string{"client_name: must be text without control characters"}},
		{"a name that isolates", `"client_name":"a\u2066b"`, []string{"client_name: must be text"}},
		{"a name of two lines", `"client_name":"a\nb"`, []string{"client_name: must be text"}},
		{"a name of two paragraphs", `"client_name":"a\u2029b"`, []string{"client_name: must be text"}},
		{"a name that fills pages", `"client_name":"` + strings.Repeat("x", 10<<10) + `"`, []string{"client_name: must be at most 100 bytes"}},
		{"whom to ask", `"contacts":["ops@example.com"],"software_id":"4NRB1","software_version":"2.1"`, nil},
		{"nobody to ask", `"contacts":["ops@example.com",""]`, []string{"contacts[1]: is empty"}},
		{"contacts that fill the log", `"contacts":["` + strings.Repeat("x", 256) + `"],"software_id":"` + strings.Repeat("x", 256) + `"`, []string{"software_id: must be at most 255", "contacts[0]: must be at most 255"}},
		{"a version that is turned round", `"software_version":"\u202e1"`, []string{"software_version: must be text"}},
		{"a logo in the URL", `"logo_uri":"data:image/svg+xml,<svg/>"`, []string{"logo_uri: must be an https URL"}},
		{"a logo over plain HTTP", `"logo_uri":"http://app.example.com/logo.png"`, []string{"logo_uri: must be an https URL"}},
		{"terms that run", `"tos_uri":"javascript:alert(1)"`, []string{"tos_uri: must be an https URL"}},
		{"a page with a password", `"policy_uri":"https://bank.example@evil.example/"`, []string{"policy_uri: must be an https URL"}},
		{"a page without a host", `"client_uri":"https://:443/"`, []string{"client_uri: must be an https URL"}},
		{"an address that is turned round", `"client_uri":"https://app.example.com/\u202e"`, []string{"client_uri: must be an https URL"}},
		{"an address that fills pages", `"client_uri":"https://app.example.com/` + strings.Repeat("x", 2048) + `"`, []string{"client_uri: must be an https URL"}},
		{"an origin with a path", `"web_origins":["https://app.example.com/"]`, []string{"web_origins[0]: must be an origin"}},
		{"contacts without end", `"contacts":["a"` + strings.Repeat(`,"a"`, 200) + `]`, []string{"contacts: must have at most 200 entries"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, registered(t, row.with), row.want...)
		})
	}
}

// DR-06, OpenID Connect Core §8.1.
func TestDR06SectorsOfPairwiseSubjects(t *testing.T) {
	t.Parallel()
	const pairwise = `"subject_type":"pairwise",`
	for _, row := range []struct {
		name, with, sector string
		want               []string
	}{
		{"public subjects by name", `"subject_type":"public"`, "", nil},
		{"public subjects beside a sector", `"sector_identifier_uri":"https://sector.example/uris"`, "", nil},
		{"the one host, in any case and on any port", pairwise + `"redirect_uris":["https://App.example.com/cb","https://app.example.com:8443/other"]`, "app.example.com", nil},
		{"the sector that is named", pairwise + `"sector_identifier_uri":"https://Sector.example:8443/uris","redirect_uris":["https://a.example/cb","https://b.example/cb"]`, "sector.example", nil},
		{"the host of the keys, where nothing is redirected", pairwise + deviceClient + `,"jwks_uri":"https://keys.example/jwks"`, "keys.example", nil},
		{"the sector before the keys", pairwise + deviceClient + `,"jwks_uri":"https://keys.example/jwks","sector_identifier_uri":"https://sector.example/uris"`, "sector.example", nil},
		{"the redirect URIs before the keys", pairwise + `"jwks_uri":"https://keys.example/jwks"`, "app.example.com", nil},
		{"two hosts", pairwise + `"redirect_uris":["https://a.example/cb","https://b.example/cb"]`, "", []string{"sector_identifier_uri: required for pairwise subjects unless all"}},
		{"two hosts of one domain", pairwise + `"redirect_uris":["https://a.example/cb","https://www.a.example/cb"]`, "", []string{"sector_identifier_uri: required"}},
		{"a host and a scheme of its own", pairwise + `"application_type":"native","redirect_uris":["https://a.example/cb","com.example.app:/cb"]`, "", []string{"sector_identifier_uri: required"}},
		{"a scheme of its own", pairwise + `"application_type":"native","redirect_uris":["com.example.app:/cb"]`, "", []string{"sector_identifier_uri: required"}},
		{"nothing with a host", pairwise + deviceClient, "", []string{"sector_identifier_uri: required for pairwise subjects of a client that has neither"}},
		{"a sector over plain HTTP", `"sector_identifier_uri":"http://sector.example/uris"`, "", []string{"sector_identifier_uri: must be an https URL"}},
		{"a sector on disk", pairwise + `"sector_identifier_uri":"file:///etc/passwd"`, "", []string{"sector_identifier_uri: must be an https URL"}},
		{"another type of subjects", `"subject_type":"ephemeral"`, "", []string{"subject_type: must be public or pairwise"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := registered(t, row.with)
			wantProblems(t, c, row.want...)
			if got, err := c.Broker(); err == nil && got.Sector != row.sector {
				t.Errorf("the sector is %q, want %q", got.Sector, row.sector)
			}
		})
	}
}
