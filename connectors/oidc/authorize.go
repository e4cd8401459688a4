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

// maxHint bounds what we pass on of a hint that a client or person typed, in bytes.
const maxHint = 256

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
	params := p.params(l)
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
	for name, value := range map[string]string{"login_hint": l.LoginHint, "ui_locales": l.UILocales} {
		if value != "" && len(value) <= maxHint && connectors.IsText(value) {
			v.Set(name, value)
		}
	}
	return v
}

// Scopes implements connectors.Scoper.
func (p *Provider) Scopes() []string { return p.scopes(&metadata{}) }

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
	// A refresh token is asked for where it has a use, and nowhere else.
	if offline := p.offlineScope(); p.rechecks() && offline != "" && !slices.Contains(scopes, offline) {
		scopes = append(slices.Clone(scopes), offline)
	}
	return scopes
}

// offlineScope is the scope that is answered with a refresh token; empty for none.
func (p *Provider) offlineScope() string {
	switch p.quirks.OfflineScope {
	case "":
		return oauth.OfflineAccess // OIDC Core §11
	case "-":
		return ""
	}
	return p.quirks.OfflineScope
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
