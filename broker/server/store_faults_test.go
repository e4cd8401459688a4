package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/internal/brokertest"
)

// faulty is a store whose verbs fail with an error once one is set.
type faulty struct {
	broker.Store
	err *atomic.Pointer[error]
}

func (f faulty) fault() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (f faulty) CompleteLogin(ctx context.Context, l broker.Login, decide func(broker.State) broker.Decision) (broker.Outcome, error) {
	if err := f.fault(); err != nil {
		return broker.Outcome{}, err
	}
	return f.Store.CompleteLogin(ctx, l, decide)
}

func (f faulty) CompleteAuthorization(ctx context.Context, a broker.Authorization, decide func(broker.State) broker.Decision) (broker.Outcome, error) {
	if err := f.fault(); err != nil {
		return broker.Outcome{}, err
	}
	return f.Store.CompleteAuthorization(ctx, a, decide)
}

func (f faulty) RedeemCode(ctx context.Context, r broker.Redemption, check func(broker.State) error) (broker.Outcome, error) {
	if err := f.fault(); err != nil {
		return broker.Outcome{}, err
	}
	return f.Store.RedeemCode(ctx, r, check)
}

func (f faulty) RotateRefreshToken(ctx context.Context, r broker.Rotation, check func(broker.State) error) (broker.Outcome, error) {
	if err := f.fault(); err != nil {
		return broker.Outcome{}, err
	}
	return f.Store.RotateRefreshToken(ctx, r, check)
}

func (f faulty) EndSession(ctx context.Context, id string, e broker.Event) (broker.Session, error) {
	if err := f.fault(); err != nil {
		return broker.Session{}, err
	}
	return f.Store.EndSession(ctx, id, e)
}

func (f faulty) Session(ctx context.Context, ref broker.SessionRef, client, connector string, now time.Time) (broker.State, error) {
	if err := f.fault(); err != nil && !errors.Is(err, broker.ErrReadOnly) && !errors.Is(err, broker.ErrConflict) {
		return broker.State{}, err
	}
	return f.Store.Session(ctx, ref, client, connector, now)
}

func (f faulty) Grant(ctx context.Context, id string, now time.Time) (broker.State, error) {
	if err := f.fault(); err != nil && !errors.Is(err, broker.ErrReadOnly) && !errors.Is(err, broker.ErrConflict) {
		return broker.State{}, err
	}
	return f.Store.Grant(ctx, id, now)
}

// What a store cannot do is said where the answer goes: to the client while it
// waits for one, on a page else, and never with the cause.
func TestFaultsOfTheStore(t *testing.T) {
	t.Parallel()
	readOnly := fmt.Errorf("%w: CANARY of a disk", broker.ErrReadOnly)
	for _, row := range []struct {
		name                  string
		err                   error
		login, silent         string // the error a client hears, or "page 500"
		token, userinfo, sign int
		code                  string
	}{
		{"the disk takes no writes", readOnly, "temporarily_unavailable", "temporarily_unavailable", 503, 200, 503, "temporarily_unavailable"},
		{"the store is closed", errors.New("CANARY of a store"), "page 500", "page 500", 500, 500, 500, "server_error"},
		{"records keep changing", broker.ErrConflict, "page 400", "login_required", 503, 200, 500, "temporarily_unavailable"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fault := new(atomic.Pointer[error])
			b := brokertest.New(t, brokertest.Options{Wrap: func(s broker.Store) broker.Store { return faulty{s, fault} }})
			browser, newcomer := b.Browser(t), b.Browser(t)
			tokens := b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki, "scope", "openid offline_access"))
			code := browser.Code(brokertest.Wiki)
			form := browser.Get(b.Issuer + "/logout").Fields()
			form.Set("decision", "sign_out")
			callback := atUpstream(t, b, newcomer)
			fault.Store(&row.err)

			bodies := []string{
				hears(t, row.name+": a sign-in", newcomer.Get(callback), row.login),
				hears(t, row.name+": single sign-on", browser.Get(b.AuthorizeURL(brokertest.Wiki, "prompt", "none")), row.silent),
			}
			isError(t, row.name+": a code", b.Redeem(t, brokertest.Wiki, code), row.token, row.code)
			isError(t, row.name+": a refresh", b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token")), row.token, row.code)
			if a := b.UserInfo(t, tokens.Text("access_token")); a.Status != row.userinfo {
				t.Errorf("userinfo: %d", a.Status)
			}
			out := browser.Post(b.Issuer+"/logout", form)
			if out.Status != row.sign || !strings.Contains(out.Body, "Reference") || !holds(browser, "gatehouse-session-") {
				t.Errorf("a sign-out: %d, cookie kept: %v", out.Status, holds(browser, "gatehouse-session-"))
			}
			for _, body := range append(bodies, out.Body) {
				if strings.Contains(body, "CANARY") {
					t.Error("the cause is shown")
				}
			}
			fault.Store(nil)
			if a := b.Redeem(t, brokertest.Wiki, code); a.Status != 200 {
				t.Errorf("afterwards the code is gone: %v", a.Body)
			}
			if a := b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token")); a.Status != 200 {
				t.Errorf("afterwards the refresh token is gone: %v", a.Body)
			}
		})
	}
}

// hears asserts the error that a client is answered with, or the status of a page.
func hears(t *testing.T, name string, page brokertest.Page, want string) (body string) {
	t.Helper()
	got := page.URL.Query().Get("error")
	if !page.AtClient {
		got = fmt.Sprintf("page %d", page.Status)
	} else if page.Status != http.StatusSeeOther || page.URL.Query().Has("code") {
		got = page.URL.String()
	}
	if got != want {
		t.Errorf("%s: %s, want %s", name, got, want)
	}
	return page.Body
}

// A shutdown closes the store under requests that are still there: they are
// refused, and nothing breaks.
func TestRequestsThatOutliveTheStore(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	tokens := b.Redeem(t, brokertest.Wiki, browser.Code(brokertest.Wiki, "scope", "openid offline_access"))
	code := browser.Code(brokertest.Wiki)
	callback := atUpstream(t, b, b.Browser(t))
	must(t, b.Store.Close())
	isError(t, "a code", b.Redeem(t, brokertest.Wiki, code), 500, "server_error")
	isError(t, "a refresh", b.Refresh(t, brokertest.Wiki, tokens.Text("refresh_token")), 500, "server_error")
	if a := b.UserInfo(t, tokens.Text("access_token")); a.Status != 500 {
		t.Errorf("userinfo: %d", a.Status)
	}
	if page := browser.Get(b.AuthorizeURL(brokertest.Wiki)); page.Status != 500 || page.AtClient {
		t.Errorf("single sign-on: %d at %s", page.Status, page.URL)
	}
	if page := b.Browser(t).Get(callback); page.AtClient {
		t.Errorf("a sign-in: %s", page.URL)
	}
	if page := browser.Get(b.Issuer + "/jwks"); page.Status != 200 {
		t.Errorf("what needs no store: %d", page.Status)
	}
	if log := b.Log.String(); strings.Contains(log, "panicked") {
		t.Error("a handler panicked")
	}
}
