package azuread_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// rule is a configuration and where it has problems.
type rule struct {
	name   string
	change func(*azuread.Config)
	paths  []string
}

func hold(t *testing.T, rules []rule) {
	t.Helper()
	for _, tt := range rules {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &azuread.Config{Common: connectors.Common{ID: "entra", ClientID: "c", ClientSecret: connectors.Secrets{"s"}}, Tenant: acme}
			tt.change(c)
			connectortest.Problems(t, c, tt.paths)
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	hold(t, []rule{
		{"one directory", func(*azuread.Config) {}, nil},
		{"one directory, said twice", func(c *azuread.Config) { c.AllowedTenants = tenants(acme) }, nil},
		{"neither tenant nor allowed_tenants", func(c *azuread.Config) { c.Tenant = "" }, []string{"tenant"}},
		{"allowed_tenants alone", func(c *azuread.Config) { c.Tenant, c.AllowedTenants = "", tenants(acme, partner) }, nil},
		{"common for everybody", func(c *azuread.Config) { c.Tenant = "common" }, []string{"allowed_tenants"}},
		{"organizations for everybody", func(c *azuread.Config) { c.Tenant = "organizations" }, []string{"allowed_tenants"}},
		{"organizations for some", func(c *azuread.Config) { c.Tenant, c.AllowedTenants = "organizations", tenants(acme) }, nil},
		{"consumers", func(c *azuread.Config) { c.Tenant = "consumers" }, nil},
		{"consumers with a directory", func(c *azuread.Config) { c.Tenant, c.AllowedTenants = "consumers", tenants(acme) }, []string{"allowed_tenants"}},
		{"a domain", func(c *azuread.Config) { c.Tenant = "contoso.onmicrosoft.com" }, []string{"tenant"}},
		{"a GUID in capitals", func(c *azuread.Config) { c.Tenant = strings.ToUpper(acme) }, []string{"tenant"}},
		{"a path", func(c *azuread.Config) { c.Tenant = "../" + acme }, []string{"tenant"}},
		{"one directory and another allowed", func(c *azuread.Config) { c.AllowedTenants = tenants(partner) }, []string{"allowed_tenants"}},
		{"a domain allowed", func(c *azuread.Config) { c.Tenant, c.AllowedTenants = "common", tenants(acme, "contoso.com") }, []string{"allowed_tenants[1]"}},
		{"authority over http", func(c *azuread.Config) { c.Authority = "http://login.example.com" }, []string{"authority"}},
		{"Graph over http", func(c *azuread.Config) { c.GraphURL = "http://graph.example.com" }, []string{"graph_url"}},
		{"group claims of another name", func(c *azuread.Config) { c.GroupClaims = "all" }, []string{"group_claims"}},
		{"Graph of a public cloud is known", func(c *azuread.Config) { c.GroupClaims, c.Authority = "graph", "https://login.microsoftonline.us" }, nil},
		{"Graph of another authority is not", func(c *azuread.Config) { c.GroupClaims, c.Authority = "graph", "https://login.example.com" }, []string{"graph_url"}},
		{"trusted domains of one directory", func(c *azuread.Config) { c.TrustedEmailDomains = []string{"acme.example"} }, nil},
		{"UP-01 trusted domains of several", func(c *azuread.Config) {
			c.Tenant, c.AllowedTenants, c.TrustedEmailDomains = "common", tenants(acme, partner), []string{"acme.example"}
		}, []string{"trusted_email_domains"}},
		{"UP-01 trusted domains of personal accounts", func(c *azuread.Config) { c.Tenant, c.TrustedEmailDomains = "consumers", []string{"acme.example"} }, []string{"trusted_email_domains"}},
		{"names of directories", func(c *azuread.Config) { c.Tenant, c.AllowedTenants = "", named2() }, nil},
		{"a name for some of them", func(c *azuread.Config) {
			c.Tenant, c.AllowedTenants = "", append(named2(), tenants("99999999-2222-4b4b-8888-aaaabbbbcccc")...)
		}, []string{"allowed_tenants[2].name"}},
		{"a name with a line break", func(c *azuread.Config) { c.AllowedTenants = []azuread.Tenant{{ID: acme, Name: "A\nB"}} }, []string{"allowed_tenants[0].name"}},
		{"a directory listed twice", func(c *azuread.Config) { c.Tenant, c.AllowedTenants = "common", tenants(acme, acme) }, []string{"allowed_tenants[1]"}},
	})
}

func TestValidateCredentials(t *testing.T) {
	t.Parallel()
	hold(t, []rule{
		{"no secret", func(c *azuread.Config) { c.ClientSecret = nil }, []string{"client_secret"}},
		{"a certificate", func(c *azuread.Config) { c.ClientSecret, c.ClientKey, c.ClientCertificate = nil, "k", "c" }, nil},
		{"a certificate without its key", func(c *azuread.Config) { c.ClientSecret, c.ClientCertificate = nil, "c" }, []string{"client_key"}},
		{"a key without its certificate", func(c *azuread.Config) { c.ClientSecret, c.ClientKey = nil, "k" }, []string{"client_certificate"}},
		{"a federated token", func(c *azuread.Config) { c.ClientSecret, c.FederatedTokenFile = nil, "f" }, nil},
		{"a secret and a certificate", func(c *azuread.Config) { c.ClientKey, c.ClientCertificate = "k", "c" }, []string{"client_secret"}},
		{"a secret and a federated token", func(c *azuread.Config) { c.FederatedTokenFile = "f" }, []string{"client_secret"}},
		{"a certificate and a federated token", func(c *azuread.Config) {
			c.ClientSecret, c.ClientKey, c.ClientCertificate, c.FederatedTokenFile = nil, "k", "c", "f"
		}, []string{"federated_token_file"}},
		{"the end of a secret that is not there", func(c *azuread.Config) {
			c.ClientSecret, c.FederatedTokenFile, c.ClientSecretExpires.Time = nil, "f", time.Unix(1, 0)
		}, []string{"client_secret_expires"}},
	})
}

func TestValidateGroups(t *testing.T) {
	t.Parallel()
	hold(t, []rule{
		{"a domain hint", func(c *azuread.Config) { c.DomainHint = "contoso.com" }, nil},
		{"a domain hint of a kind", func(c *azuread.Config) { c.DomainHint = "organizations" }, nil},
		{"a domain hint in capitals", func(c *azuread.Config) { c.DomainHint = "Contoso.com" }, []string{"domain_hint"}},
		{"a domain hint that is an address", func(c *azuread.Config) { c.DomainHint = "ada@contoso.com" }, []string{"domain_hint"}},
		{"names with Graph", func(c *azuread.Config) { c.GroupClaims, c.GroupNames = "graph", true }, nil},
		{"names without Graph", func(c *azuread.Config) { c.GroupNames = true }, []string{"group_names"}},
		{"security groups without Graph", func(c *azuread.Config) { c.GroupClaims, c.SecurityGroupsOnly = "none", true }, []string{"security_groups_only"}},
		{"a method without Graph", func(c *azuread.Config) { c.GraphMethod = "getMemberGroups" }, []string{"graph_method"}},
		{"another method", func(c *azuread.Config) { c.GroupClaims, c.GraphMethod = "graph", "memberOf" }, []string{"graph_method"}},
		{"Graph about personal accounts", func(c *azuread.Config) { c.Tenant, c.GroupClaims = "consumers", "graph" }, []string{"group_claims"}},
		{"roles without groups", func(c *azuread.Config) { c.GroupClaims, c.AppRoles = "none", true }, nil},
		{"Graph always, of another authority", func(c *azuread.Config) {
			c.GroupClaims, c.Authority, c.GraphURL = "graph_always", "https://login.example.com", "https://graph.example.com"
		}, nil},
	})
}

func TestParameters(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	for _, tt := range []struct {
		name   string
		change func(*connectors.Login)
		want   map[string]string
	}{
		{"a forced login", func(l *connectors.Login) { l.ForceLogin, l.LoginHint = true, "ada@acme.example" }, map[string]string{"prompt": "login", "login_hint": "ada@acme.example"}},
		{"one prompt at a time", func(l *connectors.Login) { l.ForceLogin, l.SelectAccount = true, true }, map[string]string{"prompt": "login"}},
		{"no hint where the account is to be chosen", func(l *connectors.Login) { l.SelectAccount, l.LoginHint = true, "ada@acme.example" }, map[string]string{"prompt": "select_account", "login_hint": ""}},
		{"max_age", func(l *connectors.Login) { l.HasMaxAge = true }, map[string]string{"max_age": "0"}},
		{"no acr_values", func(l *connectors.Login) { l.ACRValues = []string{"c1"} }, map[string]string{"acr_values": ""}},
	} {
		l := connectortest.NewLogin()
		tt.change(&l)
		query := b.Asked(t, l)
		for name, want := range tt.want {
			if got := query.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, name, got, want)
			}
		}
		if _, _, err := b.SignInWith(t, l); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if d := b.Connector.Describe(); d.Reauthentication != connectors.ReauthAsked || d.Type != "azuread" {
		t.Errorf("got %+v", d)
	}
}

func TestErrorsAreClassifiedByNumber(t *testing.T) {
	t.Parallel()
	for m, want := range map[fake.Misbehaviour]struct {
		kind connectors.Kind
		code string
	}{
		fake.EntraSecretExpired: {connectors.Operator, "AADSTS7000222"}, fake.EntraMFARequired: {connectors.Interaction, "AADSTS50076"},
		fake.EntraAccessBlocked: {connectors.Declined, "AADSTS53003"}, fake.EntraConsentMissing: {connectors.Operator, "AADSTS65001"},
		fake.EntraUnassigned: {connectors.NotAllowed, "AADSTS50105"}, fake.CodeAlreadyRedeemed: {connectors.Broken, "AADSTS54005"},
		fake.At(fake.Token, fake.Unavailable): {connectors.Transient, "AADSTS90033"},
	} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			b.Vendor.Misbehave(m)
			if e := b.Refused(t, want.kind); e.Code != want.code {
				t.Errorf("got code %q (%v), want %q", e.Code, e, want.code)
			}
		})
	}
}

func TestCallbackErrorsAreClassifiedByNumber(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	for _, tt := range []struct {
		code, description string
		kind              connectors.Kind
		shown             string
	}{
		{"access_denied", "AADSTS65004: User declined to consent to access the app.", connectors.Declined, "AADSTS65004"},
		{"access_denied", "", connectors.Declined, "access_denied"},
		{"access_denied", "AADSTS50105: ", connectors.NotAllowed, "AADSTS50105"},
		{"login_required", "AADSTS50058: A silent sign-in request was sent", connectors.Interaction, "AADSTS50058"},
		{"server_error", "AADSTS999999: who knows", connectors.Transient, "AADSTS999999"},
		{"access_denied", "AADSTS-5: x", connectors.Declined, "access_denied"},
		{"access_denied", "see AADSTS50105: x", connectors.Declined, "access_denied"},
	} {
		l := connectortest.NewLogin()
		_, _, err := b.Identify(t, url.Values{"state": {l.State}, "error": {tt.code}, "error_description": {tt.description}}, l)
		if e := connectortest.KindOf(t, err, tt.kind); e.Code != tt.shown {
			t.Errorf("%s %q: got code %q, want %q", tt.code, tt.description, e.Code, tt.shown)
		}
	}
}
