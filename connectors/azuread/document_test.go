package azuread_test

import (
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// A stand-in for Entra that knows one directory names it at the shared endpoints.
// That widens nothing: the directory has to be allowed, and its tokens are held to
// the same rule.
func TestUP30TheIssuersADocumentMayName(t *testing.T) {
	t.Parallel()
	const foreign = "99999999-2222-4b4b-8888-aaaabbbbcccc"
	for _, tt := range []struct {
		name   string
		setup  func(*connectortest.Setup)
		issuer func(base string) string
		fine   bool
	}{
		{"the placeholder at common", several("common", acme), func(base string) string { return base + "/{tenantid}/v2.0" }, true},
		{"an allowed directory at common", several("common", acme, partner), func(base string) string { return base + "/" + partner + "/v2.0" }, true},
		{"an allowed directory at organizations", several("organizations", acme), func(base string) string { return base + "/" + acme + "/v2.0" }, true},
		{"another directory at common", several("common", acme), func(base string) string { return base + "/" + foreign + "/v2.0" }, false},
		{"an allowed directory of another authority", several("common", acme), func(string) string { return "https://login.evil.example/" + acme + "/v2.0" }, false},
		{"version 1.0 at common", several("common", acme), func(string) string { return "https://sts.windows.net/" + acme + "/" }, false},
		{"the placeholder at a directory", nil, func(base string) string { return base + "/{tenantid}/v2.0" }, false},
		{"another directory at a directory", nil, func(base string) string { return base + "/" + partner + "/v2.0" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, tt.setup)
			b.Vendor.Edit(fake.Discovery, func(doc map[string]any) { doc["issuer"] = tt.issuer(b.URL) })
			if tt.fine {
				b.MustSignIn(t)
				return
			}
			_, err := b.Connector.AuthorizationURL(t.Context(), connectortest.NewLogin())
			connectortest.KindOf(t, err, connectors.Broken)
		})
	}
}

// A document that names one directory does not make it the only one, nor does it
// let in people of one that is not allowed.
func TestUP08TheDocumentDecidesAboutNobody(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, several("common", acme))
	b.Vendor.Edit(fake.Discovery, func(doc map[string]any) { doc["issuer"] = b.URL + "/" + acme + "/v2.0" })
	b.Vendor.SignInAs("eve")
	b.Refused(t, connectors.NotAllowed)
}

func TestTheSecretGoesIntoTheBody(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.MustSignIn(t)
	for _, r := range b.Vendor.Requests() {
		if r.Method == "POST" && (!r.Form.Has("client_secret") || r.Header.Get("Authorization") != "") {
			t.Errorf("got form %v", r.Form)
		}
	}
	if b.Vendor.Calls(fake.Token) != 1 {
		t.Error("the token endpoint was not asked once")
	}
}
