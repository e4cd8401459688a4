package storetest

import (
	"fmt"
	"testing"

	"gatehouse/broker"
)

// Persist checks that what was answered is there after closing and opening again, and that nothing dead revives. open
// opens the store of a name; one name is one store, and it is closed before it is opened again.
func Persist(t *testing.T, open func(t *testing.T, name string) broker.Store) {
	name := t.TempDir()
	f := newFixture(t, open(t, name))
	reopen := func() {
		t.Helper()
		before := f.snapshot()
		must(t, "Close", f.Close())
		f.Store = open(t, name)
		if after := f.snapshot(); after != before {
			t.Fatalf("closing and opening changed something\nbefore:\n%s\nafter:\n%s", before, after)
		}
	}
	v, token := f.offline("ada")
	spent := f.rotate(v, token)
	token, spent = spent, token
	consented := f.consented("grace")
	unspent := f.signedIn("alan", wiki, true)
	ended := f.signedIn("ada", wiki, false)
	_, err := f.EndSession(t.Context(), ended.Session.ID, f.event())
	must(t, "EndSession", err)
	revoked := f.signedIn("ada", wiki, true)
	must(t, "RevokeGrant", f.RevokeGrant(t.Context(), revoked.Grant.ID, f.event()))
	must(t, "ReplaceKeys", f.ReplaceKeys(t.Context(), f.keysAre(t), []broker.Key{f.key("a"), f.key("b")}, f.event()))
	used := f.login(f.person(google, "ada"), wiki, false)
	f.complete(used, ask)
	reopen()

	_, err = f.RedeemCode(t.Context(), f.redemption(revoked.code, wiki), agree)
	want(t, "a revoked grant's code", err, broker.ErrNotFound)
	_, err = f.EndSession(t.Context(), ended.Session.ID, f.event())
	want(t, "an ended session", err, broker.ErrNotFound)
	used.Session, used.Issue = f.newSession(), f.issuance(false)
	_, err = f.CompleteLogin(t.Context(), used, issue)
	want(t, "a used one-time key", err, broker.ErrOnceUsed)
	token = f.rotate(v, token)
	f.redeem(unspent)
	must(t, "WithdrawConsent", f.WithdrawConsent(t.Context(), consented.Account.ID, mail, f.event()))
	must(t, "SetAccountDisabled", f.SetAccountDisabled(t.Context(), consented.Account.ID, true, f.event()))
	must(t, "SetSwitch", f.SetSwitch(t.Context(), broker.ClientSwitch, mail, true, f.event()))
	reopen()

	_, err = f.RedeemCode(t.Context(), f.redemption(unspent.code, wiki), agree)
	want(t, "a spent code", err, broker.ErrCodeReplayed)
	want(t, "a disabled client's grant", f.grantOf(consented.Grant.ID).GrantStanding(), broker.ErrClientDisabled)
	_, err = f.RotateRefreshToken(t.Context(), f.rotation(v, spent), agree)
	want(t, "a spent token", err, broker.ErrTokenReused)
	reopen()

	_, err = f.RotateRefreshToken(t.Context(), f.rotation(v, token), agree)
	want(t, "the token of a revoked family", err, broker.ErrNotFound)
	f.persistCredentials(t, reopen)
	f.persistDevices(t, reopen)
	f.persistRegistrations(t, reopen)
	f.persistSwept(t, reopen)
}

// persistCredentials closes in the middle of asking an upstream.
func (f *fixture) persistCredentials(t *testing.T, reopen func()) {
	t.Helper()
	v, lost := f.keeping("ada", f.handedOut(false)), f.keeping("alan", f.handedOut(false))
	reusable, denied := f.keeping("edith", f.handedOut(true)), f.keeping("rosa", f.handedOut(false))
	others := f.signedIn("rosa", wiki, false)
	held := f.lease(v)
	f.lease(lost)
	f.lease(reusable)
	f.settle(f.denied(f.keeping("rosa", f.handedOut(false))))
	reopen()

	f.noLease(t, "what another process had begun", f.leaseOf(held), broker.ErrConflict)
	f.settle(f.vouching(held))
	f.gone(t, denied)
	want(t, "a grant on who was denied", f.grantOf(others.Grant.ID).GrantStanding(), broker.ErrSuperseded)
	f.pass(leased)
	_, err := f.LeaseCredential(t.Context(), f.leaseOf(f.credentialOf(lost)))
	want(t, "a lease that ran out meanwhile", err, broker.ErrConflict)
	f.lease(reusable)
	reopen()

	f.noLease(t, "a spent credential", f.leaseOf(f.credentialOf(lost)), broker.ErrConflict)
	f.lease(v)
}

// persistDevices closes between every two steps of a device.
func (f *fixture) persistDevices(t *testing.T, reopen func()) {
	t.Helper()
	v := f.signedIn("ada", wiki, false)
	pending, approved, denied := f.device(wiki), f.device(wiki), f.device(wiki)
	reopen()

	s := f.deviceStart(wiki)
	s.Device.UserCode = pending.UserCode
	want(t, "a user code of before", f.StartDevice(t.Context(), s), broker.ErrExists)
	f.approve(v, approved, true)
	f.deny(v, denied)
	reopen()

	f.polled(t, "to be decided", pending, broker.ErrDevicePending)
	f.polled(t, "denied", denied, broker.ErrDeviceDenied)
	want(t, "another decision", f.DenyDevice(t.Context(), f.refusal(v, approved)), broker.ErrNotFound)
	f.redeemDevice(approved)
	reopen()

	f.polled(t, "redeemed", approved, broker.ErrNotFound)
}

// persistRegistrations closes while a quota is used up, and while clients wait to be forgotten.
func (f *fixture) persistRegistrations(t *testing.T, reopen func()) {
	t.Helper()
	q := &broker.Quota{Token: randomDigest(), Limit: 2}
	salt := f.salt(t)
	kept := f.register(f.registration())
	forgotten := f.registration()
	must(t, "within the quota", f.Register(t.Context(), forgotten, q, f.event()))
	reopen()

	f.registrationIs(t, kept)
	f.pass(unused / 2)
	must(t, "UseRegistration", f.UseRegistration(t.Context(), kept.ClientID, f.now, unused))
	must(t, "the rest of the quota", f.Register(t.Context(), f.registration(), q, f.event()))
	reopen()

	want(t, "a quota that was used up", f.Register(t.Context(), f.registration(), q, f.event()), broker.ErrExhausted)
	if f.salt(t) != salt {
		t.Error("the salt changed")
	}
	f.pass(unused / 2)
	f.sweep()
	reopen()

	f.noRegistration(t, "swept", forgotten.ClientID)
	kept.UsedAt = kept.UsedAt.Add(unused / 2)
	f.registrationIs(t, kept)
}

// persistSwept sweeps some, closes and goes on: the sweeper must find its way without what it had in memory.
func (f *fixture) persistSwept(t *testing.T, reopen func()) {
	t.Helper()
	v, token := f.offline("edith")
	for n := range 25 {
		f.signedIn(fmt.Sprint("person ", n), wiki, false)
	}
	f.pass(refreshLife / 2)
	f.rotate(v, token)
	if _, err := f.Sweep(t.Context(), f.now, 10); err != nil {
		t.Fatal(err)
	}
	reopen()
	f.sweep()
	f.grantOf(v.Grant.ID)
	reopen()
	f.pass(refreshLife * 2)
	f.sweep()
	_, err := f.Grant(t.Context(), v.Grant.ID, f.now)
	want(t, "a refreshed grant at its end", err, broker.ErrNotFound)
}
