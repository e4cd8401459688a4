package connectortest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

func documentRows() []row {
	return []row{
		{name: "documents are fetched once and refreshed hourly", test: testCaching, openID: true},
		{name: "people who come at once share one fetch", test: testSingleFlight, openID: true},
		{name: "keys may rotate at any time", test: testRotation, openID: true},
		{name: "a key that is published late is found after the cool-down", test: testLateKey, openID: true},
		{name: "UP-31 a flood of unknown key IDs costs one fetch", test: testFlood, openID: true},
		{name: "UP-30 a discovery document that must not be believed", test: testHostileDiscovery, openID: true},
		{name: "UP-30 endpoints that move between hosts", test: testMovedEndpoints, openID: true},
		{name: "UP-30 a failed refresh leaves the last good documents in use", test: testFailedRefresh, openID: true},
		{name: "JW-04 JW-08 a key set that must not be used", test: testHostileKeys, openID: true},
	}
}

func testCaching(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	for range 3 {
		b.MustSignIn(t)
	}
	b.fetched(t, 1, 1)
	b.Clock.Advance(61 * time.Minute)
	b.MustSignIn(t)
	b.fetched(t, 2, 2)
}

// fetched checks how often the documents have been asked for.
func (b *Bench) fetched(t *testing.T, discovery, keys int) {
	t.Helper()
	if d, k := b.Vendor.Calls(fake.Discovery), b.Vendor.Calls(fake.Keys); d != discovery || k != keys {
		t.Errorf("discovery was fetched %d times and the keys %d times, want %d and %d", d, k, discovery, keys)
	}
}

func testSingleFlight(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, _, err := b.SignIn(t); err != nil {
				t.Errorf("sign-in failed: %v", err)
			}
		})
	}
	group.Wait()
	b.fetched(t, 1, 1)
}

func testRotation(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	b.MustSignIn(t)
	b.Vendor.RotateKeys()
	b.MustSignIn(t)
	b.fetched(t, 1, 2)
}

func testLateKey(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	b.MustSignIn(t)
	b.Vendor.RotateKeysUnpublished()
	b.Refused(t, connectors.Broken)
	b.Vendor.PublishKeys()
	b.Refused(t, connectors.Broken)
	b.fetched(t, 1, 2)
	b.Clock.Advance(s.OpenID.Cooldown)
	b.MustSignIn(t)
	b.fetched(t, 1, 3)
}

func testFlood(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	b.MustSignIn(t)
	b.Vendor.Forget()
	b.Vendor.Misbehave(fake.UnknownKid)
	var group sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(s.OpenID.Flood))
	for range 8 {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				if _, _, err := b.SignIn(t); err == nil {
					t.Error("a token with an unknown key was accepted")
				}
			}
		})
	}
	group.Wait()
	b.fetched(t, 0, 1)
	b.Vendor.Behave()
	b.MustSignIn(t)
	b.fetched(t, 0, 1)
}

// stranger is a server nobody should ask.
func stranger(t *testing.T, b *Bench) {
	t.Helper()
	asked := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.Method + " " + r.URL.Path:
		default:
		}
	}))
	t.Cleanup(func() {
		server.Close()
		close(asked)
		for what := range asked {
			t.Errorf("another host was asked: %s", what)
		}
	})
	b.Vendor.SetElsewhere(server.URL)
}

func testHostileDiscovery(t *testing.T, s Subject) {
	for _, m := range []fake.Misbehaviour{
		fake.DiscoveryWrongIssuer, fake.DiscoveryIssuerSlash, fake.DiscoveryNoIssuer, fake.DiscoveryDuplicates,
	} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			b := s.Open(t, nil)
			b.Vendor.Misbehave(m)
			_, err := b.Connector.AuthorizationURL(t.Context(), NewLogin())
			KindOf(t, err, connectors.Broken)
			if n := len(b.Vendor.Requests()); n != 1 {
				t.Errorf("%d requests were sent, the document's own was to be the last", n)
			}
			b.Vendor.Behave()
			b.MustSignIn(t)
		})
	}
	t.Run("plain http for an endpoint of somebody else", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"} {
			b := s.Open(t, nil)
			b.Vendor.Edit(fake.Discovery, func(doc map[string]any) { doc[name] = "http://idp.elsewhere.example/" + name })
			_, err := b.Connector.AuthorizationURL(t.Context(), NewLogin())
			KindOf(t, err, connectors.Broken)
		}
	})
}

func testMovedEndpoints(t *testing.T, s Subject) {
	for _, m := range []fake.Misbehaviour{fake.DiscoveryMovedKeys, fake.DiscoveryMovedToken, fake.DiscoveryMovedAll} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			b := s.Open(t, nil)
			stranger(t, b)
			b.MustSignIn(t)
			b.Vendor.Misbehave(m)
			b.Clock.Advance(2 * time.Hour)
			b.MustSignIn(t)
			if !strings.Contains(b.Log.String(), "last good") {
				t.Errorf("nobody was told that the document was refused; the log: %s", b.Log)
			}
		})
	}
}

func testFailedRefresh(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	b.MustSignIn(t)
	b.Vendor.Misbehave(fake.At(fake.Discovery, fake.ServerError), fake.At(fake.Keys, fake.ServerError))
	b.Clock.Advance(2 * time.Hour)
	b.MustSignIn(t)
	if b.Connector.Check(t.Context()) == nil && !strings.Contains(b.Log.String(), "last good") {
		t.Error("nobody was told that the refresh failed")
	}
	b.Vendor.Behave()
	b.Clock.Advance(2 * time.Minute)
	b.Vendor.Forget()
	b.MustSignIn(t)
	b.fetched(t, 1, 1)
	// What could not be refreshed for two days is no longer believed.
	b.Vendor.Misbehave(fake.At(fake.Discovery, fake.ServerError), fake.At(fake.Keys, fake.ServerError))
	b.Clock.Advance(48 * time.Hour)
	_, err := b.Connector.AuthorizationURL(t.Context(), NewLogin())
	KindOf(t, err, connectors.Transient)
}

func testHostileKeys(t *testing.T, s Subject) {
	for _, m := range []fake.Misbehaviour{fake.KeysDuplicateKid, fake.KeysPrivateMembers, fake.KeysEmpty, fake.KeysSymmetric, fake.KeysForEncryption} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			b := s.Open(t, nil)
			b.Vendor.Misbehave(m)
			b.Refused(t, connectors.Broken)
		})
	}
}
