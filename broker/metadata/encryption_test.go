package metadata_test

import (
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/metadata"
)

func TestWhatIsEncryptedNeedsAKey(t *testing.T) {
	t.Parallel()
	const remote = `"jwks_uri":"https://app.example.com/jwks",`
	with := func(keys string) string { return `"jwks":` + keys + `,` }
	const (
		idToken  = `"id_token_encrypted_response_alg":`
		userInfo = `"userinfo_encrypted_response_alg":`
		intro    = `"introspection_encrypted_response_alg":`
		noKey    = "jwks: holds no key that something can be encrypted to with "
	)
	for _, row := range []struct {
		name, with string
		want       []string
	}{
		{"keys elsewhere do for everything", remote + idToken + `"RSA-OAEP-256",` + userInfo + `"ECDH-ES",` + intro + `"ECDH-ES+A256KW"`, nil},
		{"a key marked for it", with(keySet(ecEnc)) + idToken + `"ECDH-ES"`, nil},
		{"a key that says nothing", with(keySet(ecKey)) + userInfo + `"ECDH-ES+A256KW"`, nil},
		{"a key of each kind", with(keySet(ecEnc, rsaKey(2048, `,"use":"enc"`))) + idToken + `"RSA-OAEP-256",` + userInfo + `"ECDH-ES"`, nil},
		{"every content encryption", remote + idToken + `"ECDH-ES","id_token_encrypted_response_enc":"A128GCM",` +
			userInfo + `"ECDH-ES","userinfo_encrypted_response_enc":"A256GCM",` + intro + `"ECDH-ES","introspection_encrypted_response_enc":"A128CBC-HS256"`, nil},
		{"no keys", idToken + `"ECDH-ES"`, []string{"jwks: required where something is encrypted"}},
		{"a key of the other kind", with(keySet(ecEnc)) + idToken + `"RSA-OAEP-256"`, []string{noKey + "RSA-OAEP-256"}},
		{"a key for signatures", with(keySet(ecSig)) + userInfo + `"ECDH-ES"`, []string{noKey + "ECDH-ES"}},
		{"a key for another algorithm", with(keySet(rsaKey(2048, `,"use":"enc","alg":"RSA-OAEP"`))) + idToken + `"RSA-OAEP-256"`, []string{noKey + "RSA-OAEP-256"}},
		{"a key to encrypt to is none to sign with", with(keySet(ecEnc)) + idToken + `"ECDH-ES","token_endpoint_auth_method":"private_key_jwt"`, []string{"jwks: holds no key that can verify"}},
		{"keys for signatures and encryption", with(keySet(ecSig, ecEnc)) + idToken + `"ECDH-ES","token_endpoint_auth_method":"private_key_jwt"`, nil},
		{"JW-08 a private key to decrypt with", with(keySet(private)) + idToken + `"ECDH-ES"`, []string{"jwks: holds a private or symmetric key"}},
		{"JW-08 a symmetric key", with(keySet(`{"kty":"oct","use":"enc","k":"AAAA"}`)), []string{"jwks: holds a private or symmetric key"}},
		{"JW-08 an RSA key of 1024 bits to encrypt to", with(keySet(rsaKey(1024, `,"use":"enc"`))) + idToken + `"RSA-OAEP-256"`, []string{"jwks: holds a key that is too weak"}},
		{"JW-08 an RSA key of 1024 bits for nothing", with(keySet(rsaKey(1024, ``))), []string{"jwks: holds a key that is too weak"}},
		{"content without a key", remote + `"id_token_encrypted_response_enc":"A256GCM"`, []string{"id_token_encrypted_response_enc: needs id_token_encrypted_response_alg"}},
		{"content of introspection without a key", remote + `"introspection_encrypted_response_enc":"A256GCM"`, []string{"introspection_encrypted_response_enc: needs"}},
		{"a padding that leaks", remote + idToken + `"RSA1_5"`, []string{"id_token_encrypted_response_alg: must be one of RSA-OAEP-256, ECDH-ES, ECDH-ES+A256KW"}},
		{"a password for a key", remote + userInfo + `"PBES2-HS256+A128KW"`, []string{"userinfo_encrypted_response_alg: must be one of"}},
		{"a shared key", remote + userInfo + `"dir"`, []string{"userinfo_encrypted_response_alg: must be one of"}},
		{"a content encryption of nobody's", remote + intro + `"ECDH-ES","introspection_encrypted_response_enc":"A256"`, []string{"introspection_encrypted_response_enc: must be one of A128CBC-HS256, A128GCM, A256GCM"}},
		{"an algorithm of nobody's is told once", with(keySet(ecEnc)) + idToken + `"ecdh-es"`, []string{"id_token_encrypted_response_alg: must be one of"}},
		{"keys twice", remote + with(keySet(ecEnc)) + idToken + `"ECDH-ES"`, []string{"jwks_uri: cannot be combined with jwks"}},
		{"what is no key set", with(`[]`), []string{"jwks: is not a JWK set"}},
		{"signed requests need a key", `"request_uris":["https://app.example.com/r"]`, []string{"jwks: required where the client signs requests"}},
		{"signed requests need a key that signs", with(keySet(ecEnc)) + `"request_object_signing_alg":"ES256"`, []string{"jwks: holds no key that can verify"}},
		{"requests over plain HTTP", remote + `"request_uris":["https://a.example/r","http://a.example/r"]`, []string{"request_uris[1]: must be an https URL"}},
		{"keys over plain HTTP", `"jwks_uri":"http://app.example.com/jwks"`, []string{"jwks_uri: must be an https URL"}},
		{"an algorithm for what it does not do", remote + `"token_endpoint_auth_signing_alg":"ES256"`, []string{"token_endpoint_auth_signing_alg: is for private_key_jwt"}},
		{"a MAC for a key", remote + `"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_signing_alg":"HS256"`, []string{"token_endpoint_auth_signing_alg: is not an algorithm for private_key_jwt"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, registered(t, row.with), row.want...)
		})
	}
}

// Keys that are kept in a file of their own are not missing.
func TestKeysApart(t *testing.T) {
	t.Parallel()
	c := registered(t, `"token_endpoint_auth_method":"private_key_jwt","id_token_encrypted_response_alg":"ECDH-ES"`)
	r := rules()
	if got := c.Validate(r); len(got) != 1 || got[0].Member != "jwks" {
		t.Errorf("without keys: %v", got)
	}
	r.KeysApart = true
	if got := c.Validate(r); len(got) != 0 {
		t.Errorf("with keys elsewhere: %v", got)
	}
	c.JWKSURI = "https://app.example.com/jwks"
	if got := c.Validate(r); len(got) != 1 || got[0].Member != "jwks_uri" {
		t.Errorf("with keys in two places: %v", got)
	}
}

// OpenID Connect Registration §2: A128CBC-HS256 is the default beside an alg.
func TestEncryptionIsConverted(t *testing.T) {
	t.Parallel()
	c := registered(t, `"jwks_uri":"https://app.example.com/jwks","id_token_encrypted_response_alg":"ECDH-ES",
		"userinfo_encrypted_response_alg":"RSA-OAEP-256","userinfo_encrypted_response_enc":"A256GCM"`)
	got, err := c.Broker()
	if err != nil {
		t.Fatal(err)
	}
	if got.IDTokenEncryption != (broker.Encryption{Alg: "ECDH-ES", Enc: "A128CBC-HS256"}) || c.IDTokenEnc != "A128CBC-HS256" {
		t.Errorf("ID tokens: %+v, told as %q", got.IDTokenEncryption, c.IDTokenEnc)
	}
	if got.UserInfoEncryption != (broker.Encryption{Alg: "RSA-OAEP-256", Enc: "A256GCM"}) || got.UserInfoAlg != "" {
		t.Errorf("userinfo: %+v, signed with %q", got.UserInfoEncryption, got.UserInfoAlg)
	}
	if !got.IntrospectionEncryption.IsZero() || c.IntrospectionEnc != "" {
		t.Errorf("introspection: %+v", got.IntrospectionEncryption)
	}
	if got := metadata.Encryption("ECDH-ES", ""); got.Enc != "A128CBC-HS256" {
		t.Errorf("the default is %+v", got)
	}
	if got := metadata.Encryption("", "A256GCM"); !got.IsZero() {
		t.Errorf("nothing is encrypted with %+v", got)
	}
}
