package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"testing"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// Begin asks for the authorization URL and goes there as a browser does. It
// returns the callback's parameters.
func (b *Bench) Begin(t testing.TB, l connectors.Login) url.Values {
	t.Helper()
	address, err := b.Connector.AuthorizationURL(t.Context(), l)
	if err != nil {
		t.Fatalf("AuthorizationURL: %v", err)
	}
	return b.Visit(t, address)
}

// Asked are the parameters with which the browser is sent to the upstream.
func (b *Bench) Asked(t testing.TB, l connectors.Login) url.Values {
	t.Helper()
	address, err := b.Connector.AuthorizationURL(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// Visit goes to an authorization URL and returns the callback's parameters.
func (b *Bench) Visit(t testing.TB, address string) url.Values {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	location, err := resp.Location()
	if err != nil {
		t.Fatalf("the vendor answered %s and did not send the browser back", resp.Status)
	}
	return location.Query()
}

// SignIn goes through a whole sign-in with a fresh login.
func (b *Bench) SignIn(t testing.TB) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	return b.SignInWith(t, NewLogin())
}

// SignInWith goes through a whole sign-in.
func (b *Bench) SignInWith(t testing.TB, l connectors.Login) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	return b.Identify(t, b.Begin(t, l), l)
}

// Identify hands a callback to the connector and holds a refusal to the rules of
// the package comment.
func (b *Bench) Identify(t testing.TB, callback url.Values, l connectors.Login) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	return b.IdentifyContext(t.Context(), t, callback, l)
}

// IdentifyContext is Identify within a context.
func (b *Bench) IdentifyContext(ctx context.Context, t testing.TB, callback url.Values, l connectors.Login) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	b.remember(l.State, l.Nonce, l.CodeVerifier)
	b.remember(callback["code"]...)
	id, up, err := b.Connector.Identify(ctx, callback, l)
	b.checkOutcome(t, up.Report, err)
	if err != nil && (!reflect.ValueOf(id).IsZero() || !reflect.ValueOf(up).IsZero()) {
		t.Errorf("a refused sign-in came with an identity or tokens: %+v", id)
	}
	return id, up, err
}

// checkOutcome holds what a sign-in or a re-check says of itself to the rules.
func (b *Bench) checkOutcome(t testing.TB, report connectors.Report, err error) {
	t.Helper()
	var e *connectors.Error
	if err != nil && !errors.As(err, &e) {
		t.Errorf("the error is %T, not *connectors.Error: %v", err, err)
	}
	b.checkText(t, err)
	if secret, leaks := b.LeaksIn(fmt.Sprintf("%+v", report)); leaks {
		t.Errorf("the report %+v holds the secret %q", report, secret)
	}
}

// Refresh asks the vendor again about somebody, with what was handed out before and
// has been stored since, and holds the outcome to the rules of the package comment.
func (b *Bench) Refresh(t testing.TB, prior broker.Identity, up connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	return b.RefreshContext(t.Context(), t, prior, up)
}

// RefreshContext is Refresh within a context.
func (b *Bench) RefreshContext(ctx context.Context, t testing.TB, prior broker.Identity, up connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	refresher, ok := b.Connector.(connectors.Refresher)
	if !ok {
		t.Fatalf("%T cannot be asked again about anybody", b.Connector)
	}
	stored, err := json.Marshal(up)
	if err != nil {
		t.Fatal(err)
	}
	var kept connectors.Upstream
	if err := json.Unmarshal(stored, &kept); err != nil {
		t.Fatal(err)
	}
	id, next, err := refresher.Refresh(ctx, prior, kept)
	b.checkOutcome(t, next.Report, err)
	if err != nil && !reflect.ValueOf(id).IsZero() {
		t.Errorf("a refused re-check came with an identity: %+v", id)
	}
	return id, next, err
}

// checkText follows the chain, since a log handler may print any part of it.
func (b *Bench) checkText(t testing.TB, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if secret, leaks := b.LeaksIn(err.Error()); leaks {
			t.Errorf("the error %q holds the secret %q", err, secret)
		}
		if !connectors.IsText(err.Error()) {
			t.Errorf("the error %q is not fit for one line", err)
		}
	}
	if secret, leaks := b.LeaksIn(b.Log.String()); leaks {
		t.Errorf("the log holds the secret %q", secret)
	}
}

// MustSignIn is SignIn for somebody who is to be admitted.
func (b *Bench) MustSignIn(t testing.TB) broker.Identity {
	t.Helper()
	id, _, err := b.SignIn(t)
	if err != nil {
		t.Fatalf("sign-in failed: %v", err)
	}
	return id
}

// Refused is SignIn for somebody who is not to be admitted, for a reason of this
// kind.
func (b *Bench) Refused(t testing.TB, kind connectors.Kind) *connectors.Error {
	t.Helper()
	_, _, err := b.SignIn(t)
	return KindOf(t, err, kind)
}

// KindOf checks the kind of a connector's error and returns it.
func KindOf(t testing.TB, err error, kind connectors.Kind) *connectors.Error {
	t.Helper()
	var e *connectors.Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want one of kind %s", err, kind)
	}
	if e.Kind != kind {
		t.Fatalf("got kind %s (%v), want %s", e.Kind, e, kind)
	}
	if e.Hint == "" {
		t.Errorf("the error of kind %s has no hint for the operator", kind)
	}
	return e
}
