package okta_test

import (
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/okta"
)

func withAPI(change func(*okta.Config)) func(*okta.Config) {
	return func(c *okta.Config) {
		c.GroupsFrom = "api"
		change(c)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*okta.Config)
		paths  []string
	}{
		{"the org's server", func(*okta.Config) {}, nil},
		{"a custom server", func(c *okta.Config) { c.Issuer += "/oauth2/default" }, nil},
		{"no issuer", func(c *okta.Config) { c.Issuer = "" }, []string{"issuer"}},
		{"the admin console", func(c *okta.Config) { c.Issuer = "https://acme-admin.okta.com" }, []string{"issuer"}},
		{"a method we have not", func(c *okta.Config) { c.TokenEndpointAuthMethod = "client_secret_jwt" }, []string{"token_endpoint_auth_method"}},
		{"the admin console of a preview org", func(c *okta.Config) { c.Issuer = "https://acme-admin.oktapreview.com" }, []string{"issuer"}},
		{"the admin console of a European org", func(c *okta.Config) { c.Issuer = "https://acme-admin.okta-emea.com" }, []string{"issuer"}},
		{"a preview org", func(c *okta.Config) { c.Issuer = "https://acme.oktapreview.com" }, nil},
		{"a European org", func(c *okta.Config) { c.Issuer = "https://acme.okta-emea.com/oauth2/aus1" }, nil},
		{"a custom domain", func(c *okta.Config) { c.Issuer = "https://login.acme.example/oauth2/default" }, nil},
		{"a slash at the end", func(c *okta.Config) { c.Issuer += "/" }, []string{"issuer"}},
		{"neither server", func(c *okta.Config) { c.Issuer += "/oauth2" }, []string{"issuer"}},
		{"an endpoint", func(c *okta.Config) { c.Issuer += "/oauth2/v1/authorize" }, []string{"issuer"}},
		{"the discovery document", func(c *okta.Config) { c.Issuer += "/.well-known/openid-configuration" }, []string{"issuer"}},
		{"a key instead of the secret", func(c *okta.Config) { c.ClientSecret, c.ClientKey = nil, "key.pem" }, nil},
		{"an unknown source of groups", func(c *okta.Config) { c.GroupsFrom = "ldap" }, []string{"groups_from"}},
		{"an API token without the API", func(c *okta.Config) { c.APIToken = connectors.Secrets{"t"} }, []string{"api_token"}},
		{"types without the API", func(c *okta.Config) { c.GroupTypes = []string{"OKTA_GROUP"} }, []string{"group_types"}},
		{"the API with a token", withAPI(func(c *okta.Config) { c.APIToken = connectors.Secrets{"t"} }), nil},
		{"the API with a service app", withAPI(func(c *okta.Config) { c.APIClientID, c.APIClientKey, c.APIClientKeyID = "0oa", "key.pem", "k" }), nil},
		{"the API without either", withAPI(func(*okta.Config) {}), []string{"api_token"}},
		{"the API with both", withAPI(func(c *okta.Config) { c.APIToken, c.APIClientID, c.APIClientKey = connectors.Secrets{"t"}, "0oa", "k" }), []string{"api_client_id"}},
		{"a service app without a key", withAPI(func(c *okta.Config) { c.APIClientID = "0oa" }), []string{"api_client_key"}},
		{"a key without its app", withAPI(func(c *okta.Config) { c.APIToken, c.APIClientKey = connectors.Secrets{"t"}, "key.pem" }), []string{"api_client_key"}},
		{"a claim beside the API", withAPI(func(c *okta.Config) { c.APIToken, c.GroupsClaim = connectors.Secrets{"t"}, "teams" }), []string{"groups_claim"}},
		{"an org with a path", withAPI(func(c *okta.Config) { c.APIToken, c.OrgURL = connectors.Secrets{"t"}, "https://acme.okta.com/oauth2" }), []string{"org_url"}},
		{"an org without TLS", withAPI(func(c *okta.Config) { c.APIToken, c.OrgURL = connectors.Secrets{"t"}, "http://acme.okta.com" }), []string{"org_url"}},
		{"a type of groups that Okta has not", withAPI(func(c *okta.Config) { c.APIToken, c.GroupTypes = connectors.Secrets{"t"}, []string{"TEAM"} }), []string{"group_types"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &okta.Config{Common: connectors.Common{ID: "okta", ClientID: "c", ClientSecret: connectors.Secrets{"s"}}, Issuer: "https://acme.okta.com"}
			tt.change(c)
			connectortest.Problems(t, c, tt.paths)
		})
	}
}
