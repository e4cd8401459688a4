package recheck

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/oauth"
	"gatehouse/broker/seal"
	"gatehouse/connectors"
	"gatehouse/internal/clocktest"
	"gatehouse/store/bolt"
)

const (
	interval = 15 * time.Minute
	grace    = time.Hour
)

// upstream is a connector that says what a test has it say, and counts.
type upstream struct {
	connectors.Connector
	rule connectors.Recheck

	mu        sync.Mutex
	asked     map[string]int // by subject
	presented []string
	answer    func(prior broker.Identity, u connectors.Upstream) (broker.Identity, connectors.Upstream, error)
}

func (u *upstream) Describe() connectors.Description {
	return connectors.Description{ID: "corp", Recheck: u.rule}
}

func (u *upstream) Refresh(_ context.Context, prior broker.Identity, given connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	u.mu.Lock()
	u.asked[prior.Key.Subject]++
	u.presented = append(u.presented, given.RefreshToken)
	answer := u.answer
	u.mu.Unlock()
	return answer(prior, given)
}

func (u *upstream) say(answer func(broker.Identity, connectors.Upstream) (broker.Identity, connectors.Upstream, error)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer = answer
}

func (u *upstream) fail(err error) {
	u.say(func(broker.Identity, connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
		return broker.Identity{}, connectors.Upstream{}, err
	})
}

// vouch answers with a rotated token and one more group each time.
func vouch(prior broker.Identity, given connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	prior.Profile.Groups = append([]string{"corp:again"}, prior.Profile.Groups...)
	given.RefreshToken += "+"
	return prior, given, nil
}

func (u *upstream) calls() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := 0
	for _, c := range u.asked {
		n += c
	}
	return n
}

type world struct {
	t        *testing.T
	store    *bolt.Store
	up       *upstream
	checker  *Checker
	clock    *clocktest.Clock
	log      *bytes.Buffer
	reusable bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	secrets, err := seal.New(bytes.Repeat([]byte("k"), seal.MinSecret))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: clocktest.New(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)), log: &bytes.Buffer{},
		up: &upstream{rule: connectors.Recheck{Interval: interval, OutageGrace: grace}, asked: map[string]int{}, answer: vouch}}
	log := slog.New(slog.NewTextHandler(&lockedWriter{w: w.log}, nil))
	if w.store, err = bolt.Open(filepath.Join(t.TempDir(), "db"), bolt.Options{Seal: secrets, NoSync: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.checker = &Checker{Connectors: map[string]connectors.Connector{"corp": w.up}, Credentials: w.store, Grants: w.store, Sessions: w.store,
		Box: NewBox(secrets), Audit: &audit.Recorder{Log: log}, Log: log, Now: w.clock.Now, Outlives: 720 * time.Hour}
	return w
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// signIn signs a person in and returns the ID of an offline grant of theirs.
func (w *world) signIn(subject string) string {
	w.t.Helper()
	now := w.clock.Now()
	who := broker.Identity{Key: broker.IdentityKey{Connector: "corp", Issuer: "https://idp.example", Subject: subject}, Profile: broker.Profile{Name: subject, Groups: []string{"corp:staff"}}}
	kept, err := w.checker.Keep(who, connectors.Upstream{RefreshToken: "CANARY-" + subject, AccessToken: "CANARY-access", Reusable: w.reusable})
	if err != nil {
		w.t.Fatal(err)
	}
	forget := now.Add(1000 * time.Hour)
	grant := broker.Grant{ID: broker.NewID(forget), ClientID: "wiki", Scopes: oauth.Scopes{oauth.OpenID}, Offline: true, CreatedAt: now, Forget: forget}
	_, err = w.store.CompleteLogin(w.t.Context(), broker.Login{Now: now, Identity: who, AccountID: broker.NewID(forget), ClientID: "wiki", Credential: kept,
		Session: broker.NewSession{ID: broker.NewID(forget), Secret: broker.DigestOf(subject), Expires: now.Add(999 * time.Hour), IdleUntil: now.Add(999 * time.Hour), Forget: forget},
		Issue:   broker.Issuance{Grant: grant, Code: broker.Code{Key: broker.NewExpiringKey(forget, broker.DigestOf(grant.ID)), GrantID: grant.ID, ClientID: "wiki", Expires: forget}}},
		func(broker.State) broker.Decision { return broker.Decision{Verdict: broker.Issue} })
	if err != nil {
		w.t.Fatal(err)
	}
	return grant.ID
}

// refresh does what the token endpoint does, but for the rotation.
func (w *world) refresh(grantID string) error {
	state, err := w.store.Grant(w.t.Context(), grantID, w.clock.Now())
	if err != nil {
		return err
	}
	if err := state.GrantStanding(); err != nil {
		return err
	}
	settlement, err := w.checker.Check(w.t.Context(), state, broker.Event{At: w.clock.Now(), RequestID: "r1"})
	if settlement != nil {
		w.checker.Settle(w.t.Context(), settlement)
	}
	return err
}

func (w *world) want(grantID string, code oauth.Code) {
	w.t.Helper()
	err := w.refresh(grantID)
	if code == "" && err == nil {
		return
	}
	if oe, ok := errors.AsType[*oauth.Error](err); !ok || oe.Code != code {
		w.t.Errorf("got %v, want %q", err, code)
	}
}
