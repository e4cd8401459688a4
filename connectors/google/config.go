package google

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// The values of Config.GroupsFrom.
const (
	groupsNone              = "none"
	groupsFromCloudIdentity = "cloud_identity"
	groupsFromDirectory     = "directory"
)

// The values of Config.GroupKey.
const (
	keyEmail = "email"
	keyID    = "id"
)

// defaultCredentials stands for Application Default Credentials.
const (
	defaultCredentials  = "default"
	credentialsVariable = "GOOGLE_APPLICATION_CREDENTIALS"
)

// Where Google is unless the configuration says otherwise.
const (
	publicIssuer        = "https://accounts.google.com"
	publicDirectory     = "https://admin.googleapis.com"
	publicCloudIdentity = "https://cloudidentity.googleapis.com"
	publicTokenURL      = "https://oauth2.googleapis.com/token"
	publicIAMURL        = "https://iamcredentials.googleapis.com"
	publicMetadataURL   = "http://metadata.google.internal"
)

// Scopes: the least that each API takes.
const (
	cloudIdentityScope = "https://www.googleapis.com/auth/cloud-identity.groups.readonly"
	directoryScope     = "https://www.googleapis.com/auth/admin.directory.group.readonly"
	usersScope         = "https://www.googleapis.com/auth/admin.directory.user.readonly"
	cloudScope         = "https://www.googleapis.com/auth/cloud-platform"
)

// Config is the section of a connector of type google.
type Config struct {
	connectors.Common `yaml:",inline"`
	// Issuer is https://accounts.google.com when absent.
	Issuer string `yaml:"issuer"`
	// HostedDomains admit the accounts of these Workspace domains. When absent
	// everybody with a Google account is admitted.
	HostedDomains []string `yaml:"hosted_domains"`

	// GroupsFrom is none (default), cloud_identity or directory: which API is asked for
	// the Google Groups somebody is in. People without a Workspace have none.
	GroupsFrom string `yaml:"groups_from"`
	// NestedGroups includes the groups that somebody's groups are in.
	NestedGroups bool `yaml:"nested_groups"`
	// GroupKey is email (default), the group's address, or id, its number, which stays
	// when it is renamed.
	GroupKey string `yaml:"group_key"`
	// ServiceAccount asks the APIs. Without it Cloud Identity is asked with the access
	// token of the person who signs in.
	ServiceAccount *ServiceAccount `yaml:"service_account"`
	// CheckSuspended asks the Directory API at every re-check whether the account is
	// suspended or archived.
	CheckSuspended bool `yaml:"check_suspended"`
	// ConsentOnce leaves prompt=consent out where re-check is on: Google then hands out
	// a refresh token at somebody's first consent and never again.
	ConsentOnce bool `yaml:"consent_once"`

	// CloudIdentityURL and DirectoryURL are the APIs' base URLs; Google's when absent.
	CloudIdentityURL string `yaml:"cloud_identity_url"`
	DirectoryURL     string `yaml:"directory_url"`
}

// ServiceAccount is who asks Google's APIs, and for whom.
type ServiceAccount struct {
	// Credentials is the path of a key file or of a credential configuration of workload
	// identity federation; or "default": the file that the environment variable
	// GOOGLE_APPLICATION_CREDENTIALS names, else the account that the machine runs as
	// at Google.
	Credentials string `yaml:"credentials"`
	// Email is the service account to act as; that of the credentials when absent.
	Email string `yaml:"email"`
	// AdminEmail is the administrator whom the account impersonates (domain-wide
	// delegation), AdminEmails one for each hosted domain.
	AdminEmail  string            `yaml:"admin_email"`
	AdminEmails map[string]string `yaml:"admin_emails"`

	// TokenURL, STSURL, IAMURL and MetadataURL are where access tokens come from;
	// Google's, or what the credentials say, when absent.
	TokenURL    string `yaml:"token_url"`
	STSURL      string `yaml:"sts_url"`
	IAMURL      string `yaml:"iam_url"`
	MetadataURL string `yaml:"metadata_url"`
}

// Base implements connectors.Config.
func (c *Config) Base() *connectors.Common { return &c.Common }

// problems collects what is wrong with a section.
type problems []connectors.Problem

func (p *problems) add(wrong bool, path, message string) {
	if wrong {
		*p = append(*p, connectors.Problem{Path: path, Message: message})
	}
}

// Validate implements connectors.Config.
func (c *Config) Validate() []connectors.Problem {
	base := c.base()
	out := problems(base.Validate())
	for i, d := range c.HostedDomains {
		out.add(!isDomain(d), fmt.Sprintf("hosted_domains[%d]", i), "must be a Workspace domain in lower case, such as example.com")
	}
	if i := slices.Index(c.Scopes, oauth.OfflineAccess); i >= 0 {
		out.add(true, fmt.Sprintf("scopes[%d]", i), "Google has no offline_access scope and refuses requests with it")
	}
	out.add(len(c.TrustedEmailDomains) > 0, "trusted_email_domains", "is for upstreams with one organisation's people; Google has everybody's, and says itself which addresses it speaks for")
	// The ID token has neither acr nor amr, and none can be asked for.
	out.add(len(c.Assurance) > 0, "assurance", "Google does not say how somebody authenticated, so no rule could ever hold: remove it, or let clients that demand a level use another connector")
	out.add(c.ConsentOnce && c.RecheckInterval == 0, "consent_once", "is for upstream re-check, without which nobody is asked to consent again: set recheck_interval too")
	c.groupProblems(&out)
	c.accountProblems(&out)
	return out
}

func (c *Config) groupProblems(out *problems) {
	known := []string{"", groupsNone, groupsFromCloudIdentity, groupsFromDirectory}
	out.add(!slices.Contains(known, c.GroupsFrom), "groups_from", "must be none, cloud_identity or directory")
	out.add(!slices.Contains([]string{"", keyEmail, keyID}, c.GroupKey), "group_key", "must be email or id")
	off := c.groupsFrom() == groupsNone
	const unused = "is for groups, which are not read: set groups_from too"
	out.add(off && c.NestedGroups, "nested_groups", unused)
	out.add(off && c.GroupKey != "", "group_key", unused)
	out.add(off && len(c.Groups.Allow) > 0, "groups.allow", unused)
	out.address("cloud_identity_url", c.CloudIdentityURL)
	out.address("directory_url", c.DirectoryURL)
	out.add(c.CheckSuspended && c.RecheckInterval == 0, "check_suspended", "is for upstream re-check: set recheck_interval too")
	wants := ""
	switch {
	case c.groupsFrom() == groupsFromDirectory:
		wants = "groups_from: directory"
	case c.CheckSuspended:
		wants = "check_suspended"
	}
	if s := c.ServiceAccount; wants != "" {
		out.add(s == nil, "service_account", "required by "+wants+": the Directory API answers no ordinary person")
		out.add(s != nil && !s.delegated(), "service_account.admin_email", "required by "+wants+": the Directory API answers administrators, whom the service account impersonates")
	} else {
		out.add(s != nil && off, "service_account", "is used by nothing: set groups_from or check_suspended")
	}
}

func (c *Config) accountProblems(out *problems) {
	s := c.ServiceAccount
	if s == nil {
		return
	}
	const at = "service_account."
	out.add(s.Credentials == "", at+"credentials", "required: default, or the path of a key file or of a credential configuration in JSON")
	out.add(s.Email != "" && !isAddress(s.Email), at+"email", "must be the address of a service account, such as gatehouse@project.iam.gserviceaccount.com")
	out.add(s.AdminEmail != "" && !isAddress(s.AdminEmail), at+"admin_email", "must be the address of a Workspace administrator, such as admin@example.com")
	out.add(s.AdminEmail != "" && s.AdminEmails != nil, at+"admin_emails", "cannot stand beside admin_email: use one of them")
	for _, domain := range slices.Sorted(maps.Keys(s.AdminEmails)) {
		path := at + "admin_emails." + domain
		out.add(!isDomain(domain), path, "the key must be a Workspace domain in lower case, such as example.com")
		out.add(!isAddress(s.AdminEmails[domain]), path, "must be the address of a Workspace administrator, such as admin@example.com")
	}
	for _, domain := range c.HostedDomains {
		_, known := s.AdminEmails[domain]
		out.add(s.AdminEmails != nil && !known, at+"admin_emails", "has no administrator for "+domain+" of hosted_domains")
	}
	out.address(at+"token_url", s.TokenURL)
	out.address(at+"sts_url", s.STSURL)
	out.address(at+"iam_url", s.IAMURL)
	// The metadata server has no certificate.
	if u, err := url.Parse(s.MetadataURL); s.MetadataURL != publicMetadataURL && (err != nil || u.Scheme != "http" || u.Path != "" || !fetchable(s.MetadataURL)) {
		out.address(at+"metadata_url", s.MetadataURL)
	}
}

func (p *problems) address(path, value string) {
	if value != "" {
		message := connectors.CheckBaseURL(value)
		p.add(message != "", path, message)
	}
}

func isDomain(s string) bool {
	domain, ok := connectors.EmailDomain("x@" + s)
	return ok && domain == s
}

func isAddress(s string) bool {
	_, ok := connectors.EmailDomain(s)
	return ok
}

func (c *Config) groupsFrom() string { return cmp.Or(c.GroupsFrom, groupsNone) }

// delegated: the account impersonates an administrator.
func (s *ServiceAccount) delegated() bool { return s.AdminEmail != "" || len(s.AdminEmails) > 0 }

// admin is whom the account impersonates for the people of a hosted domain; empty
// where it asks as itself.
func (s *ServiceAccount) admin(domain string) (string, error) {
	if !s.delegated() || s.AdminEmail != "" {
		return s.AdminEmail, nil
	}
	if admin, known := s.AdminEmails[domain]; known {
		return admin, nil
	}
	hint := "service_account.admin_emails has no administrator for the person's hosted domain"
	if isDomain(domain) {
		hint += " " + domain
	}
	return "", &connectors.Error{Kind: connectors.Operator, Hint: hint}
}

// base is the OpenID Provider below the vendor. The scope for groups is asked for
// only where the person's own token reads them.
func (c *Config) base() *oidc.Config {
	common := c.Common
	if c.asksAsPerson() && len(common.Scopes) > 0 && !slices.Contains(common.Scopes, cloudIdentityScope) {
		common.Scopes = append(slices.Clone(common.Scopes), cloudIdentityScope)
	}
	return &oidc.Config{Common: common, Issuer: cmp.Or(c.Issuer, publicIssuer)}
}

func (c *Config) asksAsPerson() bool {
	return c.groupsFrom() == groupsFromCloudIdentity && c.ServiceAccount == nil
}

// References implements connectors.Referrer.
func (c *Config) References() []connectors.Reference {
	if c.ServiceAccount == nil || c.ServiceAccount.Credentials == defaultCredentials {
		return nil
	}
	return connectors.NamedFiles(connectors.Reference{Key: "service_account.credentials", File: c.ServiceAccount.Credentials, Private: true})
}
