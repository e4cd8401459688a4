package authorize

import (
	"context"
	"strconv"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/flow"
	"gatehouse/broker/mint"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
)

// FrontChannel makes what an authorization response carries besides the code: the
// tokens of the implicit and hybrid response types (OpenID Connect Core §3.2.2.5,
// §3.3.2.5), for clients that are registered for them.
type FrontChannel struct {
	Mint      *mint.Minter
	Resources policy.Resources
	Issuer    string
}

// Ready reports whether what the response would carry can be encrypted as it has to
// be: fetched now, the keys are there when the tokens are made. It is for
// [Endpoint.Ready].
func (c *FrontChannel) Ready(ctx context.Context, client *broker.Client, r *broker.AuthorizationRequest) error {
	if r.ResponseType.Has(oauth.ResponseTypeToken) {
		audience, _, err := c.audience(client, r.Scopes, r.Resources)
		if err == nil {
			err = c.Mint.ReadyFor(ctx, c.Resources.Recipient(audience))
		}
		if err != nil {
			return err
		}
	}
	if r.ResponseType.Has(oauth.ResponseTypeIDToken) {
		return c.Mint.Ready(ctx, client)
	}
	return nil
}

// audience is whom an access token is for that leaves from here.
func (c *FrontChannel) audience(client *broker.Client, scopes oauth.Scopes, resources []string) ([]string, oauth.Scopes, error) {
	return c.Resources.Issued(c.Issuer, client, scopes.Without(oauth.OfflineAccess), nil, resources)
}

// rows are the values of a response type and what each adds, in this order: the ID
// token comes last, because it is bound to the others.
var rows = []struct {
	value oauth.ResponseType
	add   func(*FrontChannel, context.Context, flow.Issued, *response) error
}{
	{oauth.ResponseTypeCode, (*FrontChannel).code},
	{oauth.ResponseTypeToken, (*FrontChannel).accessToken},
	{oauth.ResponseTypeIDToken, (*FrontChannel).idToken},
}

// response is what has been made so far.
type response struct {
	fields            []oauth.Field
	code, accessToken string
}

// Fields are the parameters of the response but for state and iss.
func (c *FrontChannel) Fields(ctx context.Context, i flow.Issued) ([]oauth.Field, error) {
	var r response
	for _, row := range rows {
		if !i.Request.ResponseType.Has(row.value) {
			continue
		}
		if err := row.add(c, ctx, i, &r); err != nil {
			return nil, err
		}
	}
	return r.fields, nil
}

func (c *FrontChannel) code(_ context.Context, i flow.Issued, r *response) error {
	r.code = i.Code
	r.fields = append(r.fields, oauth.Field{Name: "code", Value: i.Code})
	return nil
}

// accessToken is RFC 6749 §4.2.2. There is never a refresh token.
func (c *FrontChannel) accessToken(ctx context.Context, i flow.Issued, r *response) error {
	audience, scopes, err := c.audience(i.Client, i.Grant.Scopes, i.Grant.Resources)
	if err != nil {
		return err
	}
	token, lifetime, err := c.Mint.AccessToken(ctx, mint.AccessTokenParams{Client: i.Client, Grant: i.Grant, Scopes: scopes,
		Audience: audience, Recipient: c.Resources.Recipient(audience), Now: i.Now})
	if err != nil {
		return err
	}
	r.accessToken = token
	r.fields = append(r.fields, oauth.Field{Name: "access_token", Value: token}, oauth.Field{Name: "token_type", Value: "Bearer"},
		oauth.Field{Name: "expires_in", Value: strconv.FormatInt(int64(lifetime/time.Second), 10)}, oauth.Field{Name: "scope", Value: scopes.String()})
	return nil
}

// idToken carries at_hash and c_hash of what is beside it, so that neither can be
// swapped in the browser (Core §3.3.2.11). Alone, it is all the client will get,
// and so has the claims of the scopes (Core §5.4).
func (c *FrontChannel) idToken(ctx context.Context, i flow.Issued, r *response) error {
	client := i.Client
	if i.Request.ResponseType == oauth.ResponseTypeIDToken && client.MinimalIDToken {
		whole := *client
		whole.MinimalIDToken = false
		client = &whole
	}
	token, err := c.Mint.IDToken(ctx, mint.IDTokenParams{Client: client, Grant: i.Grant, Scopes: i.Grant.Scopes, Profile: i.Profile,
		Nonce: i.Request.Nonce, AccessToken: r.accessToken, Code: r.code, Now: i.Now})
	if err != nil {
		return err
	}
	r.fields = append(r.fields, oauth.Field{Name: "id_token", Value: token})
	return nil
}
