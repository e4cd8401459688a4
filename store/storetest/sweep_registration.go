package storetest

import (
	"testing"
	"time"

	"gatehouse/broker"
)

func sweepRegistration(t *testing.T, f *fixture) {
	r := f.register(f.registration())
	f.pass(unused - time.Second)
	f.sweep()
	f.registrationIs(t, r)
	f.pass(time.Second)
	f.commitsOnce(t, func() {
		if n := f.sweep(); n != 1 {
			t.Errorf("looked at %d records, want the one", n)
		}
	})
	f.now = r.CreatedAt // the clock was wrong: what was swept does not come back
	f.noRegistration(t, "swept", r.ClientID)
	if n := f.sweep(); n != 0 {
		t.Errorf("looked at %d records again", n)
	}
}

func sweepUsedRegistration(t *testing.T, f *fixture) {
	r := f.register(f.registration())
	for range 3 {
		f.pass(unused * 2 / 3)
		for range 5 {
			f.pass(time.Second)
			must(t, "UseRegistration", f.UseRegistration(t.Context(), r.ClientID, f.now, unused))
		}
		r.UsedAt = f.now
		if n := f.sweep(); n > 1 {
			t.Errorf("looked at %d records, want one at most", n)
		}
		f.registrationIs(t, r)
	}
	f.pass(unused)
	f.sweep()
	f.now = r.UsedAt
	f.noRegistration(t, "swept", r.ClientID)
}

func sweepProvenRegistration(t *testing.T, f *fixture) {
	short := func() broker.Registration {
		r := f.registration()
		r.Unused = time.Hour
		return f.register(r)
	}
	used, idle := short(), short()
	f.pass(time.Minute)
	must(t, "UseRegistration", f.UseRegistration(t.Context(), used.ClientID, f.now, unused))
	used.UsedAt, used.Unused = f.now, unused
	f.registrationIs(t, used)
	f.pass(time.Hour)
	f.sweep()
	f.registrationIs(t, used)
	f.now = idle.CreatedAt
	f.noRegistration(t, "never used", idle.ClientID)
	f.now = used.UsedAt.Add(unused)
	f.sweep()
	f.now = used.UsedAt
	f.noRegistration(t, "used once", used.ClientID)
}

func sweepReplacedRegistration(t *testing.T, f *fixture) {
	never := f.registration()
	never.Unused = 0
	bounded, unbounded := f.register(never), f.register(f.registration())
	replace := func(r broker.Registration, lasts time.Duration) broker.Registration {
		r.Revision, r.Unused = r.Revision+1, lasts
		must(t, "ReplaceRegistration", f.ReplaceRegistration(t.Context(), r, f.event()))
		return r
	}
	bounded, unbounded = replace(bounded, unused), replace(unbounded, 0)
	f.pass(unused)
	f.sweep()
	f.registrationIs(t, unbounded)
	f.unchanged(t, func() {
		if n := f.sweep(); n != 0 {
			t.Errorf("looked at %d records again", n)
		}
	})
	f.now = bounded.CreatedAt
	f.noRegistration(t, "bounded afterwards", bounded.ClientID)

	f.now = bounded.CreatedAt.Add(unused)
	again := replace(unbounded, 2*unused)
	f.now = again.UsedAt.Add(2 * unused)
	f.sweep()
	f.now = again.UsedAt
	f.noRegistration(t, "bounded again", again.ClientID)
}

func sweepRegistrations(t *testing.T, f *fixture) {
	for range 30 {
		f.register(f.registration())
	}
	f.pass(unused)
	for _, wanted := range []int{23, 16, 9, 2} {
		f.commitsOnce(t, func() {
			if n, err := f.Sweep(t.Context(), f.now, 7); n != 7 || err != nil {
				t.Errorf("looked at %d, error %v, want 7", n, err)
			}
		})
		left := 0
		for _, id := range f.clients {
			if _, err := f.Registration(t.Context(), id, f.now.Add(-time.Second)); err == nil {
				left++
			}
		}
		if left != wanted {
			t.Errorf("%d registrations are left, want %d", left, wanted)
		}
	}
}
