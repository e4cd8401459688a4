package bolt

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"gatehouse/broker"
)

// seenPrecision is how old the record of an identity's last sign-in may become before it is written again: every
// sign-in is in the events anyway.
const seenPrecision = time.Hour

var errNoClient = errors.New("bolt: nothing can be issued without a client")

// CompleteLogin implements [broker.Logins].
func (s *Store) CompleteLogin(ctx context.Context, l broker.Login, decide func(broker.State) broker.Decision) (broker.Outcome, error) {
	var out broker.Outcome
	err := s.update(ctx, func(t *txn) (err error) {
		out, err = t.completeLogin(&l, decide)
		return err
	})
	return out, err
}

func (t *txn) completeLogin(l *broker.Login, decide func(broker.State) broker.Decision) (broker.Outcome, error) {
	if err := t.unused(l.Once); err != nil {
		return broker.Outcome{}, err
	}
	if decide == nil {
		return broker.Outcome{}, errUnchecked
	}
	p, err := t.person(l)
	if err != nil {
		return broker.Outcome{}, err
	}
	st := broker.State{
		Now:       l.Now,
		Client:    t.toggle(broker.ClientSwitch, l.ClientID),
		Connector: t.toggle(broker.ConnectorSwitch, l.Identity.Key.Connector),
		Account:   p.account,
		Identity:  p.identity,
		Consent:   t.consent(p.account.ID, l.ClientID),
	}
	b, err := t.browser(l, &st, p.digest)
	if err != nil {
		return broker.Outcome{}, err
	}
	st.Session = b.session

	decision := decide(st)
	if err := refusal(decision); err != nil {
		return broker.Outcome{}, err
	}
	if decision.Verdict == broker.Issue {
		if !l.Issue.Device.IsZero() {
			return broker.Outcome{}, errSignIn
		}
		if err := t.issue(&l.Issue, &st, l.ClientID, l.Identity.Key.Connector, l.Now); err != nil {
			return broker.Outcome{}, err
		}
		st.Grant.ACR = cmp.Or(decision.ACR, st.Grant.ACR)
	}

	t.consume(l.Once)
	t.putPerson(p)
	t.keep(p.digest, l.Credential, l.Now)
	t.putBrowser(b, l)
	if st.Grant != nil {
		t.insertIssuance(&st)
	}
	event := l.Event
	event.ClientID, event.Connector = l.ClientID, l.Identity.Key.Connector
	event = fill(event, broker.EventSignedIn, l.Now, &st)
	t.recordEvent(&event)
	return broker.Outcome{State: st, Verdict: decision.Verdict, Event: event}, nil
}

// refusal is the error of a decision that lets nothing be stored.
func refusal(d broker.Decision) error {
	if d.Verdict == broker.Ask || d.Verdict == broker.Issue {
		return nil
	}
	if d.Err != nil {
		return d.Err
	}
	return broker.ErrConflict
}

// person is who signed in, as it will be stored.
type person struct {
	digest   broker.Digest
	account  *broker.Account
	identity *broker.LinkedIdentity
	isNew    bool
	changed  bool
}

// person finds the account by the identity key alone (invariant I1) or makes a new one.
func (t *txn) person(l *broker.Login) (*person, error) {
	p := &person{digest: l.Identity.Key.Digest()}
	p.identity = t.identity(p.digest)
	if p.identity == nil {
		return t.newcomer(l, p)
	}
	if p.account = t.account(p.identity.AccountID); p.account == nil {
		return nil, broker.ErrAccountDisabled
	}
	if renew(p.identity, l.Identity.Profile, l.Identity.KeepGroups) || l.Now.Sub(p.identity.SeenAt) >= seenPrecision {
		p.changed = true
		p.identity.SeenAt = l.Now
	}
	return p, nil
}

// renew puts the new profile in the place of the old one and reports whether they differ. Groups that could not be read
// are not the same as none: keepGroups leaves the old ones.
func renew(l *broker.LinkedIdentity, now broker.Profile, keepGroups bool) bool {
	if keepGroups {
		now.Groups = l.Profile.Groups
	}
	same := sameProfile(&l.Profile, &now)
	l.Profile = now
	return !same
}

func (t *txn) newcomer(l *broker.Login, p *person) (*person, error) {
	id := l.Identity.Key.ProposedAccountID()
	taken := t.account(id)
	// An account that names this identity says that its record was lost. A second account would let somebody who was
	// disabled in again.
	if taken != nil && slices.Contains(taken.Identities, p.digest) {
		panic(damaged(identityKind, p.digest[:]))
	}
	if l.Identity.KeepGroups {
		return nil, broker.ErrGroupsUnknown
	}
	if taken != nil {
		id = l.AccountID
		if id == "" || t.account(id) != nil {
			return nil, broker.ErrConflict
		}
	}
	p.isNew, p.changed = true, true
	p.account = &broker.Account{ID: id, CreatedAt: l.Now, Identities: []broker.Digest{p.digest}}
	p.identity = &broker.LinkedIdentity{
		Key:       l.Identity.Key,
		AccountID: id,
		Profile:   l.Identity.Profile,
		LinkedAt:  l.Now,
		SeenAt:    l.Now,
	}
	return p, nil
}

func (t *txn) putPerson(p *person) {
	if p.isNew {
		t.putAccount(p.account)
	}
	if p.changed {
		t.putIdentity(p.digest, p.identity)
	}
}

func sameProfile(a, b *broker.Profile) bool {
	return a.Name == b.Name && a.GivenName == b.GivenName && a.FamilyName == b.FamilyName &&
		a.PreferredUsername == b.PreferredUsername && a.Email == b.Email && a.EmailTrust == b.EmailTrust &&
		a.Picture == b.Picture && a.Locale == b.Locale && slices.Equal(a.Groups, b.Groups)
}

// browser is the session a sign-in starts or renews, and the one of another account that it ends.
type browser struct {
	session *broker.Session
	isNew   bool
	ended   *broker.Session
}

func (t *txn) browser(l *broker.Login, st *broker.State, identity broker.Digest) (*browser, error) {
	b := &browser{}
	s := t.proven(l.Presented)
	if s.Live(l.Now) {
		switch {
		case s.AccountID != st.Account.ID:
			b.ended = s
		case s.AccountEpoch == st.Account.Epoch:
			b.session = s
		}
	}
	if b.session == nil {
		// Overwriting a session would hand its sign-ins to somebody else.
		if t.session(l.Session.ID) != nil {
			return nil, broker.ErrConflict
		}
		b.isNew = true
		b.session = &broker.Session{
			ID:           l.Session.ID,
			AccountID:    st.Account.ID,
			AccountEpoch: st.Account.Epoch,
			CreatedAt:    l.Now,
		}
	}
	b.session.Secret = l.Session.Secret
	b.session.UsedAt = l.Now
	b.session.IdleUntil = l.Session.IdleUntil
	b.session.Expires = l.Session.Expires
	b.session.Forget = later(b.session.Forget, l.Session.Forget)
	signIn(b.session, broker.SignIn{
		Connector:      l.Identity.Key.Connector,
		ConnectorEpoch: st.Connector.Epoch,
		Identity:       identity,
		IdentityEpoch:  st.Identity.Epoch,
		At:             l.Now,
		AuthTime:       orElse(l.Identity.Authentication.Time, l.Now),
		ACR:            l.Identity.Authentication.ACR,
		AMR:            l.Identity.Authentication.AMR,
	})
	return b, nil
}

// signIn puts the sign-in in the place of an earlier one through the same connector.
func signIn(s *broker.Session, in broker.SignIn) {
	if old := s.SignIn(in.Connector); old != nil {
		*old = in
		return
	}
	s.SignIns = append(s.SignIns, in)
}

func (t *txn) putBrowser(b *browser, l *broker.Login) {
	if b.ended != nil {
		// The browser belongs to somebody else now; what the other account had here is signed out, and the audit trail
		// says so under that account.
		t.end(b.ended)
		event := broker.Event{
			Type: broker.EventSignedOut, At: orElse(l.Event.At, l.Now), RequestID: l.Event.RequestID, Address: l.Event.Address,
			AccountID: b.ended.AccountID, SessionID: b.ended.ID, Detail: "replaced",
		}
		t.recordEvent(&event)
	}
	t.putSession(b.session)
	if b.isNew {
		t.placed(sessionKind, b.session.ID, b.session.Forget)
	}
}

// proven returns the session whose secret the browser holds, or nil.
func (v *view) proven(ref broker.SessionRef) *broker.Session {
	if ref.IsZero() {
		return nil
	}
	if s := v.session(ref.ID); s != nil && s.Secret.Equal(ref.Secret) {
		return s
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func orElse(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}
