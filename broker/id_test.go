package broker

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIDsSortByTheMomentTheyMayBeForgotten(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	var ids []string
	for i := range 300 {
		at := start.Add(time.Duration(i*i) * time.Second)
		id := NewID(at)
		if got, ok := IDForget(id); !ok || !got.Equal(at) {
			t.Fatalf("IDForget(%q) = %v, %v, want %v", id, got, ok, at)
		}
		if len(id) != IDLength {
			t.Fatalf("length %d, want %d", len(id), IDLength)
		}
		ids = append(ids, id)
	}
	if !slices.IsSorted(ids) {
		t.Error("IDs of later moments do not sort later")
	}
}

func TestIDForgetRefusesWhatNewIDDoesNotMake(t *testing.T) {
	t.Parallel()
	good := NewID(time.Unix(1795132800, 0))
	for name, id := range map[string]string{
		"empty":                  "",
		"shorter":                good[1:],
		"longer":                 good + "0",
		"lower case":             strings.ToLower(good),
		"a letter of no meaning": "Z" + good[1:],
		"bits left over":         good[:len(good)-1] + "V",
	} {
		if _, ok := IDForget(id); ok && id != good {
			t.Errorf("%s: accepted %q", name, id)
		}
	}
}

func TestExpiringKeyKeepsBothParts(t *testing.T) {
	t.Parallel()
	at, digest := time.Unix(1795132800, 0), DigestOf("a secret")
	key := NewExpiringKey(at, digest)
	if !key.Forget().Equal(at) || key.Digest() != digest {
		t.Errorf("got %v and %x", key.Forget(), key.Digest())
	}
	if before := NewExpiringKey(at.Add(-time.Second), DigestOf("other")); slices.Compare(before[:], key[:]) >= 0 {
		t.Error("an earlier key does not sort earlier")
	}
}

func TestTheZeroDigestEqualsNothing(t *testing.T) {
	t.Parallel()
	if (Digest{}).Equal(Digest{}) {
		t.Error("an unset digest would admit an unset one")
	}
	if d := DigestOf("x"); !d.Equal(DigestOf("x")) || d.Equal(DigestOf("y")) {
		t.Error("digests do not compare")
	}
}

// UP-05: no choice of names makes two identities one.
func TestIdentityKeysNeverCollide(t *testing.T) {
	t.Parallel()
	keys := []IdentityKey{
		{"a", "i", "b:c"}, {"a:b", "i", "c"}, {"a", "i:b", "c"}, {"ai", "", "b:c"}, {"a", "ib", ":c"},
		{"a", "i", "b\x00c"}, {"a", "i", "b/c"}, {"a", "i", "b|c"}, {"a", "i", ""}, {"a", "", "i"}, {"", "a", "i"},
		{"a", "i", "é"}, {"a", "i", "e\u0301"}, {"a", "i", strings.Repeat("x", 127)}, {"a", "i", strings.Repeat("x", 128)},
		{"a", "i", "\x01x"}, {"a", "i\x01", "x"}, {"okta1", "https://o.example", "123"}, {"okta2", "https://o.example", "123"},
		{"okta1", "https://o.example/", "123"},
	}
	seen := map[Digest]IdentityKey{}
	accounts := map[string]IdentityKey{}
	for _, k := range keys {
		if other, ok := seen[k.Digest()]; ok {
			t.Errorf("%q and %q are one identity", k, other)
		}
		if other, ok := accounts[k.ProposedAccountID()]; ok {
			t.Errorf("%q and %q propose one account", k, other)
		}
		seen[k.Digest()], accounts[k.ProposedAccountID()] = k, k
	}
}
