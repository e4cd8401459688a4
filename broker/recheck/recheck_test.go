package recheck

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// "A refresh against 1,000 people with upstream re-check does one upstream call per
// person per interval under 64 workers."
func TestOneQuestionForEachPersonAndInterval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const people, workers, times = 1000, 64, 4
	grants := make([]string, people)
	for i := range grants {
		grants[i] = w.signIn(fmt.Sprintf("person%d", i))
	}
	round := func() {
		var next atomic.Int64
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for {
					// The same person's refreshes are neighbours, so that several workers have them at once.
					i := int(next.Add(1)-1) / times
					if i >= people {
						return
					}
					if err := w.refresh(grants[i]); err != nil {
						t.Errorf("person %d: %v", i, err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	round()
	if n := w.up.calls(); n != 0 {
		t.Errorf("%d questions while the sign-in is young", n)
	}
	for interval := 1; interval <= 2; interval++ {
		w.clock.Advance(15 * time.Minute)
		round()
		for subject, n := range w.up.asked {
			if n != interval {
				t.Errorf("%s was asked about %d times in %d intervals", subject, n, interval)
			}
		}
		if n := w.up.calls(); n != people*interval {
			t.Errorf("%d questions about %d people in %d intervals", n, people, interval)
		}
	}
	seen := map[string]bool{}
	for _, token := range w.up.presented {
		if seen[token] {
			t.Fatalf("%s was presented twice", token)
		}
		seen[token] = true
	}
}

func TestWhatTheUpstreamSaysIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grant := w.signIn("ada")
	w.clock.Advance(interval)
	w.want(grant, "")
	state, err := w.store.Grant(t.Context(), grant, w.clock.Now())
	if err != nil || strings.Join(state.Identity.Profile.Groups, " ") != "corp:again corp:staff" {
		t.Errorf("%+v, %v", state.Identity, err)
	}
}

// UP-32: a definite no ends the grant and the session, and what else rests on the
// identity; nothing about the person's other connectors.
func TestUP32ADefiniteNoEndsEverything(t *testing.T) {
	t.Parallel()
	for _, kind := range []connectors.Kind{connectors.Gone, connectors.NotAllowed, connectors.Declined, connectors.Interaction, connectors.Unmet} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			first, second := w.signIn("ada"), w.signIn("ada")
			before, err := w.store.Grant(t.Context(), first, w.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			w.up.fail(&connectors.Error{Kind: kind, Code: "invalid_grant"})
			w.clock.Advance(interval)
			w.want(first, oauth.InvalidGrant)
			if err := w.refresh(first); !errors.Is(err, broker.ErrNotFound) {
				t.Errorf("the grant is there: %v", err)
			}
			if err := w.refresh(second); !errors.Is(err, broker.ErrSuperseded) && !errors.Is(err, broker.ErrNotFound) {
				t.Errorf("the other grant lives: %v", err)
			}
			session, err := w.store.Session(t.Context(), broker.SessionRef{ID: before.Grant.SessionID, Secret: broker.DigestOf("ada")}, "wiki", "corp", w.clock.Now())
			if err == nil && session.SessionStanding("corp") == nil {
				t.Error("the session still signs in")
			}
			if n := w.up.calls(); n != 1 {
				t.Errorf("%d questions", n)
			}
			// Signing in again is all it takes.
			w.up.say(vouch)
			again := w.signIn("ada")
			w.clock.Advance(interval)
			w.want(again, "")
		})
	}
}

func TestAnOutageIsBridgedForItsGrace(t *testing.T) {
	t.Parallel()
	for _, kind := range []connectors.Kind{connectors.Transient, connectors.Operator, connectors.Broken} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			grant := w.signIn("ada")
			w.up.fail(&connectors.Error{Kind: kind, Unspent: true, RetryAfter: 90 * time.Second})
			w.clock.Advance(interval)
			w.want(grant, "") // minute 15, failing since then
			w.want(grant, "")
			if n := w.up.calls(); n != 1 {
				t.Errorf("%d questions within one interval", n)
			}
			w.clock.Advance(grace - time.Second)
			w.want(grant, "")
			w.clock.Advance(time.Second)
			w.want(grant, oauth.TemporarilyUnavailable)
			calls := w.up.calls()
			w.want(grant, oauth.TemporarilyUnavailable)
			if w.up.calls() != calls {
				t.Error("an upstream that is down is asked for every refresh")
			}
			// Nothing was revoked: when it is back, so is everybody, and soon.
			w.up.say(vouch)
			w.clock.Advance(retryOutage)
			w.want(grant, "")
			w.want(grant, "")
			if n := w.up.calls(); n != calls+1 {
				t.Errorf("%d questions after it was back", n-calls)
			}
		})
	}
}

func TestWithoutGraceAnOutageRefusesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.up.rule.OutageGrace = 0
	grant := w.signIn("ada")
	w.up.fail(&connectors.Error{Kind: connectors.Transient, Unspent: true, RetryAfter: 90 * time.Second})
	w.clock.Advance(interval)
	err := w.refresh(grant)
	if oe := oauth.From(err); oe.Code != oauth.TemporarilyUnavailable || oe.RetryAfter != 90*time.Second {
		t.Errorf("%v after %v", err, oe.RetryAfter)
	}
	w.up.say(vouch)
	w.clock.Advance(90 * time.Second)
	w.want(grant, "")
}

// A crash between the upstream's answer and our commit costs one sign-in, and the
// old token is never presented again.
func TestACrashCostsOneSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grant := w.signIn("ada")
	w.clock.Advance(interval)
	state, err := w.store.Grant(t.Context(), grant, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.checker.Check(t.Context(), state, broker.Event{}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(leaseFor) // the process that asked is gone, its settlement with it
	w.want(grant, oauth.InvalidGrant)
	if _, err := w.store.Session(t.Context(), broker.SessionRef{ID: state.Grant.SessionID, Secret: broker.DigestOf("ada")}, "wiki", "corp", w.clock.Now()); err == nil {
		t.Error("single sign-on would go on without a credential")
	}
	again := w.signIn("ada")
	w.clock.Advance(interval)
	w.want(again, "")
	if len(w.up.presented) != 2 || w.up.presented[0] != w.up.presented[1] {
		t.Errorf("presented %q: the second sign-in brought a credential of its own", w.up.presented)
	}
}

func TestAReusableCredentialSurvivesACrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.reusable = true
	grant := w.signIn("ada")
	w.clock.Advance(interval)
	state, err := w.store.Grant(t.Context(), grant, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.checker.Check(t.Context(), state, broker.Event{}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(leaseFor)
	w.want(grant, "")
}

// An answer that may have been lost after the token was taken is an outage first
// and a sign-in afterwards.
func TestALostAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grant := w.signIn("ada")
	w.up.fail(&connectors.Error{Kind: connectors.Transient})
	w.clock.Advance(interval)
	w.want(grant, "")
	w.up.say(vouch)
	w.clock.Advance(interval)
	w.want(grant, "")
	if n := w.up.calls(); n != 1 {
		t.Errorf("presented %d times", n)
	}
	w.clock.Advance(grace)
	w.want(grant, oauth.InvalidGrant)
	if n := w.up.calls(); n != 1 {
		t.Errorf("presented %d times", n)
	}
}

// A connector may have a new credential and no word about the person: GitHub's
// refresh succeeds and its API is down.
func TestANewCredentialIsKeptThoughTheUpstreamFellSilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grant := w.signIn("ada")
	w.up.say(func(_ broker.Identity, u connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
		u.RefreshToken = "the next"
		return broker.Identity{}, u, &connectors.Error{Kind: connectors.Transient}
	})
	w.clock.Advance(interval)
	w.want(grant, "")
	w.up.say(vouch)
	w.clock.Advance(interval)
	w.want(grant, "")
	if len(w.up.presented) != 2 || w.up.presented[1] != "the next" {
		t.Errorf("presented %q", w.up.presented)
	}
}

func TestAnAnswerAboutSomebodyElseIsANo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grant := w.signIn("ada")
	w.up.say(func(prior broker.Identity, u connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
		prior.Key.Subject = "eve"
		return prior, u, nil
	})
	w.clock.Advance(interval)
	w.want(grant, oauth.InvalidGrant)
}

func TestWithoutACredentialThePersonSignsInAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.up.rule.Interval = 0
	grant := w.signIn("ada")
	w.clock.Advance(interval)
	w.want(grant, "") // re-check is off
	w.up.rule.Interval = interval
	w.want(grant, oauth.InvalidGrant)
	if n := w.up.calls(); n != 0 {
		t.Errorf("%d questions", n)
	}
}

// mute is a connector that is to be asked again and cannot be.
type mute struct {
	connectors.Connector
	rule connectors.Recheck
}

func (m mute) Describe() connectors.Description {
	return connectors.Description{ID: "corp", Recheck: m.rule}
}

// To go on without asking would keep everybody signed in for ever.
func TestAnUpstreamThatCannotBeAskedIsAFaultOfOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grant := w.signIn("ada")
	w.checker.Connectors["corp"] = mute{rule: w.up.rule}
	if err := w.refresh(grant); !errors.Is(err, errUnable) {
		t.Errorf("got %v", err)
	}
	w.checker.Connectors["corp"] = mute{}
	w.want(grant, "") // re-check is off
}

func TestWhatWasAnsweredBeforeTheClockWasPutBackIsAskedAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		back  time.Duration
		calls int
	}{
		{"the clocks of two replicas", replicaSkew, 0},
		{"a clock that was put back", replicaSkew + time.Second, 1},
		{"a clock that was a year ahead", 365 * 24 * time.Hour, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			grant := w.signIn("ada")
			w.clock.Advance(-row.back)
			w.want(grant, "")
			w.want(grant, "") // what was answered now is young
			if n := w.up.calls(); n != row.calls {
				t.Errorf("%d questions, want %d", n, row.calls)
			}
		})
	}
}

// I10: what is kept opens for its identity alone, and nothing of it is in the log.
func TestI10CredentialsAreSealedAndNeverLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada, ben := w.signIn("ada"), w.signIn("ben")
	adas, err := w.store.Grant(t.Context(), ada, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	bens, err := w.store.Grant(t.Context(), ben, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	credential, err := w.store.Credential(t.Context(), adas.Grant.Identity)
	if err != nil || bytes.Contains(credential.Sealed, []byte("CANARY")) {
		t.Fatalf("%q, %v", credential.Sealed, err)
	}
	v := &visit{Checker: w.checker}
	if u, err := v.open(credential); err != nil || u.RefreshToken != "CANARY-ada" {
		t.Errorf("%+v, %v", u, err)
	}
	credential.Identity = bens.Grant.Identity
	if u, err := v.open(credential); err == nil {
		t.Errorf("opened for another: %+v", u)
	}
	for _, err := range []error{&connectors.Error{Kind: connectors.Transient, Unspent: true}, errors.New("unclassified"), &connectors.Error{Kind: connectors.Gone}} {
		w.up.fail(err)
		grant := w.signIn("cem")
		w.clock.Advance(2 * grace)
		_ = w.refresh(grant) // the first silence is bridged
		w.clock.Advance(2 * grace)
		if w.refresh(grant) == nil {
			t.Errorf("%v: refreshed", err)
		}
	}
	if s := w.log.String(); strings.Contains(s, "CANARY") || !strings.Contains(s, "no longer vouches") {
		t.Errorf("log: %s", s)
	}
}
