package storetest

import (
	"testing"
	"time"

	"gatehouse/broker"
)

// registrationChanges are the rules about what becomes of a registration (RFC 7592 §2).
func registrationChanges() []rule {
	return []rule{
		{"a replacement takes the place of everything, in one commit", registrationReplaced},
		{"a replacement that is not of the current revision is a conflict", registrationConflict},
		{"a use that came meanwhile is not lost by a replacement", useNotLost},
		{"a use moves the end, and nothing else", registrationUsed},
		{"a use before the last one moves nothing", registrationUsedBack},
		{"a client that was deleted is gone in one commit, and its event says so", unregistered},
	}
}

func registrationReplaced(t *testing.T, f *fixture) {
	first, other := f.register(f.registration()), f.register(f.registration())
	f.pass(time.Hour)
	for revision := uint64(2); revision < 5; revision++ {
		next := f.registration()
		next.ClientID, next.CreatedAt, next.Revision, next.Unused = first.ClientID, first.CreatedAt, revision, time.Duration(revision)*unused
		next.Metadata = []byte(`{"client_name":"Another"}`)
		if revision == 3 {
			next.MACSecret, next.Secret = nil, "verifier of a secret"
		}
		f.commitsOnce(t, func() {
			f.wrote(t, f.clientEvent(broker.EventClientUpdated, first.ClientID), func() {
				must(t, "ReplaceRegistration", f.ReplaceRegistration(t.Context(), next, f.event()))
			})
		})
		f.registrationIs(t, next)
	}
	f.registrationIs(t, other)
}

func registrationConflict(t *testing.T, f *fixture) {
	r := f.register(f.registration())
	for _, revision := range []uint64{0, 1, 3, 1 << 63} {
		next := r
		next.Revision = revision
		f.unchanged(t, func() {
			want(t, "another revision", f.ReplaceRegistration(t.Context(), next, f.event()), broker.ErrConflict)
		})
	}
	next := r
	next.Revision, next.Secret = 2, "verifier" // beside the one it signs with
	f.unchanged(t, func() {
		if err := f.ReplaceRegistration(t.Context(), next, f.event()); err == nil {
			t.Error("both kinds of secret were kept")
		}
	})
	next.Secret = ""
	must(t, "the next revision", f.ReplaceRegistration(t.Context(), next, f.event()))
	f.unchanged(t, func() {
		want(t, "the same again", f.ReplaceRegistration(t.Context(), next, f.event()), broker.ErrConflict)
	})
}

func useNotLost(t *testing.T, f *fixture) {
	r := f.register(f.registration())
	next := r
	next.Revision = 2
	f.pass(time.Hour)
	must(t, "UseRegistration", f.UseRegistration(t.Context(), r.ClientID, f.now, unused))
	must(t, "ReplaceRegistration", f.ReplaceRegistration(t.Context(), next, f.event()))
	next.UsedAt = f.now
	f.registrationIs(t, next)
	next.Revision, next.UsedAt = 3, f.now.Add(time.Minute)
	must(t, "a replacement that is a use", f.ReplaceRegistration(t.Context(), next, f.event()))
	f.registrationIs(t, next)
}

func registrationUsed(t *testing.T, f *fixture) {
	r, other := f.register(f.registration()), f.register(f.registration())
	for range 3 {
		f.pass(unused - time.Second)
		r.UsedAt = f.now
		f.commitsOnce(t, func() {
			if events := f.newEvents(func() { must(t, "UseRegistration", f.UseRegistration(t.Context(), r.ClientID, f.now, unused)) }); len(events) != 0 {
				t.Errorf("events %+v", events)
			}
		})
		f.registrationIs(t, r)
	}
	f.noRegistration(t, "the one that was not used", other.ClientID)
	f.pass(unused)
	f.noRegistration(t, "not used any more", r.ClientID)
}

func registrationUsedBack(t *testing.T, f *fixture) {
	r := f.register(f.registration())
	f.unchanged(t, func() {
		for _, at := range []time.Time{f.now, f.now.Add(-time.Hour), {}} {
			must(t, "UseRegistration", f.UseRegistration(t.Context(), r.ClientID, at, unused))
		}
	})
	f.registrationIs(t, r)
}

func unregistered(t *testing.T, f *fixture) {
	r, other := f.register(f.registration()), f.register(f.registration())
	f.commitsOnce(t, func() {
		f.wrote(t, f.clientEvent(broker.EventClientUnregistered, r.ClientID), func() {
			must(t, "Unregister", f.Unregister(t.Context(), r.ClientID, f.event()))
		})
	})
	f.noRegistration(t, "deleted", r.ClientID)
	f.registrationIs(t, other)
	f.pass(unused)
	f.sweep()
	f.unchanged(t, func() {
		if n := f.sweep(); n != 0 {
			t.Errorf("looked at %d records again", n)
		}
	})
}
