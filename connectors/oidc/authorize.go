package oidc

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// maxLoginHint bounds what we pass on of a hint that a client or person typed.
const maxLoginHint = 256

// AuthorizationURL implements connectors.Connector.
func (p *Provider) AuthorizationURL(ctx context.Context, l connectors.Login) (string, error) {
	if err := l.Complete(); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	m, err := p.metadata.get(ctx)
	if err != nil {
		return "", err
	}
	params := standardParams(l, p.quirks.MaxAgeForLogin)
	if p.quirks.Params != nil {
		p.quirks.Params(l, params)
	}
	// S256 whatever discovery says: a provider without PKCE ignores it (RFC 7636 §5),
	// and one that was sent a challenge enforces it (RFC 9700 §2.1.1).
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(l.CodeVerifier), oauth2.SetAuthURLParam("nonce", l.Nonce)}
	for name := range params {
		options = append(options, oauth2.SetAuthURLParam(name, params.Get(name)))
	}
	config := p.oauth(&m.value, l.Choice)
	config.RedirectURL = l.RedirectURI
	return config.AuthCodeURL(l.State, options...), nil
}

// standardParams are the parameters of OIDC Core §3.1.2.1 that a sign-in may
// need beyond the fixed ones.
func standardParams(l connectors.Login, maxAgeForLogin bool) url.Values {
	v := url.Values{}
	var prompt []string
	if l.ForceLogin {
		prompt = append(prompt, "login")
	}
	if l.SelectAccount {
		prompt = append(prompt, "select_account")
	}
	if len(prompt) > 0 {
		v.Set("prompt", strings.Join(prompt, " "))
	}
	switch {
	case l.HasMaxAge:
		v.Set("max_age", strconv.FormatInt(int64(max(l.MaxAge, 0)/time.Second), 10))
	case l.ForceLogin && maxAgeForLogin:
		v.Set("max_age", "0")
	}
	if len(l.ACRValues) > 0 {
		v.Set("acr_values", strings.Join(l.ACRValues, " "))
	}
	if l.LoginHint != "" && len(l.LoginHint) <= maxLoginHint && connectors.IsText(l.LoginHint) {
		v.Set("login_hint", l.LoginHint)
	}
	return v
}

func (p *Provider) scopes(m *metadata) []string {
	scopes := p.config.Scopes
	if len(scopes) == 0 {
		scopes = []string{oauth.OpenID, oauth.Profile, oauth.Email}
		if p.quirks.DefaultScopes != nil {
			scopes = p.quirks.DefaultScopes(m.ScopesSupported)
		}
	}
	// Without openid there is no ID token and so no evidence of anybody.
	if !slices.Contains(scopes, oauth.OpenID) {
		scopes = append([]string{oauth.OpenID}, scopes...)
	}
	return scopes
}

// authStyle never leaves x/oauth2 to find out by trying both: a code is good for
// one attempt. Absent from discovery means basic (OIDC Discovery §3).
func (p *Provider) authStyle(m *metadata) oauth2.AuthStyle {
	if p.asserter != nil {
		return oauth2.AuthStyleInParams
	}
	method := p.config.TokenEndpointAuthMethod
	if method == "" {
		preferred, other := clientSecretBasic, clientSecretPost
		if p.quirks.SecretInBody {
			preferred, other = other, preferred
		}
		method = preferred
		if !slices.Contains(m.AuthMethods, preferred) && slices.Contains(m.AuthMethods, other) {
			method = other
		}
	}
	if method == clientSecretBasic {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams // a public client sends its client_id alone
}
