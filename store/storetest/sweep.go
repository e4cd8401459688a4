package storetest

import (
	"testing"
	"time"

	"gatehouse/broker"
)

// sweeps are the rules about forgetting. What the sweeper may remove is dead by its own times already; the tests see
// that it goes, and that what is still needed stays.
func sweeps() []rule {
	return []rule{
		{"a store with nothing due is left alone", sweepNothing},
		{"what is over goes, in commits of a bounded size", sweepBounded},
		{"a grant that was refreshed outlives its first end", sweepRefreshed},
		{"a session that was renewed outlives its first end", sweepRenewed},
		{"a tombstone stays until its time", sweepTombstone},
		{"a used one-time key is remembered until it expires", sweepOnce},
		{"accounts, identities, consents, switches and keys stay", sweepKeeps},
		{"what is made after a sweep with a later clock is swept too", sweepClock},
		{"a credential goes at its time and no earlier", sweepCredential},
		{"a credential that was prolonged outlives its first end", sweepProlonged},
		{"credentials go in commits of a bounded size", sweepCredentials},
		{"who comes back after a credential was swept gets a fresh one", sweepFresh},
		{"DV-08 a device goes at its time and no earlier, and its user code with it", sweepDevice},
		{"a user code that somebody else has by now stays when its first device goes", sweepUserCode},
		{"devices go in commits of a bounded size", sweepDevices},
		{"DR-05 a client that is not used goes at its time and no earlier", sweepRegistration},
		{"a client that is used outlives its first end", sweepUsedRegistration},
		{"a use can give a client longer than it had before the first", sweepProvenRegistration},
		{"a client whose time to be unused is changed goes by the new one", sweepReplacedRegistration},
		{"clients that are not used go in commits of a bounded size", sweepRegistrations},
		{"events go after the retention and no earlier", sweepEvents},
	}
}

// sweep sweeps until there is nothing more to do, and returns how many records were looked at.
func (f *fixture) sweep() int {
	f.t.Helper()
	total := 0
	for range 1000 {
		n, err := f.Sweep(f.t.Context(), f.now, 10)
		if err != nil {
			f.t.Fatalf("Sweep: %v", err)
		}
		if n > 10 {
			f.t.Fatalf("Sweep looked at %d, more than the limit", n)
		}
		total += n
		if n < 10 {
			return total
		}
	}
	f.t.Fatal("Sweep does not come to an end")
	return 0
}

func sweepNothing(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	f.unchanged(t, func() {
		if n := f.sweep(); n != 0 {
			t.Errorf("looked at %d records", n)
		}
		if n, err := f.Sweep(t.Context(), f.now.Add(time.Hour*24*365), 0); n != 0 || err != nil {
			t.Errorf("a sweep of nothing: %d, error %v", n, err)
		}
	})
	f.rotate(v, token)
}

func sweepBounded(t *testing.T, f *fixture) {
	var visits []visit
	for range 30 {
		visits = append(visits, f.signedIn("ada", wiki, false))
	}
	f.pass(codeLife + tokenLife - time.Second)
	f.sweep()
	for _, v := range visits {
		must(t, "before its end", f.grantOf(v.Grant.ID).GrantStanding())
	}
	f.pass(time.Second)
	f.commitsOnce(t, func() {
		if n, err := f.Sweep(t.Context(), f.now, 7); n != 7 || err != nil {
			t.Errorf("looked at %d, error %v, want 7", n, err)
		}
	})
	f.sweep()
	for _, v := range visits {
		_, err := f.Grant(t.Context(), v.Grant.ID, f.now)
		want(t, "a grant at its end", err, broker.ErrNotFound)
		_, err = f.RedeemCode(t.Context(), f.redemption(v.code, wiki), agree)
		want(t, "a code at its end", err, broker.ErrNotFound)
	}
	f.pass(sessionLife)
	f.sweep()
	for _, v := range visits {
		_, err := f.EndSession(t.Context(), v.Session.ID, f.event())
		want(t, "a session at its end", err, broker.ErrNotFound)
	}
	f.unchanged(t, func() {
		if n := f.sweep(); n != 0 {
			t.Errorf("looked at %d records again", n)
		}
	})
}

func sweepRefreshed(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	for range 3 {
		f.pass(refreshLife - time.Hour)
		f.sweep()
		token = f.rotate(v, token)
		if n := f.sweep(); n != 0 {
			t.Errorf("looked at %d records again", n)
		}
	}
	f.pass(refreshLife + tokenLife)
	f.sweep()
	_, err := f.Grant(t.Context(), v.Grant.ID, f.now)
	want(t, "the grant at its end", err, broker.ErrNotFound)
}

func sweepRenewed(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	f.pass(sessionIdle - time.Minute)
	l := f.login(f.person(google, "ada"), wiki, false)
	l.Presented = v.ref
	f.complete(l, issue)
	f.now = v.Session.Forget.Add(time.Minute) // the end in its identifier
	f.sweep()
	s, err := f.EndSession(t.Context(), v.Session.ID, f.event())
	must(t, "ending the renewed session", err)
	f.now = s.Forget
	f.sweep()
	f.unchanged(t, func() {
		if n := f.sweep(); n != 0 {
			t.Errorf("looked at %d records again", n)
		}
	})
}

func sweepTombstone(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	a := f.authorization(v, mail)
	a.Issue.Grant.ID = broker.NewID(v.Session.Forget)
	a.Issue.Grant.Forget = v.Session.Forget
	out := f.authorize(a)
	_, err := f.EndSession(t.Context(), v.Session.ID, f.event())
	must(t, "EndSession", err)
	f.now = v.Session.Forget.Add(-time.Second)
	f.sweep()
	want(t, "the grant", f.grantOf(out.Grant.ID).GrantStanding(), broker.ErrSessionEnded)
	_, err = f.EndSession(t.Context(), v.Session.ID, f.event())
	want(t, "the tombstone", err, broker.ErrNotFound)
	f.pass(time.Second)
	f.sweep()
	_, err = f.Grant(t.Context(), out.Grant.ID, f.now)
	want(t, "the grant at its end", err, broker.ErrNotFound)
}

func sweepOnce(t *testing.T, f *fixture) {
	l := f.login(f.person(google, "ada"), wiki, false)
	l.Once[0].Expires = f.now.Add(time.Minute + time.Millisecond)
	f.complete(l, issue)
	again := f.login(f.person(google, "ada"), wiki, false)
	again.Once = l.Once
	f.pass(time.Minute)
	f.sweep()
	_, err := f.CompleteLogin(t.Context(), again, issue)
	want(t, "before it expired", err, broker.ErrOnceUsed)
	f.pass(time.Second)
	f.sweep()
	_, err = f.CompleteLogin(t.Context(), again, issue)
	must(t, "when it was forgotten", err)
}

func sweepKeeps(t *testing.T, f *fixture) {
	v := f.consented("ada")
	must(t, "SetSwitch", f.SetSwitch(t.Context(), broker.ClientSwitch, wiki, true, f.event()))
	must(t, "ReplaceKeys", f.ReplaceKeys(t.Context(), f.keysAre(t), []broker.Key{f.key("a")}, f.event()))
	f.pass(100 * 365 * 24 * time.Hour)
	if f.sweep() == 0 {
		t.Error("nothing was swept after a hundred years")
	}
	f.accountOf(v.Account.ID)
	if _, linked, err := f.Account(t.Context(), v.Account.ID); err != nil || len(linked) != 1 {
		t.Errorf("identities %+v, error %v", linked, err)
	}
	_, err := f.Consent(t.Context(), v.Account.ID, mail)
	must(t, "Consent", err)
	if sw := f.switchOf(broker.ClientSwitch, wiki); !sw.Disabled {
		t.Error("a client was turned on by the sweeper")
	}
	set, _, err := f.Keys(t.Context())
	if err != nil || len(set) != 1 {
		t.Errorf("keys %+v, error %v", set, err)
	}
}

func sweepClock(t *testing.T, f *fixture) {
	f.signedIn("ada", wiki, false)
	for range 8 { // some of whose keys sort behind the next
		f.device(wiki)
	}
	f.pass(sessionLife * 2)
	f.sweep()
	f.pass(-sessionLife * 2) // the clock was wrong
	v, d := f.signedIn("ada", wiki, false), f.device(wiki)
	f.sweep()
	f.deviceIs(t, d)
	must(t, "before its end", f.grantOf(v.Grant.ID).GrantStanding())
	f.now = v.Grant.Forget
	f.sweep()
	_, err := f.Grant(t.Context(), v.Grant.ID, f.now)
	want(t, "the grant at its end", err, broker.ErrNotFound)
	f.now = d.Key.Forget()
	f.sweep()
	_, err = f.Device(t.Context(), d.Key, d.ClientID)
	want(t, "the device at its end", err, broker.ErrNotFound)
}

func sweepEvents(t *testing.T, f *fixture) {
	f.turns("a", "b")
	f.pass(time.Hour)
	f.turns("c")
	f.pass(24 * time.Hour)
	f.sweep()
	if n := len(f.allEvents()); n != 3 {
		t.Errorf("%d events after a day, want 3", n)
	}
	_, cursor, err := f.Events(t.Context(), "", 1)
	must(t, "Events", err)
	f.pass(100 * 365 * 24 * time.Hour)
	f.turns("d")
	f.sweep()
	page, _, err := f.Events(t.Context(), cursor, 10)
	if err != nil || len(page) != 1 || page[0].RequestID != "d" {
		t.Errorf("events %+v, error %v, want the one that is new", page, err)
	}
}
