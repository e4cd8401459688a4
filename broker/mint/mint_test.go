package mint

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/keys"
	"gatehouse/broker/oauth"
	"gatehouse/broker/seal"
)

const issuer = "https://b.test"

// moment is the time of all tests that do not move it.
func moment() time.Time { return time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC) }

// keyStore is the compare-and-swap of broker.Keys and nothing else.
type keyStore struct {
	mu      sync.Mutex
	set     []broker.Key
	version uint64
}

func (s *keyStore) Keys(context.Context) ([]broker.Key, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.set), s.version, nil
}

func (s *keyStore) ReplaceKeys(_ context.Context, version uint64, set []broker.Key, _ broker.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version != s.version {
		return broker.ErrConflict
	}
	s.set, s.version = slices.Clone(set), version+1
	return nil
}

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func newRing(tb testing.TB, c *clock, algorithms ...string) *keys.Ring {
	tb.Helper()
	ring, err := keys.Open(tb.Context(), keys.Config{
		Store: &keyStore{}, Schedule: keys.Schedule{Algorithms: algorithms}, Now: c.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return ring
}

// newMinter returns a minter with a ring of its own. ES256 signs everything, because RSA keys take long to make.
func newMinter(tb testing.TB) (*Minter, *clock) {
	tb.Helper()
	c := &clock{now: moment()}
	return minterOf(tb, newRing(tb, c, "ES256"), "ES256"), c
}

func minterOf(tb testing.TB, ring *keys.Ring, idTokenAlg string) *Minter {
	tb.Helper()
	m, err := New(Config{
		Issuer: issuer, Ring: ring, Secrets: secrets(tb, 's'), IDTokenAlg: idTokenAlg,
		Lifetimes: broker.Lifetimes{AccessToken: 15 * time.Minute, IDToken: 10 * time.Minute},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// fuzzMinter has a secret of its own in every process. Seeds come from another
// one, so that a fuzzer that undoes what was done to one gains nothing by it.
func fuzzMinter(tb testing.TB) *Minter {
	tb.Helper()
	secret := make([]byte, seal.MinSecret)
	rand.Read(secret)
	ring, err := seal.New(secret)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := New(Config{Issuer: issuer, Ring: newRing(tb, &clock{now: moment()}, "ES256"), Secrets: ring, IDTokenAlg: "ES256",
		Lifetimes: broker.Lifetimes{AccessToken: 15 * time.Minute, IDToken: 10 * time.Minute}})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func secrets(tb testing.TB, fill ...byte) *seal.Keyring {
	tb.Helper()
	list := make([][]byte, len(fill))
	for i, f := range fill {
		list[i] = bytes.Repeat([]byte{f}, seal.MinSecret)
	}
	ring, err := seal.New(list...)
	if err != nil {
		tb.Fatal(err)
	}
	return ring
}

func client() *broker.Client { return &broker.Client{ID: "wiki"} }

func grant() *broker.Grant {
	return &broker.Grant{
		ID: "0DB8EABC00000000000000000000000000", ClientID: "wiki", AccountID: "mfzwk3lfnzsxg5dfoi2gk43u",
		SessionID: "0DB8EABC11111111111111111111111110", Scopes: oauth.Scopes{"openid", "profile", "email", "groups", "offline_access"},
		AuthTime: moment().Add(-time.Hour), ACR: "urn:example:mfa", AMR: []string{"pwd", "otp"},
	}
}

func profile() broker.Profile {
	return broker.Profile{
		Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", PreferredUsername: "ada",
		Email: "ada@example.com", EmailTrust: broker.EmailVerified, Picture: "https://img.example.com/ada.png",
		Locale: "en-GB", Groups: []string{"staff", "corp:engines"},
	}
}

func accessTokenParams() AccessTokenParams {
	return AccessTokenParams{Client: client(), Grant: grant(), Scopes: oauth.Scopes{"openid", "email"}, Now: moment()}
}

func idTokenParams() IDTokenParams {
	return IDTokenParams{Client: client(), Grant: grant(), Scopes: grant().Scopes, Profile: profile(), Now: moment()}
}
