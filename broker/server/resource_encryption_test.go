package server_test

import (
	"testing"

	"gatehouse/broker/oauth"
	"gatehouse/internal/brokertest"
)

// Whatever the grant, a token for a resource server whose tokens are encrypted is
// encrypted; and while its keys cannot be had there is none, and nothing is spent.
func TestEveryGrantEncryptsForTheResourceServer(t *testing.T) {
	t.Parallel()
	c := newCI(t)
	options := func(keys string) brokertest.Options {
		const exchange = "'urn:ietf:params:oauth:grant-type:token-exchange', 'urn:ietf:params:oauth:grant-type:jwt-bearer'"
		return brokertest.Options{
			Clients: "  - {client_id: wiki, client_secret: wiki-secret, redirect_uris: ['" + brokertest.RedirectURI("wiki") + "'], skip_consent: true, scope: 'openid orders.read vault.open', " +
				"grant_types: [authorization_code, client_credentials, 'urn:ietf:params:oauth:grant-type:device_code', " + exchange + "], token_exchange: {people: true}}\n" +
				"  - {client_id: vault, client_secret: vault-secret, grant_types: [], " + keys + "}\n",
			Config: "limits: off\nresources:\n  - {resource: '" + ordersAPI + "', scopes: [orders.read]}\n" +
				"  - {resource: '" + vaultAPI + "', client: vault, scopes: [orders.read, vault.open], access_token_encrypted_response_alg: ECDH-ES, access_token_encrypted_response_enc: A256GCM}\n" +
				"external_issuers:\n  - {id: forge, issuer: '" + c.URL + "', claims: {sub: 'repo:acme/*:ref:refs/heads/main'}, clients: [wiki], scopes: [vault.open], resources: ['" + vaultAPI + "'], once: true}\n" +
				"outbound: {allow_networks: [127.0.0.0/8]}\n"}
	}
	// A closed port of this machine.
	b := brokertest.New(t, options("jwks_uri: 'https://127.0.0.1:1/keys'"))
	isError(t, "for two, of which one could not read it", askAs(t, b, "/token", "wiki", "grant_type", "client_credentials", "scope", "orders.read"), 400, "invalid_target")
	jwt, browser := c.sign(t, b, nil), b.Browser(t)
	device := begin(t, b, "wiki", "scope", "vault.open")
	device.decide(browser, device.enter(browser), "allow")
	requests := map[string][]string{
		"client_credentials": {"grant_type", "client_credentials", "scope", "vault.open"},
		"jwt-bearer":         {"grant_type", string(oauth.GrantTypeJWTBearer), "assertion", jwt},
		"device_code":        {"grant_type", string(oauth.GrantTypeDeviceCode), "device_code", device.deviceCode},
		"authorization_code": {"grant_type", "authorization_code", "code", b.Browser(t).Code("wiki", "scope", "vault.open"), "redirect_uri", brokertest.RedirectURI("wiki"), "code_verifier", brokertest.Verifier},
	}
	commits := b.Store.Commits()
	for name, request := range requests {
		isError(t, name+" without keys", askAs(t, b, "/token", "wiki", request...), 503, "temporarily_unavailable")
	}
	if b.Store.Commits() != commits {
		t.Error("I12: something was spent")
	}
	key, set := encryptionKey(t)
	must(t, b.Reload(t, options("jwks: "+set)))
	var token string
	for name, request := range requests {
		a := askAs(t, b, "/token", "wiki", request...)
		if claims := claimsOf(t, opened(t, key, a.Text("access_token"))); a.Status != 200 || claims["aud"] != vaultAPI || claims["scope"] != "vault.open" {
			t.Errorf("%s: %d %v, %v", name, a.Status, a.Body, claims)
		}
		if name == "authorization_code" {
			token = a.Text("access_token")
		}
	}
	// Nobody but the vault can read it, but it can be exchanged for another.
	a := exchange(t, b, "wiki", token)
	if a.Status != 200 || claimsOf(t, opened(t, key, a.Text("access_token")))["aud"] != vaultAPI {
		t.Fatalf("in exchange: %d %v", a.Status, a.Body)
	}
	must(t, b.Reload(t, options("jwks_uri: 'https://127.0.0.1:1/keys'")))
	isError(t, "in exchange, without keys", exchange(t, b, "wiki", token), 503, "temporarily_unavailable")
}
