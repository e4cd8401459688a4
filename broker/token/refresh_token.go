package token

import (
	"context"
	"errors"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
)

// RefreshToken redeems refresh tokens and rotates them (RFC 6749 §6, RFC 9700
// §4.14.2).
type RefreshToken struct {
	Tokens    broker.RefreshTokens
	Mint      *mint.Minter
	Targets   Targets
	Lifetimes broker.Lifetimes
	// PerAccount bounds tokens for one person.
	PerAccount *httpx.Limiter
	// Grants and Upstream ask the identity provider again about the person, where it
	// is configured so; with Upstream nil nobody is asked.
	Grants   broker.Grants
	Upstream Rechecker
	// Onces says beforehand whether the client's assertion was used before.
	Onces broker.Onces
	// Retry is how long a spent token may be presented once more by a client that
	// never got the answer; zero for never.
	Retry time.Duration
}

// Rechecker asks upstreams again about people: package recheck's.
type Rechecker interface {
	// Enabled reports whether any upstream is asked again at all.
	Enabled() bool
	// Check returns what has to be settled in the commit of the refresh; nil when
	// nobody had to be asked.
	Check(ctx context.Context, state broker.State, e broker.Event) (*broker.Settlement, error)
	// Settle records it after a refresh that was refused.
	Settle(ctx context.Context, s *broker.Settlement)
}

// GrantType is refresh_token.
func (h *RefreshToken) GrantType() oauth.GrantType { return oauth.GrantTypeRefreshToken }

// Redeem spends the presented token, stores its successor and mints.
func (h *RefreshToken) Redeem(ctx context.Context, r Request) (Tokens, error) {
	presented := r.Form.Get("refresh_token")
	if presented == "" {
		return Tokens{}, oauth.Errorf(oauth.InvalidRequest, "refresh_token is missing")
	}
	scopes, err := oauth.ParseScopes(r.Form.Get("scope"))
	if err != nil {
		return Tokens{}, err
	}
	token, err := h.Mint.ParseRefreshToken(presented)
	if err != nil {
		return Tokens{}, oauth.Errorf(oauth.InvalidGrant, "the refresh token is not valid").Because(err)
	}
	successor, next, err := newRefresh(h.Mint, r, h.Lifetimes, token.GrantID, token.Generation+1)
	if err != nil {
		return Tokens{}, err
	}
	settle, err := h.recheck(ctx, r, token, scopes)
	if err != nil {
		return Tokens{}, err
	}
	r.Event.Type = broker.EventTokenRefreshed
	outcome, err := h.Targets.prepared(ctx, h.Mint, func(to Targets) (broker.Outcome, error) {
		return h.Tokens.RotateRefreshToken(ctx, broker.Rotation{
			Now: r.Now, Once: r.Once, GrantID: token.GrantID, ClientID: r.Client.ID, Presented: token.Digest,
			Next: &next, Successor: mint.SealSuccessor(presented, successor), Retry: h.Retry, Settle: settle, Event: r.Event,
		}, func(s broker.State) error {
			// RFC 6749 §6: a narrower scope is the client's choice, a wider one an error.
			if !s.Grant.Scopes.Contains(scopes) {
				return oauth.Errorf(oauth.InvalidScope, "scope is wider than what was granted")
			}
			return authorize(r, to, s, wanted(scopes, s), h.PerAccount)
		})
	})
	if err != nil {
		if settle != nil {
			h.Upstream.Settle(ctx, settle)
		}
		return revoked(outcome, err), refused(err)
	}
	if outcome.Successor != nil {
		// The answer to the first try was lost: the same token again.
		if successor, err = mint.OpenSuccessor(presented, outcome.Successor); err != nil {
			return Tokens{}, err
		}
	}
	if len(scopes) == 0 {
		scopes = outcome.Grant.Scopes
	}
	tokens, err := tokensOf(ctx, h.Mint, h.Targets, r, outcome, scopes, "")
	tokens.RefreshToken = successor
	return tokens, err
}

// recheck has the upstream asked, outside any transaction, if the verb would agree
// as things stand: a refusal is its business, and costs no question.
func (h *RefreshToken) recheck(ctx context.Context, r Request, token mint.RefreshToken, scopes oauth.Scopes) (*broker.Settlement, error) {
	if h.Upstream == nil || !h.Upstream.Enabled() {
		return nil, nil
	}
	state, err := h.Grants.Grant(ctx, token.GrantID, r.Now)
	if errors.Is(err, broker.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !h.presentable(&state.Grant.Refresh, token, r.Now) || state.Grant.ClientID != r.Client.ID || !r.Now.Before(state.Grant.Refresh.Expires) || !state.Grant.Scopes.Contains(scopes) ||
		state.GrantStanding() != nil {
		return nil, nil
	}
	if _, _, err := h.Targets.of(r, wanted(scopes, state), state.Grant.Resources); err != nil {
		return nil, nil
	}
	for _, once := range r.Once {
		// Who presents an assertion again is not the client, and must not cause a question.
		if used, err := h.Onces.OnceUsed(ctx, once); err != nil || used {
			return nil, err
		}
	}
	return h.Upstream.Check(ctx, state, r.Event)
}

// wanted are the scopes asked for: all that were granted unless the client says less.
func wanted(asked oauth.Scopes, s broker.State) oauth.Scopes {
	if len(asked) == 0 {
		return s.Grant.Scopes
	}
	return asked
}

// presentable reports whether the verb would take the token: the current one, or the
// spent one once and within the window. Any other has to end the grant, and must not
// be answered that an upstream is silent.
func (h *RefreshToken) presentable(f *broker.Refresh, token mint.RefreshToken, now time.Time) bool {
	if f.Current.Equal(token.Digest) {
		return true
	}
	age := now.Sub(f.SpentAt)
	return f.Previous.Equal(token.Digest) && !f.Retried && h.Retry > 0 && age >= 0 && age <= h.Retry
}

// newRefresh prepares a refresh token before the commit that may store it.
func newRefresh(m *mint.Minter, r Request, base broker.Lifetimes, grantID string, generation uint32) (string, broker.NewRefresh, error) {
	l := r.Client.Lifetimes.Or(base)
	token, digest, err := m.NewRefreshToken(grantID, generation)
	expires := r.Now.Add(l.RefreshToken)
	return token, broker.NewRefresh{Digest: digest, Expires: expires, Forget: expires.Add(max(l.AccessToken, l.IDToken))}, err
}
