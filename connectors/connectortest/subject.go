package connectortest

import (
	"net/url"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

// Subject is a connector under test.
type Subject struct {
	// Fake makes the vendor.
	Fake func(o fake.Options) *fake.Provider
	// Config completes a configuration for the vendor at base.
	Config func(common connectors.Common, base string) connectors.Config
	// Person is the sample person of the usual case, who is admitted and whose e-mail
	// is verified; Other is another one, admitted too.
	Person, Other string
	// Key is the identity key of a sample person, but for the connector.
	Key func(p fake.Person, base string) (issuer, subject string)
	// Groups are the person's groups as the vendor names them, in order; nil where the
	// connector reads none. GroupScopes are what has to be asked for to see them.
	Groups      []string
	GroupScopes []string
	// Unscoped is set where tokens have permissions and no scopes (GitHub Apps).
	Unscoped bool
	// Secretless is set where the client authenticates by other means than a secret.
	Secretless bool
	// Calls are the requests of one sign-in once discovery and keys are known.
	Calls map[fake.Endpoint]int
	// OpenID is set where the vendor issues ID tokens.
	OpenID *OpenID
	// Recheck, GroupTrouble, Levels and EmailFlag are what the rows of these names need
	// to know of a vendor. What is nil the vendor cannot do, and has no row.
	Recheck      *Recheck
	GroupTrouble map[Cause]Trouble
	// GroupNonsense makes the list of groups unreadable, where there is GroupTrouble.
	GroupNonsense func(v *fake.Provider)
	Levels        *Levels
	EmailFlag     *EmailFlag
	// Keys is shared between the benches of one test, so that RSA keys are made once.
	Keys *fake.KeyPool
}

// OpenID is what the rows about ID tokens need to know of a vendor.
type OpenID struct {
	// Userinfo, EmailVerified and AccessTokenHash are set where the usual sign-in asks
	// the userinfo endpoint, and where email_verified and at_hash are sent.
	Userinfo, EmailVerified, AccessTokenHash bool
	// NeedsVerified is set where somebody whose address is not verified is refused.
	NeedsVerified bool
	// ResponseIssuer is set where the vendor promises iss in the callback (RFC 9207).
	ResponseIssuer bool
	// Cooldown is the least time between two fetches of the keys because of an unknown
	// key ID; Flood is how many such tokens the row about it sends.
	Cooldown time.Duration
	Flood    int
}

// Recheck is how a vendor is asked again about somebody who is not present.
type Recheck struct {
	// Offline are the words by which an authorization request asks for what that
	// needs, by parameter; empty where a sign-in brings it anyway.
	Offline map[string]string
	// After is how long after the sign-in; an hour when zero.
	After time.Duration
	// Calls are the requests of one re-check once documents are known. Where fake.Refresh is among them, the
	// credential is a refresh token.
	Calls map[fake.Endpoint]int
	// Rotate has the vendor replace refresh tokens; nil where it does not, or, with
	// Rotates, always does.
	Rotate  func(o *fake.Options)
	Rotates bool
	// Change makes the person another one to look at, groups included.
	Change func(p *fake.Person)
	// Somebody makes the vendor answer for somebody else.
	Somebody func(v *fake.Provider)
}

// Cause is a way in which groups cannot be read, by its name in on_group_failure.
type Cause string

// The causes.
const (
	Unavailable Cause = "unavailable"
	Denied      Cause = "denied"
	Incomplete  Cause = "incomplete"
)

// Trouble brings a cause about at a vendor that worked before. Setup may be nil.
type Trouble struct {
	Setup  func(*Setup)
	Vendor func(v *fake.Provider)
}

// Levels is how a vendor is asked for an assurance level, and says that it has it.
type Levels struct {
	// ACR is a value of the vendor that Subject.Person can reach. Asked reads what an
	// authorization request asks for; acr_values when nil.
	ACR   string
	Asked func(query url.Values) string
	// Weaken lets the vendor answer with less than was asked for.
	Weaken func(v *fake.Provider)
}

// EmailFlag is the member that says whether an address is verified, where it is not
// email_verified.
type EmailFlag struct {
	// Set gives it another value; Absent removes it.
	Set    func(v *fake.Provider, value any)
	Absent func(v *fake.Provider)
	// Documented are the values besides true that the vendor documents as true.
	Documented []any
}
