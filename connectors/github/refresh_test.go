package github_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/github"
)

// kept is somebody who signed in, and what was handed out then.
type kept struct {
	*connectortest.Bench
	prior    broker.Identity
	upstream connectors.Upstream
}

// keep signs the usual person in. Waits between attempts are skipped.
func keep(t *testing.T, s connectortest.Subject, change func(*connectortest.Setup)) *kept {
	t.Helper()
	b := s.Open(t, func(setup *connectortest.Setup) {
		setup.Common.RecheckInterval = time.Hour
		if change != nil {
			change(setup)
		}
	})
	github.SetPause(b.Connector, func(context.Context, time.Duration) error { return nil })
	id, up, err := b.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	b.Vendor.Forget()
	return &kept{b, id, up}
}

// refresh asks again with what is kept.
func (k *kept) refresh(t *testing.T) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	id, up, err := k.Connector.(connectors.Refresher).Refresh(t.Context(), k.prior, k.upstream)
	if err != nil {
		for _, text := range []string{err.Error(), k.Log.String()} {
			if secret, leaks := k.LeaksIn(text); leaks {
				t.Errorf("%q holds the secret %q", text, secret)
			}
		}
		if id.Key != (broker.IdentityKey{}) {
			t.Errorf("an identity came with the error: %+v", id)
		}
	}
	return id, up, err
}

// refused asks again where that has to fail.
func (k *kept) refused(t *testing.T, kind connectors.Kind) (connectors.Upstream, *connectors.Error) {
	t.Helper()
	_, up, err := k.refresh(t)
	return up, connectortest.KindOf(t, err, kind)
}

func TestAKeptTokenIsAskedWithAgain(t *testing.T) {
	t.Parallel()
	k := keep(t, oauthSubject(), nil)
	if !k.upstream.Reusable || k.upstream.RefreshToken != "" {
		t.Errorf("the credential is %+v, want one that may be presented again", k.upstream)
	}
	k.Vendor.Update("ada", func(p *fake.Person) {
		p.Name, p.GitHub.Teams, p.GitHub.Login = "Ada Summer", nil, "ada-summer"
		p.GitHub.Emails = []fake.GitHubEmail{{Email: "ada@new.example", Primary: true}}
	})
	id, up, err := k.refresh(t)
	if err != nil {
		t.Fatal(err)
	}
	if id.Key != k.prior.Key || up.AccessToken != k.upstream.AccessToken || !up.Reusable {
		t.Errorf("got %+v with %v", id.Key, up.Reusable)
	}
	if p := id.Profile; p.Name != "Ada Summer" || p.PreferredUsername != "ada-summer" || p.Email != "ada@new.example" ||
		p.EmailTrust != broker.EmailUnverified || !slices.Equal(p.Groups, []string{"up:acme"}) {
		t.Errorf("got %+v", p)
	}
	if n := k.Vendor.Calls(fake.Token) + k.Vendor.Calls(fake.GitHubApplications); n != 0 {
		t.Errorf("%d requests besides those to the API", n)
	}
}

func TestUP32WhatEndsAPersonsGrants(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*kept)
		kind   connectors.Kind
		checks int // of the token, as the application
	}{
		{"removed from the organisation", func(k *kept) {
			k.Vendor.Update("ada", func(p *fake.Person) { p.GitHub.Organizations = nil })
		}, connectors.NotAllowed, 0},
		{"only invited again", func(k *kept) {
			k.Vendor.Update("ada", func(p *fake.Person) { p.GitHub.Organizations[0].Pending = true })
		}, connectors.NotAllowed, 0},
		{"the token was revoked", func(k *kept) { k.Vendor.RevokeTokens("ada") }, connectors.Gone, 1},
		{"the account is suspended", func(k *kept) { k.Vendor.Disable("ada") }, connectors.Gone, 0},
		{"the account is refused, and the token dead", func(k *kept) {
			k.Vendor.RevokeTokens("ada")
			k.Vendor.Misbehave(fake.At(fake.GitHubUser, fake.Forbidden))
		}, connectors.Gone, 1},
		{"another account answers", func(k *kept) { k.Vendor.Misbehave(fake.GitHubReusedLogin) }, connectors.Gone, 0},
		{"UP-14 the token is another application's", func(k *kept) {
			k.Vendor.Replace("/api/v3/user", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-OAuth-Client-Id", "another-application")
				fmt.Fprint(w, `{"id":10424242,"login":"ada-winter"}`)
			}))
		}, connectors.Gone, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := keep(t, subject(), nil)
			tt.change(k)
			up, e := k.refused(t, tt.kind)
			if !e.Unspent || up.AccessToken != "" {
				t.Errorf("a question that uses nothing up: unspent %v, handed out %v", e.Unspent, up.AccessToken != "")
			}
			if n := k.Vendor.Calls(fake.GitHubApplications); n != tt.checks {
				t.Errorf("the token was checked %d times, want %d", n, tt.checks)
			}
			if err := k.Connector.Check(t.Context()); err != nil {
				t.Errorf("one person made the connector unhealthy: %v", err)
			}
		})
	}
}

func TestWhatSaysNothingAboutThePerson(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*kept)
		kind   connectors.Kind
		wait   time.Duration
	}{
		{"401 though the token lives", func(k *kept) { k.Vendor.Misbehave(fake.At(fake.GitHubUser, fake.Unauthorized)) }, connectors.Transient, 0},
		{"401 in the middle though the token lives", func(k *kept) { k.Vendor.Misbehave(fake.At(fake.GitHubTeams, fake.Unauthorized)) }, connectors.Transient, 0},
		{"403 for no reason though the token lives", func(k *kept) { k.Vendor.Misbehave(fake.At(fake.GitHubUser, fake.Forbidden)) }, connectors.Transient, 0},
		{"401 and the check of tokens is down", func(k *kept) {
			k.Vendor.RevokeTokens("ada")
			k.Vendor.Misbehave(fake.At(fake.GitHubApplications, fake.ServerError))
		}, connectors.Transient, 0},
		{"401 and the check of tokens is forbidden", func(k *kept) {
			k.Vendor.RevokeTokens("ada")
			k.Vendor.Misbehave(fake.At(fake.GitHubApplications, fake.Forbidden))
		}, connectors.Transient, 0},
		{"a dead token, and a secret that GitHub no longer accepts", func(k *kept) {
			k.Vendor.RevokeTokens("ada")
			k.Vendor.UpdateClient(connectortest.ClientID, func(c *fake.Client) { c.Secret = "a new one" })
		}, connectors.Operator, 0},
		{"a dead token, and the token endpoint is down", func(k *kept) {
			k.Vendor.RevokeTokens("ada")
			k.Vendor.Misbehave(fake.At(fake.Token, fake.ServerError))
		}, connectors.Transient, 0},
		{"the hourly limit", func(k *kept) { k.Vendor.Misbehave(fake.GitHubRateLimited) }, connectors.Transient, 30 * time.Minute},
		{"a secondary limit", func(k *kept) { k.Vendor.Misbehave(fake.GitHubSecondary) }, connectors.Transient, 7 * time.Second},
		{"a secondary limit with 429", func(k *kept) { k.Vendor.Misbehave(fake.GitHubAbuse) }, connectors.Transient, 7 * time.Second},
		{"a secondary limit that names no time", func(k *kept) { k.Vendor.Misbehave(fake.GitHubSecondaryBare) }, connectors.Transient, time.Minute},
		{"the API is down", func(k *kept) { k.Vendor.Misbehave(fake.At(fake.GitHubUser, fake.Unavailable)) }, connectors.Transient, 7 * time.Second},
		{"the organisation hides behind SAML", func(k *kept) {
			k.Vendor.Update("ada", func(p *fake.Person) { p.GitHub.Organizations[0].Organization.SAML = true })
		}, connectors.Operator, 0},
		{"the organisation withdrew its approval", func(k *kept) {
			k.Vendor.Update("ada", func(p *fake.Person) { p.GitHub.Organizations[0].Organization.Restricted = true })
		}, connectors.Operator, 0},
		{"the organisation was renamed away", func(k *kept) {
			k.Vendor.Update("ada", func(p *fake.Person) {
				p.GitHub.Organizations = []fake.GitHubMembership{{Organization: fake.GitHubOrganization{ID: 77, Login: "other"}}}
			})
			for _, who := range []string{"ben", "chloe", "eve"} {
				k.Vendor.Update(who, func(p *fake.Person) { p.GitHub.Organizations = nil })
			}
		}, connectors.Operator, 0},
		{"an answer that cannot be read", func(k *kept) { k.Vendor.Misbehave(fake.At(fake.GitHubMemberships, fake.HTMLBody)) }, connectors.Broken, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := keep(t, subject(), nil)
			tt.change(k)
			up, e := k.refused(t, tt.kind)
			if !e.Unspent || up.AccessToken != "" {
				t.Errorf("a question that uses nothing up: unspent %v, handed out %v", e.Unspent, up.AccessToken != "")
			}
			if e.RetryAfter != tt.wait {
				t.Errorf("to be left alone for %v, want %v", e.RetryAfter, tt.wait)
			}
			k.Vendor.Behave()
		})
	}
}

func TestAKeptTokenIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	k := keep(t, subject(), nil)
	github.SetPause(k.Connector, func(context.Context, time.Duration) error {
		t.Error("waited for a token that is not fresh")
		return nil
	})
	k.Vendor.Misbehave(fake.At(fake.GitHubUser, fake.Unauthorized))
	k.refused(t, connectors.Transient)
}

func TestNothingIsReadWithAnotherAccountsToken(t *testing.T) {
	t.Parallel()
	k := keep(t, subject(), nil)
	k.Vendor.Misbehave(fake.GitHubReusedLogin)
	k.refused(t, connectors.Gone)
	if n := k.Vendor.Calls(fake.GitHubEmails) + k.Vendor.Calls(fake.GitHubMemberships); n != 0 {
		t.Errorf("%d requests after the number was known", n)
	}
}

func TestOnlyTheNewestOfManyTokensLives(t *testing.T) {
	t.Parallel()
	k := keep(t, subject(), nil)
	var newest connectors.Upstream
	for range 10 {
		_, up, err := k.SignIn(t)
		if err != nil {
			t.Fatal(err)
		}
		newest = up
	}
	_, e := k.refused(t, connectors.Gone)
	if !strings.Contains(e.Hint, "ten") {
		t.Errorf("got hint %q", e.Hint)
	}
	k.upstream = newest
	if _, _, err := k.refresh(t); err != nil {
		t.Errorf("the newest: %v", err)
	}
}

func TestTheCheckOfATokenNamesItsOwner(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"another account":     `{"app":{"client_id":"` + connectortest.ClientID + `"},"user":{"id":5}}`,
		"another application": `{"app":{"client_id":"other"},"user":{"id":10424242}}`,
		"nobody":              `{"app":{"client_id":"` + connectortest.ClientID + `"},"user":null}`,
	} {
		k := keep(t, subject(), nil)
		k.Vendor.Misbehave(fake.At(fake.GitHubUser, fake.Unauthorized))
		k.Vendor.Replace("/api/v3/applications/"+connectortest.ClientID+"/token", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		_, _, err := k.refresh(t)
		if e := connectortest.KindOf(t, err, connectors.Gone); e.Hint == "" {
			t.Errorf("%s: got %v", name, e)
		}
	}
}

func TestGroupsOfTheLastTimeMayStay(t *testing.T) {
	t.Parallel()
	k := keep(t, subject(), func(s *connectortest.Setup) { s.Common.OnGroupFailure.Unavailable = connectors.KeepLast })
	k.Vendor.Misbehave(fake.At(fake.GitHubTeams, fake.ServerError))
	id, _, err := k.refresh(t)
	if err != nil || !id.KeepGroups || len(id.Profile.Groups) != 0 {
		t.Errorf("got %+v, %v", id, err)
	}
	// The rule itself cannot be read: nobody is kept by that.
	k.Vendor.Misbehave(fake.At(fake.GitHubMemberships, fake.ServerError))
	k.refused(t, connectors.Transient)
}
