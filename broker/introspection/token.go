package introspection

import (
	"context"
	"errors"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
)

// token is what a presented string turned out to be. Exactly one of access and
// refresh is set.
type token struct {
	access   *mint.AccessToken
	refresh  *mint.RefreshToken
	clientID string
	state    broker.State // with a grant, unless it is a client's own token
	client   *broker.Client
}

// errUnknown: the string is no token of ours, or one that is over.
var errUnknown = errors.New("not a live token")

// Tokens looks tokens up.
type Tokens struct {
	Mint     *mint.Minter
	Clients  broker.Clients
	Grants   broker.Grants
	Switches broker.Switches
	Onces    broker.Onces
}

// find reads the string: as what it looks like, whatever token_type_hint says (RFC
// 7009 §2.1 lets a server ignore it). What is not live is errUnknown.
func (t *Tokens) find(ctx context.Context, raw string, now time.Time) (*token, error) {
	if refresh, err := t.Mint.ParseRefreshToken(raw); err == nil {
		return t.findRefresh(ctx, &refresh, now)
	}
	access, err := t.Mint.InspectAccessToken(ctx, raw, now)
	if err != nil {
		return nil, errUnknown
	}
	out := &token{access: &access, clientID: access.ClientID}
	if denied, err := t.Onces.OnceUsed(ctx, access.Denial()); err != nil || denied {
		return nil, errors.Join(errUnknown, err)
	}
	if out.client, err = t.lookup(ctx, access.ClientID); err != nil {
		return nil, err
	}
	if access.GrantID == "" {
		now, err := t.Switches.Switch(ctx, broker.ClientSwitch, access.ClientID)
		if err != nil {
			return nil, err
		}
		out.state.Client = now
		return out, dead(policy.AuthorizeClient(out.client, now, access.ClientEpoch, access.Scopes))
	}
	if out.state, err = t.grant(ctx, access.GrantID, now); err != nil {
		return nil, err
	}
	if out.state.Account == nil || out.state.Account.ID != access.Subject {
		return nil, errUnknown
	}
	return out, dead(policy.Authorize(out.client, out.state, access.Scopes))
}

// findRefresh finds the grant of a refresh token. Only the current one is live: a
// spent one may be presented once more at the token endpoint, but says nothing.
func (t *Tokens) findRefresh(ctx context.Context, refresh *mint.RefreshToken, now time.Time) (*token, error) {
	state, err := t.grant(ctx, refresh.GrantID, now)
	if err != nil {
		return nil, err
	}
	out := &token{refresh: refresh, clientID: state.Grant.ClientID, state: state}
	if !state.Grant.Refresh.Current.Equal(refresh.Digest) || !now.Before(state.Grant.Refresh.Expires) {
		return nil, errUnknown
	}
	if out.client, err = t.lookup(ctx, out.clientID); err != nil {
		return nil, err
	}
	return out, dead(policy.Authorize(out.client, state, state.Grant.Scopes))
}

func (t *Tokens) grant(ctx context.Context, id string, now time.Time) (broker.State, error) {
	state, err := t.Grants.Grant(ctx, id, now)
	if errors.Is(err, broker.ErrNotFound) {
		return state, errUnknown
	}
	return state, err
}

func (t *Tokens) lookup(ctx context.Context, id string) (*broker.Client, error) {
	client, err := t.Clients.Client(ctx, id)
	if errors.Is(err, broker.ErrNotFound) {
		return nil, errUnknown
	}
	return client, err
}

// dead makes of a refusal that nothing is known.
func dead(err error) error {
	if err != nil {
		return errors.Join(errUnknown, err)
	}
	return nil
}

func unknown(err error) bool { return errors.Is(err, errUnknown) }

// scopes are what the token is good for.
func (t *token) scopes() oauth.Scopes {
	if t.access != nil {
		return t.access.Scopes
	}
	return t.state.Grant.Scopes
}
