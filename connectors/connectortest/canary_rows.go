package connectortest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

func canaryRows() []row {
	return []row{
		{name: "LG no token, secret, key or code is in a log, an error or a report, whatever the vendor does", test: testCanary},
	}
}

// mischief is everything a fake can be told to do wrong that a connector may hear of.
func mischief(s Subject) []fake.Misbehaviour {
	out := slices.DeleteFunc(fake.Misbehaviours(), func(m fake.Misbehaviour) bool { return m == fake.WeakerACR })
	endpoints := map[fake.Endpoint]bool{fake.Discovery: s.OpenID != nil, fake.Keys: s.OpenID != nil, fake.Token: true}
	for e := range s.Calls {
		endpoints[e] = true
	}
	if s.Recheck != nil {
		for e := range s.Recheck.Calls {
			endpoints[e] = true
		}
	}
	for e, asked := range endpoints {
		for _, f := range fake.Faults() {
			if asked && f != fake.Slow && f != fake.Drip { // which say what Cut says, and take their time
				out = append(out, fake.At(e, f))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// testCanary goes through sign-ins and re-checks with each misbehaviour in turn, at
// the most talkative level of the log and with every failure of groups survived, so
// that it is logged.
func testCanary(t *testing.T, s Subject) {
	b := s.Open(t, func(setup *Setup) {
		setup.Common.ClientSecret = connectors.Secrets{expiredSecret, ClientSecret}
		setup.Common.OnGroupFailure = connectors.GroupFailures{Unavailable: connectors.NoGroups, Denied: connectors.NoGroups, Incomplete: connectors.KeepLast}
		setup.Vendor.Delay = time.Millisecond
		if s.GroupScopes != nil {
			setup.Common.Scopes = s.GroupScopes
		}
		if s.Recheck != nil {
			setup.Common.RecheckInterval = time.Hour
		}
	})
	stranger(t, b)
	failed := 0
	k := &Kept{Bench: b}
	for _, m := range mischief(s) {
		b.Clock.Advance(2 * time.Hour) // documents are fetched anew
		if s.Recheck != nil && k.Upstream.AccessToken == "" {
			k.signIn(t)
			b.Clock.Advance(2 * time.Hour)
		}
		b.Vendor.Misbehave(m)
		failed += b.provoke(t, k)
		b.Vendor.Behave()
		if secret, leaks := b.LeaksIn(b.Log.String()); leaks {
			t.Fatalf("%s: the log holds the secret %q", m, secret)
		}
		if t.Failed() {
			t.Fatalf("it was %s", m)
		}
		b.Log.Clear()
	}
	if failed < 20 {
		t.Errorf("the test is void: only %d failures were provoked", failed)
	}
}

// provoke goes through a sign-in and a re-check as far as they go, and returns how
// many of them failed. That nothing leaks is looked at on the way.
func (b *Bench) provoke(t *testing.T, k *Kept) (failed int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	l := NewLogin()
	if address, err := b.Connector.AuthorizationURL(ctx, l); err != nil {
		b.checkText(t, err)
		failed++
	} else if callback, ok := b.tryVisit(t, address); ok {
		id, up, err := b.IdentifyContext(ctx, t, callback, l)
		if err != nil {
			failed++
		}
		if secret, leaks := b.LeaksIn(fmt.Sprintf("%+v %+v", id, up.Report)); leaks {
			t.Errorf("the identity holds the secret %q", secret)
		}
	}
	if err := b.Connector.Check(ctx); err != nil {
		b.checkText(t, err)
	}
	if k.Upstream.AccessToken == "" {
		return failed
	}
	var err error
	if k.Person, k.Upstream, err = b.RefreshContext(ctx, t, k.Person, k.Upstream); err != nil {
		k.Upstream = connectors.Upstream{} // and another sign-in brings the next
		failed++
	}
	return failed
}

// tryVisit is Visit where the vendor may not send the browser back.
func (b *Bench) tryVisit(t *testing.T, address string) (callback map[string][]string, ok bool) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.browser.Do(req)
	if err != nil {
		return nil, false
	}
	resp.Body.Close()
	location, err := resp.Location()
	if err != nil || !strings.HasPrefix(location.String(), RedirectURI) {
		return nil, false
	}
	return location.Query(), true
}
