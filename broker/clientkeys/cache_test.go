package clientkeys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"gatehouse/broker"
	"gatehouse/broker/jose"
)

// document is a JWK set with a key of each name.
func document(t testing.TB, kids ...string) []byte {
	t.Helper()
	var set gojose.JSONWebKeySet
	for _, kid := range kids {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		set.Keys = append(set.Keys, gojose.JSONWebKey{KeyID: kid, Key: key.Public()})
	}
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// site is what is at a jwks_uri.
type site struct {
	mu       sync.Mutex
	document []byte
	err      error
	fetches  atomic.Int32
}

func (s *site) fetch(context.Context, string, ...string) ([]byte, error) {
	s.fetches.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.document, s.err
}

func (s *site) set(document []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.document, s.err = document, err
}

func world(t *testing.T, kids ...string) (*Cache, *site, *time.Time, func(kid string) bool) {
	t.Helper()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s := &site{document: document(t, kids...)}
	c := &Cache{Fetch: s.fetch, Now: func() time.Time { return now }}
	client := &broker.Client{ID: "app", JWKSURI: "https://app.example/jwks"}
	return c, s, &now, func(kid string) bool {
		keys, err := c.Source(OwnerOf(client)).Keys(t.Context(), kid, jose.ES256)
		return err == nil && len(keys) == 1 && keys[0].ID == kid
	}
}

func TestKeysAreFetchedOnceAndKept(t *testing.T) {
	t.Parallel()
	_, s, now, has := world(t, "a")
	for range 10 {
		if !has("a") {
			t.Fatal("not found")
		}
		*now = now.Add(20 * time.Second)
	}
	if n := s.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
	*now = now.Add(fresh)
	if !has("a") || s.fetches.Load() != 2 {
		t.Errorf("old keys are not fetched again: %d fetches", s.fetches.Load())
	}
	*now = now.Add(-time.Hour)
	if !has("a") || s.fetches.Load() != 3 {
		t.Errorf("keys of the future are not fetched again: %d fetches", s.fetches.Load())
	}
}

// OIDF oidcc-refresh-token-rp-key-rotation: a new key is found when it is used.
func TestAnUnknownKeyIsLookedForOncePerCooldown(t *testing.T) {
	t.Parallel()
	_, s, now, has := world(t, "a")
	if !has("a") {
		t.Fatal("not found")
	}
	s.set(document(t, "b"), nil)
	if has("b") || s.fetches.Load() != 1 {
		t.Errorf("asked again within the cool-down: %d fetches", s.fetches.Load())
	}
	*now = now.Add(cooldown)
	if !has("b") || s.fetches.Load() != 2 || has("a") {
		t.Errorf("a rotated key is not found: %d fetches", s.fetches.Load())
	}
	*now = now.Add(cooldown)
	for i := range 100 {
		if has(fmt.Sprint("made-up", i)) {
			t.Error("a made-up key was found")
		}
	}
	if n := s.fetches.Load(); n != 3 {
		t.Errorf("%d fetches for made-up keys", n)
	}
	if !has("b") {
		t.Error("the good key is lost")
	}
}

func TestAFailedFetchLeavesTheLastGoodKeys(t *testing.T) {
	t.Parallel()
	_, s, now, has := world(t, "a")
	if !has("a") {
		t.Fatal("not found")
	}
	for _, bad := range []struct {
		document []byte
		err      error
	}{{nil, errors.New("down")}, {[]byte("<html>"), nil}, {[]byte(`{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}`), nil}} {
		s.set(bad.document, bad.err)
		*now = now.Add(fresh)
		if !has("a") {
			t.Errorf("with %q, %v the last good keys are gone", bad.document, bad.err)
		}
	}
	*now = now.Add(stale)
	if has("a") {
		t.Error("keys of a day ago are believed")
	}
	s.set(document(t, "a"), nil)
	*now = now.Add(cooldown)
	if !has("a") {
		t.Error("not found again")
	}
}

func TestRequestsForOneAddressShareAFetch(t *testing.T) {
	t.Parallel()
	_, s, _, has := world(t, "a")
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if !has("a") {
				t.Error("not found")
			}
		})
	}
	wg.Wait()
	if n := s.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// I11: a stranger who makes a key up has the keys fetched, but nobody who uses a known
// one waits for that, and who waits may leave.
func TestNobodyWithAKnownKeyWaitsForAFetch(t *testing.T) {
	t.Parallel()
	c, s, now, has := world(t, "a")
	if !has("a") {
		t.Fatal("not found")
	}
	*now = now.Add(cooldown)
	started, finish := make(chan struct{}), make(chan struct{})
	c.Fetch = func(ctx context.Context, address string, types ...string) ([]byte, error) {
		close(started)
		<-finish
		return s.fetch(ctx, address, types...)
	}
	client := &broker.Client{ID: "app", JWKSURI: "https://app.example/jwks"}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(finish)
	wg.Go(func() {
		if has("made-up") {
			t.Error("a made-up key was found")
		}
	})
	<-started
	if !has("a") {
		t.Error("the known key is lost while another is looked for")
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := c.Source(OwnerOf(client)).Keys(ctx, "made-up", jose.ES256); !errors.Is(err, context.Canceled) {
		t.Errorf("who has hung up waits for a fetch: %v", err)
	}
}

// Whoever started a fetch may hang up: the others wait for it.
func TestTheFetchOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	c, s, _, has := world(t, "a")
	ctx, leave := context.WithCancel(t.Context())
	c.Fetch = func(ctx context.Context, address string, types ...string) ([]byte, error) {
		leave()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return s.fetch(ctx, address, types...)
	}
	client := &broker.Client{ID: "app", JWKSURI: "https://app.example/jwks"}
	if keys, err := c.Source(OwnerOf(client)).Keys(ctx, "a", jose.ES256); err != nil || len(keys) != 1 {
		t.Errorf("%v, %v", keys, err)
	}
	if !has("a") || s.fetches.Load() != 1 {
		t.Errorf("%d fetches", s.fetches.Load())
	}
}

func TestInlineKeys(t *testing.T) {
	t.Parallel()
	c := &Cache{Fetch: func(context.Context, string, ...string) ([]byte, error) {
		t.Error("fetched")
		return nil, nil
	}, Now: time.Now}
	client := &broker.Client{ID: "app", JWKS: document(t, "a")}
	find := func(kid string) int {
		keys, _ := c.Source(OwnerOf(client)).Keys(t.Context(), kid, jose.ES256)
		return len(keys)
	}
	if find("a") != 1 || find("b") != 0 {
		t.Error("inline keys")
	}
	client.JWKS = document(t, "b")
	if find("a") != 0 || find("b") != 1 {
		t.Error("replaced keys")
	}
	client.JWKS = nil
	if find("b") != 0 {
		t.Error("no keys")
	}
	client.JWKS = []byte("{}")
	if _, err := c.Source(OwnerOf(client)).Keys(t.Context(), "", jose.ES256); err == nil {
		t.Error("what is no key set has keys")
	}
}
