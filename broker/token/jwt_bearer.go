package token

import (
	"context"

	"gatehouse/broker/oauth"
)

// JWTBearer issues access tokens for JWTs of external issuers as authorization
// grants (RFC 7523 §2.1). There is no refresh token: whoever can get one JWT can get
// the next (RFC 7521 §4.1).
type JWTBearer struct {
	Workloads *Workloads
}

// GrantType is jwt-bearer.
func (h *JWTBearer) GrantType() oauth.GrantType { return oauth.GrantTypeJWTBearer }

// Redeem takes the assertion. One that is not believed is invalid_grant (RFC 7521
// §4.1.1).
func (h *JWTBearer) Redeem(ctx context.Context, r Request) (Tokens, error) {
	assertion := r.Form.Get("assertion")
	if assertion == "" {
		return Tokens{}, oauth.Errorf(oauth.InvalidRequest, "assertion is missing")
	}
	scopes, err := oauth.ParseScopes(r.Form.Get("scope"))
	if err != nil {
		return Tokens{}, err
	}
	return h.Workloads.redeem(ctx, r, claim{jwt: assertion, scopes: scopes, targets: r.Form.Values("resource"),
		refusal: func(err error) error {
			return oauth.Errorf(oauth.InvalidGrant, "the assertion is not valid, has expired, or is not for this client").Because(err)
		}})
}
