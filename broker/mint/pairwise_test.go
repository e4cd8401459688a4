package mint

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/keys"
	"gatehouse/broker/policy"
)

// minterWith is newMinter with a configuration that a test changes.
func minterWith(tb testing.TB, change func(*Config)) (*Minter, *keys.Ring) {
	tb.Helper()
	ring := newRing(tb, &clock{now: moment()}, "ES256")
	c := Config{
		Issuer: issuer, Ring: ring, Secrets: secrets(tb, 's'), IDTokenAlg: "ES256",
		Lifetimes: broker.Lifetimes{AccessToken: 15 * time.Minute, IDToken: 10 * time.Minute},
		Subjects:  policy.Subjects{Salt: []byte("0123456789abcdef0123456789abcdef")},
	}
	change(&c)
	m, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return m, ring
}

func exchangeTo(client *broker.Client) ExchangeParams {
	p := exchangeParams()
	p.Client = client
	return p
}

// OpenID Connect Core §8.1: each sector knows a person by a name of its own, the same in whatever it is given, and none
// of it has the account's.
func TestPairwiseSubjects(t *testing.T) {
	t.Parallel()
	m, _ := minterWith(t, func(*Config) {})
	account := grant().AccountID
	subjects, sessions := map[string]string{}, map[string]string{}
	for _, sector := range []string{"", "a.example", "b.example"} {
		for _, opaque := range []bool{false, true} {
			a, i := accessTokenParams(), idTokenParams()
			for _, c := range []*broker.Client{a.Client, i.Client} {
				c.Sector, c.OpaqueAccessTokens = sector, opaque
			}
			want := m.Subject(a.Client, account)
			sid := m.subjects.Session(a.Client, grant().SessionID)
			subjects[want], sessions[sid] = sector, sector
			access, _, err := m.AccessToken(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			other := grant()
			other.ClientID = "origin"
			exchanged, _, err := m.ExchangedToken(t.Context(), exchangeTo(a.Client), other)
			if err != nil {
				t.Fatal(err)
			}
			for name, raw := range map[string]string{"access token": access, "exchanged token": exchanged} {
				if got, err := m.InspectAccessToken(t.Context(), raw, moment()); err != nil || got.Subject != want || got.SessionID != sid {
					t.Errorf("%q %s: %+v, %v", sector, name, got, err)
				}
			}
			for name, make := range map[string]func() (string, error){
				"ID token":         func() (string, error) { return m.IDToken(t.Context(), i) },
				"ID token renewed": func() (string, error) { return m.RefreshIDToken(t.Context(), i) },
			} {
				raw, err := make()
				if err != nil {
					t.Fatal(err)
				}
				if hint, err := m.ReadIDTokenHint(t.Context(), raw, moment()); err != nil || hint.Subject != want || hint.SessionID != sid {
					t.Errorf("%q %s: %+v, %v", sector, name, hint, err)
				}
				if sector != "" && strings.Contains(part(t, raw, 1), account) {
					t.Errorf("%q %s names the account: %s", sector, name, part(t, raw, 1))
				}
			}
		}
	}
	if len(subjects) != 3 || subjects[account] != "" || len(sessions) != 3 || sessions[grant().SessionID] != "" {
		t.Errorf("subjects %v, sessions %v", subjects, sessions)
	}
}

// A client's own token and a workload's are about no person, and keep their names.
func TestOnlyPersonsHavePairwiseSubjects(t *testing.T) {
	t.Parallel()
	m, _ := minterWith(t, func(*Config) {})
	c := &broker.Client{ID: "robot", Sector: "a.example"}
	own, _, err := m.ClientToken(t.Context(), ClientTokenParams{Client: c, Now: moment()})
	if err != nil {
		t.Fatal(err)
	}
	workload, _, err := m.WorkloadToken(t.Context(), exchangeTo(c), &broker.ExternalIssuer{ID: "forge"}, "job")
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]string{own: "robot", workload: "forge:job"} {
		if got, err := m.InspectAccessToken(t.Context(), raw, moment()); err != nil || got.Subject != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// Without a salt a pairwise subject could be computed by anybody: nothing is issued, and nobody is recognised.
func TestNoPairwiseSubjectWithoutASalt(t *testing.T) {
	t.Parallel()
	m, _ := minterWith(t, func(c *Config) { c.Subjects = policy.Subjects{} })
	a := accessTokenParams()
	a.Client.Sector = "a.example"
	if got := m.Subject(a.Client, a.Grant.AccountID); got != "" {
		t.Errorf("subject %q", got)
	}
	if token, _, err := m.AccessToken(t.Context(), a); !errors.Is(err, ErrLint) || token != "" {
		t.Errorf("%q, %v", token, err)
	}
	i := idTokenParams()
	i.Client.Sector = "a.example"
	if token, err := m.IDToken(t.Context(), i); !errors.Is(err, ErrLint) || token != "" {
		t.Errorf("%q, %v", token, err)
	}
	a.Client.Sector = ""
	if _, _, err := m.AccessToken(t.Context(), a); err != nil || m.Subject(a.Client, "x") != "x" {
		t.Errorf("a public subject: %v", err)
	}
}

// The linter lets the account's name out to no client with a sector, by whatever claim it would.
func TestThePairwiseClientNeverLearnsTheAccount(t *testing.T) {
	t.Parallel()
	m, _ := minterWith(t, func(*Config) {})
	p := idTokenParams()
	p.Profile.PreferredUsername = p.Grant.AccountID
	if _, err := m.IDToken(t.Context(), p); err != nil {
		t.Errorf("a public subject: %v", err)
	}
	p.Client.Sector = "a.example"
	if token, err := m.IDToken(t.Context(), p); !errors.Is(err, ErrLint) || token != "" {
		t.Errorf("%q, %v", token, err)
	}
}
