package clientauth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

func bcryptOf(t testing.TB, secret string) string {
	t.Helper()
	b, err := bcrypt.GenerateFromPassword([]byte(secret), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// argonOf is the PHC string of a secret at the least cost there is.
func argonOf(secret string) string {
	salt := []byte("0123456789abcdef")
	sum := argon2.IDKey([]byte(secret), salt, 1, 8, 1, 32)
	return fmt.Sprintf("$argon2id$v=19$m=8,t=1,p=1$%s$%s", base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

func TestASecretMatchesItsStoredFormAlone(t *testing.T) {
	t.Parallel()
	s := NewSecrets()
	keyed, err := s.Digest("s3cret")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(keyed, "s3cret") {
		t.Error("CA-06: the stored form holds the secret")
	}
	for name, stored := range map[string]string{
		"keyed": keyed, "made by us": Hash("s3cret"), "bcrypt": bcryptOf(t, "s3cret"), "argon2id": argonOf("s3cret"),
		"bcrypt of another library": "$2y$" + bcryptOf(t, "s3cret")[4:], "bcrypt of a third": "$2b$" + bcryptOf(t, "s3cret")[4:],
	} {
		for _, wrong := range []string{"", "S3cret", "s3cret ", "s3cre", "s3crets", stored, "\x00"} {
			if s.Verify(t.Context(), stored, wrong) {
				t.Errorf("%s: %q matches", name, wrong)
			}
		}
		// The second time the slow ones come out of memory, and so do wrong ones.
		for range 2 {
			if !s.Verify(t.Context(), stored, "s3cret") {
				t.Errorf("%s: the secret does not match", name)
			}
			if s.Verify(t.Context(), stored, "wrong") {
				t.Errorf("%s: a wrong secret matches", name)
			}
		}
	}
	if NewSecrets().Verify(t.Context(), keyed, "s3cret") {
		t.Error("a keyed digest is good in another process")
	}
}

// CA-01: [V ConstantTimeCompare("","") == 1].
func TestAnEmptySecretNeverMatches(t *testing.T) {
	t.Parallel()
	s := NewSecrets()
	for name, stored := range map[string]string{"nothing": "", "keyed": s.keyed(""), "made by us": Hash(""), "bcrypt": bcryptOf(t, ""), "argon2id": argonOf("")} {
		if s.Verify(t.Context(), stored, "") {
			t.Errorf("%s: the empty secret matches", name)
		}
		if stored != "" && s.Verify(t.Context(), "", stored) {
			t.Errorf("%s: something matches nothing", name)
		}
	}
	if _, err := s.Digest(""); err == nil {
		t.Error("an empty secret was stored")
	}
}

// CA-06: bcrypt ignores what lies beyond 72 bytes.
func TestBcryptDoesNotMatchByTheBeginning(t *testing.T) {
	t.Parallel()
	s, long := NewSecrets(), strings.Repeat("a", 72)
	stored := bcryptOf(t, long)
	if s.Verify(t.Context(), stored, long+"b") {
		t.Error("73 bytes match by their first 72")
	}
	if !s.Verify(t.Context(), stored, long) {
		t.Error("72 bytes do not match")
	}
	if s.Verify(t.Context(), stored, long+"b") {
		t.Error("73 bytes match once the right ones are known")
	}
}

func TestDigestTakesHashesAndRefusesWhatItCannotVerify(t *testing.T) {
	t.Parallel()
	good := argonOf("x")
	salt, sum := strings.Split(good, "$")[4], strings.Split(good, "$")[5]
	argon := func(version, params, salt, sum string) string {
		return "$argon2id$v=" + version + "$" + params + "$" + salt + "$" + sum
	}
	least := func(n int) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	for _, row := range []struct {
		name, secret string
		kept, keyed  bool
	}{
		{"argon2id", good, true, false},
		{"the most that is accepted", argon("19", "m=262144,t=16,p=255", least(8), least(64)), true, false},
		{"the least that is accepted", argon("19", "m=8,t=1,p=1", least(8), least(16)), true, false},
		{"bcrypt", bcryptOf(t, "x"), true, false},
		{"a secret", "correct horse battery staple", false, true},
		{"a secret in the form of a keyed digest", "keyed:x", false, true},
		{"a secret in the form of ours", Hash("x"), false, true},
		{"argon2i", strings.Replace(good, "argon2id", "argon2i", 1), false, false},
		{"argon2d", strings.Replace(good, "argon2id", "argon2d", 1), false, false},
		{"an old version", argon("16", "m=8,t=1,p=1", salt, sum), false, false},
		{"no version", strings.Replace(good, "v=19$", "", 1), false, false},
		{"too much memory", argon("19", "m=262145,t=1,p=1", salt, sum), false, false},
		{"too many passes", argon("19", "m=8,t=17,p=1", salt, sum), false, false},
		{"no passes", argon("19", "m=8,t=0,p=1", salt, sum), false, false},
		{"no threads", argon("19", "m=8,t=1,p=0", salt, sum), false, false},
		{"too many threads", argon("19", "m=8,t=1,p=256", salt, sum), false, false},
		{"memory beyond 32 bits", argon("19", "m=4294967304,t=1,p=1", salt, sum), false, false},
		{"parameters with a tail", argon("19", "m=8,t=1,p=1,x=1", salt, sum), false, false},
		{"parameters with spaces", argon("19", "m= 8,t=1,p=1", salt, sum), false, false},
		{"parameters in another order", argon("19", "t=1,m=8,p=1", salt, sum), false, false},
		{"a short salt", argon("19", "m=8,t=1,p=1", least(7), sum), false, false},
		{"a short hash", argon("19", "m=8,t=1,p=1", salt, least(15)), false, false},
		{"a long hash", argon("19", "m=8,t=1,p=1", salt, least(65)), false, false},
		{"a salt that is not base64", argon("19", "m=8,t=1,p=1", "!"+salt[1:], sum), false, false},
		{"a hash that is not base64", argon("19", "m=8,t=1,p=1", salt, "!"+sum[1:]), false, false},
		{"a salt on two lines", argon("19", "m=8,t=1,p=1", salt[:4]+"\n"+salt[4:], sum), false, false},
		{"a part more", good + "$x", false, false},
		{"bcrypt cut short", bcryptOf(t, "x")[:40], false, false},
		{"bcrypt of a cost that takes minutes", "$2a$15" + bcryptOf(t, "x")[6:], false, false},
	} {
		stored, err := NewSecrets().Digest(row.secret)
		switch {
		case row.kept && (err != nil || stored != row.secret):
			t.Errorf("%s: %q, %v", row.name, stored, err)
		case row.keyed && (err != nil || !strings.HasPrefix(stored, keyedPrefix) || stored == row.secret):
			t.Errorf("%s: stored as %q, %v", row.name, stored, err)
		case !row.kept && !row.keyed && !errors.Is(err, ErrSecretForm):
			t.Errorf("%s: stored as %q, %v", row.name, stored, err)
		}
	}
}

// A slow hash is slow once: what was verified is remembered under a keyed digest,
// and nothing but that.
func TestASlowHashIsVerifiedOnce(t *testing.T) {
	t.Parallel()
	s := NewSecrets()
	stored := bcryptOf(t, "s3cret")
	if !s.Costly(stored) || s.Costly(Hash("x")) || s.Costly(s.keyed("x")) {
		t.Error("what is costly before")
	}
	if s.Verify(t.Context(), stored, "wrong") || !s.Costly(stored) {
		t.Error("a failure was remembered")
	}
	if !s.Verify(t.Context(), stored, "s3cret") || s.Costly(stored) {
		t.Error("a success was not remembered")
	}
	if digest, _ := s.matched(stored); digest != s.keyed("s3cret") {
		t.Errorf("remembered is %q", digest)
	}
	// With no slot left nothing slow can run: what still answers is memory.
	for range cap(s.slow) {
		s.slow <- struct{}{}
	}
	if !s.Verify(t.Context(), stored, "s3cret") || s.Verify(t.Context(), stored, "wrong") {
		t.Error("what is known was hashed again")
	}
	gone, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if s.Verify(gone, bcryptOf(t, "other"), "other") {
		t.Error("a caller that has gone was waited for")
	}
}

// What one request has verified the others that wait for a slot need not.
func TestRequestsThatWaitForAHashShareIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewSecrets()
		const stored = "$2a$14$no-hash-at-all" // hashing would not match
		for range cap(s.slow) {
			s.slow <- struct{}{}
		}
		results := make([]bool, 16)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() { results[i] = s.Verify(t.Context(), stored, "s3cret") })
		}
		synctest.Wait() // they all wait for a slot
		s.mu.Lock()
		s.verified[stored] = s.keyed("s3cret")
		s.mu.Unlock()
		for range cap(s.slow) {
			<-s.slow
		}
		wg.Wait()
		if slices.Contains(results, false) {
			t.Errorf("%v", results)
		}
	})
}

// Whatever an operator pastes, parsing it neither fails nor accepts what would
// cost more than the bounds, and there is one spelling of each hash.
func FuzzParseArgon(f *testing.F) {
	for _, seed := range []string{argonOf("x"), "x" + argonOf("x"), strings.Replace(argonOf("x"), "argon2id", "argon2i", 1), "$argon2id$v=19$m=262144,t=16,p=255$AAAAAAAAAAA$" + strings.Repeat("A", 86), "$argon2id$$$$", "$argon2id$v=19$m=1,t=1,p=1$$",
		argonOf("x") + "\n", "$argon2id$v=19$m=8,t=1,p=1 $AAAAAAAAAAA$" + strings.Repeat("A", 43)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseArgon(s)
		if err != nil {
			return
		}
		if a.memory > 256<<10 || a.time > 16 || a.time == 0 || a.threads == 0 || len(a.salt) < 8 || len(a.hash) < 16 || len(a.hash) > 64 {
			t.Fatalf("%q: %+v", s, a)
		}
		again := fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", a.memory, a.time, a.threads,
			base64.RawStdEncoding.EncodeToString(a.salt), base64.RawStdEncoding.EncodeToString(a.hash))
		if again != s {
			t.Fatalf("%q is another spelling of %q", s, again)
		}
	})
}
