package github_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/github"
)

// everybody admits people without regard to organisations.
func everybody(s *connectortest.Setup) {
	s.Configure = func(c connectors.Config) { c.(*github.Config).Organizations = nil }
}

func TestUP19TheNumberIsTheIdentity(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	usual := b.MustSignIn(t)
	b.Vendor.Misbehave(fake.GitHubRenamed)
	if id := b.MustSignIn(t); id.Key != usual.Key || id.Profile.PreferredUsername == usual.Profile.PreferredUsername {
		t.Errorf("renamed: got %+v", id)
	}
	b.Vendor.Behave()
	b.Vendor.Misbehave(fake.GitHubReusedLogin)
	if id := b.MustSignIn(t); id.Key == usual.Key || id.Profile.PreferredUsername != usual.Profile.PreferredUsername {
		t.Errorf("reused login: got %+v", id)
	}
}

func TestNumbersThatAreNone(t *testing.T) {
	t.Parallel()
	for _, m := range append(fake.GitHubIDs(), fake.GitHubUserDuplicates) {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			b.Vendor.Misbehave(m)
			b.Refused(t, connectors.Broken)
		})
	}
}

func TestUP20Addresses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		emails []fake.GitHubEmail
		vendor []fake.Misbehaviour
		want   string
		trust  broker.EmailTrust
	}{
		{"primary and verified", []fake.GitHubEmail{{Email: "a@x.test", Verified: true}, {Email: "b@x.test", Primary: true, Verified: true}}, nil, "b@x.test", broker.EmailVerified},
		{"the primary is not verified, another is", []fake.GitHubEmail{{Email: "a@x.test", Verified: true}, {Email: "b@x.test", Primary: true}}, nil, "b@x.test", broker.EmailUnverified},
		{"none is primary", nil, []fake.Misbehaviour{fake.GitHubNoPrimary}, "", broker.EmailUnknown},
		{"two are primary", []fake.GitHubEmail{{Email: "a@x.test", Primary: true, Verified: true}, {Email: "b@x.test", Primary: true, Verified: true}}, nil, "", broker.EmailUnknown},
		{"none at all", nil, []fake.Misbehaviour{fake.GitHubNoEmails}, "", broker.EmailUnknown},
		{"noreply", nil, []fake.Misbehaviour{fake.GitHubNoreplyOnly}, "", broker.EmailUnknown},
		{"noreply of a server", []fake.GitHubEmail{{Email: "1+a@users.noreply.ghes.example", Primary: true, Verified: true}}, nil, "", broker.EmailUnknown},
		{"noreply in capitals", []fake.GitHubEmail{{Email: "1+a@Users.NoReply.GitHub.com", Primary: true, Verified: true}}, nil, "", broker.EmailUnknown},
		{"UP-02 verified in quotes", nil, []fake.Misbehaviour{fake.GitHubVerifiedText}, "ada@example.com", broker.EmailUnverified},
		{"LK-10 two @", []fake.GitHubEmail{{Email: "a@evil.test@x.test", Primary: true, Verified: true}}, nil, "a@evil.test@x.test", broker.EmailUnverified},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, nil)
			b.Vendor.Update("ada", func(p *fake.Person) {
				p.GitHub.PublicEmail = "public@profile.example" // which says nothing
				if tt.emails != nil {
					p.GitHub.Emails = tt.emails
				}
			})
			b.Vendor.Misbehave(tt.vendor...)
			if p := b.MustSignIn(t).Profile; p.Email != tt.want || p.EmailTrust != tt.trust {
				t.Errorf("got %q, %s; want %q, %s", p.Email, p.EmailTrust, tt.want, tt.trust)
			}
		})
	}
}

func TestAddressesBeyondTheFirstPage(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Update("ada", func(p *fake.Person) {
		p.GitHub.Emails = nil
		for i := range 150 {
			p.GitHub.Emails = append(p.GitHub.Emails, fake.GitHubEmail{Email: fmt.Sprintf("a%d@x.test", i), Verified: true, Primary: i == 149})
		}
	})
	if p := b.MustSignIn(t).Profile; p.Email != "a149@x.test" || p.EmailTrust != broker.EmailVerified {
		t.Errorf("got %q, %s", p.Email, p.EmailTrust)
	}
}

func TestAddressesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"null": "null", "an object": "{}", "cut": `[{"email":"a@x.test"`, "a number in it": "[5]"} {
		b := subject().Open(t, nil)
		b.Vendor.Replace("/api/v3/user/emails", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		if _, _, err := b.SignIn(t); err == nil {
			t.Errorf("%s: signed in", name)
		}
	}
}

func TestAPersonWithoutANameIsShownByLogin(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, everybody)
	b.Vendor.SignInAs("dana")
	if p := b.MustSignIn(t).Profile; p.Name != "dana-outside" || p.Email != "" || len(p.Groups) != 0 {
		t.Errorf("got %+v", p)
	}
}

func TestWithoutRulesNobodysOrganisationsAreRead(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, everybody)
	l := connectortest.NewLogin()
	address, err := b.Connector.AuthorizationURL(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Query().Get("scope") != "read:user user:email" {
		t.Errorf("got scope %q", u.Query().Get("scope"))
	}
	b.MustSignIn(t)
	if n := b.Vendor.Calls(fake.GitHubMemberships) + b.Vendor.Calls(fake.GitHubTeams); n != 0 {
		t.Errorf("%d requests for memberships", n)
	}
}

func TestAddressesAreNotReadWhereTheScopeIsNotAskedFor(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) { s.Common.Scopes = []string{"read:user"} })
	if p := b.MustSignIn(t).Profile; p.Email != "" || b.Vendor.Calls(fake.GitHubEmails) != 0 {
		t.Errorf("got %q", p.Email)
	}
}

func TestAFreshTokenMayBeRefusedForAMoment(t *testing.T) {
	t.Parallel()
	for refusals, fine := range map[int]bool{0: true, 1: true, 2: true, 3: false} {
		b := subject().Open(t, nil)
		var waits []time.Duration
		github.SetPause(b.Connector, func(_ context.Context, d time.Duration) error {
			waits = append(waits, d)
			return nil
		})
		m := fake.At(fake.GitHubUser, fake.Unauthorized)
		for range refusals {
			b.Vendor.MisbehaveOnce(m)
		}
		_, _, err := b.SignIn(t)
		if fine != (err == nil) {
			t.Errorf("%d refusals: got %v", refusals, err)
		}
		if want := min(refusals, 2); len(waits) != want || want > 0 && waits[0] != time.Second {
			t.Errorf("%d refusals: waited %v", refusals, waits)
		}
		if !fine {
			connectortest.KindOf(t, err, connectors.Broken)
		}
	}
}

func TestAWaitEndsWithThePerson(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Misbehave(fake.At(fake.GitHubUser, fake.Unauthorized))
	l := connectortest.NewLogin()
	callback := b.Begin(t, l)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, _, err := b.IdentifyContext(ctx, t, callback, l)
	connectortest.KindOf(t, err, connectors.Transient)
	if took := time.Since(began); took > 900*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestEveryRequestSaysWhatItIs(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.MustSignIn(t)
	for _, r := range b.Vendor.Requests() {
		if r.Path == "/login/oauth/authorize" {
			continue
		}
		if r.Header.Get("User-Agent") != "gatehouse" {
			t.Errorf("%s: User-Agent %q", r.Path, r.Header.Get("User-Agent"))
		}
		api := strings.HasPrefix(r.Path, "/api/v3/")
		if api && (r.Header.Get("X-GitHub-Api-Version") != "2022-11-28" || r.Header.Get("Accept") != "application/vnd.github+json" || r.Header.Get("Authorization") != "Bearer") {
			t.Errorf("%s: headers %v", r.Path, r.Header)
		}
		if !api && r.Header.Get("Accept") != "application/json" {
			t.Errorf("%s: Accept %q", r.Path, r.Header.Get("Accept"))
		}
		if len(r.Query["access_token"]) != 0 {
			t.Errorf("%s: the token is in the query", r.Path)
		}
	}
}

func TestASuspendedAccountIsRefused(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.Vendor.Misbehave(fake.At(fake.GitHubUser, fake.Forbidden))
	b.Refused(t, connectors.Declined)
	if err := b.Connector.Check(t.Context()); err != nil {
		t.Errorf("one person's account made the connector unhealthy: %v", err)
	}
}
