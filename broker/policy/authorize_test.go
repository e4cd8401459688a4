package policy

import (
	"errors"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

func account() *broker.Account { return &broker.Account{ID: "acc"} }

func identity() *broker.LinkedIdentity {
	return &broker.LinkedIdentity{
		Key: broker.IdentityKey{Connector: "corp", Issuer: "https://idp.test", Subject: "1"}, AccountID: "acc",
		Profile: broker.Profile{Email: "ada@corp.test", EmailTrust: broker.EmailVerified, Groups: []string{"staff", "dev"}},
	}
}

func asked() oauth.Scopes { return oauth.Scopes{"openid", "email"} }

func consent() *broker.Consent {
	return &broker.Consent{AccountID: "acc", ClientID: "wiki", Scopes: []string{"email", "openid", "profile"}}
}

// signIn is a state in which the person may have asked() issued to client().
func signIn() broker.State {
	return broker.State{Account: account(), Identity: identity(), Consent: consent()}
}

func withGrant() broker.State {
	s := signIn()
	s.Grant = &broker.Grant{
		ID: "g", ClientID: "wiki", AccountID: "acc", Connector: "corp", Identity: identity().Key.Digest(),
		Scopes: oauth.Scopes{"openid", "email", "offline_access"}, Offline: true,
	}
	return s
}

func client() *broker.Client {
	return &broker.Client{
		ID: "wiki", Connectors: []string{"corp", "github"}, Scopes: oauth.Scopes{"openid", "email", "offline_access"},
		Allow: broker.Allow{Groups: []string{"dev", "ops"}, EmailDomains: []string{"example.test", "corp.test"}},
	}
}

// One row for each rule. Every one starts from what is allowed and takes away one thing.
func TestAuthorize(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*broker.Client, *broker.State, *oauth.Scopes)
		want   error
	}{
		{"nothing speaks against it", func(*broker.Client, *broker.State, *oauth.Scopes) {}, nil},
		{"a disabled client", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Client.Disabled = true }, broker.ErrClientDisabled},
		{"a disabled connector", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Connector.Disabled = true }, broker.ErrConnectorDisabled},
		{"a disabled account", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Account.Disabled = true }, broker.ErrAccountDisabled},
		{"no account", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Account = nil }, broker.ErrAccountDisabled},
		{"no identity", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Identity = nil }, broker.ErrIdentityGone},
		{"an identity of somebody else", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Identity.AccountID = "eve" }, broker.ErrIdentityGone},
		{"a connector that the client does not take", func(c *broker.Client, _ *broker.State, _ *oauth.Scopes) { c.Connectors = []string{"github"} }, ErrConnectorNotAllowed},
		{"a client that takes all connectors", func(c *broker.Client, _ *broker.State, _ *oauth.Scopes) { c.Connectors = nil }, nil},
		{"none of the groups", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) {
			s.Identity.Profile.Groups = []string{"staff"}
		}, ErrGroupNotAllowed},
		{"groups that are not known", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Identity.Profile.Groups = nil }, ErrGroupNotAllowed},
		{"a group in another case", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Identity.Profile.Groups = []string{"Dev"} }, ErrGroupNotAllowed},
		{"an address elsewhere", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Identity.Profile.Email = "ada@evil.test" }, ErrEmailNotAllowed},
		{"an address with two readings", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) {
			s.Identity.Profile.Email = "x@evil.test@corp.test"
		}, ErrEmailNotAllowed},
		{"an unverified address", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) {
			s.Identity.Profile.EmailTrust = broker.EmailUnverified
		}, ErrEmailNotAllowed},
		{"an address of unknown standing", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) {
			s.Identity.Profile.EmailTrust = broker.EmailUnknown
		}, ErrEmailNotAllowed},
		{"a noreply address", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) {
			s.Identity.Profile.Email = "noreply@corp.test"
		}, ErrEmailNotAllowed},
		{"no address", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Identity.Profile.Email = "" }, ErrEmailNotAllowed},
		{"the group alone where both are asked for", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Identity.Profile.Email = "ada@home.test" }, ErrEmailNotAllowed},
		{"no rules", func(c *broker.Client, s *broker.State, _ *oauth.Scopes) {
			c.Allow, s.Identity.Profile = broker.Allow{}, broker.Profile{}
		}, nil},
		{"a scope that the client is not registered for", func(_ *broker.Client, s *broker.State, a *oauth.Scopes) {
			*a = append(*a, "profile")
			if s.Grant != nil {
				s.Grant.Scopes = append(s.Grant.Scopes, "profile")
			}
		}, ErrScopeNotAllowed},
		{"a client that may ask for every scope", func(c *broker.Client, _ *broker.State, _ *oauth.Scopes) { c.Scopes = nil }, nil},
		{"no consent", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Consent = nil }, ErrConsentRequired},
		{"a consent to less", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Consent.Scopes = []string{"openid"} }, ErrConsentRequired},
		{"somebody else's consent", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Consent.AccountID = "eve" }, ErrConsentRequired},
		{"a consent for another client", func(_ *broker.Client, s *broker.State, _ *oauth.Scopes) { s.Consent.ClientID = "evil" }, ErrConsentRequired},
		{"a first-party client without consent", func(c *broker.Client, s *broker.State, _ *oauth.Scopes) { c.SkipConsent, s.Consent = true, nil }, nil},
	}
	states := map[string]func() broker.State{"before a grant": signIn, "with a grant": withGrant}
	for _, tt := range tests {
		for when, state := range states {
			t.Run(tt.name+" "+when, func(t *testing.T) {
				t.Parallel()
				c, s, scopes := client(), state(), asked()
				tt.change(c, &s, &scopes)
				if err := Authorize(c, s, scopes); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
					t.Errorf("Authorize: %v, want %v", err, tt.want)
				}
			})
		}
	}
}

func TestAuthorizeWithAGrant(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*broker.State)
		scopes oauth.Scopes
		want   error
	}{
		{"all of its scopes", func(*broker.State) {}, oauth.Scopes{"openid", "email", "offline_access"}, ErrConsentRequired},
		{"fewer scopes", func(*broker.State) {}, oauth.Scopes{"openid"}, nil},
		{"a scope that it lacks, consent or not", func(s *broker.State) { s.Grant.Scopes = oauth.Scopes{"openid"} }, asked(), ErrScopeNotAllowed},
		{"another client's", func(s *broker.State) { s.Grant.ClientID = "evil" }, asked(), ErrClientGone},
		{"another account's", func(s *broker.State) { s.Grant.AccountID = "eve" }, asked(), broker.ErrIdentityGone},
		{"another identity's", func(s *broker.State) { s.Grant.Identity[0] ^= 1 }, asked(), broker.ErrIdentityGone},
		{"from before the account was signed out", func(s *broker.State) { s.Account.Epoch++ }, asked(), broker.ErrSuperseded},
		{"from before the client was disabled", func(s *broker.State) { s.Client.Epoch++ }, asked(), broker.ErrSuperseded},
		{"from before the connector was disabled", func(s *broker.State) { s.Connector.Epoch++ }, asked(), broker.ErrSuperseded},
		{"of a session that has ended", func(s *broker.State) { s.Grant.Offline = false }, asked(), broker.ErrSessionEnded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := withGrant()
			tt.change(&s)
			if err := Authorize(client(), s, tt.scopes); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Errorf("Authorize: %v, want %v", err, tt.want)
			}
		})
	}
}

func TestAuthorizeWithoutAClient(t *testing.T) {
	t.Parallel()
	if err := Authorize(nil, signIn(), asked()); !errors.Is(err, ErrClientGone) {
		t.Errorf("Authorize for a client that is not configured: %v", err)
	}
}

// Pages tell the refusals of a person from the need to ask; both questions have one answer for each error.
func TestReasonsCanBeToldApart(t *testing.T) {
	t.Parallel()
	for _, err := range []error{ErrConnectorNotAllowed, ErrGroupNotAllowed, ErrEmailNotAllowed} {
		if !errors.Is(err, ErrNotAllowed) || errors.Is(err, ErrConsentRequired) {
			t.Errorf("%v is not a refusal of the person", err)
		}
	}
	for _, err := range []error{ErrConsentRequired, ErrScopeNotAllowed, ErrClientGone} {
		if errors.Is(err, ErrNotAllowed) {
			t.Errorf("%v is a refusal of the person", err)
		}
	}
}

func BenchmarkAuthorize(b *testing.B) {
	c, s, scopes := client(), withGrant(), asked()
	b.ReportAllocs()
	for b.Loop() {
		if err := Authorize(c, s, scopes); err != nil {
			b.Fatal(err)
		}
	}
}
