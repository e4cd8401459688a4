package mint

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
)

// RFC 8628 §5.2: a device code cannot be guessed, and has one spelling.
func TestParseDeviceCodeTakesOneSpelling(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	forget := moment().Add(20 * time.Minute)
	code, key, err := m.NewDeviceCode(forget)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.ParseDeviceCode(code)
	if err != nil || got != key || !got.Forget().Equal(forget) || got.Digest() != broker.DigestOf(code) {
		t.Errorf("device code %q: %v, %v", code, got, err)
	}
	for how, other := range respelt(code) {
		if got, err := m.ParseDeviceCode(other); !errors.Is(err, ErrMalformed) || got != (broker.ExpiringKey{}) {
			t.Errorf("device code %s: %v", how, err)
		}
	}
	seen := map[string]bool{}
	for range 2000 {
		code, _, err := m.NewDeviceCode(forget)
		if err != nil || seen[code] {
			t.Fatalf("%q was made twice, or %v", code, err)
		}
		seen[code] = true
	}
}

// What is one kind of code is not another, nor one of another broker.
func TestADeviceCodeIsNoOtherCode(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)
	other := fuzzMinter(t)
	id := broker.NewID(moment())
	device, _, err := m.NewDeviceCode(moment())
	if err != nil {
		t.Fatal(err)
	}
	code, _, err := m.NewCode(id)
	if err != nil {
		t.Fatal(err)
	}
	refresh, _, err := m.NewRefreshToken(id, 1)
	if err != nil {
		t.Fatal(err)
	}
	for what, value := range map[string]string{
		"an authorization code": code, "a refresh token": refresh,
		"an authorization code under our prefix": devicePrefix + strings.TrimPrefix(code, codePrefix),
		// The bytes of a device code's size, authenticated as those of an authorization code are.
		"what an authorization code's sum is of": encodeOpaque(devicePrefix, append(make([]byte, grantSize), m.codes.Sum(make([]byte, grantSize))...)),
	} {
		if _, err := m.ParseDeviceCode(value); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s as device code: %v", what, err)
		}
	}
	if _, _, err := m.ParseCode(codePrefix + strings.TrimPrefix(device, devicePrefix)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a device code as authorization code: %v", err)
	}
	if _, err := other.ParseDeviceCode(device); !errors.Is(err, ErrMalformed) {
		t.Errorf("another broker's: %v", err)
	}
	if _, err := m.ParseDeviceCode(device); err != nil {
		t.Errorf("our own: %v", err)
	}
}

// Whatever a client polls with, it is a code that we made, or none.
func FuzzParseDeviceCode(f *testing.F) {
	m := fuzzMinter(f)
	code, _, err := m.NewDeviceCode(moment())
	if err != nil {
		f.Fatal(err)
	}
	for _, other := range respelt(code) {
		f.Add(other)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if key, err := m.ParseDeviceCode(s); !errors.Is(err, ErrMalformed) || key != (broker.ExpiringKey{}) {
			t.Errorf("%q is taken for a device code", s) // the one that is has not been told to the fuzzer
		}
	})
}
