package github

import (
	"context"
	"errors"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// spareTime is the least that a kept access token has to live for the API to be asked
// with it. While it does, the refresh token, which is good for one use, is left alone.
const spareTime = 2 * time.Minute

// Refresh implements connectors.Refresher. Everything about the person is asked
// for again: number, addresses, organisations, teams, and the rules are decided
// anew.
//
// With an OAuth App the kept token is asked with, and stays. With a GitHub App it is
// renewed when it is about to expire, and then the new pair comes with any error too:
// the old one is used up.
func (g *Connector) Refresh(ctx context.Context, prior broker.Identity, u connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	ctx, cancel := context.WithTimeout(ctx, signInTimeout)
	defer cancel()
	id, next, err := g.refresh(ctx, prior, u)
	g.note(err)
	return id, next, err
}

func (g *Connector) refresh(ctx context.Context, prior broker.Identity, u connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	if g.lives(u) {
		id, report, err := g.ask(ctx, prior, u.AccessToken, freshRetries)
		switch {
		case err == nil:
			u.Report = report
			return id, u, nil
		case !errors.Is(err, errBadToken) || u.RefreshToken == "":
			return broker.Identity{}, connectors.Upstream{}, g.aboutKept(ctx, prior, u.AccessToken, err)
		}
		// The refresh token knows whether the person or only this token is finished.
	}
	fresh, err := g.renew(ctx, u.RefreshToken)
	if err != nil {
		return broker.Identity{}, connectors.Upstream{}, err
	}
	id, report, err := g.ask(ctx, prior, fresh.AccessToken, 0)
	if err != nil {
		return broker.Identity{}, fresh, marked(g.aboutFresh(err), false)
	}
	fresh.Report = report
	return id, fresh, nil
}

// lives reports whether the access token is worth asking with. Where it cannot be
// renewed it always is.
func (g *Connector) lives(u connectors.Upstream) bool {
	if u.RefreshToken == "" {
		return true
	}
	return u.AccessToken != "" && g.now().Add(spareTime).Before(u.Expiry)
}

// ask has the API answer about a person who was here before.
func (g *Connector) ask(ctx context.Context, prior broker.Identity, token string, retries int) (broker.Identity, connectors.Report, error) {
	s := &session{g: g, token: token, retries: retries, expect: prior.Key.Subject}
	id, err := s.identity(ctx)
	return id, s.report, err
}

// aboutKept says what a failure with a kept token means. Nothing was used up by it.
// Neither 401 nor the refusal of the account's own token is believed at once: GitHub
// has both for other reasons than that the person is gone.
func (g *Connector) aboutKept(ctx context.Context, prior broker.Identity, token string, cause error) error {
	if errors.Is(cause, errBadToken) || errors.Is(cause, errRefusedAccount) {
		cause = g.confirm(ctx, token, prior.Key.Subject)
	}
	return marked(finished(cause), true)
}

// aboutFresh is the same for a token that was just renewed, which GitHub may not know
// everywhere yet.
func (g *Connector) aboutFresh(cause error) error {
	if errors.Is(cause, errBadToken) || errors.Is(cause, errRefusedAccount) {
		return &connectors.Error{Kind: connectors.Transient, Hint: "GitHub does not accept the token it has just issued", Err: cause}
	}
	return finished(cause)
}

// finished words what ends a person's grants.
func finished(cause error) error {
	switch {
	case errors.Is(cause, errSuspended):
		return &connectors.Error{Kind: connectors.Gone, Hint: "GitHub has suspended the account", Err: cause}
	case errors.Is(cause, errForeign):
		return &connectors.Error{Kind: connectors.Gone, Hint: "the kept token belongs to another application", Err: cause}
	}
	return cause
}

// marked says whether what was presented is certainly not used up: asking the API
// uses nothing up, and what the API says after a renewal leaves that as it is.
func marked(cause error, unspent bool) error {
	e, ok := errors.AsType[*connectors.Error](cause)
	if !ok || e.Unspent == unspent {
		return cause
	}
	out := *e
	out.Unspent = unspent
	return &out
}
