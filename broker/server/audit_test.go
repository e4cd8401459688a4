package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/internal/brokertest"
)

// committed counts the log's lines about an event that was stored.
func committed(b *brokertest.Broker, event broker.EventType) (lines int) {
	for line := range strings.Lines(b.Log.String()) {
		if strings.Contains(line, "msg=committed") && strings.Contains(line, "event="+string(event)+" ") {
			lines++
		}
	}
	return lines
}

// What the store records the log tells too, replays above all: they are refusals
// that commit.
func TestEveryEventIsInTheLogAndTheMetrics(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	browser := b.Browser(t)
	code := browser.Code(brokertest.Shop, "scope", "openid offline_access")
	refresh := b.Redeem(t, brokertest.Shop, code).Text("refresh_token")
	again := b.Refresh(t, brokertest.Shop, refresh).Text("refresh_token")
	b.Clock.Advance(time.Minute)
	b.Refresh(t, brokertest.Shop, refresh) // reused: the family ends
	b.Refresh(t, brokertest.Shop, refresh) // and has ended
	b.Refresh(t, brokertest.Shop, again)
	code = browser.Code(brokertest.Shop, "scope", "openid offline_access")
	b.Redeem(t, brokertest.Shop, code)
	b.Redeem(t, brokertest.Shop, code) // replayed: the grant ends
	b.Redeem(t, brokertest.Shop, code) // and has ended
	form := browser.Get(b.Issuer + "/logout").Fields()
	form.Set("decision", "sign_out")
	browser.Post(b.Issuer+"/logout", form)

	stored := map[broker.EventType]int{}
	events, _, err := b.Store.Events(t.Context(), "", 1000)
	must(t, err)
	for _, e := range events {
		stored[e.Type]++
	}
	w := httptest.NewRecorder()
	b.Server.Health().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, event := range []broker.EventType{broker.EventSignedIn, broker.EventConsentGiven, broker.EventAuthorized, broker.EventCodeRedeemed,
		broker.EventTokenRefreshed, broker.EventTokenReused, broker.EventCodeReplayed, broker.EventSignedOut} {
		if stored[event] == 0 || committed(b, event) != stored[event] {
			t.Errorf("%s: %d stored, %d logged", event, stored[event], committed(b, event))
		}
		if !strings.Contains(w.Body.String(), string(event)) {
			t.Errorf("%s: not in the metrics", event)
		}
	}
}

// A person who has been put out hears access_denied, and the log says why; a
// client that heard login_required would send them back for ever.
func TestWhoMayNotSignInIsDenied(t *testing.T) {
	t.Parallel()
	for name, withdraw := range withdrawals {
		if name == "the account is signed out everywhere" || name == "the person left the group" {
			continue // signing in again helps, or has a rule of its own
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.New(t, brokertest.Options{})
			browser := b.Browser(t)
			first := b.Redeem(t, brokertest.Shop, browser.Code(brokertest.Shop))
			account, _ := brokertest.Claims(t, first.Text("id_token"))["sub"].(string)
			undo := withdraw(t, b, account)
			page := browser.Get(b.AuthorizeURL(brokertest.Shop))
			isRefusal(t, b, name, page, "access_denied")
			if log := b.Log.String(); !strings.Contains(log, "disabled") {
				t.Error("the log does not say why")
			}
			undo()
			if page := browser.Get(b.AuthorizeURL(brokertest.Shop)); !page.AtClient || !page.URL.Query().Has("code") {
				t.Errorf("undone: %d at %s", page.Status, page.URL)
			}
		})
	}
}

// A browser or client that hangs up is no fault of ours: the log keeps its errors
// for what an operator has to see.
func TestHangingUpIsNoError(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	handler := b.Server.Handler()
	code := b.Browser(t).Code(brokertest.Wiki)
	token := b.Redeem(t, brokertest.Wiki, b.Browser(t).Code(brokertest.Wiki)).Text("access_token")
	browser := b.Browser(t)
	callback := atUpstream(t, b, browser)
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	send := func(method, target, body string, change func(*http.Request)) {
		r := httptest.NewRequestWithContext(gone, method, target, strings.NewReader(body))
		r.RemoteAddr = "127.0.0.1:1"
		change(r)
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	commits := b.Store.Commits()
	send(http.MethodPost, b.Issuer+"/token", brokertest.CodeForm(brokertest.Wiki, code).Encode(), func(r *http.Request) {
		r.SetBasicAuth(brokertest.Wiki, brokertest.Secret(brokertest.Wiki))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	})
	send(http.MethodGet, b.Issuer+"/userinfo", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
	send(http.MethodGet, callback, "", func(r *http.Request) {
		for _, c := range browser.Cookies() {
			r.AddCookie(c)
		}
	})
	if n := b.Store.Commits() - commits; n != 0 {
		t.Errorf("%d commits for somebody who had gone", n)
	}
	for line := range strings.Lines(b.Log.String()) {
		if strings.Contains(line, "level=ERROR") {
			t.Error(line)
		}
	}
	// Nothing was spent by it.
	if a := b.Redeem(t, brokertest.Wiki, code); a.Status != 200 {
		t.Errorf("the code is gone: %v", a.Body)
	}
}
