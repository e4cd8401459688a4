package mint

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/keys"
)

func newRefresh(tb testing.TB, m *Minter, id string, generation uint32) string {
	tb.Helper()
	token, digest, err := m.NewRefreshToken(id, generation)
	if err != nil {
		tb.Fatal(err)
	}
	if digest != broker.DigestOf(token) {
		tb.Error("the digest is not that of the token")
	}
	return token
}

func TestParseRefreshTokenTakesOneSpelling(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	id := broker.NewID(moment())
	for _, generation := range []uint32{0, 1, 1<<32 - 1} {
		token := newRefresh(t, m, id, generation)
		if got, err := m.ParseRefreshToken(token); err != nil || got != (RefreshToken{id, generation, broker.DigestOf(token)}) {
			t.Errorf("refresh token %q: %+v, %v", token, got, err)
		}
	}
	token := newRefresh(t, m, id, 7)
	for how, other := range respelt(token) {
		if got, err := m.ParseRefreshToken(other); !errors.Is(err, ErrMalformed) || got != (RefreshToken{}) {
			t.Errorf("refresh token %s: %+v, %v", how, got, err)
		}
	}
	code, _, err := m.NewCode(id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ParseRefreshToken(code); !errors.Is(err, ErrMalformed) {
		t.Errorf("a code as refresh token: %v", err)
	}
}

// The secret is replaced by putting a new one in front; what the old one made is good until it is taken out.
func TestOpaqueValuesFollowTheSecrets(t *testing.T) {
	t.Parallel()
	ring := newRing(t, &clock{now: moment()}, "ES256")
	with := func(fill ...byte) *Minter {
		m, err := New(Config{Issuer: issuer, Ring: ring, Secrets: secrets(t, fill...), IDTokenAlg: "ES256",
			Lifetimes: broker.Lifetimes{AccessToken: time.Minute, IDToken: time.Minute}})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	old, both, fresh := with('a'), with('b', 'a'), with('b')
	id := broker.NewID(moment())
	code, _, err := old.NewCode(id)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		token string
		reads *Minter
		ok    bool
	}{
		{"an old one while both secrets are there", newRefresh(t, old, id, 1), both, true},
		{"a new one by a replica that has both", newRefresh(t, both, id, 1), fresh, true},
		{"an old one when its secret is gone", newRefresh(t, old, id, 1), fresh, false},
		{"a new one by a replica that lacks the secret", newRefresh(t, both, id, 1), old, false},
	}
	for _, tt := range tests {
		if _, err := tt.reads.ParseRefreshToken(tt.token); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, _, err := both.ParseCode(code); err != nil {
		t.Errorf("an old code while both secrets are there: %v", err)
	}
	if _, _, err := fresh.ParseCode(code); !errors.Is(err, ErrMalformed) {
		t.Errorf("an old code when its secret is gone: %v", err)
	}
}

// RFC 9700 §4.14.2: the successor is for whoever holds the spent token and for nobody else.
func TestSuccessor(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	id := broker.NewID(moment())
	spent, successor, other := newRefresh(t, m, id, 1), newRefresh(t, m, id, 2), newRefresh(t, m, id, 1)
	sealed := SealSuccessor(spent, successor)
	if got, err := OpenSuccessor(spent, sealed); err != nil || got != successor {
		t.Errorf("successor %q, %v", got, err)
	}
	if bytes.Contains(sealed, []byte(successor[5:30])) {
		t.Error("the successor can be read in what is stored")
	}
	altered := slices.Clone(sealed)
	altered[len(altered)/2] ^= 1
	for name, open := range map[string]func() (string, error){
		"another token of the family": func() (string, error) { return OpenSuccessor(other, sealed) },
		"the successor itself":        func() (string, error) { return OpenSuccessor(successor, sealed) },
		"nothing":                     func() (string, error) { return OpenSuccessor("", sealed) },
		"an altered record":           func() (string, error) { return OpenSuccessor(spent, altered) },
		"an empty record":             func() (string, error) { return OpenSuccessor(spent, nil) },
	} {
		if got, err := open(); err == nil || got != "" {
			t.Errorf("%s opens it: %q", name, got)
		}
	}
}

func FuzzParseRefreshToken(f *testing.F) {
	m := fuzzMinter(f)
	for _, other := range respelt(newRefresh(f, m, broker.NewID(moment()), 1)) {
		f.Add(other)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := m.ParseRefreshToken(s); err == nil || got != (RefreshToken{}) {
			t.Errorf("%q is taken for a refresh token", s)
		}
	})
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	ring := newRing(t, &clock{now: moment()}, "ES256")
	good := func() Config {
		return Config{Issuer: issuer, Ring: ring, Secrets: secrets(t, 's'), IDTokenAlg: "ES256",
			Lifetimes: broker.Lifetimes{AccessToken: time.Minute, IDToken: time.Minute}}
	}
	tests := []struct {
		name   string
		change func(*Config)
		ok     bool
	}{
		{"what is complete", func(*Config) {}, true},
		{"no issuer", func(c *Config) { c.Issuer = "" }, false},
		{"no keys", func(c *Config) { c.Ring = (*keys.Ring)(nil) }, false},
		{"no secrets", func(c *Config) { c.Secrets = nil }, false},
		{"no lifetime of access tokens", func(c *Config) { c.Lifetimes.AccessToken = 0 }, false},
		{"no lifetime of ID tokens", func(c *Config) { c.Lifetimes.IDToken = 0 }, false},
		{"a lifetime beyond the bound", func(c *Config) { c.Lifetimes.IDToken = DefaultMaxLifetime + 1 }, false},
		{"a lifetime within a bound that was raised", func(c *Config) { c.Lifetimes.IDToken, c.MaxLifetime = 48*time.Hour, 48*time.Hour }, true},
		{"an ID token algorithm without a key", func(c *Config) { c.IDTokenAlg = "" }, false},
		{"an access token algorithm without a key", func(c *Config) { c.AccessTokenAlg = "EdDSA" }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := good()
			tt.change(&c)
			if m, err := New(c); (err == nil) != tt.ok || (m == nil) == tt.ok {
				t.Errorf("New: %v", err)
			}
		})
	}
}
