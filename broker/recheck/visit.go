package recheck

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// visit is one refresh on its way past an upstream.
type visit struct {
	*Checker
	refresher connectors.Refresher
	rule      connectors.Recheck
	state     broker.State
	event     broker.Event
}

// run looks at the credential until the upstream's word is young enough, somebody
// has to be refused, or it holds the lease and has asked.
func (v *visit) run(ctx context.Context) (*broker.Settlement, error) {
	// Counted in steps and not by the clock, which a test or an administrator may set.
	for range int(waitTimeout / waitStep) {
		credential, err := v.Credentials.Credential(ctx, v.state.Grant.Identity)
		if errors.Is(err, broker.ErrNotFound) {
			// Re-check was switched on after the sign-in, or the upstream handed out nothing.
			return nil, v.lost(ctx)
		}
		if err != nil {
			return nil, err
		}
		now := v.Now()
		if credential.Spent {
			if v.inGrace(credential, now) {
				return nil, nil
			}
			return nil, v.lost(ctx)
		}
		if young, err := v.young(credential, now); young || err != nil {
			return nil, err
		}
		if credential.Lease != "" && now.Before(credential.LeaseUntil) {
			if err := pause(ctx); err != nil {
				return nil, err
			}
			continue
		}
		leased, err := v.Credentials.LeaseCredential(ctx, broker.CredentialLease{Identity: credential.Identity, ID: broker.NewID(now),
			Asked: credential.AskedAt, Now: now, Until: now.Add(leaseFor)})
		switch {
		case errors.Is(err, broker.ErrConflict), errors.Is(err, broker.ErrNotFound):
			continue // somebody was quicker; look again
		case err != nil:
			return nil, err
		}
		return v.ask(ctx, leased, credential.FailingSince)
	}
	return nil, &silence{cause: errBusy, wait: time.Second}
}

// young reports whether the last answer, or the last attempt at one, still counts.
// An upstream is asked at most once per interval. Only about people who are being
// refused for its silence it is asked sooner, so that they do not wait for an
// interval after it is back.
func (v *visit) young(c broker.Credential, now time.Time) (bool, error) {
	switch age := now.Sub(c.AskedAt); {
	case age >= v.rule.Interval, age < -replicaSkew:
		// An answer that is still to come is from before the clock was put back: how old
		// it is nobody knows.
		return false, nil
	case c.FailingSince.IsZero() || v.inGrace(c, now):
		return true, nil
	case age >= min(retryOutage, v.rule.Interval):
		return false, nil
	default:
		return false, &silence{cause: errSilent, wait: min(retryOutage, v.rule.Interval) - age}
	}
}

func (v *visit) inGrace(c broker.Credential, now time.Time) bool {
	return !c.FailingSince.IsZero() && now.Before(c.FailingSince.Add(v.rule.OutageGrace))
}

func pause(ctx context.Context) error {
	t := time.NewTimer(waitStep)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask presents the credential and makes a settlement of the answer. It does not
// end with the request: a client that hangs up must not cost the person a sign-in.
func (v *visit) ask(ctx context.Context, c broker.Credential, failing time.Time) (*broker.Settlement, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	settlement := &broker.Settlement{Identity: c.Identity, Lease: c.Lease, Forget: v.Now().Add(v.Outlives)}
	upstream, err := v.open(c)
	if err != nil {
		// Sealed under a secret that is gone, or altered: it will never open.
		v.Log.LogAttrs(ctx, slog.LevelError, "an upstream credential cannot be opened", slog.String("connector", v.state.Grant.Connector))
		settlement.Now, settlement.Spent = v.Now(), true
		v.Settle(ctx, settlement)
		return nil, v.lost(ctx)
	}
	prior := broker.Identity{Key: v.state.Identity.Key, Profile: v.state.Identity.Profile}
	who, next, err := v.refresher.Refresh(ctx, prior, upstream)
	settlement.Now = v.Now()
	if err == nil && who.Key != prior.Key {
		err = &connectors.Error{Kind: connectors.Gone, Hint: "the upstream answered for somebody else"}
	}
	if next.RefreshToken != "" || next.Reusable {
		var failed error
		if settlement.Sealed, failed = v.seal(c.Identity, next); failed != nil {
			return nil, failed
		}
		settlement.Reusable = next.Reusable
	}
	switch {
	case err == nil:
		settlement.Answer = broker.UpstreamVouches
		settlement.Profile, settlement.KeepGroups = who.Profile, who.KeepGroups
		return settlement, nil
	case definite(err):
		return nil, v.denied(ctx, settlement, err)
	}
	return nil, v.silent(ctx, settlement, c, failing, err)
}

func (v *visit) open(c broker.Credential) (connectors.Upstream, error) {
	var u connectors.Upstream
	plain, err := v.Box.Open(c.Sealed, c.Identity[:])
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal(plain, &u)
}

// definite reports whether an error says something about the person, rather than
// about the upstream or us.
func definite(err error) bool {
	e, ok := errors.AsType[*connectors.Error](err)
	if !ok {
		return false
	}
	switch e.Kind {
	case connectors.Gone, connectors.NotAllowed, connectors.Declined, connectors.Interaction, connectors.Unmet:
		return true
	case connectors.Transient, connectors.Operator, connectors.Broken:
	}
	return false
}

// denied ends what rests on the identity (ATTACKS UP-32).
func (v *visit) denied(ctx context.Context, s *broker.Settlement, cause error) error {
	v.note(ctx, slog.LevelInfo, "an upstream no longer vouches for a person", cause)
	s.Answer, s.Sealed = broker.UpstreamDenies, nil
	s.Grant, s.Session = v.state.Grant.ID, v.state.Grant.SessionID
	event := v.event
	event.Type, event.At, event.Connector = broker.EventUpstreamDenied, s.Now, v.state.Grant.Connector
	event.AccountID, event.GrantID, event.SessionID = v.state.Grant.AccountID, v.state.Grant.ID, v.state.Grant.SessionID
	if e, ok := errors.AsType[*connectors.Error](cause); ok {
		event.Detail = e.Kind.String()
	}
	held, err := v.Credentials.SettleCredential(ctx, *s, event)
	if err != nil {
		return err
	}
	if held {
		v.Audit.Committed(ctx, event)
	}
	return errDenied
}

// silent keeps the grant for as long as outage_grace says.
func (v *visit) silent(ctx context.Context, s *broker.Settlement, c broker.Credential, failing time.Time, cause error) error {
	if failing.IsZero() { // once per outage and person
		v.note(ctx, slog.LevelError, "an upstream could not be asked again about a person", cause)
		failing = s.Now
	}
	e, known := errors.AsType[*connectors.Error](cause)
	s.Spent = s.Sealed == nil && !c.Reusable && (!known || !e.Unspent)
	if _, err := v.Credentials.SettleCredential(ctx, *s, broker.Event{}); err != nil {
		return err
	}
	if s.Now.Before(failing.Add(v.rule.OutageGrace)) {
		return nil
	}
	if s.Spent {
		return v.lost(ctx)
	}
	wait := min(retryOutage, v.rule.Interval)
	if known {
		wait = max(wait, e.RetryAfter)
	}
	return &silence{cause: errors.Join(errSilent, cause), wait: wait}
}

// lost refuses somebody about whom nobody can be asked, and signs their browser out:
// otherwise single sign-on would give the application a new grant without a new
// credential, again and again.
func (v *visit) lost(ctx context.Context) error {
	grant, event := v.state.Grant, v.event
	event.Type, event.At, event.Detail = broker.EventGrantRevoked, v.Now(), "credential_lost"
	event.AccountID, event.GrantID, event.SessionID, event.Connector = grant.AccountID, grant.ID, grant.SessionID, grant.Connector
	v.note(ctx, slog.LevelWarn, "a person has to sign in again: nothing to ask the upstream with", errLost)
	switch err := v.Grants.RevokeGrant(ctx, grant.ID, event); {
	case errors.Is(err, broker.ErrNotFound):
	case err != nil:
		return err
	default:
		v.Audit.Committed(ctx, event)
	}
	event.Type = broker.EventSignedOut
	switch _, err := v.Sessions.EndSession(ctx, grant.SessionID, event); {
	case errors.Is(err, broker.ErrNotFound):
	case err != nil:
		return err
	default:
		v.Audit.Committed(ctx, event)
	}
	return errLost
}

func (v *visit) note(ctx context.Context, level slog.Level, message string, cause error) {
	v.Log.LogAttrs(ctx, level, message, slog.String("request", v.event.RequestID), slog.String("connector", v.state.Grant.Connector),
		slog.String("account", v.state.Grant.AccountID), slog.Any("error", cause))
}
