package storetest

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"gatehouse/broker"
)

// The lifetimes of a usual configuration.
const (
	codeLife    = time.Minute
	tokenLife   = 15 * time.Minute
	refreshLife = 720 * time.Hour
	sessionLife = 24 * time.Hour
	sessionIdle = 8 * time.Hour
)

const (
	wiki   = "wiki"
	mail   = "mail"
	google = "google"
	github = "github"
)

// fixture is a store, a clock that stands still unless moved, and a memory of what was made, for snapshots.
type fixture struct {
	broker.Store
	t   *testing.T
	now time.Time

	refs       []broker.SessionRef
	accounts   []string
	identities []broker.Digest
	grants     []string
	devices    []broker.DeviceAuthorization
	clients    []string
}

func newFixture(t *testing.T, s broker.Store) *fixture {
	return &fixture{Store: s, t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

// pass moves the clock.
func (f *fixture) pass(d time.Duration) { f.now = f.now.Add(d) }

// event is what an endpoint gives a verb along.
func (f *fixture) event() broker.Event {
	return broker.Event{At: f.now, RequestID: "req-1", Address: "192.0.2.1"}
}

func randomDigest() broker.Digest { return broker.DigestOf(rand.Text()) }

// once is a fresh one-time key.
func (f *fixture) once() broker.Once {
	return broker.Once{Key: randomDigest(), Expires: f.now.Add(10 * time.Minute)}
}

// person is an identity of a connector, with everything an upstream can tell.
func (f *fixture) person(connector, subject string) broker.Identity {
	return broker.Identity{
		Key: broker.IdentityKey{Connector: connector, Issuer: "https://" + connector + ".example", Subject: subject},
		Profile: broker.Profile{
			Name: "Ada " + subject, GivenName: "Ada", FamilyName: subject, PreferredUsername: subject,
			Email: subject + "@example.com", EmailTrust: broker.EmailVerified,
			Picture: "https://pictures.example/" + subject, Locale: "de-CH", Groups: []string{"staff", "ops"},
		},
		Authentication: broker.Authentication{
			Time: f.now.Add(-3 * time.Second), ACR: "urn:example:gold", AMR: []string{"pwd", "otp"},
		},
	}
}

// login is a sign-in of a person to a client from a browser without a session.
func (f *fixture) login(who broker.Identity, clientID string, offline bool) broker.Login {
	return broker.Login{
		Now:       f.now,
		Once:      []broker.Once{f.once()},
		Identity:  who,
		AccountID: broker.NewID(f.now),
		Session:   f.newSession(),
		ClientID:  clientID,
		Issue:     f.issuance(offline),
		Event:     f.event(),
	}
}

func (f *fixture) newSession() broker.NewSession {
	forget := f.now.Add(sessionLife + tokenLife)
	return broker.NewSession{
		ID: broker.NewID(forget), Secret: randomDigest(),
		Expires: f.now.Add(sessionLife), IdleUntil: f.now.Add(sessionIdle), Forget: forget,
	}
}

func (f *fixture) issuance(offline bool) broker.Issuance {
	forget := f.now.Add(codeLife + tokenLife)
	scopes := []string{"openid", "email"}
	if offline {
		scopes = append(scopes, "offline_access")
	}
	return broker.Issuance{
		Grant: broker.Grant{ID: broker.NewID(forget), Scopes: scopes, Offline: offline, Forget: forget},
		Code: broker.Code{
			Key:         broker.NewExpiringKey(forget, randomDigest()),
			RedirectURI: "https://wiki.example/callback", RedirectURISent: true,
			Challenge: "challenge", Nonce: "nonce", Expires: f.now.Add(codeLife),
		},
	}
}

func ref(l broker.Login) broker.SessionRef {
	return broker.SessionRef{ID: l.Session.ID, Secret: l.Session.Secret}
}

func issue(broker.State) broker.Decision { return broker.Decision{Verdict: broker.Issue} }
func ask(broker.State) broker.Decision   { return broker.Decision{Verdict: broker.Ask} }
func agree(broker.State) error           { return nil }
func bound(broker.Code) error            { return nil }

var errNo = errors.New("the decider says no")

func refuse(broker.State) broker.Decision { return broker.Decision{Err: errNo} }
func disagree(broker.State) error         { return errNo }

// complete runs a login that must succeed and remembers what it made.
func (f *fixture) complete(l broker.Login, decide func(broker.State) broker.Decision) broker.Outcome {
	f.t.Helper()
	out, err := f.CompleteLogin(f.t.Context(), l, decide)
	if err != nil {
		f.t.Fatalf("CompleteLogin: %v", err)
	}
	f.remember(out)
	f.refs = append(f.refs, broker.SessionRef{ID: out.Session.ID, Secret: l.Session.Secret})
	return out
}

func (f *fixture) remember(out broker.Outcome) {
	f.accounts = append(f.accounts, out.Account.ID)
	f.identities = append(f.identities, out.Identity.Key.Digest())
	if out.Grant != nil {
		f.grants = append(f.grants, out.Grant.ID)
	}
}

// visit is a person who has signed in to a client.
type visit struct {
	broker.Outcome
	ref  broker.SessionRef
	code broker.ExpiringKey
}

// signedIn signs a person in to a client through google.
func (f *fixture) signedIn(subject, clientID string, offline bool) visit {
	f.t.Helper()
	l := f.login(f.person(google, subject), clientID, offline)
	out := f.complete(l, issue)
	return visit{Outcome: out, ref: ref(l), code: out.Code.Key}
}

// authorization is a request for a client by the browser of a visit.
func (f *fixture) authorization(v visit, clientID string) broker.Authorization {
	return broker.Authorization{
		Now: f.now, Once: []broker.Once{f.once()}, Presented: v.ref, IdleUntil: f.now.Add(sessionIdle),
		Connector: google, ClientID: clientID, Issue: f.issuance(false), Event: f.event(),
	}
}

func (f *fixture) authorize(a broker.Authorization) broker.Outcome {
	f.t.Helper()
	out, err := f.CompleteAuthorization(f.t.Context(), a, issue)
	if err != nil {
		f.t.Fatalf("CompleteAuthorization: %v", err)
	}
	f.remember(out)
	return out
}

func (f *fixture) redemption(key broker.ExpiringKey, clientID string) broker.Redemption {
	return broker.Redemption{Now: f.now, Key: key, ClientID: clientID, Bound: bound, Next: f.nextRefresh(), Event: f.event()}
}

func (f *fixture) nextRefresh() broker.NewRefresh {
	return broker.NewRefresh{Digest: randomDigest(), Expires: f.now.Add(refreshLife), Forget: f.now.Add(refreshLife + tokenLife)}
}

// redeem redeems a visit's code and returns the digest of the refresh token that was offered.
func (f *fixture) redeem(v visit) broker.Digest {
	f.t.Helper()
	r := f.redemption(v.code, v.Grant.ClientID)
	if _, err := f.RedeemCode(f.t.Context(), r, agree); err != nil {
		f.t.Fatalf("RedeemCode: %v", err)
	}
	return r.Next.Digest
}

func (f *fixture) rotation(v visit, presented broker.Digest) broker.Rotation {
	next := f.nextRefresh()
	return broker.Rotation{
		Now: f.now, GrantID: v.Grant.ID, ClientID: v.Grant.ClientID, Presented: presented,
		Next: &next, Successor: []byte("sealed " + rand.Text()), Event: f.event(),
	}
}

// rotate rotates and returns the digest of the token that is current now.
func (f *fixture) rotate(v visit, presented broker.Digest) broker.Digest {
	f.t.Helper()
	r := f.rotation(v, presented)
	if _, err := f.RotateRefreshToken(f.t.Context(), r, agree); err != nil {
		f.t.Fatalf("RotateRefreshToken: %v", err)
	}
	return r.Next.Digest
}

// grantOf reads a grant that must be there.
func (f *fixture) grantOf(id string) broker.State {
	f.t.Helper()
	st, err := f.Grant(f.t.Context(), id, f.now)
	if err != nil {
		f.t.Fatalf("Grant: %v", err)
	}
	return st
}

// sessionOf reads a session that must be live.
func (f *fixture) sessionOf(r broker.SessionRef, clientID string) broker.State {
	f.t.Helper()
	st, err := f.Session(f.t.Context(), r, clientID, "", f.now)
	if err != nil {
		f.t.Fatalf("Session: %v", err)
	}
	return st
}

// want fails the test unless err is the wanted one.
func want(t *testing.T, what string, err, wanted error) {
	t.Helper()
	if !errors.Is(err, wanted) {
		t.Errorf("%s: error %v, want %v", what, err, wanted)
	}
}

// must fails the test at an error.
func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
