package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// publishOtherKey lets the vendor publish another key under the name of the one
// that signs, as a provider has done that was set up anew since.
func publishOtherKey(t *testing.T, b *connectortest.Bench) {
	t.Helper()
	resp, err := http.Get(b.URL + "/jwks")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var set struct{ Keys []struct{ Kid string } }
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("got %+v, %v", set, err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := other.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	x, y := base64.RawURLEncoding.EncodeToString(point[1:33]), base64.RawURLEncoding.EncodeToString(point[33:])
	b.Vendor.Replace("/jwks", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"keys":[{"kty":"EC","crv":"P-256","kid":%q,"x":%q,"y":%q}]}`, set.Keys[0].Kid, x, y)
	}))
	b.Vendor.Forget()
}

func keysFetched(t *testing.T, b *connectortest.Bench, want int) {
	t.Helper()
	if n := b.Vendor.Count("/jwks"); n != want {
		t.Errorf("the keys were fetched %d times, want %d", n, want)
	}
}

func TestAKeyOfTheSameNameMayBeANewOne(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	publishOtherKey(t, b)
	b.Refused(t, connectors.Broken)
	b.Vendor.Behave()
	b.Refused(t, connectors.Broken) // the fetch for the first token was the one of this minute
	keysFetched(t, b, 1)
	b.Clock.Advance(time.Minute)
	b.MustSignIn(t)
	keysFetched(t, b, 2)
	// A rotation is followed at once all the same.
	b.Vendor.RotateKeys()
	b.MustSignIn(t)
	keysFetched(t, b, 3)
}

func TestUP31WrongSignaturesCostOneFetch(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	b.MustSignIn(t)
	b.Vendor.Forget()
	b.Vendor.Misbehave(fake.ForeignKey)
	for range 20 {
		b.Refused(t, connectors.Broken)
	}
	keysFetched(t, b, 1)
	b.Vendor.Behave()
	b.MustSignIn(t)
	keysFetched(t, b, 1)
}

// A token that fails for its form costs nothing: no key has been looked at.
func TestUP31TokensWithoutSignatureCostNoFetch(t *testing.T) {
	t.Parallel()
	for _, m := range []fake.Misbehaviour{fake.EmptySignature, fake.AlgNone, fake.HMACWithPublicKey} {
		b := subject().Open(t, nil)
		b.MustSignIn(t)
		b.Vendor.Forget()
		b.Vendor.Misbehave(m)
		b.Refused(t, connectors.Broken)
		keysFetched(t, b, 0)
	}
}
