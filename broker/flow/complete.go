package flow

import (
	"errors"
	"net/http"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/connectors"
	"gatehouse/session"
)

// forgetMargin keeps what may be forgotten a little longer than it can matter,
// for clocks that differ between replicas.
const forgetMargin = 5 * time.Minute

// Arrival is somebody who has come back from an upstream.
type Arrival struct {
	Who broker.Identity
	Via connectors.Description
	// Credential is kept to ask the upstream again; nil where it is not asked.
	Credential *broker.NewCredential
}

// CompleteLogin ends the visit to an upstream: it records the sign-in and, when
// nothing more is asked of the person, the grant and the code, in one commit.
// broker.ErrGroupsUnknown is for the caller to put into words.
func (d *Desk) CompleteLogin(w http.ResponseWriter, r *http.Request, f *Flow, client *broker.Client, a Arrival) error {
	who, via := a.Who, a.Via
	if err := f.Fresh(via, who.Authentication.Time); err != nil {
		d.Refuse(w, r, f, client, oauth.Errorf(oauth.LoginRequired, "the identity provider did not authenticate the person again").Because(err))
		return nil
	}
	f.SignedIn = via.ID
	now := d.Now()
	secret := session.NewSecret()
	expires := now.Add(d.Lifetimes.Session)
	var issue broker.Issuance
	var code string
	if f.Kind == ForClient { // signing in is no answer to what a device asks
		var err error
		if issue, code, err = d.issuance(f.Request, client.Lifetimes.Or(d.Lifetimes), now); err != nil {
			return err
		}
	}
	// Any client may be the last to get something within this session.
	forget := expires.Add(d.Outlives + forgetMargin)
	login := broker.Login{
		Now: now, Once: []broker.Once{f.Once("login " + f.Attempt.Nonce)},
		Identity: who, AccountID: d.NewAccountID(), Presented: d.Cookies.Ref(r),
		Session: broker.NewSession{ID: broker.NewID(forget), Secret: broker.DigestOf(secret),
			Expires: expires, IdleUntil: earlier(now.Add(d.Lifetimes.SessionIdle), expires), Forget: forget},
		ClientID: client.ID, Issue: issue, Credential: a.Credential, Event: d.Event(r, broker.EventSignedIn),
	}
	decide := func(state broker.State) broker.Decision {
		return decision(Next(Situation{Flow: f, Client: client, State: state, Connector: via.ID, Upstreams: d.Upstreams, Subjects: d.Subjects}))
	}
	outcome, err := twice(func() (broker.Outcome, error) { return d.Logins.CompleteLogin(r.Context(), login, decide) })
	if err != nil {
		return d.refused(w, r, f, client, err)
	}
	d.Audit.Committed(r.Context(), outcome.Event)
	if err := d.Cookies.Issue(w, r, outcome.Session, secret, now); err != nil {
		return err
	}
	d.remember(w, LastUsed{Connector: via.ID, Choice: f.Attempt.Choice})
	if outcome.Verdict == broker.Ask {
		f.Attempt = nil
		return d.ask(w, r, f, client)
	}
	return d.deliver(w, r, f, client, outcome, code)
}

// Authorize issues to a browser that is signed in: silently, or because the
// person has just agreed (s.Consented).
func (d *Desk) Authorize(w http.ResponseWriter, r *http.Request, s Situation) error {
	f, client, now := s.Flow, s.Client, d.Now()
	if wait, ok := d.PerAccount.Allow(s.State.Account.ID); !ok {
		return oauth.Errorf(oauth.TemporarilyUnavailable, "too many sign-ins to your account").WithRetryAfter(wait)
	}
	var issue broker.Issuance
	var code string
	var err error
	switch f.Kind {
	case ForClient:
		issue, code, err = d.issuance(f.Request, client.Lifetimes.Or(d.Lifetimes), now)
	case ForDevice:
		issue = deviceIssuance(f, client.Lifetimes.Or(d.Lifetimes), now)
	}
	if err != nil {
		return err
	}
	a := broker.Authorization{
		Now: now, Presented: d.Cookies.Ref(r), Connector: s.Connector, ClientID: client.ID,
		IdleUntil: earlier(now.Add(d.Lifetimes.SessionIdle), s.State.Session.Expires),
		Issue:     issue, Event: d.Event(r, broker.EventAuthorized),
	}
	if s.Consented {
		a.Once = []broker.Once{f.Once("consent")}
		a.Event.Type = broker.EventConsentGiven
		if f.Kind == ForDevice {
			a.Event.Type = broker.EventDeviceApproved
		}
		a.Consent = &broker.Consent{AccountID: s.State.Account.ID, ClientID: client.ID, Scopes: policy.ConsentTo(f.Request.Scopes, f.Request.Claims), GivenAt: now}
	}
	decide := func(state broker.State) broker.Decision {
		current := s
		current.State = state
		return decision(Next(current))
	}
	outcome, err := twice(func() (broker.Outcome, error) { return d.Logins.CompleteAuthorization(r.Context(), a, decide) })
	if err != nil {
		return d.refused(w, r, f, client, err)
	}
	d.Audit.Committed(r.Context(), outcome.Event)
	return d.deliver(w, r, f, client, outcome, code)
}

// issuance prepares the grant and the code; the verb fills in what it knows.
func (d *Desk) issuance(r *broker.AuthorizationRequest, l broker.Lifetimes, now time.Time) (broker.Issuance, string, error) {
	// The code is remembered after its use for as long as what was issued for it
	// lives, so that a replay still finds something to revoke.
	forget := now.Add(l.Code + max(l.AccessToken, l.IDToken) + forgetMargin)
	grant := broker.Grant{ID: broker.NewID(forget), ClientID: r.ClientID, Scopes: r.Scopes, Resources: r.Resources, Claims: r.Claims, CreatedAt: now,
		Offline: r.Scopes.Has(oauth.OfflineAccess), Forget: forget}
	code, key, err := d.NewCode(grant.ID)
	return broker.Issuance{Grant: grant, Code: broker.Code{
		Key: key, GrantID: grant.ID, ClientID: r.ClientID, RedirectURI: r.RedirectURI, RedirectURISent: r.URISent,
		Challenge: r.Challenge, Nonce: r.Nonce, Expires: now.Add(l.Code),
	}}, code, err
}

// Issued is what an authorization response is made of, once it has been committed.
type Issued struct {
	Client  *broker.Client
	Request *broker.AuthorizationRequest
	Grant   *broker.Grant
	Profile broker.Profile
	Code    string
	Now     time.Time
}

// deliver hands the client what it asked for and ends the flow.
func (d *Desk) deliver(w http.ResponseWriter, r *http.Request, f *Flow, client *broker.Client, o broker.Outcome, code string) error {
	if d.Used != nil {
		d.Used(r.Context(), client)
	}
	if f.Kind == ForDevice {
		d.approved(w, f, client)
		return nil
	}
	fields := []oauth.Field{{Name: "code", Value: code}}
	if t := f.Request.ResponseType; t.Has(oauth.ResponseTypeIDToken) || t.Has(oauth.ResponseTypeToken) {
		var err error
		fields, err = d.FrontChannel(r.Context(), Issued{Client: client, Request: f.Request, Grant: o.Grant, Profile: o.Identity.Profile, Code: code, Now: d.Now()})
		if err != nil {
			return err
		}
	}
	d.Jar.Drop(w, f)
	d.Send(w, client, d.answer(f.Request, fields...))
	return nil
}

// refused turns the answer of a verb into one for the client or the person.
func (d *Desk) refused(w http.ResponseWriter, r *http.Request, f *Flow, client *broker.Client, err error) error {
	if oe, ok := errors.AsType[*oauth.Error](err); ok {
		d.Refuse(w, r, f, client, oe)
		return nil
	}
	switch {
	case errors.Is(err, broker.ErrOnceUsed), errors.Is(err, broker.ErrNotFound), errors.Is(err, broker.ErrConflict):
		// Replayed, signed out meanwhile, or overtaken twice: begin again.
		if f.Kind == ForDevice {
			d.Jar.Drop(w, f)
			return d.DeviceOver(err)
		}
		if f.Request.Prompt.Has(oauth.PromptNone) {
			// Nobody looks at a page of a silent request.
			d.Refuse(w, r, f, client, oauth.Errorf(oauth.LoginRequired, "the person has to sign in").Because(err))
			return nil
		}
		d.Jar.Drop(w, f)
		return Over(client, err)
	case errors.Is(err, broker.ErrReadOnly):
		d.Refuse(w, r, f, client, oauth.Errorf(oauth.TemporarilyUnavailable, "sign-ins cannot be recorded at the moment").Because(err))
		return nil
	case errors.Is(err, broker.ErrAccountDisabled):
		d.Refuse(w, r, f, client, oauth.Errorf(oauth.AccessDenied, "the person may not use this client").Because(err))
		return nil
	}
	return err
}

// decision is what a step means to the store.
func decision(s Step) broker.Decision {
	switch s.Action {
	case Issue:
		return broker.Decision{Verdict: broker.Issue, ACR: s.ACR}
	case AskConsent, ConfirmDevice:
		return broker.Decision{Verdict: broker.Ask}
	case SignIn:
		return broker.Decision{Err: oauth.Errorf(oauth.LoginRequired, "the person has to sign in")}
	}
	return broker.Decision{Err: s.Err}
}

// twice runs a verb again when a record it relied on changed meanwhile.
func twice(verb func() (broker.Outcome, error)) (broker.Outcome, error) {
	outcome, err := verb()
	if errors.Is(err, broker.ErrConflict) {
		return verb()
	}
	return outcome, err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
