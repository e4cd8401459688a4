package logo

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a shelf, a clock, and a site that counts how often it is asked.
type bench struct {
	shelf
	now     time.Time
	logo    []byte
	fetches int
}

func newBench() *bench {
	return &bench{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), logo: []byte("logo")}
}

func (b *bench) ask(t *testing.T, id, address string) []byte {
	t.Helper()
	return b.find(t.Context(), id, address, func() time.Time { return b.now }, func(context.Context) []byte {
		b.fetches++
		return b.logo
	})
}

// expect asks for the logo of one client and compares.
func (b *bench) expect(t *testing.T, when, address, want string, fetches int) {
	t.Helper()
	if got := b.ask(t, "app", address); string(got) != want || b.fetches != fetches {
		t.Errorf("%s: %q after %d fetches, want %q after %d", when, got, b.fetches, want, fetches)
	}
}

func TestALogoIsFetchedOnceADay(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.expect(t, "the first time", "https://a.example/1", "logo", 1)
	b.now = b.now.Add(fresh - time.Second)
	b.expect(t, "within a day", "https://a.example/1", "logo", 1)
	b.now, b.logo = b.now.Add(time.Second), []byte("new")
	b.expect(t, "a day later", "https://a.example/1", "new", 2)
	b.now = b.now.Add(-2 * fresh)
	b.expect(t, "the clock was put back", "https://a.example/1", "new", 3)
	b.now, b.logo = b.now.Add(fresh), nil
	b.expect(t, "it has been taken down", "https://a.example/1", "", 4)
	if b.bytes != 0 {
		t.Errorf("%d bytes are left of it", b.bytes)
	}
}

// Nobody makes us ask a site all the time, neither by asking us nor by changing the
// address.
func TestTheCoolDownIsTheClients(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.logo = nil
	b.expect(t, "a failure", "https://a.example/1", "", 1)
	b.logo = []byte("logo")
	b.now = b.now.Add(cooldown - time.Second)
	b.expect(t, "within the cool-down", "https://a.example/1", "", 1)
	b.expect(t, "another address within it", "https://b.example/1", "", 1)
	b.now = b.now.Add(time.Second)
	b.expect(t, "after it", "https://a.example/1", "logo", 2)
	b.expect(t, "another address, for which the logo does not stand", "https://b.example/1", "", 2)
	b.expect(t, "back again", "https://a.example/1", "logo", 2)
	b.now = b.now.Add(cooldown)
	b.expect(t, "another address after the cool-down", "https://b.example/1", "logo", 3)
}

func TestTheShelfIsBoundedInEntries(t *testing.T) {
	t.Parallel()
	b := newBench()
	for i := range maxEntries {
		b.ask(t, fmt.Sprint("app", i), "https://a.example/")
		b.now = b.now.Add(time.Millisecond)
	}
	if b.ask(t, "late", "https://a.example/") != nil || b.fetches != maxEntries {
		t.Errorf("one more has room while every cool-down lasts: %d fetches", b.fetches)
	}
	b.now = b.now.Add(cooldown)
	if b.ask(t, "late", "https://a.example/") == nil || len(b.entries) != maxEntries {
		t.Errorf("no room after the cool-down, or too much: %d entries", len(b.entries))
	}
	if b.entries["app0"] != nil || b.entries["app1"] == nil {
		t.Error("it is not the oldest that was forgotten")
	}
	if want := maxEntries * len(b.logo); b.bytes != want {
		t.Errorf("%d bytes, want %d", b.bytes, want)
	}
}

func TestTheShelfIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.logo = make([]byte, maxBytes/4)
	for i := range 5 {
		b.ask(t, fmt.Sprint("app", i), "https://a.example/")
		b.now = b.now.Add(time.Second)
	}
	if b.bytes != maxBytes {
		t.Errorf("%d bytes, want %d", b.bytes, maxBytes)
	}
	if b.ask(t, "app0", "https://a.example/") != nil || b.fetches != 5 {
		t.Errorf("one that lost its room is fetched again within its cool-down: %d fetches", b.fetches)
	}
	if b.ask(t, "app1", "https://a.example/") == nil || b.fetches != 5 {
		t.Error("one that had room is gone")
	}
	b.now = b.now.Add(cooldown)
	if b.ask(t, "app0", "https://a.example/") == nil || b.fetches != 6 || b.bytes != maxBytes {
		t.Errorf("not fetched again after it: %d fetches, %d bytes", b.fetches, b.bytes)
	}
}

func TestRequestsForOneLogoShareAFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s shelf
		var fetches atomic.Int32
		finish := make(chan struct{})
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				got := s.find(t.Context(), "app", "https://a.example/", time.Now, func(context.Context) []byte {
					fetches.Add(1)
					<-finish
					return []byte("logo")
				})
				if !bytes.Equal(got, []byte("logo")) {
					t.Errorf("%q", got)
				}
			})
		}
		synctest.Wait() // one fetches, 31 wait
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if got := s.find(ctx, "app", "https://a.example/", time.Now, func(context.Context) []byte { t.Error("a second fetch"); return nil }); got != nil {
			t.Errorf("who has hung up gets %q", got)
		}
		close(finish)
		wg.Wait()
		if n := fetches.Load(); n != 1 {
			t.Errorf("%d fetches", n)
		}
	})
}

func TestTheFetchOutlivesItsCallerAndAPanic(t *testing.T) {
	t.Parallel()
	b := newBench()
	clock := func() time.Time { return b.now }
	ctx, leave := context.WithCancel(t.Context())
	if got := b.find(ctx, "app", "https://a.example/", clock, func(ctx context.Context) []byte {
		leave()
		if ctx.Err() != nil {
			return nil
		}
		return b.logo
	}); got == nil {
		t.Error("the fetch ended with the request that began it")
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is not heard of")
			}
		}()
		b.find(t.Context(), "bad", "https://a.example/", clock, func(context.Context) []byte { panic("a decoder") })
	}()
	if got := b.ask(t, "bad", "https://a.example/"); got != nil || b.fetching != 0 {
		t.Errorf("after a panic: %q, %d fetching", got, b.fetching)
	}
}

// Slow sites take up some of our connections, and nobody waits for them who did not
// ask for their logos.
func TestFetchesAtOneTimeAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s shelf
		finish := make(chan struct{})
		var wg sync.WaitGroup
		for i := range maxFetching {
			wg.Go(func() {
				s.find(t.Context(), fmt.Sprint("slow", i), "https://a.example/", time.Now, func(context.Context) []byte { <-finish; return nil })
			})
		}
		synctest.Wait()
		fetch := func(context.Context) []byte { return []byte("logo") }
		if s.find(t.Context(), "app", "https://b.example/", time.Now, fetch) != nil {
			t.Error("one more is fetched")
		}
		close(finish)
		wg.Wait()
		if s.find(t.Context(), "app", "https://b.example/", time.Now, fetch) == nil {
			t.Error("it is held against the client that there was no connection")
		}
	})
}
