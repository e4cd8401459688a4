package server_test

import (
	"cmp"
	"crypto"

	"github.com/go-jose/go-jose/v4"
)

// authenticates has a client prove who it is, with a method and an algorithm, at the
// token endpoint and where use leads; alg is empty for the method's default.
func (m *oidfModule) authenticates(use func(*oidfModule, oidfTokens), method, alg string) {
	m.Helper()
	key := oidfKeys().first
	pairs := []any{"token_endpoint_auth_method", method}
	if method == "private_key_jwt" && alg != "" {
		if key = oidfKeys().signing[alg]; key == nil {
			m.failf("nobody knows the algorithm %s", alg)
			return
		}
		pairs = append(pairs, "jwks", oidfKeySet(m.T, key, oidfAnother(alg)))
	}
	if alg != "" {
		pairs = append(pairs, "token_endpoint_auth_signing_alg", alg)
	}
	m.becomesKey(key, pairs...)
	t := m.proved() // a public client has to, the others may
	m.userInfo("get", t)
	if use != nil {
		use(m, t)
	}
	if method != "none" {
		m.nobodyElse(t, alg)
	}
}

// nobodyElse: neither without proof nor, where an algorithm is registered, with another
// that the client has a key for (OpenID Connect Registration §2) does anybody get in.
func (m *oidfModule) nobodyElse(t oidfTokens, alg string) {
	m.Helper()
	silent, other := m.client, m.client
	silent.method = "none"
	wrong := []oidfClient{silent}
	if alg != "" {
		other.key, other.alg = oidfAnother(alg), map[bool]string{true: "HS384", false: "HS256"}[alg == "HS256"]
		wrong = append(wrong, other)
	}
	for _, client := range wrong {
		reply := m.tokenRequest(client, "grant_type", "authorization_code", "code", t.code, "redirect_uri", m.client.redirectURI)
		if reply.status != 401 || m.object("the refusal", reply.body)["error"] != "invalid_client" {
			m.failf("somebody else hears %d %s", reply.status, reply.body)
		}
	}
}

// introspected: the client hears that its token is good (RFC 7662 §2.2).
func (m *oidfModule) introspected(t oidfTokens) {
	m.Helper()
	reply := m.clientRequest("introspection_endpoint", m.client, "application/json", "token", t.access)
	m.json("introspection", reply, 200)
	if body := m.object("introspection", reply.body); body["active"] != true || body["client_id"] != m.client.id {
		m.failf("introspection says %v", body)
	}
}

// revoked: the client has its token taken back (RFC 7009 §2.1).
func (m *oidfModule) revoked(t oidfTokens) {
	m.Helper()
	if reply := m.clientRequest("revocation_endpoint", m.client, "application/json", "token", t.access); reply.status != 200 {
		m.failf("revocation answers %d %s", reply.status, reply.body)
	}
	if reply := m.askUserInfo("get", t.access); reply.status != 401 {
		m.failf("userinfo answers %d to a token that was revoked", reply.status)
	}
}

// introspectionJWT is an answer of introspection as a JWT (RFC 9701 §4, §5).
func (m *oidfModule) introspectionJWT(t oidfTokens) string {
	m.Helper()
	reply := m.clientRequest("introspection_endpoint", m.client, introspectionJWT, "token", t.access)
	if reply.status != 200 || reply.header.Get("Content-Type") != introspectionJWT {
		m.failf("introspection is %d of type %q: %.300s", reply.status, reply.header.Get("Content-Type"), reply.body)
		m.require()
	}
	return string(reply.body)
}

func (m *oidfModule) signedIntrospection(raw string, t oidfTokens, alg string) {
	m.Helper()
	claims := m.signed("introspection", raw, alg, m.keys)
	answer, _ := claims["token_introspection"].(map[string]any)
	if claims["iss"] != m.world.issuer || claims["aud"] != m.client.id || answer["active"] != true || answer["sub"] != t.id["sub"] {
		m.failf("introspection says %v", claims)
	}
}

// sealedClient registers for one thing to be encrypted, and returns what takes the
// encryption off. An enc that is not registered is A128CBC-HS256.
func (m *oidfModule) sealedClient(what, alg, enc string) func(raw string) string {
	m.Helper()
	key := oidfKeys().signing["ES256"].private
	if alg == string(jose.RSA_OAEP_256) {
		key = oidfKeys().second.private
	}
	pair := &oidfPair{private: key, kid: "for-" + alg, alg: alg}
	set := oidfKeySet(m.T, oidfKeys().first.named("signs"))
	set["keys"] = append(set["keys"].([]any), pair.jwk(m.T, "enc"))
	pairs := []any{"jwks", set, what + "_encrypted_response_alg", alg}
	if enc != "" {
		pairs = append(pairs, what+"_encrypted_response_enc", enc)
	}
	m.becomes(pairs...)
	return func(raw string) string {
		return m.decrypted(raw, key, pair.kid, alg, cmp.Or(enc, string(jose.A128CBC_HS256)))
	}
}

// decrypted is the content of a JWE that is encrypted as it should be (RFC 7516 §5.2).
func (m *oidfModule) decrypted(raw string, key crypto.Signer, kid, alg, enc string) string {
	m.Helper()
	jwe, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{jose.KeyAlgorithm(alg)}, []jose.ContentEncryption{jose.ContentEncryption(enc)})
	if err != nil {
		m.Fatalf("not encrypted with %s and %s: %v: %.100s", alg, enc, err, raw)
	}
	content, err := jwe.Decrypt(key)
	if err != nil {
		m.Fatalf("%s and %s: %v", alg, enc, err)
	}
	if jwe.Header.KeyID != kid {
		m.failf("the JWE has kid %q, want %q", jwe.Header.KeyID, kid)
	}
	return string(content)
}

func sealedIDToken(m *oidfModule, alg, enc string) {
	m.responseType = "code id_token"
	m.open = m.sealedClient("id_token", alg, enc)
	m.flow(m.request())
	m.open = nil
}

// sealedUserInfo comes signed and encrypted, or encrypted alone (Core §5.3.2).
func sealedUserInfo(m *oidfModule, alg, enc string) {
	for _, signed := range []string{"", "RS256"} {
		plan := m.oidfPlan
		if signed != "" {
			m.oidfPlan = m.with("userinfo_signed_response_alg", signed)
		}
		open := m.sealedClient("userinfo", alg, enc)
		r := m.request()
		t := m.redeemed(m.authorize(r), r)
		reply := m.askUserInfo("get", t.access)
		if reply.status != 200 || reply.header.Get("Content-Type") != "application/jwt" {
			m.failf("userinfo is %d of type %q: %.300s", reply.status, reply.header.Get("Content-Type"), reply.body)
			m.require()
		}
		content := open(string(reply.body))
		if signed != "" {
			m.signedClaims(content, t, signed)
		} else if claims := m.object("userinfo", []byte(content)); claims["sub"] != t.id["sub"] {
			m.failf("userinfo is %v", claims)
		}
		m.oidfPlan = plan
	}
}

func sealedIntrospection(m *oidfModule, alg, enc string) {
	open := m.sealedClient("introspection", alg, enc)
	t := m.flow(m.request())
	m.signedIntrospection(open(m.introspectionJWT(t)), t, "RS256")
}
