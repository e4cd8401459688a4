package token

import (
	"context"
	"errors"

	"gatehouse/broker"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/internal/httpx"
)

// AuthorizationCode redeems authorization codes (RFC 6749 §4.1.3).
type AuthorizationCode struct {
	Codes     broker.Codes
	Mint      *mint.Minter
	Targets   Targets
	Lifetimes broker.Lifetimes
	// PerAccount bounds tokens for one person.
	PerAccount *httpx.Limiter
}

// GrantType is authorization_code.
func (h *AuthorizationCode) GrantType() oauth.GrantType { return oauth.GrantTypeAuthorizationCode }

// Redeem spends the code and mints the tokens of its grant.
func (h *AuthorizationCode) Redeem(ctx context.Context, r Request) (Tokens, error) {
	code := r.Form.Get("code")
	if code == "" {
		return Tokens{}, oauth.Errorf(oauth.InvalidRequest, "code is missing")
	}
	key, grantID, err := h.Mint.ParseCode(code)
	if err != nil {
		return Tokens{}, oauth.Errorf(oauth.InvalidGrant, "the code is not valid").Because(err)
	}
	refresh, next, err := newRefresh(h.Mint, r, h.Lifetimes, grantID, 1)
	if err != nil {
		return Tokens{}, err
	}
	r.Event.Type = broker.EventCodeRedeemed
	outcome, err := h.Targets.prepared(ctx, h.Mint, func(to Targets) (broker.Outcome, error) {
		return h.Codes.RedeemCode(ctx, broker.Redemption{
			Now: r.Now, Once: r.Once, Key: key, ClientID: r.Client.ID, Next: next, Event: r.Event,
			Bound: func(c broker.Code) error { return bound(c, r) },
		}, func(s broker.State) error { return authorize(r, to, s, s.Grant.Scopes, h.PerAccount) })
	})
	if err != nil {
		return revoked(outcome, err), refused(err)
	}
	tokens, err := tokensOf(ctx, h.Mint, h.Targets, r, outcome, outcome.Grant.Scopes, outcome.Code.Nonce)
	if outcome.Grant.Offline {
		tokens.RefreshToken = refresh
	}
	return tokens, err
}

// bound checks what a code is bound to: the redirect URI of its request (RFC
// 6749 §4.1.3) and the PKCE challenge (RFC 7636 §4.6), absent ones included: a
// verifier for a code without challenge means that somebody took the challenge
// away (RFC 9700 §4.8.2).
func bound(c broker.Code, r Request) error {
	presented := r.Form.Get("redirect_uri")
	if presented != c.RedirectURI && (presented != "" || c.RedirectURISent) {
		return oauth.Errorf(oauth.InvalidGrant, "redirect_uri differs from that of the authorization request")
	}
	if c.Challenge == "" && r.Client.Public() {
		// Issued while the client could keep a secret; now nothing proves whose code it is.
		return oauth.Errorf(oauth.InvalidGrant, "the code was issued without a code_challenge")
	}
	return oauth.VerifyPKCE(c.Challenge, r.Form.Get("code_verifier"))
}

// refused makes an answer of what a verb said. Which of the reasons it was is
// not the client's business.
func refused(err error) error {
	if oe, ok := errors.AsType[*oauth.Error](err); ok {
		return oe
	}
	if errors.Is(err, broker.ErrOnceUsed) {
		// The assertion is all that is presented once here.
		return clientauth.UsedBefore(err)
	}
	for _, known := range []error{broker.ErrNotFound, broker.ErrCodeReplayed, broker.ErrTokenReused,
		policy.ErrNotAllowed, policy.ErrConsentRequired, policy.ErrScopeNotAllowed, policy.ErrClientGone,
		broker.ErrClientDisabled, broker.ErrConnectorDisabled, broker.ErrAccountDisabled, broker.ErrIdentityGone,
		broker.ErrSessionEnded, broker.ErrSuperseded, broker.ErrGrantGone} {
		if errors.Is(err, known) {
			return oauth.Errorf(oauth.InvalidGrant, "the code or token is not valid, has expired, or has been revoked").Because(err)
		}
	}
	_, changed := errors.AsType[unready](err) // twice: the audience is another than a moment before
	if changed || errors.Is(err, broker.ErrConflict) || errors.Is(err, broker.ErrReadOnly) {
		return oauth.Errorf(oauth.TemporarilyUnavailable, "the request cannot be carried out at the moment").Because(err)
	}
	return err
}
