package connectortest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

func outageRows() []row {
	return []row{
		{name: "an endpoint in trouble says nothing about the person", test: testOutages, recheck: true},
		{name: "a vendor that is gone says nothing about the person", test: testVendorGone, recheck: true},
		{name: "a refused client says nothing about the person", test: testRefusedClient, recheck: true, secret: true},
		{name: "a new refresh token outlives what goes wrong afterwards", test: testNewTokensOutlive, recheck: true},
	}
}

// silent checks that an error says nothing about the person.
func silent(t *testing.T, err error) *connectors.Error {
	t.Helper()
	var e *connectors.Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v", err)
	}
	if Definite(e.Kind) {
		t.Fatalf("the person is given up for %v", e)
	}
	if e.Hint == "" {
		t.Error("the error has no hint for the operator")
	}
	return e
}

// outages are the faults that no vendor has a meaning of its own for.
func outages() []fake.Fault {
	return []fake.Fault{
		fake.ServerError, fake.Unavailable, fake.TooManyRequests, fake.HTMLBody, fake.EmptyBody, fake.TruncatedBody,
		fake.HugeBody, fake.Slow, fake.Drip, fake.Cut, fake.Redirected,
	}
}

func testOutages(t *testing.T, s Subject) {
	for _, e := range s.Recheck.endpoints() {
		for _, f := range outages() {
			t.Run(fmt.Sprintf("%s: %s", e, f), func(t *testing.T) {
				t.Parallel()
				testOutage(t, s, e, f)
			})
		}
	}
}

func testOutage(t *testing.T, s Subject, at fake.Endpoint, f fake.Fault) {
	k := s.Keep(t, nil)
	stranger(t, k.Bench)
	_, up, err := k.Recheck(t) // documents are fetched anew
	if err != nil {
		t.Fatal(err)
	}
	k.Upstream = up
	k.later()
	k.Vendor.Misbehave(fake.At(at, f))
	ctx, cancel := context.WithCancel(t.Context())
	if f == fake.Slow || f == fake.Drip {
		ctx, cancel = context.WithTimeout(ctx, impatience)
	}
	defer cancel()
	_, up, err = k.RefreshContext(ctx, t, k.Person, k.Upstream)
	e := silent(t, err)
	refused := f == fake.Unavailable || f == fake.TooManyRequests
	_, refreshes := s.Recheck.Calls[fake.Refresh]
	switch {
	case refreshes && at != fake.Refresh && e.Unspent:
		t.Error("the refresh token was presented before this went wrong, and counts as untouched")
	case at == fake.Refresh && refused && !e.Unspent:
		t.Error("a refusal that leaves credentials as they are counts as having taken one")
	case at == fake.Refresh && !refused && e.Unspent && !k.Upstream.Reusable:
		t.Error("a credential that may have been taken counts as untouched")
	}
	k.Vendor.Behave()
	// With what there is now the person can be asked about again, unless the only
	// refresh token may be used up.
	if up.RefreshToken != "" {
		k.Upstream = up
	}
	if at == fake.Refresh && !refused && s.Recheck.Rotates && !k.Upstream.Reusable {
		return
	}
	k.later()
	if _, _, err := k.Recheck(t); err != nil {
		t.Errorf("after the trouble: %v", err)
	}
}

func testVendorGone(t *testing.T, s Subject) {
	k := s.Keep(t, nil)
	k.server.CloseClientConnections()
	k.server.Close()
	// A connection that was there when the server ended may have carried the request.
	_, _, err := k.Recheck(t)
	if e := silent(t, err); e.Kind != connectors.Transient {
		t.Errorf("got %v", e)
	}
	_, _, err = k.Recheck(t)
	if e := silent(t, err); e.Kind != connectors.Transient || !e.Unspent {
		t.Errorf("nobody was reached, and the credential counts as presented: %v", e)
	}
}

func testRefusedClient(t *testing.T, s Subject) {
	if _, refreshes := s.Recheck.Calls[fake.Refresh]; !refreshes {
		return // the client authenticates with nothing
	}
	k := s.Keep(t, nil)
	k.Vendor.UpdateClient(ClientID, func(c *fake.Client) { c.Secret = freshSecret })
	_, _, err := k.Recheck(t)
	if e := silent(t, err); e.Kind != connectors.Operator || !e.Unspent {
		t.Errorf("got %v, unspent %v", e, e.Unspent)
	}
	k.Vendor.UpdateClient(ClientID, func(c *fake.Client) { c.Secret = ClientSecret })
	if _, _, err := k.Recheck(t); err != nil {
		t.Errorf("with a good secret again: %v", err)
	}
}

func testNewTokensOutlive(t *testing.T, s Subject) {
	if s.Recheck.Rotate == nil && !s.Recheck.Rotates {
		return
	}
	for _, at := range s.Recheck.endpoints() {
		if at == fake.Refresh {
			continue
		}
		k := s.Keep(t, func(setup *Setup) {
			if s.Recheck.Rotate != nil {
				s.Recheck.Rotate(&setup.Vendor)
			}
		})
		k.Vendor.Misbehave(fake.At(at, fake.ServerError))
		_, up, err := k.Recheck(t)
		silent(t, err)
		if up.RefreshToken == "" || up.RefreshToken == k.Upstream.RefreshToken {
			t.Fatalf("%s failed after the refresh token was replaced, and the new one is lost", at)
		}
		k.Vendor.Behave()
		k.Upstream = up
		if _, _, err := k.Recheck(t); err != nil {
			t.Errorf("the new token is not good: %v", err)
		}
	}
}
