package introspection

import (
	"context"
	"errors"
	"fmt"
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

// What makes a token of ours dead besides what is gone or forbidden.
var (
	errRevoked  = errors.New("it was revoked")
	errSubject  = errors.New("its account is not the grant's")
	errReplaced = errors.New("it was used, or has expired")
)

// Tokens looks tokens up.
type Tokens struct {
	Mint     *mint.Minter
	Clients  broker.Clients
	Grants   broker.Grants
	Switches broker.Switches
	Onces    broker.Onces
	// External is the issuer with an ID as it is configured now; nil when it is not.
	External func(id string) *broker.ExternalIssuer
}

// Access is an access token of ours that lives, and the state it lives by. Whatever
// else was presented is [mint.ErrNotLive], with the reason for the log; who may
// present it is for the caller to say.
func (t *Tokens) Access(ctx context.Context, raw string, now time.Time) (*mint.AccessToken, broker.State, error) {
	found, err := t.findAccess(ctx, raw, now)
	if err != nil {
		return nil, broker.State{}, err
	}
	return found.access, found.state, nil
}

// find reads the string: as what it looks like, whatever token_type_hint says (RFC
// 7009 §2.1 lets a server ignore it). What is not live is ErrNotLive; one of ours
// that rests, or that only its successor has replaced, comes with it, because its
// client may want to be sure that it never lives again.
func (t *Tokens) find(ctx context.Context, raw string, now time.Time) (*token, error) {
	if refresh, err := t.Mint.ParseRefreshToken(raw); err == nil {
		return t.findRefresh(ctx, &refresh, now)
	}
	return t.findAccess(ctx, raw, now)
}

func (t *Tokens) findAccess(ctx context.Context, raw string, now time.Time) (*token, error) {
	access, err := t.Mint.InspectAccessToken(ctx, raw, now)
	if err != nil {
		return nil, dead(err)
	}
	out := &token{access: &access, clientID: access.ClientID}
	denied, err := t.Onces.OnceUsed(ctx, access.Denial())
	if err != nil {
		return nil, err
	}
	if denied {
		return nil, dead(errRevoked)
	}
	if out.client, err = t.lookup(ctx, access.ClientID); err != nil {
		return nil, err
	}
	if access.GrantID == "" {
		return out, t.machine(ctx, out)
	}
	if out.state, err = t.grant(ctx, access.GrantID, now); err != nil {
		return nil, err
	}
	if out.state.Account == nil || t.Mint.Subject(out.client, out.state.Account.ID) != access.Subject {
		return out, dead(errSubject) // the client's sector may be put back, and the token is its own to revoke
	}
	if access.Exchanged {
		return out, t.exchanged(ctx, out)
	}
	return out, dead(policy.Authorize(out.client, out.state, access.Scopes))
}

// machine judges a client's own token, and one about a workload.
func (t *Tokens) machine(ctx context.Context, out *token) error {
	now, err := t.Switches.Switch(ctx, broker.ClientSwitch, out.clientID)
	if err != nil {
		return err
	}
	out.state.Client = now
	if id := out.access.ExternalIssuer; id != "" {
		return dead(policy.AuthorizeWorkload(policy.Holder{Client: out.client, Now: now, Epoch: out.access.ClientEpoch}, t.External(id), out.access.Scopes))
	}
	return dead(policy.AuthorizeClient(out.client, now, out.access.ClientEpoch, out.access.Scopes))
}

// exchanged judges a token that was issued in exchange for another: by the client
// that has it and by the one that the grant is of (RFC 8693).
func (t *Tokens) exchanged(ctx context.Context, out *token) error {
	now, err := t.Switches.Switch(ctx, broker.ClientSwitch, out.clientID)
	if err != nil {
		return err
	}
	origin, err := t.lookup(ctx, out.state.Grant.ClientID)
	if err != nil {
		return err
	}
	return dead(policy.AuthorizeExchange(policy.Holder{Client: out.client, Now: now, Epoch: out.access.ClientEpoch}, origin, out.state, out.access.Scopes))
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
		return out, dead(errReplaced)
	}
	if out.client, err = t.lookup(ctx, out.clientID); err != nil {
		return nil, err
	}
	return out, dead(policy.Authorize(out.client, state, state.Grant.Scopes))
}

func (t *Tokens) grant(ctx context.Context, id string, now time.Time) (broker.State, error) {
	state, err := t.Grants.Grant(ctx, id, now)
	if errors.Is(err, broker.ErrNotFound) {
		return state, dead(err)
	}
	return state, err
}

func (t *Tokens) lookup(ctx context.Context, id string) (*broker.Client, error) {
	client, err := t.Clients.Client(ctx, id)
	if errors.Is(err, broker.ErrNotFound) {
		return nil, dead(err)
	}
	return client, err
}

// dead says that a token is not live, and why.
func dead(reason error) error {
	if reason == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", mint.ErrNotLive, reason)
}

// scopes are what the token is good for.
func (t *token) scopes() oauth.Scopes {
	if t.access != nil {
		return t.access.Scopes
	}
	return t.state.Grant.Scopes
}
