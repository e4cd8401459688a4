package google_test

import (
	"slices"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/google"
)

// rechecked is the connector with re-check on.
func rechecked(t testing.TB, change func(c *google.Config, base, dir string)) connectortest.Subject {
	return configured(t, func(c *google.Config, base, dir string) {
		c.RecheckInterval = time.Hour
		if change != nil {
			change(c, base, dir)
		}
	})
}

// signIn signs in and returns what is kept.
func signIn(t testing.TB, b *connectortest.Bench) (broker.Identity, connectors.Upstream) {
	t.Helper()
	id, up, err := b.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	return id, up
}

func refresh(t testing.TB, b *connectortest.Bench, id broker.Identity, up connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	return b.Connector.(connectors.Refresher).Refresh(t.Context(), id, up)
}

func TestOfflineAccessIsForRecheckAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name           string
		subject        connectortest.Subject
		choose         bool
		access, prompt string
	}{
		{"off", subject(), false, "", ""},
		{"off, an account is to be chosen", subject(), true, "", "select_account"},
		{"on", rechecked(t, nil), false, "offline", "consent"},
		{"on, an account is to be chosen", rechecked(t, nil), true, "offline", "select_account consent"},
		{"on, with consent once", rechecked(t, func(c *google.Config, _, _ string) { c.ConsentOnce = true }), false, "offline", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := tt.subject.Open(t, nil)
			l := connectortest.NewLogin()
			l.SelectAccount = tt.choose
			params := b.Asked(t, l)
			if params.Get("access_type") != tt.access || params.Get("prompt") != tt.prompt {
				t.Errorf("access_type is %q, prompt %q", params.Get("access_type"), params.Get("prompt"))
			}
			if slices.Contains(params["scope"], "offline_access") {
				t.Error("offline_access is asked for")
			}
			_, up, err := b.SignInWith(t, l)
			if err != nil || (up.RefreshToken != "") != (tt.access != "") {
				t.Errorf("a refresh token: %v (%v)", up.RefreshToken != "", err)
			}
		})
	}
}

// Google hands out a refresh token at the first consent and with prompt=consent;
// dexidp/dex#863 lost the groups of those who came again.
func TestTheSecondConsentBringsARefreshTokenToo(t *testing.T) {
	t.Parallel()
	b := rechecked(t, nil).Open(t, nil)
	signIn(t, b)
	if _, up := signIn(t, b); up.RefreshToken == "" {
		t.Error("the second sign-in brought none")
	}
	b = rechecked(t, func(c *google.Config, _, _ string) { c.ConsentOnce = true }).Open(t, nil)
	_, first := signIn(t, b)
	if _, up := signIn(t, b); first.RefreshToken == "" || up.RefreshToken != "" {
		t.Error("with consent_once Google hands out one, and then none")
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			withGroups := s.subject(t)
			plain := withGroups.Config
			withGroups.Config = func(common connectors.Common, base string) connectors.Config {
				c := plain(common, base).(*google.Config)
				c.RecheckInterval = time.Hour
				return c
			}
			b := withGroups.Open(t, nil)
			id, up := signIn(t, b)
			if !up.Reusable && up.RefreshToken == "" {
				t.Fatal("nothing to refresh with")
			}
			b.Clock.Advance(2 * time.Hour)
			b.Vendor.Update("ada", func(p *fake.Person) { p.Google.Groups = []string{"sre@example.com"} })
			again, next, err := refresh(t, b, id, up)
			if err != nil {
				t.Fatal(err)
			}
			if again.Key != id.Key || again.Profile.Name != id.Profile.Name || again.Profile.EmailTrust != broker.EmailVerified {
				t.Errorf("got %+v", again)
			}
			if !slices.Equal(again.Profile.Groups, named("sre@example.com")) {
				t.Errorf("got groups %q", again.Profile.Groups)
			}
			// The answer has no refresh token: the old one is good for ever.
			if next.RefreshToken != up.RefreshToken || !next.Reusable {
				t.Errorf("the refresh token changed, or is not reusable: %v", next.Reusable)
			}
		})
	}
}

func TestRefreshSaysNo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(*fake.Provider)
		kind  connectors.Kind
	}{
		{"the consent was withdrawn", func(v *fake.Provider) { v.RevokeTokens("ada") }, connectors.Gone},
		{"the account is disabled", func(v *fake.Provider) { v.Disable("ada") }, connectors.Gone},
		{"UP-17 the account left the domain", func(v *fake.Provider) { v.Misbehave(fake.GoogleHDMissing) }, connectors.NotAllowed},
		{"UP-17 the account is in another domain now", func(v *fake.Provider) { v.Misbehave(fake.GoogleHDWrong) }, connectors.NotAllowed},
		{"UP-18 another account answers", func(v *fake.Provider) { v.Misbehave(fake.RefreshGivesSomebody) }, connectors.Gone},
		{"Google is down", func(v *fake.Provider) { v.Misbehave(fake.At(fake.Token, fake.Unavailable)) }, connectors.Transient},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := rechecked(t, func(c *google.Config, _, _ string) { c.HostedDomains = []string{"example.com"} }).Open(t, nil)
			id, up := signIn(t, b)
			tt.spoil(b.Vendor)
			_, _, err := refresh(t, b, id, up)
			connectortest.KindOf(t, err, tt.kind)
		})
	}
}

// A refresh token may outlive the suspension of its account; the directory knows.
func TestSuspendedAccounts(t *testing.T) {
	t.Parallel()
	check := func(c *google.Config, base, dir string) {
		c.CheckSuspended = true
		c.ServiceAccount = &google.ServiceAccount{Credentials: writeKey(t, dir, base, false), AdminEmail: "admin@example.com"}
		// What on_group_failure excuses is about groups.
		c.OnGroupFailure = connectors.GroupFailures{Unavailable: connectors.NoGroups, Denied: connectors.NoGroups, Incomplete: connectors.NoGroups}
	}
	suspend := func(p *fake.Person) { p.Google.Suspended = true }
	for _, tt := range []struct {
		name   string
		person string
		spoil  func(*fake.Provider)
		kind   connectors.Kind // Broken with fine
		fine   bool
	}{
		{"active", "ada", func(*fake.Provider) {}, 0, true},
		{"suspended", "ada", func(v *fake.Provider) { v.Update("ada", suspend) }, connectors.Gone, false},
		{"archived", "ada", func(v *fake.Provider) { v.Update("ada", func(p *fake.Person) { p.Google.Archived = true }) }, connectors.Gone, false},
		{"without a Workspace", "ben", func(v *fake.Provider) { v.Update("ben", suspend) }, 0, true},
		{"the directory limits us", "ada", func(v *fake.Provider) { v.Misbehave(fake.GoogleUserQuota) }, connectors.Transient, false},
		{"the directory is down", "ada", func(v *fake.Provider) { v.Misbehave(fake.At(fake.GoogleDirectoryUser, fake.ServerError)) }, connectors.Transient, false},
		{"admin_email is no administrator", "ada", func(v *fake.Provider) { v.Misbehave(fake.GoogleNotAdmin) }, connectors.Operator, false},
		{"the directory does not know the person", "dana", func(*fake.Provider) {}, connectors.Operator, false},
		{"an answer about somebody else", "ada", func(v *fake.Provider) {
			v.Edit(fake.GoogleDirectoryUser, func(doc map[string]any) { doc["id"] = "1" })
		}, connectors.Broken, false},
		{"an answer that says nothing", "ada", func(v *fake.Provider) {
			v.Edit(fake.GoogleDirectoryUser, func(doc map[string]any) { delete(doc, "suspended") })
		}, connectors.Broken, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := rechecked(t, check).Open(t, nil)
			b.Vendor.SignInAs(tt.person)
			id, up := signIn(t, b)
			if n := b.Vendor.Calls(fake.GoogleDirectoryUser); n != 0 {
				t.Error("the directory was asked at the sign-in, which Google itself has just allowed")
			}
			tt.spoil(b.Vendor)
			again, _, err := refresh(t, b, id, up)
			if tt.fine {
				if err != nil || again.Key != id.Key {
					t.Errorf("got %v", err)
				}
				return
			}
			connectortest.KindOf(t, err, tt.kind)
		})
	}
}
