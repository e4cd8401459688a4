package google_test

import (
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/google"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*google.Config)
		paths  []string
	}{
		{"nothing but the registration", func(*google.Config) {}, nil},
		{"hosted domains", func(c *google.Config) { c.HostedDomains = []string{"example.com"} }, nil},
		{"a hosted domain in capitals", func(c *google.Config) { c.HostedDomains = []string{"Example.com"} }, []string{"hosted_domains[0]"}},
		{"an address for a hosted domain", func(c *google.Config) { c.HostedDomains = []string{"example.com", "x@example.com"} }, []string{"hosted_domains[1]"}},
		{"a star", func(c *google.Config) { c.HostedDomains = []string{"*"} }, []string{"hosted_domains[0]"}},
		{"offline_access", func(c *google.Config) { c.Scopes = []string{"openid", "offline_access"} }, []string{"scopes[1]"}},
		{"trusted domains", func(c *google.Config) { c.TrustedEmailDomains = []string{"example.com"} }, []string{"trusted_email_domains"}},
		{"an issuer over http", func(c *google.Config) { c.Issuer = "http://accounts.example.com" }, []string{"issuer"}},
		{"no secret", func(c *google.Config) { c.ClientSecret = nil }, []string{"client_secret"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &google.Config{Common: connectors.Common{ID: "google", ClientID: "c", ClientSecret: connectors.Secrets{"s"}}}
			tt.change(c)
			connectortest.Problems(t, c, tt.paths)
		})
	}
}

func TestValidateGroups(t *testing.T) {
	t.Parallel()
	account := func(change func(*google.ServiceAccount)) func(*google.Config) {
		return func(c *google.Config) {
			c.GroupsFrom, c.HostedDomains = "directory", []string{"example.com"}
			c.ServiceAccount = &google.ServiceAccount{Credentials: "key.json", AdminEmail: "admin@example.com"}
			change(c.ServiceAccount)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*google.Config)
		paths  []string
	}{
		{"none", func(c *google.Config) { c.GroupsFrom = "none" }, nil},
		{"Cloud Identity by the person", func(c *google.Config) { c.GroupsFrom, c.NestedGroups, c.GroupKey = "cloud_identity", true, "id" }, nil},
		{"another source", func(c *google.Config) { c.GroupsFrom = "graph" }, []string{"groups_from"}},
		{"another key", func(c *google.Config) { c.GroupsFrom, c.GroupKey = "cloud_identity", "name" }, []string{"group_key"}},
		{
			"settings of groups that are not read", func(c *google.Config) {
				c.NestedGroups, c.GroupKey, c.Groups.Allow = true, "id", []string{"staff@example.com"}
			}, []string{"nested_groups", "group_key", "groups.allow"},
		},
		{"an account for nothing", func(c *google.Config) { c.ServiceAccount = &google.ServiceAccount{Credentials: "default"} }, []string{"service_account"}},
		{"the directory without an account", func(c *google.Config) { c.GroupsFrom = "directory" }, []string{"service_account"}},
		{"the directory", account(func(*google.ServiceAccount) {}), nil},
		{"the directory without an administrator", account(func(s *google.ServiceAccount) { s.AdminEmail = "" }), []string{"service_account.admin_email"}},
		{"no credentials", account(func(s *google.ServiceAccount) { s.Credentials = "" }), []string{"service_account.credentials"}},
		{"an administrator who is no address", account(func(s *google.ServiceAccount) { s.AdminEmail = "admin" }), []string{"service_account.admin_email"}},
		{"an account that is no address", account(func(s *google.ServiceAccount) { s.Email = "gatehouse" }), []string{"service_account.email"}},
		{
			"an administrator for each domain",
			account(func(s *google.ServiceAccount) {
				s.AdminEmail, s.AdminEmails = "", map[string]string{"example.com": "admin@example.com"}
			}), nil,
		},
		{
			"one administrator and many", account(func(s *google.ServiceAccount) { s.AdminEmails = map[string]string{"example.com": "admin@example.com"} }),
			[]string{"service_account.admin_emails"},
		},
		{
			"a domain without an administrator",
			account(func(s *google.ServiceAccount) {
				s.AdminEmail, s.AdminEmails = "", map[string]string{"partner.example": "admin@partner.example"}
			}),
			[]string{"service_account.admin_emails"},
		},
		{
			"keys that are no domains",
			account(func(s *google.ServiceAccount) {
				s.AdminEmail, s.AdminEmails = "", map[string]string{"example.com": "admin", "Example.com": "admin@example.com"}
			}),
			[]string{"service_account.admin_emails.Example.com", "service_account.admin_emails.example.com"},
		},
		{
			"addresses over http", account(func(s *google.ServiceAccount) {
				s.TokenURL, s.STSURL, s.IAMURL, s.MetadataURL = "http://a.example", "http://b.example", "http://c.example", "http://d.example"
			}), []string{"service_account.token_url", "service_account.sts_url", "service_account.iam_url", "service_account.metadata_url"},
		},
		{"the metadata server", account(func(s *google.ServiceAccount) { s.MetadataURL = "http://metadata.google.internal" }), nil},
		{"the metadata server by address", account(func(s *google.ServiceAccount) { s.MetadataURL = "http://169.254.169.254" }), nil},
		{
			"APIs over http", func(c *google.Config) {
				c.GroupsFrom, c.CloudIdentityURL, c.DirectoryURL = "cloud_identity", "http://a.example", "http://b.example"
			}, []string{"cloud_identity_url", "directory_url"},
		},
		{
			"what is for re-check without it", func(c *google.Config) {
				c.CheckSuspended, c.ConsentOnce = true, true
				c.ServiceAccount = &google.ServiceAccount{Credentials: "default", AdminEmail: "admin@example.com"}
			}, []string{"consent_once", "check_suspended"},
		},
		{
			"whether people are suspended", func(c *google.Config) {
				c.CheckSuspended, c.RecheckInterval = true, time.Hour
				c.ServiceAccount = &google.ServiceAccount{Credentials: "default", AdminEmail: "admin@example.com"}
			}, nil,
		},
		{"whether people are suspended, asked by nobody", func(c *google.Config) { c.CheckSuspended, c.RecheckInterval = true, time.Hour }, []string{"service_account"}},
		{
			"levels that Google never proves", func(c *google.Config) {
				c.Assurance = connectors.Assurance{{Level: "mfa", AMR: []string{"mfa"}}}
			}, []string{"assurance"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &google.Config{Common: connectors.Common{ID: "google", ClientID: "c", ClientSecret: connectors.Secrets{"s"}}}
			tt.change(c)
			connectortest.Problems(t, c, tt.paths)
		})
	}
}
