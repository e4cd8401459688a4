package token

import (
	"context"
	"errors"
	"slices"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/external"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
)

// Workloads issues access tokens about workloads that external issuers vouch for.
type Workloads struct {
	Issuers  *external.Issuers
	Switches broker.Switches
	Onces    broker.Onces
	Mint     *mint.Minter
	Targets  Targets
}

// claim is what a client presents for a workload.
type claim struct {
	jwt     string
	scopes  oauth.Scopes
	targets []string
	// refusal is the answer to a JWT that is not believed: the grants have different
	// ones.
	refusal func(error) error
	// actor says who acts for the workload, and until when; nil for nobody.
	actor func(notAfter time.Time) (*mint.Actor, time.Time, error)
}

// redeem believes the JWT and mints. What the token may be for, the issuer's entry
// and the client's registration say together.
func (w *Workloads) redeem(ctx context.Context, r Request, c claim) (Tokens, error) {
	found, err := w.Issuers.Verify(ctx, c.jwt, r.Client.ID)
	switch {
	case errors.Is(err, external.ErrUnreachable):
		return Tokens{}, oauth.Errorf(oauth.TemporarilyUnavailable, "the issuer's keys cannot be had at the moment").Because(err)
	case err != nil:
		return Tokens{}, c.refusal(err)
	}
	notAfter := r.Now.Add(found.Issuer.MaxLifetime)
	if found.Expires.Before(notAfter) {
		notAfter = found.Expires
	}
	var actor *mint.Actor
	if c.actor != nil {
		if actor, notAfter, err = c.actor(notAfter); err != nil {
			return Tokens{}, err
		}
	}
	if over(notAfter, r.Now) {
		return Tokens{}, c.refusal(errOver)
	}
	scopes, err := narrowed(c.scopes, found.Issuer.Scopes, r.Client.Scopes)
	if err != nil {
		return Tokens{}, err
	}
	audience, scopes, err := w.Targets.narrowed(scopes, c.targets, found.Issuer.Resources)
	if err != nil {
		return Tokens{}, err
	}
	holder, err := w.holder(ctx, r)
	if err != nil {
		return Tokens{}, err
	}
	if err := policy.AuthorizeWorkload(holder, found.Issuer, scopes); err != nil {
		return Tokens{}, oauth.Errorf(oauth.UnauthorizedClient, "the client may not use this grant_type").Because(err)
	}
	recipient := w.Targets.Resources.Recipient(audience)
	if err := ready(ctx, w.Mint, recipient); err != nil {
		return Tokens{}, err
	}
	if err := w.consume(ctx, r, found, c.refusal); err != nil {
		return Tokens{}, err
	}
	token, lifetime, err := w.Mint.WorkloadToken(ctx, mint.ExchangeParams{Client: r.Client, Epoch: holder.Epoch, Scopes: scopes,
		Audience: audience, Recipient: recipient, Actor: actor, Now: r.Now, NotAfter: notAfter}, found.Issuer, found.Subject)
	return Tokens{AccessToken: token, Lifetime: lifetime, Scopes: scopes}, err
}

// consume spends what was presented once, in one commit: the client's assertion and,
// where it is configured so, the JWT.
func (w *Workloads) consume(ctx context.Context, r Request, found external.Workload, refusal func(error) error) error {
	err := w.Onces.UseOnce(ctx, append(slices.Clone(r.Once), found.Once...), nil)
	if errors.Is(err, broker.ErrOnceUsed) && len(found.Once) > 0 {
		// Which of the two it was decides who is told what.
		if used, lookup := w.Onces.OnceUsed(ctx, found.Once[0]); lookup == nil && used {
			return refusal(err)
		}
	}
	if err != nil {
		return refused(err)
	}
	return nil
}

// holder is the client as things stand, about to be given a token.
func (w *Workloads) holder(ctx context.Context, r Request) (policy.Holder, error) {
	now, err := w.Switches.Switch(ctx, broker.ClientSwitch, r.Client.ID)
	if err != nil {
		return policy.Holder{}, err
	}
	if now.Disabled {
		return policy.Holder{}, oauth.Errorf(oauth.UnauthorizedClient, "the client may not use this grant_type").Because(broker.ErrClientDisabled)
	}
	return policy.Holder{Client: r.Client, Now: now, Epoch: now.Epoch}, nil
}

// narrowed are the scopes of a token that is derived from another (invariant I7):
// never more than that had and than the client is registered for, and never
// offline_access, because there is no refresh token.
func narrowed(asked, had, registered oauth.Scopes) (oauth.Scopes, error) {
	had = had.Without(oauth.OfflineAccess)
	may := had.Intersect(registered)
	switch {
	case !may.Contains(asked):
		return nil, oauth.Errorf(oauth.InvalidScope, "scope is wider than what was presented, or than the client's registration")
	case len(asked) > 0:
		return asked, nil
	case len(may) == 0 && len(had) > 0:
		return nil, oauth.Errorf(oauth.InvalidScope, "the client is registered for none of the scopes of what was presented")
	}
	return may, nil
}

// narrowed is the audience of a token that is derived from one for permitted; nil
// permits every resource server.
func (t Targets) narrowed(scopes oauth.Scopes, requested, permitted []string) ([]string, oauth.Scopes, error) {
	return t.Resources.Narrowed(t.Issuer, scopes, requested, permitted)
}

var errOver = errors.New("it has expired, or is about to")

// over reports whether nothing can be issued that ends in time: tokens count whole
// seconds, and what has expired is believed within the skew of clocks, but gives
// nothing.
func over(notAfter, now time.Time) bool { return notAfter.Sub(now) < time.Second }
