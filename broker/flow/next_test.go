package flow

import (
	"slices"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// signedIn is somebody with a session through "corp" ten minutes old, asking for
// a client that needs no consent.
func signedIn() Situation {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	key := broker.IdentityKey{Connector: "corp", Issuer: "https://idp.example", Subject: "ada"}
	return Situation{
		Flow: &Flow{ID: "f", Kind: ForClient, Started: now.Unix(), Request: &broker.AuthorizationRequest{
			ClientID: "wiki", RedirectURI: "https://wiki.example/callback", Scopes: oauth.Scopes{"openid"}}},
		Client: &broker.Client{ID: "wiki", SkipConsent: true, AuthMethod: oauth.AuthMethodClientSecretBasic},
		State: broker.State{Now: now,
			Account:  &broker.Account{ID: "acct"},
			Identity: &broker.LinkedIdentity{Key: key, AccountID: "acct"},
			Session: &broker.Session{ID: "s", AccountID: "acct", Expires: now.Add(time.Hour), IdleUntil: now.Add(time.Hour),
				SignIns: []broker.SignIn{{Connector: "corp", Identity: key.Digest(), AuthTime: now.Add(-10 * time.Minute)}}}},
		Connector: "corp",
		Upstreams: []connectors.Description{
			{ID: "corp", Reauthentication: connectors.ReauthProven},
			{ID: "hub", Reauthentication: connectors.ReauthImpossible},
		},
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	nobody := func(s *Situation) { s.Connector, s.State = "", broker.State{Now: s.State.Now} }
	for _, row := range []struct {
		name   string
		change func(*Situation)
		want   Action
		code   oauth.Code
	}{
		{"signed in and nothing to ask: answer", func(*Situation) {}, Issue, ""},
		{"nobody signed in: sign in", nobody, SignIn, ""},
		{"nobody signed in, prompt=none: login_required", func(s *Situation) { nobody(s); s.Flow.Request.Prompt = "none" }, Fail, oauth.LoginRequired},
		{"signed in, prompt=none: answer", func(s *Situation) { s.Flow.Request.Prompt = "none" }, Issue, ""},
		{"prompt=login: sign in", func(s *Situation) { s.Flow.Request.Prompt = "login" }, SignIn, ""},
		{"prompt=login and signed in within the flow: answer", func(s *Situation) { s.Flow.Request.Prompt, s.Flow.SignedIn = "login", "corp" }, Issue, ""},
		{"prompt=select_account: sign in", func(s *Situation) { s.Flow.Request.Prompt = "select_account" }, SignIn, ""},
		{"max_age not reached: answer", func(s *Situation) { s.Flow.Request.MaxAge, s.Flow.Request.HasMaxAge = 601*time.Second, true }, Issue, ""},
		{"max_age exceeded: sign in", func(s *Situation) { s.Flow.Request.MaxAge, s.Flow.Request.HasMaxAge = 599*time.Second, true }, SignIn, ""},
		{"max_age=0: sign in", func(s *Situation) { s.Flow.Request.HasMaxAge = true }, SignIn, ""},
		{"max_age exceeded, prompt=none: login_required", func(s *Situation) { s.Flow.Request.HasMaxAge, s.Flow.Request.Prompt = true, "none" }, Fail, oauth.LoginRequired},
		{"the hint names who is signed in: answer", func(s *Situation) { s.Flow.Request.HintSubject = "acct" }, Issue, ""},
		{"the hint names somebody else: sign in", func(s *Situation) { s.Flow.Request.HintSubject = "other" }, SignIn, ""},
		{"the hint names somebody else, prompt=none: login_required", func(s *Situation) { s.Flow.Request.HintSubject, s.Flow.Request.Prompt = "other", "none" }, Fail, oauth.LoginRequired},
		{"somebody else than the hint names has just signed in: login_required, no loop", func(s *Situation) { s.Flow.Request.HintSubject, s.Flow.SignedIn = "other", "corp" }, Fail, oauth.LoginRequired},
		{"the sign-in just made does not stand: login_required, no loop", func(s *Situation) { s.State.Session.Ended, s.Flow.SignedIn = true, "corp" }, Fail, oauth.LoginRequired},
		{"a disabled account has just signed in: access_denied", func(s *Situation) { s.State.Account.Disabled, s.Flow.SignedIn = true, "corp" }, Fail, oauth.AccessDenied},
		{"somebody has just signed in to a client that is off: access_denied", func(s *Situation) { s.State.Client.Disabled, s.Flow.SignedIn = true, "corp" }, Fail, oauth.AccessDenied},
		{"somebody has just signed in through a connector that is off: access_denied", func(s *Situation) { s.State.Connector.Disabled, s.Flow.SignedIn = true, "corp" }, Fail, oauth.AccessDenied},
		{"consent is missing: ask", func(s *Situation) { s.Client.SkipConsent = false }, AskConsent, ""},
		{"consent is missing, prompt=none: consent_required", func(s *Situation) { s.Client.SkipConsent, s.Flow.Request.Prompt = false, "none" }, Fail, oauth.ConsentRequired},
		{"consent was given: answer", func(s *Situation) {
			s.Client.SkipConsent = false
			s.State.Consent = &broker.Consent{AccountID: "acct", ClientID: "wiki", Scopes: []string{"openid"}}
		}, Issue, ""},
		{"consent was given for less: ask", func(s *Situation) {
			s.Client.SkipConsent = false
			s.State.Consent = &broker.Consent{AccountID: "acct", ClientID: "wiki", Scopes: []string{"openid"}}
			s.Flow.Request.Scopes = oauth.Scopes{"openid", "email"}
		}, AskConsent, ""},
		{"consent is given now: answer", func(s *Situation) { s.Client.SkipConsent, s.Consented = false, true }, Issue, ""},
		{"prompt=consent: ask even a first-party client's person", func(s *Situation) { s.Flow.Request.Prompt = "consent" }, AskConsent, ""},
		{"AZ-18: a public client on loopback: ask again", func(s *Situation) {
			s.Client.SkipConsent, s.Client.AuthMethod = false, oauth.AuthMethodNone
			s.Flow.Request.RedirectURI = "http://127.0.0.1:4711/callback"
			s.State.Consent = &broker.Consent{AccountID: "acct", ClientID: "wiki", Scopes: []string{"openid"}}
		}, AskConsent, ""},
		{"a public client on https: consent is remembered", func(s *Situation) {
			s.Client.SkipConsent, s.Client.AuthMethod = false, oauth.AuthMethodNone
			s.State.Consent = &broker.Consent{AccountID: "acct", ClientID: "wiki", Scopes: []string{"openid"}}
		}, Issue, ""},
		{"the person is not in the client's groups: access_denied", func(s *Situation) { s.Client.Allow.Groups = []string{"staff"} }, Fail, oauth.AccessDenied},
		{"not in the groups, and consent does not change that", func(s *Situation) { s.Client.Allow.Groups, s.Consented = []string{"staff"}, true }, Fail, oauth.AccessDenied},
		{"SS-04: the session is from a connector the client does not admit: sign in", func(s *Situation) { s.Client.Connectors = []string{"hub"} }, SignIn, ""},
		{"the client admits no configured connector: access_denied", func(s *Situation) { s.Client.Connectors = []string{"gone"} }, Fail, oauth.AccessDenied},
		{"idp_hint names another connector: sign in", func(s *Situation) { s.Flow.Request.Connector = "hub" }, SignIn, ""},
		{"the account is disabled: sign in", func(s *Situation) { s.State.Account.Disabled = true }, SignIn, ""},
		{"the session is idle: sign in", func(s *Situation) { s.State.Session.IdleUntil = s.State.Now }, SignIn, ""},
		{"prompt=login and the only connector cannot: login_required", func(s *Situation) {
			s.Flow.Request.Prompt, s.Flow.Request.Connector = "login", "hub"
		}, Fail, oauth.LoginRequired},
		{"prompt=login and the only connector does its best: sign in", func(s *Situation) {
			s.Flow.Request.Prompt, s.Flow.Request.Connector, s.Upstreams[1].BestEffort = "login", "hub", true
		}, SignIn, ""},
	} {
		s := signedIn()
		row.change(&s)
		step := Next(s)
		if step.Action != row.want {
			t.Errorf("%s: action %d, want %d (%v)", row.name, step.Action, row.want, step.Err)
			continue
		}
		if step.Action == Fail && step.Err.Code != row.code {
			t.Errorf("%s: %s, want %s", row.name, step.Err.Code, row.code)
		}
	}
}

func TestNextOffersOnlyWhatCanDoWhatIsAsked(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*Situation)
		want   []string
	}{
		{"every connector", func(s *Situation) { s.Connector = "" }, []string{"corp", "hub"}},
		{"only those the client admits", func(s *Situation) { s.Connector, s.Client.Connectors = "", []string{"hub"} }, []string{"hub"}},
		{"only those that can ask again", func(s *Situation) { s.Flow.Request.Prompt = "login" }, []string{"corp"}},
		{"those that do their best too", func(s *Situation) { s.Flow.Request.Prompt, s.Upstreams[1].BestEffort = "login", true }, []string{"corp", "hub"}},
		{"only the one that is hinted at", func(s *Situation) { s.Connector, s.Flow.Request.Connector = "", "hub" }, []string{"hub"}},
	} {
		s := signedIn()
		row.change(&s)
		if got := Next(s).Connectors; !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

func TestFresh(t *testing.T) {
	t.Parallel()
	started := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	proven, asked, impossible := connectors.ReauthProven, connectors.ReauthAsked, connectors.ReauthImpossible
	for _, row := range []struct {
		name     string
		reauth   connectors.Reauthentication
		best     bool
		forced   bool
		prompt   oauth.Prompt
		maxAge   time.Duration
		previous time.Duration // before the start
		authTime time.Duration // after the start; -1h stands for long ago
		none     bool          // no auth_time
		want     bool
	}{
		{name: "nothing was demanded", reauth: proven, maxAge: -1, authTime: -time.Hour, want: true},
		{name: "proven: authenticated after the start", reauth: proven, forced: true, prompt: "login", maxAge: -1, previous: time.Minute, authTime: 5 * time.Second, want: true},
		{name: "proven: within the same second", reauth: proven, forced: true, prompt: "login", maxAge: -1, previous: time.Minute, want: true},
		{name: "proven: silently signed in an hour ago", reauth: proven, forced: true, prompt: "login", maxAge: -1, previous: time.Hour, authTime: -time.Hour, want: false},
		{name: "proven: silently signed in three seconds ago", reauth: proven, forced: true, prompt: "login", maxAge: -1, previous: 3 * time.Second, authTime: -3 * time.Second, want: false},
		{name: "proven: a clock that is slow", reauth: proven, forced: true, prompt: "login", maxAge: -1, previous: time.Hour, authTime: -3 * time.Second, want: true},
		{name: "proven: a clock that is too slow", reauth: proven, forced: true, prompt: "login", maxAge: -1, previous: time.Hour, authTime: -31 * time.Second, want: false},
		{name: "proven: no proof", reauth: proven, forced: true, prompt: "login", maxAge: -1, none: true, want: false},
		{name: "proven: best effort needs no proof", reauth: proven, best: true, forced: true, prompt: "login", maxAge: -1, none: true, want: true},
		{name: "asked: no proof is expected", reauth: asked, forced: true, prompt: "login", maxAge: -1, none: true, want: true},
		{name: "asked: a proof to the contrary counts", reauth: asked, forced: true, prompt: "login", maxAge: -1, previous: time.Hour, authTime: -time.Hour, want: false},
		{name: "impossible", reauth: impossible, forced: true, prompt: "login", maxAge: -1, none: true, want: false},
		{name: "impossible: best effort", reauth: impossible, best: true, forced: true, prompt: "login", maxAge: -1, none: true, want: true},
		{name: "max_age: within", reauth: proven, forced: true, maxAge: time.Hour, previous: 2 * time.Hour, authTime: -59 * time.Minute, want: true},
		{name: "max_age: beyond", reauth: proven, forced: true, maxAge: time.Minute, previous: time.Hour, authTime: -time.Hour, want: false},
		{name: "max_age in a new browser, upstream session too old", reauth: proven, maxAge: time.Minute, authTime: -time.Hour, want: false},
		{name: "max_age in a new browser, no auth_time to be had", reauth: impossible, maxAge: time.Minute, none: true, want: true},
		{name: "max_age in a new browser, promised auth_time missing", reauth: proven, maxAge: time.Minute, none: true, want: false},
		{name: "prompt=login is not satisfied by a long max_age", reauth: proven, forced: true, prompt: "login", maxAge: 2 * time.Hour, previous: time.Hour, authTime: -time.Hour, want: false},
	} {
		f := &Flow{Started: started.Unix(), Request: &broker.AuthorizationRequest{Prompt: row.prompt},
			Attempt: &Attempt{Forced: row.forced, Previous: started.Add(-row.previous).Unix()}}
		if row.previous == 0 {
			f.Attempt.Previous = 0
		}
		if row.maxAge >= 0 {
			f.Request.MaxAge, f.Request.HasMaxAge = row.maxAge, true
		}
		authTime := started.Add(row.authTime)
		if row.none {
			authTime = time.Time{}
		}
		err := f.Fresh(connectors.Description{Reauthentication: row.reauth, BestEffort: row.best}, authTime)
		if (err == nil) != row.want {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
