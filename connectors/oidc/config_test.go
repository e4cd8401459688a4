package oidc_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/oidc"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*oidc.Config)
		paths  []string
	}{
		{"nothing wrong", func(*oidc.Config) {}, nil},
		{"an issuer with a path and a slash", func(c *oidc.Config) { c.Issuer = "https://idp.example.com/realms/corp/" }, nil},
		{"plain http on loopback", func(c *oidc.Config) { c.Issuer = "http://127.0.0.1:5561" }, nil},
		{"plain http elsewhere", func(c *oidc.Config) { c.Issuer = "http://idp.example.com" }, []string{"issuer"}},
		{"no issuer", func(c *oidc.Config) { c.Issuer = "" }, []string{"issuer"}},
		{"an issuer with a query", func(c *oidc.Config) { c.Issuer = "https://idp.example.com?tenant=1" }, []string{"issuer"}},
		{"userinfo of another name", func(c *oidc.Config) { c.Userinfo = "sometimes" }, []string{"userinfo"}},
		{"an authentication method we have not", func(c *oidc.Config) { c.TokenEndpointAuthMethod = "client_secret_jwt" }, []string{"token_endpoint_auth_method"}},
		{"no secret", func(c *oidc.Config) { c.ClientSecret = nil }, []string{"client_secret"}},
		{"a public client without a secret", func(c *oidc.Config) { c.ClientSecret, c.TokenEndpointAuthMethod = nil, "none" }, nil},
		{"a public client with a secret", func(c *oidc.Config) { c.TokenEndpointAuthMethod = "none" }, []string{"client_secret"}},
		{"a key instead of a secret", func(c *oidc.Config) { c.ClientSecret, c.ClientKey = nil, "k.pem" }, nil},
		{"a key and all that belongs to it", func(c *oidc.Config) {
			c.ClientSecret, c.TokenEndpointAuthMethod = nil, "private_key_jwt"
			c.ClientAuth = oidc.ClientAuth{ClientKey: "k.pem", ClientCertificate: "c.pem", ClientKeyID: "1", ClientKeyAlg: "PS256", ClientAssertionAudience: "issuer"}
		}, nil},
		{"an assertion from a file", func(c *oidc.Config) { c.ClientSecret, c.ClientAssertionFile = nil, "/run/token" }, nil},
		{"a key and a secret", func(c *oidc.Config) { c.ClientKey = "k.pem" }, []string{"client_secret"}},
		{"private_key_jwt without a key", func(c *oidc.Config) { c.TokenEndpointAuthMethod = "private_key_jwt" }, []string{"client_key"}},
		{"a key and another method", func(c *oidc.Config) {
			c.ClientSecret, c.ClientKey, c.TokenEndpointAuthMethod = nil, "k.pem", "client_secret_post"
		}, []string{"token_endpoint_auth_method"}},
		{"a key and an assertion", func(c *oidc.Config) {
			c.ClientSecret, c.ClientKey, c.ClientAssertionFile = nil, "k.pem", "/run/token"
		}, []string{"client_assertion_file"}},
		{"what belongs to a key without one", func(c *oidc.Config) {
			c.ClientAuth = oidc.ClientAuth{ClientCertificate: "c.pem", ClientKeyID: "1", ClientKeyAlg: "PS256", ClientAssertionAudience: "issuer"}
		}, []string{"client_certificate", "client_key_id", "client_key_alg", "client_assertion_audience"}},
		{"a symmetric algorithm", func(c *oidc.Config) {
			c.ClientSecret, c.ClientKey, c.ClientKeyAlg = nil, "k.pem", "HS256"
		}, []string{"client_key_alg"}},
		{"an audience of another name", func(c *oidc.Config) {
			c.ClientSecret, c.ClientKey, c.ClientAssertionAudience = nil, "k.pem", "https://x"
		}, []string{"client_assertion_audience"}},
		{"a reference instead of a path", func(c *oidc.Config) { c.ClientSecret, c.ClientKey = nil, "file:k.pem" }, []string{"client_key"}},
		{"everything at once", func(c *oidc.Config) { *c = oidc.Config{Userinfo: "x"} }, []string{"id", "client_id", "issuer", "userinfo", "client_secret"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &oidc.Config{Common: connectors.Common{ID: "corp", ClientID: "c", ClientSecret: connectors.Secrets{"env:SECRET"}}, Issuer: "https://idp.example.com"}
			tt.change(c)
			connectortest.Problems(t, c, tt.paths)
		})
	}
}

func TestOpenReadsSecretsAndBundlesOnly(t *testing.T) {
	t.Parallel()
	resolved := ""
	env := connectors.Environment{
		Resolve: func(reference string) (string, error) {
			if resolved = reference; reference == "env:UNSET" {
				return "", errors.New("not set")
			}
			return "s", nil
		},
		Path: func(path string) string { return "/nowhere/" + path },
	}
	c := &oidc.Config{Common: connectors.Common{ID: "corp", ClientID: "c", ClientSecret: connectors.Secrets{"env:SECRET"}, Name: "Corporate", Reauthentication: "best_effort"}, Issuer: "https://idp.example.com"}
	opened, err := c.Open(env)
	if err != nil || resolved != "env:SECRET" {
		t.Fatalf("resolved %q, %v", resolved, err)
	}
	want := connectors.Description{ID: "corp", Type: "oidc", Name: "Corporate", Reauthentication: connectors.ReauthProven, BestEffort: true}
	if got := opened.Describe(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	c.ClientSecret = connectors.Secrets{"env:UNSET"}
	if _, err := c.Open(env); err == nil || !strings.Contains(err.Error(), "client_secret") {
		t.Errorf("got %v", err)
	}
	c.ClientSecret, c.CAFile = connectors.Secrets{"env:SECRET"}, "ca.pem"
	if _, err := c.Open(env); err == nil || !strings.Contains(err.Error(), "/nowhere/ca.pem") {
		t.Errorf("got %v", err)
	}
}
