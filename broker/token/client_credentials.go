package token

import (
	"context"
	"errors"

	"gatehouse/broker"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
)

// ClientCredentials issues access tokens to clients for themselves (RFC 6749
// §4.4). Nothing is stored for one, so that it costs no commit; only the jti of a
// client assertion does.
type ClientCredentials struct {
	Switches broker.Switches
	Onces    broker.Onces
	Mint     *mint.Minter
	Targets  Targets
}

// GrantType is client_credentials.
func (h *ClientCredentials) GrantType() oauth.GrantType { return oauth.GrantTypeClientCredentials }

// Redeem mints a token for the client. There is no refresh token (§4.4.3).
func (h *ClientCredentials) Redeem(ctx context.Context, r Request) (Tokens, error) {
	if r.Client.Public() {
		// §4.4: who cannot keep a secret cannot act in its own name.
		return Tokens{}, oauth.Errorf(oauth.UnauthorizedClient, "a public client cannot use this grant_type")
	}
	asked, err := oauth.ParseScopes(r.Form.Get("scope"))
	if err != nil {
		return Tokens{}, err
	}
	scopes := asked
	if len(asked) == 0 { // §3.3: the default is all that the client may have in its own name
		scopes = r.Client.Scopes
	}
	scopes = scopes.Without(oauth.OpenID).Without(oauth.Profile).Without(oauth.Email).Without(oauth.Groups).Without(oauth.OfflineAccess)
	if len(asked) > len(scopes) {
		return Tokens{}, oauth.Errorf(oauth.InvalidScope, "scopes about a person cannot be granted to a client itself")
	}
	state, err := h.Switches.Switch(ctx, broker.ClientSwitch, r.Client.ID)
	if err != nil {
		return Tokens{}, err
	}
	if err := policy.AuthorizeClient(r.Client, state, state.Epoch, scopes); err != nil {
		if errors.Is(err, policy.ErrScopeNotAllowed) {
			return Tokens{}, oauth.Errorf(oauth.InvalidScope, "the client is not registered for one of the scopes").Because(err)
		}
		return Tokens{}, oauth.Errorf(oauth.UnauthorizedClient, "the client may not use this grant_type").Because(err)
	}
	audience, scopes, err := h.Targets.of(r, scopes, nil)
	if err != nil {
		return Tokens{}, err
	}
	recipient := h.Targets.Resources.Recipient(audience)
	if err := ready(ctx, h.Mint, recipient); err != nil {
		return Tokens{}, err
	}
	if err := h.Onces.UseOnce(ctx, r.Once, nil); err != nil {
		return Tokens{}, refused(err)
	}
	token, lifetime, err := h.Mint.ClientToken(ctx, mint.ClientTokenParams{Client: r.Client, Epoch: state.Epoch, Scopes: scopes,
		Audience: audience, Recipient: recipient, Now: r.Now})
	return Tokens{AccessToken: token, Lifetime: lifetime, Scopes: scopes}, err
}
