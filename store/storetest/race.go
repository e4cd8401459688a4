package storetest

import (
	"errors"
	"sync"
	"testing"

	"gatehouse/broker"
)

const racers = 32

// races let many goroutines do the same thing at the same moment.
func races() []rule {
	return []rule{
		{"TK-03 one of many redemptions of a code wins and the others revoke its grant", raceRedeem},
		{"TK-09 one of many rotations of a token wins and the others revoke the family", raceRotate},
		{"TK-09 with a window one more gets the same successor before the family is revoked", raceRetry},
		{"one of many sign-ins with a one-time key wins", raceLogin},
		{"one of many authorizations with a one-time key wins", raceAuthorize},
		{"one of many redemptions with a one-time proof wins", raceProof},
		{"many first sign-ins of one identity make one account", raceNewcomer},
		{"one of many replacements of the keys wins", raceKeys},
		{"one of many sign-outs wins", raceEnd},
		{"one of many revocations wins", raceRevoke},
		{"one of many withdrawals wins", raceWithdraw},
		{"many turning something off move its epoch once", raceSwitch},
		{"many disabling an account move its epoch once", raceDisable},
		{"many signing an account out everywhere move its epoch each", raceEndAccount},
		{"one of many gets the lease of a credential", raceLease},
		{"one of many takes over a lease that ran out where asking twice does no harm", raceTakeOver},
		{"none of many takes over any other", raceLost},
		{"one of many settlements of a lease wins", raceSettle},
		{"one of many definite noes wins", raceDeny},
		{"of many rotations with one settlement one settles, and all rotate", raceSettledRotations},
		{"a sign-in and a settlement leave the sign-in's credential", raceSignInSettle},
		{"one of many registrations of an ID wins", raceRegister},
		{"DR-01 one of many registrations with a token that is good for one wins", raceQuota},
		{"many registrations use up a quota and no more", raceQuotaSome},
		{"one of many replacements of a registration wins", raceReplaceRegistration},
		{"one of many deletions of a registration wins", raceUnregister},
		{"uses and replacements of a registration lose nothing of each other", raceUseRegistration},
		{"one of many device authorizations with a user code wins", raceStartDevice},
		{"DV-06 approvals and denials of one device make one decision", raceDecideDevice},
		{"DV-04 one of many polls of an approved device wins and the others revoke nothing", raceRedeemDevice},
	}
}

// racing are the errors that racers lose with.
var racing = []error{
	broker.ErrNotFound, broker.ErrConflict, broker.ErrOnceUsed, broker.ErrCodeReplayed, broker.ErrTokenReused, broker.ErrExists,
	broker.ErrExhausted,
}

// race runs the racers and counts their answers by error.
func race(t *testing.T, run func(n int) error) map[error]int {
	t.Helper()
	var (
		start, done sync.WaitGroup
		mu          sync.Mutex
		answers     = map[error]int{}
	)
	start.Add(1)
	for n := range racers {
		done.Go(func() {
			start.Wait()
			err := run(n)
			for _, known := range racing {
				if errors.Is(err, known) {
					err = known
				}
			}
			mu.Lock()
			defer mu.Unlock()
			answers[err]++
		})
	}
	start.Done()
	done.Wait()
	return answers
}

// oneWinner checks that one racer won and all others lost with the error.
func oneWinner(t *testing.T, lost error, run func(n int) error) {
	t.Helper()
	answers := race(t, run)
	if answers[nil] != 1 || answers[lost] != racers-1 {
		t.Errorf("answers %v, want one winner and %d times %v", answers, racers-1, lost)
	}
}

// eventsOf counts the events of a type.
func (f *fixture) eventsOf(what broker.EventType) int {
	n := 0
	for _, e := range f.allEvents() {
		if e.Type == what {
			n++
		}
	}
	return n
}

func raceRedeem(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	oneWinner(t, broker.ErrCodeReplayed, func(int) error {
		_, err := f.RedeemCode(t.Context(), f.redemption(v.code, wiki), judge)
		return err
	})
	_, err := f.Grant(t.Context(), v.Grant.ID, f.now)
	want(t, "the grant", err, broker.ErrNotFound)
	if won, replays := f.eventsOf(broker.EventCodeRedeemed), f.eventsOf(broker.EventCodeReplayed); won != 1 || replays != 1 {
		t.Errorf("%d redemptions and %d replays recorded, want 1 and 1", won, replays)
	}
}

func raceRotate(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	answers := race(t, func(int) error {
		_, err := f.RotateRefreshToken(t.Context(), f.rotation(v, token), judge)
		return err
	})
	// The first to come after the winner revokes; whoever comes later finds no grant.
	if answers[nil] != 1 || answers[broker.ErrTokenReused] != 1 || answers[broker.ErrNotFound] != racers-2 {
		t.Errorf("answers %v, want one winner, one reuse and %d times nothing", answers, racers-2)
	}
	_, err := f.Grant(t.Context(), v.Grant.ID, f.now)
	want(t, "the grant", err, broker.ErrNotFound)
}

func raceRetry(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	outcomes := make([]broker.Outcome, racers)
	requests := make([]broker.Rotation, racers)
	answers := race(t, func(n int) (err error) {
		requests[n] = f.rotation(v, token)
		requests[n].Retry = window
		outcomes[n], err = f.RotateRefreshToken(t.Context(), requests[n], judge)
		if err != nil {
			outcomes[n] = broker.Outcome{}
		}
		return err
	})
	if answers[nil] != 2 || answers[broker.ErrTokenReused] != 1 || answers[broker.ErrNotFound] != racers-3 {
		t.Fatalf("answers %v, want a winner, a retry, a reuse and %d times nothing", answers, racers-3)
	}
	var winner, successor string
	for n, out := range outcomes {
		switch {
		case out.Successor != nil:
			successor = string(out.Successor)
		case out.Grant != nil:
			winner = string(requests[n].Successor)
		}
	}
	if winner == "" || winner != successor {
		t.Errorf("the retry got %q, want the winner's successor %q", successor, winner)
	}
}

func raceLogin(t *testing.T, f *fixture) {
	key := f.once()
	oneWinner(t, broker.ErrOnceUsed, func(int) error {
		l := f.login(f.person(google, "ada"), wiki, true)
		l.Once = []broker.Once{key}
		_, err := f.CompleteLogin(t.Context(), l, issue)
		return err
	})
	if n := f.eventsOf(broker.EventSignedIn); n != 1 {
		t.Errorf("%d sign-ins recorded", n)
	}
}

func raceAuthorize(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	key := f.once()
	oneWinner(t, broker.ErrOnceUsed, func(int) error {
		a := f.authorization(v, mail)
		a.Once = []broker.Once{key}
		_, err := f.CompleteAuthorization(t.Context(), a, issue)
		return err
	})
	if n := f.eventsOf(broker.EventAuthorized); n != 1 {
		t.Errorf("%d authorizations recorded", n)
	}
}

func raceProof(t *testing.T, f *fixture) {
	visits := make([]visit, racers)
	for n := range visits {
		visits[n] = f.signedIn("ada", wiki, true)
	}
	proof := f.once()
	oneWinner(t, broker.ErrOnceUsed, func(n int) error {
		r := f.redemption(visits[n].code, wiki)
		r.Once = []broker.Once{proof}
		_, err := f.RedeemCode(t.Context(), r, judge)
		return err
	})
}

func raceNewcomer(t *testing.T, f *fixture) {
	ids := make([]string, racers)
	answers := race(t, func(n int) error {
		out, err := f.CompleteLogin(t.Context(), f.login(f.person(google, "ada"), wiki, true), issue)
		if err == nil {
			ids[n] = out.Account.ID
		}
		return err
	})
	if answers[nil] != racers {
		t.Fatalf("answers %v", answers)
	}
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("accounts %q and %q for one identity", ids[0], id)
		}
	}
}

func raceKeys(t *testing.T, f *fixture) {
	version := f.keysAre(t)
	oneWinner(t, broker.ErrConflict, func(int) error {
		return f.ReplaceKeys(t.Context(), version, []broker.Key{f.key("a")}, f.event())
	})
	f.keysAre(t, f.key("a"))
}

func raceEnd(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	oneWinner(t, broker.ErrNotFound, func(int) error {
		_, err := f.EndSession(t.Context(), v.Session.ID, f.event())
		return err
	})
}

func raceRevoke(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	oneWinner(t, broker.ErrNotFound, func(int) error { return f.RevokeGrant(t.Context(), v.Grant.ID, f.event()) })
}

func raceWithdraw(t *testing.T, f *fixture) {
	v := f.consented("ada")
	oneWinner(t, broker.ErrNotFound, func(int) error {
		return f.WithdrawConsent(t.Context(), v.Account.ID, mail, f.event())
	})
}

func raceSwitch(t *testing.T, f *fixture) {
	answers := race(t, func(int) error { return f.SetSwitch(t.Context(), broker.ClientSwitch, wiki, true, f.event()) })
	if sw := f.switchOf(broker.ClientSwitch, wiki); answers[nil] != racers || sw.Epoch != 1 || !sw.Disabled {
		t.Errorf("answers %v, switch %+v", answers, sw)
	}
	if n := f.eventsOf(broker.EventClientDisabled); n != 1 {
		t.Errorf("%d events", n)
	}
}

func raceDisable(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	answers := race(t, func(int) error { return f.SetAccountDisabled(t.Context(), v.Account.ID, true, f.event()) })
	if a := f.accountOf(v.Account.ID); answers[nil] != racers || a.Epoch != 1 || !a.Disabled {
		t.Errorf("answers %v, account %+v", answers, a)
	}
}

func raceEndAccount(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	answers := race(t, func(int) error { return f.EndAccount(t.Context(), v.Account.ID, f.event()) })
	if a := f.accountOf(v.Account.ID); answers[nil] != racers || a.Epoch != racers {
		t.Errorf("answers %v, account %+v", answers, a)
	}
}
