package connectortest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

func faultRows() []row {
	return []row{
		{name: "an endpoint in trouble fails the sign-in, quickly and with its kind", test: testFaults},
		{name: "a vendor that is gone fails the sign-in and shows in the health", test: testGone},
		{name: "health recovers with the vendor", test: testHealth},
	}
}

// impatience is how long the person in these tests waits.
const impatience = 150 * time.Millisecond

func testFaults(t *testing.T, s Subject) {
	endpoints := slices.Sorted(maps.Keys(s.Calls))
	if s.OpenID != nil {
		endpoints = append(endpoints, fake.Discovery, fake.Keys)
	}
	for _, e := range endpoints {
		for _, f := range fake.Faults() {
			t.Run(fmt.Sprintf("%s: %s", e, f), func(t *testing.T) {
				t.Parallel()
				testFault(t, s, e, f)
			})
		}
	}
}

func testFault(t *testing.T, s Subject, e fake.Endpoint, f fake.Fault) {
	b := s.Open(t, nil)
	stranger(t, b)
	b.Vendor.Misbehave(fake.At(e, f))
	patience := time.NewTimer(5 * time.Second)
	defer patience.Stop()
	failure := b.attempt(t, f == fake.Slow || f == fake.Drip)
	select {
	case <-patience.C:
		t.Error("the failure took more than 5 s")
	default:
	}
	switch f {
	case fake.ServerError, fake.Unavailable, fake.TooManyRequests, fake.Slow, fake.Drip, fake.Cut:
		KindOf(t, failure, connectors.Transient)
	case fake.HTMLBody, fake.EmptyBody, fake.TruncatedBody, fake.HugeBody, fake.Redirected:
		KindOf(t, failure, connectors.Broken)
	}
	var err *connectors.Error
	if (f == fake.Unavailable || f == fake.TooManyRequests) && errors.As(failure, &err) && err.RetryAfter != 7*time.Second {
		t.Errorf("the vendor wants to be left alone for 7 s, got %v", err.RetryAfter)
	}
	b.Vendor.Behave()
	b.MustSignIn(t)
}

// attempt goes through a sign-in that has to fail somewhere.
func (b *Bench) attempt(t *testing.T, impatient bool) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	if impatient {
		ctx, cancel = context.WithTimeout(ctx, impatience)
	}
	defer cancel()
	l := NewLogin()
	address, err := b.Connector.AuthorizationURL(ctx, l)
	if err == nil {
		_, _, err = b.IdentifyContext(ctx, t, b.Visit(t, address), l)
	}
	if err == nil {
		t.Fatal("the sign-in succeeded")
	}
	b.checkText(t, err)
	return err
}

func testGone(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	l := NewLogin()
	callback := b.Begin(t, l)
	b.server.CloseClientConnections()
	b.server.Close()
	_, _, err := b.Identify(t, callback, l)
	KindOf(t, err, connectors.Transient)
	if err := b.Connector.Check(t.Context()); err == nil {
		t.Error("the connector is healthy")
	}
}

func testHealth(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	b.Vendor.Misbehave(fake.At(fake.Token, fake.ServerError))
	b.Refused(t, connectors.Transient)
	if err := b.Connector.Check(t.Context()); err == nil {
		t.Error("the connector is healthy")
	}
	b.Vendor.Behave()
	b.MustSignIn(t)
	if err := b.Connector.Check(t.Context()); err != nil {
		t.Errorf("the connector is still unhealthy: %v", err)
	}
	// A person who says no says nothing about the vendor.
	b.Vendor.Misbehave(fake.CodeAlreadyRedeemed)
	b.Refused(t, connectors.Broken)
	if err := b.Connector.Check(t.Context()); err != nil {
		t.Errorf("one refused sign-in made the connector unhealthy: %v", err)
	}
}
