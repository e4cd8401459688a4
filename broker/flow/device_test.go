package flow

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/audit"
	"gatehouse/broker/oauth"
	"gatehouse/web"
)

// connecting is signedIn with a device that waits for another quarter of an hour.
func connecting() Situation {
	s := signedIn()
	s.Flow.Kind, s.Flow.Device, s.Flow.DeviceEnds = ForDevice, "BCDFGHJK", s.State.Now.Add(15*time.Minute).Unix()
	s.Flow.Request.RedirectURI = ""
	return s
}

// DV-02: nothing about who is signed in, what they agreed to before or whose client it
// is answers for them.
func TestADeviceIsNeverAnsweredWithoutAsking(t *testing.T) {
	t.Parallel()
	agreed := func(s *Situation) {
		s.State.Consent = &broker.Consent{AccountID: "acct", ClientID: "wiki", Scopes: []string{"openid"}}
	}
	for _, row := range []struct {
		name   string
		change func(*Situation)
		want   Action
		code   oauth.Code
	}{
		{"signed in, a first-party client: ask", func(*Situation) {}, ConfirmDevice, ""},
		{"just signed in: ask", func(s *Situation) { s.Flow.SignedIn = "corp" }, ConfirmDevice, ""},
		{"consent was given before: ask", agreed, ConfirmDevice, ""},
		{"consent is missing: ask about the device, which covers it", func(s *Situation) { s.Client.SkipConsent = false }, ConfirmDevice, ""},
		{"confirmed: answer", func(s *Situation) { s.Consented = true }, Issue, ""},
		{"confirmed, and consent is missing: answer", func(s *Situation) { s.Consented, s.Client.SkipConsent = true, false }, Issue, ""},
		{"nobody is signed in: sign in", func(s *Situation) { s.Connector, s.State = "", broker.State{Now: s.State.Now} }, SignIn, ""},
		{"confirmed, and signed out meanwhile: sign in", func(s *Situation) { s.Consented, s.State.Session.Ended = true, true }, SignIn, ""},
		{"who may not use the client is not asked", func(s *Situation) { s.Client.Allow.Groups = []string{"staff"} }, Fail, oauth.AccessDenied},
		{"confirmed by who may not use the client: no", func(s *Situation) { s.Consented, s.Client.Allow.Groups = true, []string{"staff"} }, Fail, oauth.AccessDenied},
		{"too long ago for the client: sign in", func(s *Situation) { s.Flow.Request.HasMaxAge, s.Flow.Request.MaxAge = true, time.Minute }, SignIn, ""},
	} {
		s := connecting()
		row.change(&s)
		step := Next(s)
		if step.Action != row.want || step.Action == Fail && step.Err.Code != row.code {
			t.Errorf("%s: %+v", row.name, step)
		}
		if d := decision(step); (d.Verdict == broker.Issue) != (row.want == Issue) || (d.Verdict == broker.Ask) != (row.want == ConfirmDevice) {
			t.Errorf("%s: the store is told %+v", row.name, d)
		}
	}
}

// A flow is of one kind, whole, or none.
func TestAFlowHasWhatItsKindNeeds(t *testing.T) {
	t.Parallel()
	now := time.Unix(1795132800, 0)
	j := jar(t, "https://sso.example", &now)
	request := func() *broker.AuthorizationRequest { return &broker.AuthorizationRequest{ClientID: "tv"} }
	for _, row := range []struct {
		name string
		flow *Flow
		want bool
	}{
		{"for a client", New(now, request()), true},
		{"for a device", NewForDevice(now, "BCDFGHJK", now.Add(time.Minute), request()), true},
		{"for a client, without a request", New(now, nil), false},
		{"for a device, without a request", NewForDevice(now, "BCDFGHJK", now, nil), false},
		{"for a device, without a code", NewForDevice(now, "", now, request()), false},
		{"for a device, with a redirect URI", NewForDevice(now, "BCDFGHJK", now, &broker.AuthorizationRequest{ClientID: "tv", RedirectURI: "https://tv.example/"}), false},
		{"for a client, with a code", func() *Flow { f := New(now, request()); f.Device = "BCDFGHJK"; return f }(), false},
		{"for nobody", func() *Flow { f := New(now, request()); f.Kind = "account"; return f }(), false},
	} {
		w := httptest.NewRecorder()
		if err := j.Put(w, httptest.NewRequest(http.MethodGet, "/", nil), row.flow); err != nil {
			t.Fatal(err)
		}
		got, err := j.Take(carry(w, httptest.NewRequest(http.MethodGet, "/", nil)), row.flow.ID)
		if (err == nil) != row.want || err != nil && !errors.Is(err, ErrNoFlow) {
			t.Errorf("%s: %+v, %v", row.name, got, err)
		}
		if err == nil && (got.Device != row.flow.Device || got.DeviceEnds != row.flow.DeviceEnds || got.Kind != row.flow.Kind) {
			t.Errorf("%s: came back as %+v", row.name, got)
		}
	}
}

// What a device fetches in its last second is not forgotten while it lives.
func TestTheGrantOfADeviceOutlivesItsTokens(t *testing.T) {
	t.Parallel()
	l := broker.Lifetimes{Code: time.Minute, AccessToken: time.Hour, IDToken: 20 * time.Minute}
	s := connecting()
	s.Flow.Request.Scopes, s.Flow.Request.Resources = oauth.Scopes{"openid", "offline_access"}, []string{"https://api.example"}
	now := s.State.Now
	issue := deviceIssuance(s.Flow, l, now)
	if least := now.Add(15*time.Minute + time.Hour); issue.Grant.Forget.Before(least) {
		t.Errorf("forgotten at %v, want %v or later", issue.Grant.Forget, least)
	}
	head, ok := broker.IDForget(issue.Grant.ID)
	if !ok || head.Before(issue.Grant.Forget.Truncate(time.Second)) {
		t.Errorf("the ID says %v", head)
	}
	if issue.Device != UserCodeDigest("BCDFGHJK") || issue.Code != (broker.Code{}) || !issue.Grant.Offline || issue.Grant.ClientID != "wiki" ||
		issue.Grant.Scopes.String() != "openid offline_access" || len(issue.Grant.Resources) != 1 {
		t.Errorf("%+v", issue)
	}
	s.Flow.DeviceEnds = now.Add(-time.Hour).Unix()
	if issue := deviceIssuance(s.Flow, l, now); issue.Grant.Forget.Before(now.Add(time.Hour)) {
		t.Errorf("of a device that has gone: forgotten at %v", issue.Grant.Forget)
	}
}

// A refusal of a device's flow is a page with a reference number, whatever it is, and
// nothing in it leads to the client.
func TestRefusalsAboutADeviceArePages(t *testing.T) {
	t.Parallel()
	pages, err := web.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1795132800, 0)
	d := &Desk{Issuer: "https://sso.example", Jar: jar(t, "https://sso.example", &now), Pages: pages, Now: func() time.Time { return now },
		Audit: &audit.Recorder{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}}
	client := &broker.Client{ID: "tv", Name: "TV", URI: "https://tv.example/", RedirectURIs: []string{"https://tv.example/callback"}}
	for code, want := range map[oauth.Code]struct {
		status  int
		another bool
	}{
		oauth.AccessDenied:                    {403, true},
		oauth.LoginRequired:                   {403, true},
		oauth.UnmetAuthenticationRequirements: {403, true},
		oauth.TemporarilyUnavailable:          {503, false},
		oauth.InvalidRequest:                  {400, false},
		oauth.ServerError:                     {400, false},
	} {
		f := NewForDevice(now, "BCDFGHJK", now, &broker.AuthorizationRequest{ClientID: "tv"})
		f.SignedIn = "corp"
		w := httptest.NewRecorder()
		d.Refuse(w, httptest.NewRequest(http.MethodGet, "/", nil), f, client, oauth.Errorf(code, "CANARY"))
		body := w.Body.String()
		if w.Code != want.status || w.Header().Get("Location") != "" || strings.Contains(body, "tv.example") || strings.Contains(body, "CANARY") || !strings.Contains(body, "TV: ") {
			t.Errorf("%s: %d %v %s", code, w.Code, w.Header(), body)
		}
		if strings.Contains(body, "account=other") != want.another {
			t.Errorf("%s: another account is offered: %v", code, !want.another)
		}
		_, err := d.Jar.Take(carry(w, httptest.NewRequest(http.MethodGet, "/", nil)), f.ID)
		if (err == nil) != want.another {
			t.Errorf("%s: the flow goes on: %v", code, err)
		}
	}
	if to := d.Refusal(&broker.AuthorizationRequest{}, oauth.Errorf(oauth.AccessDenied, "x")).Location(); to != "" {
		t.Errorf("a request without a redirect URI is answered at %q", to)
	}
}
