package connectors

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"
)

func newKept() *Kept[string, int] {
	at := time.Unix(1795132800, 0)
	return &Kept[string, int]{Now: func() time.Time { return at }}
}

func forAnHour(value int) (Fetched[int], error) {
	end := time.Unix(1795132800, 0).Add(time.Hour)
	return Fetched[int]{Value: value, Renew: end, Until: end}, nil
}

// Whoever came first may leave: the others get what they wait for.
func TestAFetchOutlivesWhoeverBeganIt(t *testing.T) {
	t.Parallel()
	k := newKept()
	first, leave := context.WithCancel(t.Context())
	begun, proceed := make(chan struct{}), make(chan struct{})
	fetch := func(ctx context.Context) (Fetched[int], error) {
		close(begun)
		select {
		case <-proceed:
			return forAnHour(7)
		case <-ctx.Done():
			return Fetched[int]{}, ctx.Err()
		}
	}
	left := make(chan error, 1)
	go func() {
		_, err := k.Get(first, "key", fetch)
		left <- err
	}()
	<-begun
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the first one got %v", err)
	}
	close(proceed)
	got, err := k.Get(t.Context(), "key", func(context.Context) (Fetched[int], error) { return forAnHour(8) })
	if err != nil || got != 7 {
		t.Errorf("the second one got %d (%v), want what the first had begun", got, err)
	}
}

func TestWhatIsKeptHasABound(t *testing.T) {
	t.Parallel()
	k := newKept()
	for i := range maxKept + 10 {
		if got, err := k.Get(t.Context(), strconv.Itoa(i), func(context.Context) (Fetched[int], error) { return forAnHour(i) }); err != nil || got != i {
			t.Fatalf("got %d (%v)", got, err)
		}
	}
	if n := len(k.entries); n > maxKept {
		t.Errorf("%d values are kept", n)
	}
}

func TestOnlyTheWrongValueIsForgotten(t *testing.T) {
	t.Parallel()
	k := newKept()
	get := func(fresh int) int {
		got, err := k.Get(t.Context(), "key", func(context.Context) (Fetched[int], error) { return forAnHour(fresh) })
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	get(1)
	k.Forget("key", func(v int) bool { return v == 2 })
	if got := get(3); got != 1 {
		t.Errorf("got %d: a value that somebody else has replaced already was forgotten", got)
	}
	k.Forget("key", func(v int) bool { return v == 1 })
	if got := get(3); got != 3 {
		t.Errorf("got %d", got)
	}
}

func TestAFailedFetchIsNotKept(t *testing.T) {
	t.Parallel()
	k := newKept()
	if _, err := k.Get(t.Context(), "key", func(context.Context) (Fetched[int], error) { return Fetched[int]{}, errors.New("down") }); err == nil {
		t.Error("a failure is a value")
	}
	if got, err := k.Get(t.Context(), "key", func(context.Context) (Fetched[int], error) { return forAnHour(1) }); err != nil || got != 1 {
		t.Errorf("got %d (%v)", got, err)
	}
}
