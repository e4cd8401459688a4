package github_test

import (
	"context"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/github"
)

const appTokenLife = 8 * time.Hour

func TestALivingTokenSparesTheRefreshToken(t *testing.T) {
	t.Parallel()
	k := keep(t, appSubject(), nil)
	if k.upstream.Reusable || k.upstream.RefreshToken == "" || !k.upstream.Expiry.Equal(k.Clock.Now().Add(appTokenLife)) {
		t.Errorf("the credential is not for one use: reusable %v, expires %v", k.upstream.Reusable, k.upstream.Expiry)
	}
	for _, age := range []time.Duration{time.Minute, 7 * time.Hour} {
		k.Clock.Advance(age)
		_, up, err := k.refresh(t)
		if err != nil || up.AccessToken != k.upstream.AccessToken || up.RefreshToken != k.upstream.RefreshToken || up.Reusable {
			t.Errorf("after %v: %v, or other tokens", age, err)
		}
	}
	if n := k.Vendor.Calls(fake.Token); n != 0 {
		t.Errorf("the refresh token was used %d times", n)
	}
}

func TestAnExpiringTokenIsRenewed(t *testing.T) {
	t.Parallel()
	k := keep(t, appSubject(), nil)
	k.Clock.Advance(appTokenLife - time.Minute)
	id, up, err := k.refresh(t)
	if err != nil || id.Key != k.prior.Key {
		t.Fatalf("got %+v, %v", id, err)
	}
	if up.AccessToken == k.upstream.AccessToken || up.RefreshToken == k.upstream.RefreshToken || !up.Expiry.Equal(k.Clock.Now().Add(appTokenLife)) {
		t.Errorf("the tokens are not new, or expire at %v", up.Expiry)
	}
	if n := k.Vendor.Calls(fake.Refresh); n != 1 {
		t.Errorf("the refresh token was used %d times", n)
	}
	// The old one is used up.
	if _, e := k.refused(t, connectors.Gone); e.Code != "bad_refresh_token" {
		t.Errorf("got code %q", e.Code)
	}
}

func TestNewTokensOutliveATroubledAPI(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]struct {
		m    fake.Misbehaviour
		kind connectors.Kind
	}{
		"the API is down":               {fake.At(fake.GitHubUser, fake.ServerError), connectors.Transient},
		"the API limits us":             {fake.GitHubRateLimited, connectors.Transient},
		"the API does not know it yet":  {fake.At(fake.GitHubUser, fake.Unauthorized), connectors.Transient},
		"the API refuses for no reason": {fake.At(fake.GitHubUser, fake.Forbidden), connectors.Transient},
		"the API answers nonsense":      {fake.At(fake.GitHubTeams, fake.HTMLBody), connectors.Broken},
		"the app was uninstalled":       {fake.GitHubNotInstalled, connectors.Operator},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := keep(t, appSubject(), nil)
			k.Clock.Advance(appTokenLife)
			k.Vendor.Misbehave(trouble.m)
			up, _ := k.refused(t, trouble.kind)
			if up.RefreshToken == "" || up.RefreshToken == k.upstream.RefreshToken {
				t.Fatal("the new refresh token is lost")
			}
			k.Vendor.Behave()
			k.Vendor.Forget()
			k.upstream = up
			if _, _, err := k.refresh(t); err != nil || k.Vendor.Calls(fake.Refresh) != 0 {
				t.Errorf("with the new token: %v, and %d more refreshes", err, k.Vendor.Calls(fake.Refresh))
			}
		})
	}
}

func TestRefusedRenewals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		m       fake.Misbehaviour
		kind    connectors.Kind
		unspent bool
	}{
		{"the person revoked the app", fake.RefreshRefused, connectors.Gone, false},
		{"GitHub does not accept the secret", fake.GitHubBadSecret, connectors.Operator, true},
		{"there is no such client", fake.At(fake.Refresh, fake.NotFound), connectors.Operator, true},
		{"too many requests", fake.At(fake.Refresh, fake.TooManyRequests), connectors.Transient, true},
		{"out of service", fake.At(fake.Refresh, fake.Unavailable), connectors.Transient, true},
		{"a fault in the middle", fake.At(fake.Refresh, fake.ServerError), connectors.Transient, false},
		{"the answer is cut", fake.At(fake.Refresh, fake.Cut), connectors.Transient, false},
		{"the answer is a page", fake.At(fake.Refresh, fake.HTMLBody), connectors.Broken, false},
		{"the answer has no token", fake.RefreshWithoutAccess, connectors.Broken, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := keep(t, appSubject(), nil)
			k.Clock.Advance(appTokenLife)
			k.Vendor.Misbehave(tt.m)
			up, e := k.refused(t, tt.kind)
			if e.Unspent != tt.unspent || up.RefreshToken != "" || up.AccessToken != "" {
				t.Errorf("unspent %v, want %v; handed out %v", e.Unspent, tt.unspent, up.RefreshToken != "")
			}
			if n := k.Vendor.Calls(fake.GitHubUser); n != 0 {
				t.Errorf("the API was asked %d times", n)
			}
		})
	}
}

func TestARefusedTokenIsRenewedBeforeAnythingIsConcluded(t *testing.T) {
	t.Parallel()
	k := keep(t, appSubject(), nil)
	k.Vendor.MisbehaveOnce(fake.At(fake.GitHubUser, fake.Unauthorized))
	_, up, err := k.refresh(t)
	if err != nil || up.RefreshToken == k.upstream.RefreshToken || k.Vendor.Calls(fake.Refresh) != 1 {
		t.Errorf("got %v after %d renewals", err, k.Vendor.Calls(fake.Refresh))
	}
	// Everything was revoked: the refresh token says so.
	k.upstream = up
	k.Vendor.RevokeTokens("ada")
	k.refused(t, connectors.Gone)
}

func TestARenewedTokenMayBeRefusedForAMoment(t *testing.T) {
	t.Parallel()
	k := keep(t, appSubject(), nil)
	var waits int
	github.SetPause(k.Connector, func(context.Context, time.Duration) error {
		waits++
		return nil
	})
	k.Clock.Advance(appTokenLife)
	k.Vendor.MisbehaveOnce(fake.At(fake.GitHubUser, fake.Unauthorized))
	if _, _, err := k.refresh(t); err != nil || waits != 1 {
		t.Errorf("got %v after %d waits", err, waits)
	}
}

func TestARenewalForSomebodyElse(t *testing.T) {
	t.Parallel()
	k := keep(t, appSubject(), nil)
	k.Clock.Advance(appTokenLife)
	k.Vendor.Misbehave(fake.RefreshGivesSomebody)
	k.refused(t, connectors.Gone)
}

func TestTheRulesAreDecidedAfterARenewal(t *testing.T) {
	t.Parallel()
	k := keep(t, appSubject(), nil)
	k.Clock.Advance(appTokenLife)
	k.Vendor.Update("ada", func(p *fake.Person) { p.GitHub.Teams = nil })
	k.refused(t, connectors.NotAllowed)
}

func TestAppsWhoseTokensDoNotExpire(t *testing.T) {
	t.Parallel()
	s := appSubject()
	b := s.Open(t, nil)
	b.Vendor.Misbehave(fake.GitHubNoExpiry)
	id, up, err := b.SignIn(t)
	if err != nil || !up.Reusable || !up.Expiry.IsZero() {
		t.Fatalf("got %v, reusable %v, expiry %v", err, up.Reusable, up.Expiry)
	}
	k := &kept{b, id, up}
	k.Clock.Advance(1000 * time.Hour)
	if _, again, err := k.refresh(t); err != nil || !again.Reusable {
		t.Errorf("got %v", err)
	}
	k.Vendor.RevokeTokens("ada")
	k.refused(t, connectors.Gone)
}

func TestSecretsAreTriedInOrder(t *testing.T) {
	t.Parallel()
	two := func(s *connectortest.Setup) {
		s.Common.ClientSecret = connectors.Secrets{"one that was replaced", connectortest.ClientSecret}
	}
	k := keep(t, appSubject(), two)
	k.Clock.Advance(appTokenLife)
	if _, up, err := k.refresh(t); err != nil {
		t.Errorf("renewal: %v", err)
	} else if n := k.Vendor.Calls(fake.Token); n != 1 {
		t.Errorf("the secret that was accepted last is not tried first: %d requests", n)
	} else {
		k.upstream = up
	}
	// The other becomes the good one.
	k.Clock.Advance(appTokenLife)
	k.Vendor.UpdateClient(connectortest.ClientID, func(c *fake.Client) { c.Secret = "one that was replaced" })
	if _, _, err := k.refresh(t); err != nil {
		t.Errorf("after the change: %v", err)
	}

	dead := keep(t, subject(), two)
	dead.Vendor.RevokeTokens("ada")
	dead.refused(t, connectors.Gone)
	living := keep(t, subject(), two)
	living.Vendor.Misbehave(fake.At(fake.GitHubUser, fake.Unauthorized))
	living.refused(t, connectors.Transient)
}

func TestACodeIsNotSpentByAWrongSecret(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Common.ClientSecret = connectors.Secrets{"wrong", "wrong too", connectortest.ClientSecret}
	})
	b.MustSignIn(t)
	if n := b.Vendor.Calls(fake.Token); n != 3 {
		t.Errorf("%d requests with three secrets", n)
	}
	b.Vendor.Misbehave(fake.GitHubBadSecret)
	if e := b.Refused(t, connectors.Operator); e.Code != "incorrect_client_credentials" {
		t.Errorf("got code %q", e.Code)
	}
}
