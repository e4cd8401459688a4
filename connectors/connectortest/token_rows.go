package connectortest

import (
	"reflect"
	"testing"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

func tokenRows() []row {
	return []row{
		{name: "UP-05 UP-09 UP-10 UP-35 JW an ID token that must not be accepted", test: testUnacceptableTokens, openID: true},
		{name: "two audiences are fine when azp is ours", test: testOwnAZP, openID: true},
		{name: "UP-16 at_hash of another access token", test: testAccessTokenHash, openID: true},
		{name: "UP-02 UP-03 only the JSON true verifies an address", test: testEmailVerified, openID: true},
		{name: "UP-03 an address the vendor has not verified", test: testUnverifiedEmail, openID: true},
		{name: "UP-15 userinfo about somebody else", test: testForeignUserinfo, userinfo: true},
		{name: "UP-15 userinfo against the signed token", test: testOverridingUserinfo, userinfo: true},
		{name: "UP-26 reserved claims are not taken over", test: testReservedClaims, openID: true},
		{name: "UP-26 claims shadowed in another case", test: testShadowedClaims, openID: true},
		{name: "UP-28 the time of authentication is the signed one", test: testAuthTime, openID: true},
		{name: "a token answer that must not be accepted", test: testTokenAnswers},
	}
}

// each runs a subtest per misbehaviour.
func each(t *testing.T, s Subject, list []fake.Misbehaviour, test func(*testing.T, *Bench, fake.Misbehaviour)) {
	for _, m := range list {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			b := s.Open(t, nil)
			// One sign-in first, so that a token can be replayed and keys are known.
			b.MustSignIn(t)
			b.Vendor.Misbehave(m)
			test(t, b, m)
		})
	}
}

func testUnacceptableTokens(t *testing.T, s Subject) {
	each(t, s, fake.UnacceptableIDTokens(), func(t *testing.T, b *Bench, _ fake.Misbehaviour) {
		before := b.Vendor.Calls(fake.Userinfo)
		b.Refused(t, connectors.Broken)
		if b.Vendor.Calls(fake.Userinfo) != before {
			t.Error("userinfo was asked with the access token that came with it")
		}
		b.Vendor.Behave()
		b.MustSignIn(t)
	})
}

func testOwnAZP(t *testing.T, s Subject) {
	each(t, s, []fake.Misbehaviour{fake.AudiencesOwnAZP}, func(t *testing.T, b *Bench, _ fake.Misbehaviour) { b.MustSignIn(t) })
}

func testAccessTokenHash(t *testing.T, s Subject) {
	each(t, s, []fake.Misbehaviour{fake.WrongAccessTokenHash}, func(t *testing.T, b *Bench, _ fake.Misbehaviour) {
		if !s.OpenID.AccessTokenHash {
			b.MustSignIn(t) // the vendor sends none, and that is allowed in the code flow
			b.Vendor.Edit(fake.IDToken, func(claims map[string]any) { claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" })
		}
		b.Refused(t, connectors.Broken)
	})
}

func testEmailVerified(t *testing.T, s Subject) {
	if !s.OpenID.EmailVerified {
		return // the vendor has another claim, and its own tests
	}
	each(t, s, fake.EmailVerifiedOddities(), func(t *testing.T, b *Bench, _ fake.Misbehaviour) {
		id, _, err := b.SignIn(t)
		if err == nil && id.Profile.EmailTrust == broker.EmailVerified {
			t.Error("the address counts as verified")
		}
	})
}

func testUnverifiedEmail(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	b.Vendor.Edit(fake.IDToken, unverify)
	b.Vendor.Edit(fake.Userinfo, unverify)
	if s.OpenID.NeedsVerified {
		b.Refused(t, connectors.NotAllowed)
		return
	}
	if id := b.MustSignIn(t); id.Profile.EmailTrust == broker.EmailVerified {
		t.Errorf("the address %q counts as verified", id.Profile.Email)
	}
}

// unverify turns the evidence for an address against it, whatever the vendor calls it.
func unverify(doc map[string]any) {
	for _, name := range []string{"email_verified", "xms_edov"} {
		if _, sent := doc[name]; sent {
			doc[name] = false
		}
	}
}

func testForeignUserinfo(t *testing.T, s Subject) {
	list := []fake.Misbehaviour{
		fake.UserinfoWrongSubject, fake.UserinfoMissingSubject, fake.UserinfoNumericSubject, fake.UserinfoDuplicates, fake.UserinfoCaseShadowed,
	}
	each(t, s, list, func(t *testing.T, b *Bench, _ fake.Misbehaviour) { b.Refused(t, connectors.Broken) })
}

func testOverridingUserinfo(t *testing.T, s Subject) {
	list := []fake.Misbehaviour{fake.UserinfoEmailVerified, fake.UserinfoAnotherEmail, fake.UserinfoReservedClaims}
	each(t, s, list, func(t *testing.T, b *Bench, _ fake.Misbehaviour) {
		b.Vendor.Edit(fake.IDToken, func(claims map[string]any) {
			claims["email"], claims["email_verified"] = "signed@corp.example", false
		})
		id := b.MustSignIn(t)
		if id.Key != b.key(b.Vendor.Person(s.Person)) {
			t.Errorf("userinfo changed the identity: %+v", id.Key)
		}
		if id.Profile.Email != "signed@corp.example" || id.Profile.EmailTrust != broker.EmailUnverified {
			t.Errorf("userinfo changed the address: %q, %s", id.Profile.Email, id.Profile.EmailTrust)
		}
	})
}

func testReservedClaims(t *testing.T, s Subject) {
	each(t, s, []fake.Misbehaviour{fake.ReservedClaims}, func(t *testing.T, b *Bench, m fake.Misbehaviour) {
		with := b.MustSignIn(t)
		b.Vendor.Behave(m)
		without := b.MustSignIn(t)
		if with.Key != without.Key || !reflect.DeepEqual(with.Profile, without.Profile) {
			t.Errorf("got %+v with reserved claims, %+v without", with, without)
		}
	})
}

func testShadowedClaims(t *testing.T, s Subject) {
	each(t, s, []fake.Misbehaviour{fake.CaseShadowedClaims}, func(t *testing.T, b *Bench, _ fake.Misbehaviour) { b.Refused(t, connectors.Broken) })
}

func testAuthTime(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	l := NewLogin()
	l.ForceLogin = true
	id, _, err := b.SignInWith(t, l)
	if err != nil {
		t.Fatal(err)
	}
	proven := b.Connector.Describe().Reauthentication == connectors.ReauthProven
	if proven && !id.Authentication.Time.Equal(b.Clock.Now()) {
		t.Errorf("got time of authentication %v, want %v", id.Authentication.Time, b.Clock.Now())
	}
	// A day later: still asleep would be to say "now".
	b.Vendor.Misbehave(fake.StaleAuthTime)
	id, _, err = b.SignInWith(t, NewLogin())
	if want := b.Clock.Now().AddDate(0, 0, -1); err != nil || !id.Authentication.Time.Equal(want) {
		t.Errorf("got time of authentication %v (%v), want the signed %v", id.Authentication.Time, err, want)
	}
	b.Vendor.Behave()
	b.Vendor.Misbehave(fake.MissingAuthTime)
	id, _, err = b.SignInWith(t, NewLogin())
	if err != nil || !id.Authentication.Time.IsZero() {
		t.Errorf("got time of authentication %v (%v), want none", id.Authentication.Time, err)
	}
	b.Vendor.Edit(fake.IDToken, func(claims map[string]any) { claims["auth_time"] = b.Clock.Now().AddDate(0, 0, 1).Unix() })
	b.Refused(t, connectors.Broken)
}

func testTokenAnswers(t *testing.T, s Subject) {
	edit := func(name string, value any) func(*fake.Provider) {
		return func(v *fake.Provider) {
			v.Edit(fake.Token, func(doc map[string]any) { doc[name] = value })
		}
	}
	misbehave := func(m fake.Misbehaviour) func(*fake.Provider) {
		return func(v *fake.Provider) { v.Misbehave(m) }
	}
	answers := map[string]func(*fake.Provider){
		"a code that was redeemed before":  misbehave(fake.CodeAlreadyRedeemed),
		"an empty access token":            edit("access_token", ""),
		"an access token that is a number": edit("access_token", 12345678),
		"a token type that is not bearer":  edit("token_type", "mac"),
	}
	if s.OpenID != nil {
		answers["no ID token"] = misbehave(fake.TokenWithoutIDToken)
		answers["no access token"] = misbehave(fake.TokenWithoutAccess)
		answers["members twice"] = misbehave(fake.TokenDuplicates)
		answers["members in another case"] = edit("ID_TOKEN", "e30.e30.AAAA")
	}
	for name, spoil := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := s.Open(t, nil)
			spoil(b.Vendor)
			b.Refused(t, connectors.Broken)
			if n := b.Vendor.Calls(fake.Token); n != 1 {
				t.Errorf("the code was presented %d times", n)
			}
		})
	}
}
