package configs

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

const (
	exchangeGrant = "'urn:ietf:params:oauth:grant-type:token-exchange'"
	bearerGrant   = "'urn:ietf:params:oauth:grant-type:jwt-bearer'"
)

// externalFile is a file with an API, a client for jobs on line 7 and an external issuer on line 10.
func externalFile(client, entry string) string {
	return minimal + "resources:\n  - {resource: 'https://a.example', scopes: [read, write]}\nclients:\n" +
		"  - {client_id: job, " + client + "}\n  - {client_id: app, client_secret: env:WIKI_SECRET, grant_types: [client_credentials], scope: read}\nexternal_issuers:\n  - {" + entry + "}\n"
}

const (
	jobClient = "token_endpoint_auth_method: none, grant_types: [" + bearerGrant + "], scope: 'read write'"
	forge     = "id: forge, issuer: 'https://forge.example', claims: {sub: 'repo:acme/*'}, clients: [job], scopes: [read]"
)

func TestExternalIssuers(t *testing.T) {
	t.Parallel()
	with := func(old, text string) string { return externalFile(jobClient, strings.Replace(forge, old, text, 1)) }
	more := func(text string) string { return externalFile(jobClient, forge+", "+text) }
	for _, row := range []struct {
		name, content string
		want          []string
	}{
		{"discovered", externalFile(jobClient, forge), nil},
		{"everything", more("jwks_uri: 'https://10.0.0.1/jwks', audiences: [a, b], resources: ['https://a.example'], max_age: 5m, max_lifetime: 24h, once: true"), nil},
		{"keys in the file, and an issuer that is no URL", externalFile(jobClient, strings.Replace(forge, "https://forge.example", "kubernetes/serviceaccount", 1)+", jwks: {keys: ["+publicKey+"]}"), nil},
		{"a pointer into a claim", with("sub:", "'/kubernetes.io/serviceaccount/name':"), nil},
		{"no id", with("id: forge, ", ""), []string{"10: external_issuers[0].id: required"}},
		{"an id with a colon", with("id: forge", "id: 'a:b'"), []string{"10: external_issuers[0].id: required"}},
		{"an id that a client_id begins with", strings.Replace(externalFile(jobClient, forge), "client_id: app", "client_id: 'forge:app'", 1), []string{"10: external_issuers[0].id: the client_id of clients[1] begins with it"}},
		{"no issuer", with("issuer: 'https://forge.example', ", ""), []string{"10: external_issuers[0].issuer: required"}},
		{"this broker", with("https://forge.example", "https://sso.example.com"), []string{"10: external_issuers[0].issuer: is this broker"}},
		{"discovery in the clear", with("https://forge.example", "http://forge.example"), []string{"10: external_issuers[0].issuer: must be an https URL"}},
		{"keys in the clear", more("jwks_uri: 'http://forge.example/keys'"), []string{"10: external_issuers[0].jwks_uri: must be an https URL"}},
		{"keys twice", more("jwks_uri: 'https://forge.example/keys', jwks: {keys: [" + publicKey + "]}"), []string{"10: external_issuers[0].jwks_uri: cannot be combined"}},
		{"JW-08 a private key", more("jwks: {keys: [" + privateKey + "]}"), []string{"10: external_issuers[0].jwks: holds a private"}},
		{"an authority for nothing", more("ca_file: x.pem, jwks: {keys: [" + publicKey + "]}"), []string{"10: external_issuers[0].ca_file: is for keys that are fetched", "10: external_issuers[0].ca_file:"}},
		{"an authority that is not there", more("ca_file: missing.pem"), []string{"10: external_issuers[0].ca_file:"}},
		{"keys that are not there", more("jwks: file:missing.jwks"), []string{"10: external_issuers[0].jwks: the file missing.jwks cannot be read"}},
		{"no audience", more("audiences: []"), []string{"10: external_issuers[0].audiences: is an empty list"}},
		{"no conditions", with("claims: {sub: 'repo:acme/*'}, ", ""), []string{"10: external_issuers[0].claims: required"}},
		{"conditions that say nothing", with("'repo:acme/*'", "'**'"), []string{"10: external_issuers[0].claims: required"}},
		{"a choice that says nothing", with("'repo:acme/*'", "[a, '*']"), []string{"10: external_issuers[0].claims: required"}},
		{"a choice of nothing", with("'repo:acme/*'", "[]"), []string{"10: external_issuers[0].claims: required", "10: external_issuers[0].claims.sub: is an empty list"}},
		{"too many stars", with("'repo:acme/*'", "'a***'"), []string{"10: external_issuers[0].claims.sub: must be at most"}},
		{"a pointer with an empty part", with("sub:", "'/a//b':"), []string{"10: external_issuers[0].claims./a//b: is neither"}},
		{"no client", with("clients: [job], ", ""), []string{"7: clients[0].grant_types: jwt-bearer is for", "10: external_issuers[0].clients: required"}},
		{"an unknown client", with("[job]", "[job, nobody]"), []string{"10: external_issuers[0].clients[1]: is no client_id"}},
		{"a client twice", with("[job]", "[job, job]"), []string{"10: external_issuers[0].clients[1]: is in the list already"}},
		{"a client without the grants", with("[job]", "[job, app]"), []string{"10: external_issuers[0].clients[1]: needs urn:"}},
		{"a client without the scopes", strings.Replace(with("[read]", "[write]"), "'read write'", "read", 1), []string{"10: external_issuers[0].clients[0]: is registered for none of the scopes"}},
		{"no scopes", with(", scopes: [read]", ""), []string{"10: external_issuers[0].scopes: required"}},
		{"a scope about people", with("[read]", "[read, email]"), []string{"10: external_issuers[0].scopes[1]: is no scope of the resources"}},
		{"an unknown resource", more("resources: ['https://b.example']"), []string{"10: external_issuers[0].resources[0]: is no resource"}},
		{"no resource", more("resources: []"), []string{"10: external_issuers[0].resources: is an empty list"}},
		{"a day and more", more("max_age: 25h, max_lifetime: 1s"), []string{"10: external_issuers[0].max_age: must be from 1m to 24h", "10: external_issuers[0].max_lifetime: must be"}},
		{"the same id", externalFile(jobClient, forge) + "  - {" + strings.Replace(forge, "forge.example", "b.example", 1) + "}\n", []string{"11: external_issuers[1].id: is that of external_issuers[0] too"}},
		{"the same issuer for the same client", externalFile(jobClient, forge) + "  - {" + strings.Replace(forge, "id: forge", "id: b", 1) + "}\n", []string{"11: external_issuers[1].clients[0]: external_issuers[0] is of the same issuer"}},
	} {
		t.Run(row.name, func(t *testing.T) { wantProblems(t, row.content, row.want...) })
	}
}

func TestWhoMayExchange(t *testing.T) {
	t.Parallel()
	client := func(more string) string {
		return minimal + "clients:\n  - {client_id: api, client_secret: env:WIKI_SECRET, " + more + "}\n  - {client_id: pub, token_endpoint_auth_method: none, redirect_uris: ['http://127.0.0.1/cb']}\n"
	}
	for _, row := range []struct {
		name, content string
		want          []string
	}{
		{"tokens of people", client("grant_types: [" + exchangeGrant + "], token_exchange: {people: true, actors: true, impersonate: true}"), nil},
		{"nothing to exchange", client("grant_types: [" + exchangeGrant + "]"), []string{"5: clients[0].grant_types: token-exchange has nothing to exchange"}},
		{"only actors", client("grant_types: [" + exchangeGrant + "], token_exchange: {actors: true}"), []string{"5: clients[0].grant_types: token-exchange has nothing to exchange"}},
		{"no issuer", client("grant_types: [" + bearerGrant + "]"), []string{"5: clients[0].grant_types: jwt-bearer is for the JWTs"}},
		{"without the grant", client("grant_types: [], token_exchange: {people: true}"), []string{"5: clients[0].token_exchange: needs urn:"}},
		{"a rule that says nothing", client("grant_types: [" + exchangeGrant + "], token_exchange: {}"), []string{"5: clients[0].grant_types: token-exchange has nothing", "5: clients[0].token_exchange: allows nothing"}},
		{"a public client", strings.Replace(client("grant_types: ["+exchangeGrant+"], token_exchange: {people: true}"), "client_secret: env:WIKI_SECRET", "token_endpoint_auth_method: none", 1), []string{"5: clients[0].token_exchange.people: is not for a public client"}},
		{"who may act", client("redirect_uris: ['https://a.example/cb'], may_act: nobody"), []string{"5: clients[0].may_act: must be the client_id"}},
		{"who may act: itself", client("redirect_uris: ['https://a.example/cb'], may_act: api"), []string{"5: clients[0].may_act: must be the client_id"}},
		{"who may act: a public client", client("redirect_uris: ['https://a.example/cb'], may_act: pub"), []string{"5: clients[0].may_act: must be the client_id"}},
		{"the password grant", client("grant_types: [password]"), []string{"5: clients[0].grant_types[0]: password is refused"}},
	} {
		t.Run(row.name, func(t *testing.T) { wantProblems(t, row.content, row.want...) })
	}
}

func TestExternalIssuersOfTheBroker(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, externalFile(jobClient, forge))
	got, err := c.BrokerExternalIssuers()
	want := []broker.ExternalIssuer{{ID: "forge", Issuer: "https://forge.example", Audiences: []string{"https://sso.example.com"},
		Claims: []broker.ClaimRule{{Name: "sub", Patterns: []string{"repo:acme/*"}}}, Clients: []string{"job"}, Scopes: oauth.Scopes{"read"},
		MaxAge: time.Hour, MaxLifetime: 15 * time.Minute}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	c = mustLoad(t, externalFile(jobClient, forge+", max_age: 5m, max_lifetime: 1h, once: true, jwks: {keys: ["+publicKey+"]}"))
	got, err = c.BrokerExternalIssuers()
	if err != nil || got[0].MaxAge != 5*time.Minute || got[0].MaxLifetime != time.Hour || !got[0].Once || !strings.Contains(string(got[0].JWKS), `"kid":"a"`) {
		t.Errorf("%+v, %v", got, err)
	}
	// The key set is read again at a reload, and may have gone by then.
	path := filepath.Join(t.TempDir(), "forge.jwks")
	if err := os.WriteFile(path, []byte(`{"keys":[`+publicKey+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c = mustLoad(t, externalFile(jobClient, forge+", jwks: 'file:"+path+"'"))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := c.BrokerExternalIssuers(); err == nil || !strings.Contains(err.Error(), "forge") {
		t.Errorf("%v", err)
	}
}
