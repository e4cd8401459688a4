package flow

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/seal"
)

func states(t testing.TB, secret string) *States {
	t.Helper()
	keys, err := seal.New([]byte(strings.Repeat(secret, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return NewStates(keys)
}

// Okta takes letters, digits and a few marks in a state; every upstream hands it
// back as it was.
func TestAStateSurvivesTheUpstream(t *testing.T) {
	t.Parallel()
	s := states(t, "k")
	want := UpstreamState{Flow: newID(time.Unix(1795132800, 0)), Connector: "corp", Nonce: strings.Repeat("n", 22), ClientID: "a client <&> \"ü\""}
	sealed := s.Seal(want)
	if got, err := s.Open(sealed); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if rest := strings.Trim(sealed, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"); rest != "" || len(sealed) > 512 {
		t.Errorf("%d bytes, odd characters %q", len(sealed), rest)
	}
	if s.Seal(want) == sealed {
		t.Error("two states of one visit are alike")
	}
	if strings.Contains(sealed, want.Nonce) {
		t.Error("the nonce can be read")
	}
	for name, open := range map[string]func() (UpstreamState, error){
		"another broker's": func() (UpstreamState, error) { return states(t, "x").Open(sealed) },
		"cut short":        func() (UpstreamState, error) { return s.Open(sealed[:len(sealed)-1]) },
		"empty":            func() (UpstreamState, error) { return s.Open("") },
		"too long to be looked at": func() (UpstreamState, error) {
			return s.Open(s.Seal(UpstreamState{ClientID: strings.Repeat("x", 4096)}))
		},
		"a flow's cookie": func() (UpstreamState, error) {
			now := time.Unix(1795132800, 0)
			j := jar(t, "https://sso.example", &now)
			return states(t, "k").Open(j.box.SealString([]byte(`{"f":"x"}`), nil))
		},
	} {
		if got, err := open(); !errors.Is(err, ErrNoFlow) || got != (UpstreamState{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// DO-06: a flow counts from the moment its clock says, and one from the future is
// as dead as an old one.
func TestAFlowExpires(t *testing.T) {
	t.Parallel()
	start := time.Unix(1795132800, 0)
	f := New(start, &broker.AuthorizationRequest{})
	for _, row := range []struct {
		name string
		at   time.Duration
		dead bool
	}{
		{"at once", 0, false}, {"at the end of its life", Lifetime, false}, {"a second after", Lifetime + time.Second, true},
		{"the clock was set back by half a minute", -30 * time.Second, false}, {"the clock was set back by an hour", -time.Hour, true},
	} {
		if f.Expired(start.Add(row.at)) != row.dead {
			t.Errorf("%s: dead %v", row.name, !row.dead)
		}
	}
	once := f.Once("step")
	if !once.Expires.After(start.Add(Lifetime + time.Hour)) {
		t.Error("a one-time key is forgotten while its flow may live again by a clock that was set right")
	}
	if once.Key == f.Once("other step").Key || once.Key == New(start, &broker.AuthorizationRequest{}).Once("step").Key {
		t.Error("two steps or flows share a one-time key")
	}
}

// The oldest flow of a browser is known by its name, and a name tells nothing.
func TestFlowIDsSortByAge(t *testing.T) {
	t.Parallel()
	last, seen := "", map[string]bool{}
	for i := range 300 {
		id := newID(time.Unix(1795132800+int64(i)*7, 0))
		if id <= last || seen[id] || len(id) != 20 {
			t.Fatalf("%q after %q", id, last)
		}
		last, seen[id] = id, true
	}
}
