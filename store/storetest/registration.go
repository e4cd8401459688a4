package storetest

import (
	"crypto/rand"
	"reflect"
	"testing"
	"time"

	"gatehouse/broker"
)

// unused is how long a registered client may stay unused.
const unused = 30 * 24 * time.Hour

// registrations are the rules about clients that register themselves (RFC 7591, RFC 7592).
func registrations() []rule {
	return []rule{
		{"a registration is read back as it was stored, in one commit", registered},
		{"an ID that is there is not registered again", registeredTwice},
		{"a registration that cannot be kept is refused", notRegistered},
		{"an unknown client is not found", unknownRegistration},
		{"a quota is used up, and says so", quotaExhausted},
		{"an initial access token has a quota of its own", quotaOwn},
		{"a client that goes gives nothing of the quota back", quotaKept},
		{"what has expired is not found, swept or not", registrationExpired},
		{"a client that never expires is found in a hundred years", registrationLasting},
	}
}

// registration is a client that signs with its secret.
func (f *fixture) registration() broker.Registration {
	return broker.Registration{
		ClientID: rand.Text(), Revision: 1, Metadata: []byte(`{"client_name":"Wiki"}`), MACSecret: []byte("secret " + rand.Text()),
		AccessToken: randomDigest(), CreatedAt: f.now, UsedAt: f.now, Unused: unused,
	}
}

func (f *fixture) register(r broker.Registration) broker.Registration {
	f.t.Helper()
	must(f.t, "Register", f.Register(f.t.Context(), r, nil, f.event()))
	f.clients = append(f.clients, r.ClientID)
	return r
}

// registrationIs reads a registration that must be there.
func (f *fixture) registrationIs(t *testing.T, wanted broker.Registration) {
	t.Helper()
	got, err := f.Registration(t.Context(), wanted.ClientID, f.now)
	if err != nil || !sameRegistration(got, wanted) {
		t.Errorf("registration %+v, error %v, want %+v", got, err, wanted)
	}
}

func sameRegistration(a, b broker.Registration) bool {
	if !a.CreatedAt.Equal(b.CreatedAt) || !a.UsedAt.Equal(b.UsedAt) {
		return false
	}
	a.CreatedAt, a.UsedAt = b.CreatedAt, b.UsedAt // the same moment may come in another zone
	return reflect.DeepEqual(a, b)
}

// noRegistration checks that a client is gone for everybody who asks now.
func (f *fixture) noRegistration(t *testing.T, what, clientID string) {
	t.Helper()
	next := f.registration()
	next.ClientID, next.Revision = clientID, 2
	f.unchanged(t, func() {
		_, err := f.Registration(t.Context(), clientID, f.now)
		want(t, what+": reading", err, broker.ErrNotFound)
		want(t, what+": replacing", f.ReplaceRegistration(t.Context(), next, f.event()), broker.ErrNotFound)
		want(t, what+": using", f.UseRegistration(t.Context(), clientID, f.now, unused), broker.ErrNotFound)
		want(t, what+": deleting", f.Unregister(t.Context(), clientID, f.event()), broker.ErrNotFound)
	})
}

func (f *fixture) clientEvent(what broker.EventType, clientID string) broker.Event {
	return broker.Event{Type: what, At: f.now, RequestID: "req-1", Address: "192.0.2.1", ClientID: clientID}
}

func registered(t *testing.T, f *fixture) {
	signing, digested, public := f.registration(), f.registration(), f.registration()
	digested.MACSecret, digested.Secret = nil, "verifier of a secret"
	public.MACSecret, public.Metadata, public.Unused = nil, nil, 0
	for name, r := range map[string]broker.Registration{"client_secret_jwt": signing, "client_secret_basic": digested, "public": public} {
		given := r
		given.MACSecret = append([]byte(nil), r.MACSecret...)
		f.commitsOnce(t, func() {
			f.wrote(t, f.clientEvent(broker.EventClientRegistered, r.ClientID), func() { f.register(r) })
		})
		f.registrationIs(t, r)
		if len(r.MACSecret) > 0 && !reflect.DeepEqual(r, given) {
			t.Errorf("%s: the caller's record was changed", name)
		}
	}
	numbered := f.registration()
	numbered.Revision, numbered.UsedAt = 7, time.Time{} // the first revision is 1, and making a client is its first use
	f.register(numbered)
	numbered.Revision, numbered.UsedAt = 1, numbered.CreatedAt
	f.registrationIs(t, numbered)
}

func registeredTwice(t *testing.T, f *fixture) {
	there := f.register(f.registration())
	q := &broker.Quota{Token: randomDigest(), Limit: 1}
	for _, wait := range []time.Duration{0, unused} { // while it lives, and when it has expired
		f.pass(wait)
		again := f.registration()
		again.ClientID = there.ClientID
		f.unchanged(t, func() {
			want(t, "again", f.Register(t.Context(), again, q, f.event()), broker.ErrExists)
		})
	}
	must(t, "what the quota is still good for", f.Register(t.Context(), f.registration(), q, f.event()))
}

func notRegistered(t *testing.T, f *fixture) {
	for name, tc := range map[string]struct {
		spoil func(*broker.Registration)
		quota *broker.Quota
	}{
		"no client ID":          {func(r *broker.Registration) { r.ClientID = "" }, nil},
		"both kinds of secret":  {func(r *broker.Registration) { r.Secret = "verifier" }, nil},
		"a quota without token": {func(*broker.Registration) {}, &broker.Quota{Limit: 1}},
	} {
		r := f.registration()
		tc.spoil(&r)
		f.clients = append(f.clients, r.ClientID)
		f.unchanged(t, func() {
			if err := f.Register(t.Context(), r, tc.quota, f.event()); err == nil {
				t.Errorf("%s: registered", name)
			}
		})
	}
}

func unknownRegistration(t *testing.T, f *fixture) {
	there := f.register(f.registration())
	for _, id := range []string{"another", there.ClientID + " ", there.ClientID[1:]} {
		f.noRegistration(t, id, id)
	}
	f.registrationIs(t, there)
}

func quotaExhausted(t *testing.T, f *fixture) {
	q := broker.Quota{Token: randomDigest(), Limit: 3}
	for range 3 {
		r := f.registration()
		f.commitsOnce(t, func() { must(t, "within the quota", f.Register(t.Context(), r, &q, f.event())) })
		f.registrationIs(t, r)
	}
	for _, limit := range []uint64{3, 2, 0} {
		r := f.registration()
		f.clients = append(f.clients, r.ClientID)
		q.Limit = limit
		f.unchanged(t, func() {
			want(t, "beyond it", f.Register(t.Context(), r, &q, f.event()), broker.ErrExhausted)
		})
	}
	q.Limit = 4
	must(t, "a quota that was raised", f.Register(t.Context(), f.registration(), &q, f.event()))
	want(t, "beyond that", f.Register(t.Context(), f.registration(), &q, f.event()), broker.ErrExhausted)
}

func quotaOwn(t *testing.T, f *fixture) {
	for range 3 {
		q := &broker.Quota{Token: randomDigest(), Limit: 1}
		must(t, "the first", f.Register(t.Context(), f.registration(), q, f.event()))
		want(t, "the second", f.Register(t.Context(), f.registration(), q, f.event()), broker.ErrExhausted)
		f.register(f.registration()) // without a quota there is no end
	}
}

func quotaKept(t *testing.T, f *fixture) {
	q := &broker.Quota{Token: randomDigest(), Limit: 2}
	first, second := f.registration(), f.registration()
	must(t, "the first", f.Register(t.Context(), first, q, f.event()))
	must(t, "Unregister", f.Unregister(t.Context(), first.ClientID, f.event()))
	must(t, "the second", f.Register(t.Context(), second, q, f.event()))
	f.pass(2 * unused)
	f.sweep()
	want(t, "the third", f.Register(t.Context(), f.registration(), q, f.event()), broker.ErrExhausted)
}

func registrationExpired(t *testing.T, f *fixture) {
	r := f.register(f.registration())
	f.pass(unused - 1)
	f.registrationIs(t, r)
	f.pass(1)
	f.noRegistration(t, "expired", r.ClientID)
	f.sweep()
	f.noRegistration(t, "swept", r.ClientID)
}

func registrationLasting(t *testing.T, f *fixture) {
	r := f.registration()
	r.Unused = 0
	f.register(r)
	f.pass(100 * 365 * 24 * time.Hour)
	f.sweep()
	f.registrationIs(t, r)
}
