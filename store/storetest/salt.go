package storetest

import (
	"testing"
	"time"
)

// salts are the rules about random secrets of the installation.
func salts() []rule {
	return []rule{
		{"the salt of pairwise subjects is made once, in one commit", saltMade},
		{"many who ask first get one salt", raceSalt},
	}
}

func (f *fixture) salt(t *testing.T) string {
	t.Helper()
	salt, err := f.PairwiseSalt(t.Context())
	if err != nil || len(salt) != 32 {
		t.Errorf("salt of %d bytes, error %v", len(salt), err)
	}
	return string(salt)
}

func saltMade(t *testing.T, f *fixture) {
	var first string
	f.commitsOnce(t, func() { first = f.salt(t) })
	f.unchanged(t, func() {
		for range 3 {
			if f.salt(t) != first {
				t.Error("the salt changed")
			}
		}
	})
	f.pass(100 * 365 * 24 * time.Hour)
	f.sweep()
	if f.salt(t) != first {
		t.Error("the salt was swept")
	}
}

func raceSalt(t *testing.T, f *fixture) {
	salts := make([]string, racers)
	answers := race(t, func(n int) error {
		salt, err := f.PairwiseSalt(t.Context())
		salts[n] = string(salt)
		return err
	})
	if answers[nil] != racers {
		t.Errorf("answers %v", answers)
	}
	for _, salt := range salts {
		if salt != salts[0] || len(salt) != 32 {
			t.Errorf("salts %x and %x", salts[0], salt)
		}
	}
}
