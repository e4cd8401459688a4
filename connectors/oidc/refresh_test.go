package oidc_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/oidc"
)

// rechecking is a bench whose connector re-checks and asks for the groups.
func rechecking(t *testing.T, change func(*connectortest.Setup)) *connectortest.Bench {
	t.Helper()
	return subject().Open(t, func(s *connectortest.Setup) {
		s.Common.RecheckInterval = time.Hour
		s.Common.Scopes = []string{"openid", "profile", "email", "groups"}
		if change != nil {
			change(s)
		}
	})
}

// signedIn is a sign-in that is to be re-checked.
func signedIn(t *testing.T, b *connectortest.Bench) (broker.Identity, connectors.Upstream) {
	t.Helper()
	id, up, err := b.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	return id, up
}

// renew refreshes, and holds an error to the rules of connectortest.
func renew(t *testing.T, b *connectortest.Bench, prior broker.Identity, up connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	b.Clock.Advance(time.Hour)
	id, next, err := b.Connector.(connectors.Refresher).Refresh(t.Context(), prior, up)
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		if secret, leaks := b.LeaksIn(cause.Error()); leaks {
			t.Errorf("the error %q holds the secret %q", cause, secret)
		}
	}
	if secret, leaks := b.LeaksIn(b.Log.String()); leaks {
		t.Errorf("the log holds the secret %q", secret)
	}
	if err != nil && !reflect.ValueOf(id).IsZero() {
		t.Errorf("a refusal came with an identity: %+v", id)
	}
	return id, next, err
}

func TestRefreshAnswersWhoItIsNow(t *testing.T) {
	t.Parallel()
	for name, thin := range map[string]bool{"in the ID token": false, "at userinfo": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := rechecking(t, func(s *connectortest.Setup) { s.Vendor.OIDC.ThinIDToken = thin })
			prior, up := signedIn(t, b)
			if up.RefreshToken == "" || up.Reusable || up.Nonce == "" {
				t.Errorf("the sign-in is not fit for a re-check: reusable %v", up.Reusable)
			}
			b.Vendor.Update("ada", func(p *fake.Person) {
				p.Name, p.Email, p.EmailVerified, p.OIDC.Groups = "Ada Summer", "ada.summer@corp.example", false, []string{"staff"}
			})
			id, next, err := renew(t, b, prior, up)
			if err != nil {
				t.Fatal(err)
			}
			want := prior
			want.Profile.Name, want.Profile.Email, want.Profile.EmailTrust = "Ada Summer", "ada.summer@corp.example", broker.EmailUnverified
			want.Profile.Groups = []string{"up:staff"}
			if !reflect.DeepEqual(id, want) {
				t.Errorf("got %+v, want %+v", id, want)
			}
			if next.RefreshToken != up.RefreshToken || next.AccessToken == up.AccessToken || next.Nonce != up.Nonce || !slices.Equal(next.Scopes, up.Scopes) {
				t.Error("the tokens are not those that are good now")
			}
			if got := next.Report; got.GroupSource == "" || got.EmailEvidence == "" || !got.ServerTime.Equal(b.Clock.Now()) {
				t.Errorf("got report %+v", got)
			}
		})
	}
}

func TestRefreshTokensAreReplaced(t *testing.T) {
	t.Parallel()
	b := rechecking(t, func(s *connectortest.Setup) { s.Vendor.OIDC.RotateRefreshTokens = true })
	prior, up := signedIn(t, b)
	first := up
	for range 3 {
		id, next, err := renew(t, b, prior, up)
		if err != nil || next.RefreshToken == up.RefreshToken {
			t.Fatalf("the refresh token was not replaced: %v", err)
		}
		prior, up = id, next
	}
	_, next, err := renew(t, b, prior, first)
	if e := connectortest.KindOf(t, err, connectors.Gone); e.Code != "invalid_grant" || e.Unspent || next.RefreshToken != "" {
		t.Errorf("a replaced token: got %+v", e)
	}
}

// What a refresh does not repeat stays; the person has not authenticated since.
func TestRefreshKeepsWhatIsNotRepeated(t *testing.T) {
	t.Parallel()
	b := rechecking(t, func(s *connectortest.Setup) {
		s.Configure = func(c connectors.Config) { c.(*oidc.Config).Userinfo = oidc.UserinfoNever }
	})
	prior, up := signedIn(t, b)
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) {
		for _, name := range []string{"name", "given_name", "family_name", "preferred_username", "email_verified", "acr", "amr"} {
			delete(c, name)
		}
		c["auth_time"] = b.Clock.Now().Unix()
	})
	id, _, err := renew(t, b, prior, up)
	if err != nil || !reflect.DeepEqual(id, prior) {
		t.Errorf("got %+v, %v; want %+v", id, err, prior)
	}
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["email"] = "other@corp.example" })
	if id, _, err = renew(t, b, prior, up); err != nil || id.Profile.Email != "other@corp.example" || id.Profile.EmailTrust != broker.EmailUnknown {
		t.Errorf("another address took over the evidence for the old one: %+v, %v", id.Profile, err)
	}
}

func TestRefreshErrorsSayWhatIsKnown(t *testing.T) {
	t.Parallel()
	misbehave := func(m ...fake.Misbehaviour) func(*connectortest.Bench) {
		return func(b *connectortest.Bench) { b.Vendor.Misbehave(m...) }
	}
	for _, tt := range []struct {
		name    string
		happens func(b *connectortest.Bench)
		kind    connectors.Kind
		unspent bool
		// kept: the upstream has answered, and what it handed out is to be kept.
		kept bool
	}{
		{"the account is disabled", func(b *connectortest.Bench) { b.Vendor.Disable("ada") }, connectors.Gone, false, false},
		{"everything was revoked", func(b *connectortest.Bench) { b.Vendor.RevokeTokens("ada") }, connectors.Gone, false, false},
		{"invalid_grant", misbehave(fake.RefreshRefused), connectors.Gone, false, false},
		{"our secret is not good", func(b *connectortest.Bench) {
			b.Vendor.UpdateClient(connectortest.ClientID, func(c *fake.Client) { c.Secret = "another" })
		}, connectors.Operator, true, false},
		{"limited", misbehave(fake.At(fake.Refresh, fake.TooManyRequests)), connectors.Transient, true, false},
		{"unavailable", misbehave(fake.At(fake.Refresh, fake.Unavailable)), connectors.Transient, true, false},
		{"a fault there", misbehave(fake.At(fake.Refresh, fake.ServerError)), connectors.Transient, false, false},
		{"the answer is lost", misbehave(fake.At(fake.Refresh, fake.Cut)), connectors.Transient, false, false},
		{"the answer is half an answer", misbehave(fake.At(fake.Refresh, fake.TruncatedBody)), connectors.Broken, false, false},
		{"the answer is a page", misbehave(fake.At(fake.Refresh, fake.HTMLBody)), connectors.Broken, false, false},
		{"sent elsewhere", misbehave(fake.At(fake.Refresh, fake.Redirected)), connectors.Broken, false, false},
		{"no access token", misbehave(fake.RefreshWithoutAccess), connectors.Broken, false, false},
		{"somebody else's tokens", misbehave(fake.RefreshGivesSomebody), connectors.Gone, false, true},
		{"an ID token that is not signed by the upstream", misbehave(fake.ForeignKey), connectors.Broken, false, true},
		{"an ID token for another client", misbehave(fake.WrongAudience), connectors.Broken, false, true},
		{"an ID token of another issuer", misbehave(fake.WrongIssuer), connectors.Broken, false, true},
		{"an expired ID token", misbehave(fake.ExpiredToken), connectors.Broken, false, true},
		{"an ID token with another access token's hash", misbehave(fake.WrongAccessTokenHash), connectors.Broken, false, true},
		{"an ID token with another sign-in's nonce", misbehave(fake.WrongNonce), connectors.Broken, false, true},
		{"userinfo is down after the tokens came", func(b *connectortest.Bench) {
			b.Vendor.Misbehave(fake.RefreshWithoutIDToken, fake.At(fake.Userinfo, fake.Unavailable))
		}, connectors.Transient, false, true},
		{"userinfo is about somebody else", func(b *connectortest.Bench) {
			b.Vendor.Misbehave(fake.RefreshWithoutIDToken, fake.UserinfoWrongSubject)
		}, connectors.Gone, false, true},
		{"userinfo is about nobody", func(b *connectortest.Bench) {
			b.Vendor.Misbehave(fake.RefreshWithoutIDToken, fake.UserinfoMissingSubject)
		}, connectors.Broken, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := rechecking(t, func(s *connectortest.Setup) { s.Vendor.OIDC.RotateRefreshTokens = true })
			prior, up := signedIn(t, b)
			b.Vendor.Forget()
			tt.happens(b)
			_, next, err := renew(t, b, prior, up)
			if e := connectortest.KindOf(t, err, tt.kind); e.Unspent != tt.unspent {
				t.Errorf("unspent is %v: %v", e.Unspent, e)
			}
			if (next.RefreshToken != "") != tt.kept || tt.kept && next.RefreshToken == up.RefreshToken {
				t.Error("what the upstream handed out is not what is to be kept")
			}
			if n := b.Vendor.Calls(fake.Refresh); n != 1 {
				t.Errorf("the refresh token was presented %d times", n)
			}
		})
	}
}

func TestRefreshWithTheUpstreamAway(t *testing.T) {
	t.Parallel()
	b := rechecking(t, nil)
	prior, up := signedIn(t, rechecking(t, nil))
	b.Vendor.Edit(fake.Discovery, func(doc map[string]any) { doc["token_endpoint"] = "http://127.0.0.1:1/token" })
	_, next, err := renew(t, b, prior, up)
	if e := connectortest.KindOf(t, err, connectors.Transient); !e.Unspent || next.RefreshToken != "" {
		t.Errorf("nothing was sent, and yet: %+v", e)
	}
	unknown := rechecking(t, nil)
	unknown.Vendor.Misbehave(fake.At(fake.Discovery, fake.ServerError))
	_, _, err = renew(t, unknown, prior, up)
	if e := connectortest.KindOf(t, err, connectors.Transient); !e.Unspent || unknown.Vendor.Calls(fake.Token) != 0 {
		t.Errorf("the token endpoint was not even known, and yet: %+v", e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = b.Connector.(connectors.Refresher).Refresh(ctx, prior, up)
	connectortest.KindOf(t, err, connectors.Transient)
}

func TestRefreshWithoutACredential(t *testing.T) {
	t.Parallel()
	b := rechecking(t, nil)
	prior, up := signedIn(t, b)
	b.Vendor.Forget()
	up.RefreshToken = ""
	_, _, err := renew(t, b, prior, up)
	if connectortest.KindOf(t, err, connectors.Operator); b.Vendor.Calls(fake.Token) != 0 {
		t.Error("the upstream was asked with nothing")
	}
}

func TestRefreshWithoutAnIDToken(t *testing.T) {
	t.Parallel()
	b := rechecking(t, nil)
	prior, up := signedIn(t, b)
	b.Vendor.Misbehave(fake.RefreshWithoutIDToken)
	b.Vendor.Update("ada", func(p *fake.Person) { p.Name, p.OIDC.Groups = "Ada Summer", []string{"staff"} })
	id, _, err := renew(t, b, prior, up)
	if err != nil || id.Key != prior.Key || id.Profile.Name != "Ada Summer" || !slices.Equal(id.Profile.Groups, []string{"up:staff"}) {
		t.Fatalf("got %+v, %v", id, err)
	}
	// Groups that stood in the ID token alone are unknown then, and not gone.
	b.Vendor.Edit(fake.Userinfo, func(doc map[string]any) { delete(doc, "groups") })
	_, _, err = renew(t, b, prior, up)
	if connectortest.KindOf(t, err, connectors.Operator); !errors.Is(err, connectors.ErrGroupsIncomplete) {
		t.Errorf("got %v", err)
	}
	none := prior
	none.Profile.Groups = nil
	if id, _, err = renew(t, b, none, up); err != nil || id.Profile.Groups != nil {
		t.Errorf("somebody who was in no group: %+v, %v", id, err)
	}
	kept := rechecking(t, func(s *connectortest.Setup) { s.Common.OnGroupFailure.Incomplete = connectors.KeepLast })
	prior, up = signedIn(t, kept)
	kept.Vendor.Misbehave(fake.RefreshWithoutIDToken)
	kept.Vendor.Edit(fake.Userinfo, func(doc map[string]any) { delete(doc, "groups") })
	if id, _, err = renew(t, kept, prior, up); err != nil || !id.KeepGroups || id.Profile.Groups != nil {
		t.Errorf("as configured: %+v, %v", id, err)
	}
	silent := rechecking(t, func(s *connectortest.Setup) {
		s.Configure = func(c connectors.Config) { c.(*oidc.Config).Userinfo = oidc.UserinfoNever }
	})
	prior, up = signedIn(t, silent)
	silent.Vendor.Misbehave(fake.RefreshWithoutIDToken)
	_, _, err = renew(t, silent, prior, up)
	connectortest.KindOf(t, err, connectors.Operator)
}

// OIDC Core §12.2: a nonce need not be repeated, and may be only that of the sign-in.
func TestRefreshMayRepeatTheNonce(t *testing.T) {
	t.Parallel()
	b := rechecking(t, nil)
	prior, up := signedIn(t, b)
	b.Vendor.Edit(fake.IDToken, func(c map[string]any) { c["nonce"] = up.Nonce })
	if _, _, err := renew(t, b, prior, up); err != nil {
		t.Error(err)
	}
	up.Nonce = ""
	_, _, err := renew(t, b, prior, up)
	connectortest.KindOf(t, err, connectors.Broken)
}

func TestOfflineAccessIsAskedForWhereItHasAUse(t *testing.T) {
	t.Parallel()
	plain := subject().Open(t, nil)
	if got := parameters(t, plain, nil).Get("scope"); strings.Contains(got, "offline_access") {
		t.Errorf("without re-check: asked for %q", got)
	}
	if _, up, err := plain.SignIn(t); err != nil || up.RefreshToken != "" || len(up.Report.Notes) != 0 {
		t.Errorf("without re-check: got a refresh token or notes %q, %v", up.Report.Notes, err)
	}
	b := rechecking(t, nil)
	if got := parameters(t, b, nil).Get("scope"); got != "openid profile email groups offline_access" {
		t.Errorf("asked for %q", got)
	}
	configured := rechecking(t, func(s *connectortest.Setup) { s.Common.Scopes = []string{"openid", "offline_access"} })
	if got := parameters(t, configured, nil).Get("scope"); got != "openid offline_access" {
		t.Errorf("asked for %q", got)
	}
}

func TestAMissingRefreshTokenIsSaidOnce(t *testing.T) {
	t.Parallel()
	b := rechecking(t, nil)
	b.Vendor.Edit(fake.Token, func(doc map[string]any) { delete(doc, "refresh_token") })
	for range 3 {
		if _, up := signedIn(t, b); len(up.Report.Notes) != 1 || !strings.Contains(up.Report.Notes[0], "no refresh token") {
			t.Errorf("got notes %q", up.Report.Notes)
		}
	}
	if n := strings.Count(b.Log.String(), "no refresh token"); n != 1 {
		t.Errorf("logged %d times", n)
	}
}
