package clientkeys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"gatehouse/broker"
	"gatehouse/broker/jose"
)

// forEncryption is a JWK set with a key of that name to encrypt to.
func forEncryption(t testing.TB, kid string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(gojose.JSONWebKeySet{Keys: []gojose.JSONWebKey{{KeyID: kid, Use: "enc", Key: key.Public()}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func owner() Owner { return Owner{ID: "app", JWKSURI: "https://app.example/jwks"} }

// OpenID Connect Core §10.2.1: a client that replaces its key has what is for it encrypted to the new one before long,
// without telling us, and a failure of its site costs nobody anything.
func TestARotatedKeyToEncryptToIsPickedUp(t *testing.T) {
	t.Parallel()
	c, s, now, _ := world(t)
	s.set(forEncryption(t, "old"), nil)
	recipient := func() (string, error) {
		to, err := c.Recipient(t.Context(), owner(), jose.ECDHES)
		return to.ID, err
	}
	for range 10 {
		if kid, err := recipient(); kid != "old" || err != nil {
			t.Fatal(kid, err)
		}
	}
	s.set(forEncryption(t, "new"), nil)
	*now = now.Add(fresh - time.Second)
	if kid, err := recipient(); kid != "old" || err != nil || s.fetches.Load() != 1 {
		t.Errorf("%s, %v after %d fetches", kid, err, s.fetches.Load())
	}
	*now = now.Add(time.Second)
	if kid, err := recipient(); kid != "new" || err != nil || s.fetches.Load() != 2 {
		t.Errorf("%s, %v after %d fetches", kid, err, s.fetches.Load())
	}
	s.set(nil, errors.New("down"))
	*now = now.Add(fresh)
	if kid, err := recipient(); kid != "new" || err != nil {
		t.Errorf("while the site is down: %s, %v", kid, err)
	}
	*now = now.Add(stale)
	if kid, err := recipient(); err == nil {
		t.Errorf("a key of yesterday: %s", kid)
	}
}

// A client that adds a key for encryption has it found as soon as it is needed, and one that has none is not asked all
// the time.
func TestAMissingKeyToEncryptToIsLookedForOncePerCooldown(t *testing.T) {
	t.Parallel()
	c, s, now, has := world(t, "sig")
	s.set([]byte(`{"keys":[]}`), nil)
	for range 5 {
		if _, err := c.Recipient(t.Context(), owner(), jose.ECDHES); !errors.Is(err, jose.ErrNoKey) || s.fetches.Load() != 1 {
			t.Fatalf("%v after %d fetches", err, s.fetches.Load())
		}
	}
	s.set(forEncryption(t, "enc"), nil)
	*now = now.Add(cooldown)
	if to, err := c.Recipient(t.Context(), owner(), jose.ECDHES); err != nil || to.ID != "enc" || s.fetches.Load() != 2 {
		t.Errorf("%+v, %v after %d fetches", to, err, s.fetches.Load())
	}
	if _, err := c.Recipient(t.Context(), owner(), jose.RSAOAEP256); !errors.Is(err, jose.ErrNoKey) {
		t.Errorf("a key of another kind: %v", err)
	}
	if has("enc") {
		t.Error("a key for encryption verifies")
	}
}

func TestRecipientsOfInlineKeys(t *testing.T) {
	t.Parallel()
	c := &Cache{Now: time.Now}
	client := &broker.Client{ID: "app", JWKS: forEncryption(t, "enc")}
	if to, err := c.Recipient(t.Context(), OwnerOf(client), jose.ECDHES); err != nil || to.ID != "enc" {
		t.Errorf("%+v, %v", to, err)
	}
	client.JWKS = forEncryption(t, "next")
	if to, err := c.Recipient(t.Context(), OwnerOf(client), jose.ECDHES); err != nil || to.ID != "next" {
		t.Errorf("after its metadata have changed: %+v, %v", to, err)
	}
	for _, none := range [][]byte{nil, []byte("{}"), document(t)} {
		if _, err := c.Recipient(t.Context(), Owner{ID: "app", JWKS: none}, jose.ECDHES); err == nil {
			t.Errorf("%q has a key", none)
		}
	}
}

// A panic on the way is a failure like any other: nobody waits forever, and the last good keys stay.
func TestAPanicLeavesTheLastGoodKeys(t *testing.T) {
	t.Parallel()
	c, s, now, has := world(t, "a")
	if !has("a") {
		t.Fatal("not found")
	}
	good := c.Fetch
	c.Fetch = func(context.Context, string, ...string) ([]byte, error) { panic("a mistake") }
	*now = now.Add(fresh)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is swallowed")
			}
		}()
		has("a")
	}()
	if !has("a") {
		t.Error("the last good keys are gone")
	}
	c.Fetch = good
	s.set(document(t, "b"), nil)
	*now = now.Add(cooldown)
	if !has("b") {
		t.Error("nothing is fetched any more")
	}
}
