package fake

import (
	"slices"
	"sync"
)

// Person is one of the sample people of a fake. The upper part is what every
// vendor knows; each vendor reads only its own part besides.
type Person struct {
	// ID names the person within the cast, such as "ada". No vendor sends it.
	ID            string
	Name          string
	GivenName     string
	FamilyName    string
	Email         string
	EmailVerified bool
	// Note says in a few words what is special; the sign-in page shows it.
	Note string

	OIDC   OIDCPerson
	Google GooglePerson
	Entra  EntraPerson
	Okta   OktaPerson
	GitHub GitHubPerson
}

// OIDCPerson is what the generic provider knows of a person.
type OIDCPerson struct {
	Subject           string
	PreferredUsername string
	Groups            []string
	// AMR are the authentication methods the ID token names; pwd when nil.
	AMR []string
}

// GooglePerson is what Google knows of a person.
type GooglePerson struct {
	// Subject is the account's number, at most 255 characters, never reused.
	Subject string
	// HostedDomain is the Workspace domain; empty for a consumer account.
	HostedDomain string
	// Groups are the addresses of the groups the person is directly in.
	Groups []string
	// Suspended and Archived are what the Directory API says of the account. They stop
	// no token: Disable does.
	Suspended, Archived bool
}

// EntraPerson is a user object in one Entra tenant.
type EntraPerson struct {
	TenantID string
	ObjectID string
	// Subject is pairwise: another application sees another one.
	Subject           string
	PreferredUsername string
	// DomainOwnerVerified is the claim xms_edov as it is sent: nil for not at all,
	// otherwise a bool or one of the odd values seen in the field ("1", 1).
	DomainOwnerVerified any
	// NoEmail leaves the email claim out, as it is for managed users by default.
	NoEmail bool
	Groups  []EntraGroup
	Roles   []string
	// HomeTenantID is another tenant for a guest, and empty for a member.
	HomeTenantID string
}

// EntraGroup is a group in an Entra tenant. The ID is the object id, a GUID.
type EntraGroup struct {
	ID, Name string
	// Unsecured is a Microsoft 365 group that is for mail alone: not security-enabled.
	Unsecured bool
}

// OktaPerson is what an Okta organisation knows of a person.
type OktaPerson struct {
	// Subject begins with 00u.
	Subject string
	// Login may change; it is what preferred_username and the access token carry.
	Login  string
	Groups []string
	// AppGroups are imported, as from Active Directory: the claim's filter does not see
	// them ("Customize tokens returned from Okta with a groups claim"), the API does.
	AppGroups []string
	// Factors are the amr values the person can present; pwd when nil.
	Factors []string
	// Unassigned people are refused: the application is not theirs.
	Unassigned bool
}

// GitHubPerson is a GitHub account.
type GitHubPerson struct {
	ID    int64
	Login string
	// PublicEmail is the address of the public profile; often empty.
	PublicEmail   string
	Emails        []GitHubEmail
	Organizations []GitHubMembership
	Teams         []GitHubTeam
}

// GitHubEmail is one row of /user/emails.
type GitHubEmail struct {
	Email             string
	Primary, Verified bool
}

// GitHubOrganization is an organisation as its members see it.
type GitHubOrganization struct {
	ID    int64
	Login string
	// SAML protects the organisation: without an active session there, lists omit it
	// and direct look-ups are refused.
	SAML bool
	// Restricted organisations have not approved the OAuth app: silently missing.
	Restricted bool
}

// GitHubMembership is a person's place in an organisation.
type GitHubMembership struct {
	Organization GitHubOrganization
	// Pending is an invitation that was not accepted.
	Pending bool
	Admin   bool
}

// GitHubTeam is a team the person is directly in.
type GitHubTeam struct {
	ID           int64
	Name, Slug   string
	Organization GitHubOrganization
	Parent       *GitHubTeam
}

// hints are the strings a login_hint may name the person by.
func (p Person) hints() []string {
	return []string{p.ID, p.Email, p.OIDC.PreferredUsername, p.Google.Subject, p.Entra.PreferredUsername, entraLoginHint(p), p.Okta.Login, p.GitHub.Login}
}

func (p Person) clone() Person {
	p.OIDC.Groups, p.OIDC.AMR = slices.Clone(p.OIDC.Groups), slices.Clone(p.OIDC.AMR)
	p.Google.Groups = slices.Clone(p.Google.Groups)
	p.Entra.Groups, p.Entra.Roles = slices.Clone(p.Entra.Groups), slices.Clone(p.Entra.Roles)
	p.Okta.Groups, p.Okta.AppGroups = slices.Clone(p.Okta.Groups), slices.Clone(p.Okta.AppGroups)
	p.Okta.Factors = slices.Clone(p.Okta.Factors)
	p.GitHub.Emails = slices.Clone(p.GitHub.Emails)
	p.GitHub.Organizations = slices.Clone(p.GitHub.Organizations)
	p.GitHub.Teams = slices.Clone(p.GitHub.Teams)
	return p
}

// cast is the people of one fake. They may change while it runs.
type cast struct {
	mu       sync.Mutex
	people   []Person
	disabled map[string]bool
}

func newCast(people []Person) *cast {
	c := &cast{disabled: map[string]bool{}}
	for _, p := range people {
		c.people = append(c.people, p.clone())
	}
	return c
}

// find returns a copy of the person with this ID.
func (c *cast) find(id string) (Person, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.people {
		if p.ID == id {
			return p.clone(), true
		}
	}
	return Person{}, false
}

// named returns the person a login_hint means.
func (c *cast) named(hint string) (Person, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.people {
		if hint != "" && slices.Contains(p.hints(), hint) {
			return p.clone(), true
		}
	}
	return Person{}, false
}

func (c *cast) all() []Person {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Person, 0, len(c.people))
	for _, p := range c.people {
		out = append(out, p.clone())
	}
	return out
}

func (c *cast) update(id string, change func(*Person)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.people {
		if c.people[i].ID == id {
			change(&c.people[i])
			return true
		}
	}
	return false
}

func (c *cast) add(p Person) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.people = append(c.people, p.clone())
}

func (c *cast) setDisabled(id string, disabled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disabled[id] = disabled
}

func (c *cast) isDisabled(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.disabled[id]
}
