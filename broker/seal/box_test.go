package seal_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gatehouse/broker/seal"
)

// secret returns a distinct secret of the least length for every n.
func secret(n byte) []byte { return bytes.Repeat([]byte{n}, seal.MinSecret) }

func ring(t testing.TB, secrets ...[]byte) *seal.Keyring {
	t.Helper()
	k, err := seal.New(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestBoxOpensWhatItSealed(t *testing.T) {
	t.Parallel()
	box := ring(t, secret(1)).Box("flow")
	for _, size := range []int{0, 1, 15, 16, 17, 3800, 1 << 17} {
		for _, aad := range [][]byte{nil, {}, []byte("cookie-name")} {
			plaintext := bytes.Repeat([]byte{'p'}, size)
			sealed := box.Seal(plaintext, aad)
			if len(sealed) != size+seal.Overhead {
				t.Fatalf("%d bytes sealed to %d", size, len(sealed))
			}
			if size > 15 && bytes.Contains(sealed, plaintext[:16]) {
				t.Fatal("the plaintext shows")
			}
			got, err := box.Open(sealed, aad)
			if err != nil || !bytes.Equal(got, plaintext) {
				t.Fatalf("Open = %d bytes, %v", len(got), err)
			}
			got, err = box.OpenString(box.SealString(plaintext, aad), aad)
			if err != nil || !bytes.Equal(got, plaintext) {
				t.Fatalf("OpenString = %d bytes, %v", len(got), err)
			}
		}
	}
}

func TestBoxTakesEmptyAndNilAssociatedDataForTheSame(t *testing.T) {
	t.Parallel()
	box := ring(t, secret(1)).Box("flow")
	if _, err := box.Open(box.Seal([]byte("x"), nil), []byte{}); err != nil {
		t.Error(err)
	}
}

func TestBoxSealsTheSameDifferentlyEachTime(t *testing.T) {
	t.Parallel()
	box := ring(t, secret(1)).Box("flow")
	seen := make(map[string]bool)
	for range 1000 {
		s := box.SealString([]byte("same"), nil)
		if seen[s] {
			t.Fatal("a nonce came twice")
		}
		seen[s] = true
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	k := ring(t, secret(1))
	box, aad := k.Box("flow"), []byte("place")
	sealed := box.Seal([]byte("content"), aad)
	later := append([]byte{2}, sealed[1:]...)
	for name, open := range map[string]func() ([]byte, error){
		"another purpose":                func() ([]byte, error) { return k.Box("session").Open(sealed, aad) },
		"a purpose that begins the same": func() ([]byte, error) { return k.Box("flow2").Open(sealed, aad) },
		"another place":                  func() ([]byte, error) { return box.Open(sealed, []byte("elsewhere")) },
		"no place":                       func() ([]byte, error) { return box.Open(sealed, nil) },
		"another key":                    func() ([]byte, error) { return ring(t, secret(2)).Box("flow").Open(sealed, aad) },
		"a derived key of the same text": func() ([]byte, error) { return seal.Derive(string(secret(1)), "flow").Open(sealed, aad) },
		"another version":                func() ([]byte, error) { return box.Open(later, aad) },
		"nothing":                        func() ([]byte, error) { return box.Open(nil, aad) },
		"an addition at the end":         func() ([]byte, error) { return box.Open(append(bytes.Clone(sealed), 0), aad) },
		"an addition in front":           func() ([]byte, error) { return box.Open(append([]byte{1}, sealed...), aad) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// One value, compared as such: a wrapped error would carry a reason.
			if got, err := open(); err != seal.ErrOpen || got != nil {
				t.Errorf("Open = %q, %v", got, err)
			}
		})
	}
}

func TestOpenRefusesEveryTruncationAndEveryFlippedBit(t *testing.T) {
	t.Parallel()
	box := ring(t, secret(1), secret(2)).Box("flow")
	sealed := box.Seal([]byte("content"), nil)
	for n := range sealed {
		if _, err := box.Open(sealed[:n], nil); err != seal.ErrOpen {
			t.Fatalf("first %d bytes: %v", n, err)
		}
		for bit := range 8 {
			flipped := bytes.Clone(sealed)
			flipped[n] ^= 1 << bit
			if _, err := box.Open(flipped, nil); err != seal.ErrOpen {
				t.Fatalf("byte %d bit %d: %v", n, bit, err)
			}
		}
	}
}

func TestOpenStringHasOneSpelling(t *testing.T) {
	t.Parallel()
	box := ring(t, secret(1)).Box("flow")
	good := box.SealString([]byte("ab"), nil) // 35 bytes: the last character carries two unused bits
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil || len(raw)%3 == 0 {
		t.Fatal("the sample has no trailing bits")
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, good[len(good)-1])
	for name, spelling := range map[string]string{
		"padded":                base64.URLEncoding.EncodeToString(raw),
		"non-zero trailing bit": good[:len(good)-1] + alphabet[last+1:last+2],
		"line break at the end": good + "\n",
		"line break within":     good[:7] + "\r\n" + good[7:],
		"space in front":        " " + good,
		"quoted":                `"` + good + `"`,
		"a dot at the end":      good + ".",
		"empty":                 "",
	} {
		if got, err := box.OpenString(spelling, nil); err != seal.ErrOpen {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := box.OpenString(good, nil); err != nil {
		t.Error(err)
	}
}

func TestRotationFirstSealsAllOpen(t *testing.T) {
	t.Parallel()
	before, after := ring(t, secret(1)), ring(t, secret(2), secret(1))
	old := before.Box("flow").SealString([]byte("old"), nil)
	fresh := after.Box("flow").SealString([]byte("new"), nil)
	if got, err := after.Box("flow").OpenString(old, nil); err != nil || string(got) != "old" {
		t.Errorf("sealed before the rotation: %q, %v", got, err)
	}
	if _, err := before.Box("flow").OpenString(fresh, nil); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("the first secret did not seal: %v", err)
	}
	if got, err := ring(t, secret(2)).Box("flow").OpenString(fresh, nil); err != nil || string(got) != "new" {
		t.Errorf("old secret removed: %q, %v", got, err)
	}
	if _, err := ring(t, secret(2)).Box("flow").OpenString(old, nil); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("sealed under a removed secret: %v", err)
	}
}

func TestDeriveOpensOnlyForTheHolderOfTheToken(t *testing.T) {
	t.Parallel()
	const token, successor = "dGhlIHNwZW50IHJlZnJlc2ggdG9rZW4", "the successor"
	sealed := seal.Derive(token, "successor").Seal([]byte(successor), []byte("grant-1"))
	if got, err := seal.Derive(token, "successor").Open(sealed, []byte("grant-1")); err != nil || string(got) != successor {
		t.Errorf("Open = %q, %v", got, err)
	}
	for name, box := range map[string]*seal.Box{
		"another token":   seal.Derive(token+"x", "successor"),
		"another purpose": seal.Derive(token, "another"),
		"a short token":   seal.Derive("short", "successor"),
		"no token":        seal.Derive("", "successor"),
	} {
		if _, err := box.Open(sealed, []byte("grant-1")); err != seal.ErrOpen {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeriveSealsNothingUnderAGuessableToken(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("sealed under a token of 15 bytes")
		}
	}()
	seal.Derive("0123456789abcde", "successor").Seal([]byte("x"), nil)
}

func TestBoxIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	box := ring(t, secret(1), secret(2)).Box("flow")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				want := fmt.Sprintf("%d/%d", g, i)
				if got, err := box.OpenString(box.SealString([]byte(want), nil), nil); err != nil || string(got) != want {
					t.Errorf("%q: %q, %v", want, got, err)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzOpenString(f *testing.F) {
	k := ring(f, secret(1), secret(2))
	box := k.Box("fuzz")
	good := box.SealString([]byte("content"), nil)
	f.Add(good)
	f.Add(good + "=")
	f.Add(good[:len(good)-1])
	f.Add(ring(f, secret(2)).Box("fuzz").SealString(nil, nil))
	f.Add("AQ")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		plaintext, err := box.OpenString(s, nil)
		if err != nil {
			if err != seal.ErrOpen || plaintext != nil {
				t.Fatalf("OpenString = %q, %v", plaintext, err)
			}
			return
		}
		// Without the key nothing but our own seeds opens, and each in one spelling.
		if string(plaintext) != "content" && len(plaintext) != 0 {
			t.Fatalf("forged: %q", plaintext)
		}
		raw, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil || base64.RawURLEncoding.EncodeToString(raw) != s {
			t.Fatalf("%q is not the canonical spelling", s)
		}
	})
}

func BenchmarkBox(b *testing.B) {
	box := ring(b, secret(1), secret(2)).Box("flow")
	plaintext, aad := make([]byte, 1024), []byte("__Host-gatehouse-flow-0123abcd")
	sealed, text := box.Seal(plaintext, aad), box.SealString(plaintext, aad)
	oldest := ring(b, secret(2)).Box("flow").Seal(plaintext, aad)
	run := func(name string, f func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(plaintext)))
			for b.Loop() {
				f()
			}
		})
	}
	run("Seal", func() { box.Seal(plaintext, aad) })
	run("SealString", func() { box.SealString(plaintext, aad) })
	run("Open", func() { _, _ = box.Open(sealed, aad) })
	run("OpenOldest", func() { _, _ = box.Open(oldest, aad) })
	run("OpenString", func() { _, _ = box.OpenString(text, aad) })
	run("OpenForeign", func() { _, _ = box.OpenString(strings.Repeat("A", 1024), aad) })
	run("Derive", func() { seal.Derive("dGhlIHNwZW50IHJlZnJlc2ggdG9rZW4", "successor") })
}
