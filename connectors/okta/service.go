package okta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

const (
	// serviceScope lets "List all groups of a user" be asked, and nothing be changed.
	serviceScope = "okta.users.read"
	// serviceMargin is how long before its end a token is no longer used, and
	// serviceLife the most that we believe it lives.
	serviceMargin = time.Minute
	serviceLife   = time.Hour
)

// serviceApp is an OAuth service app of the org: it gets an access token for itself
// with a signed assertion (RFC 6749 §4.4, RFC 7523 §2.2), and uses it until its end.
type serviceApp struct {
	d               *directory
	endpoint        string
	clientID, keyID string
	key             *connectors.File[*connectors.Signer]

	// tokens has one: who comes while it is fetched waits for it.
	tokens connectors.Kept[struct{}, string]
}

func (c *Config) openServiceApp(env connectors.Environment, d *directory) (*serviceApp, error) {
	s := &serviceApp{
		d: d, clientID: c.APIClientID, keyID: c.APIClientKeyID, tokens: connectors.Kept[struct{}, string]{Now: env.Now},
		// Scopes of the API are granted by the org's server alone, whatever the issuer is.
		endpoint: d.base + "/oauth2/v1/token",
		key: &connectors.File[*connectors.Signer]{
			Path: env.Path(c.APIClientKey), Key: "api_client_key", Connector: c.ID, Now: env.Now, Log: env.Log,
			Parse: func(content []byte) (*connectors.Signer, error) { return connectors.ParseSigner(content, "") },
		},
	}
	return s, s.key.Open()
}

func (*serviceApp) refused() string {
	return "grant the application of api_client_id the scope " + serviceScope + " (Okta API Scopes tab) and a role that may view users and groups (Admin roles tab)"
}

// use asks with the token at hand, and once more with a fresh one if that is no
// longer good: Okta can revoke a token before its end.
func (s *serviceApp) use(ctx context.Context, ask func(string) error) error {
	for attempt := 0; ; attempt++ {
		token, err := s.tokens.Get(ctx, struct{}{}, s.fetch)
		if err != nil {
			return err
		}
		if err = ask("Bearer " + token); !errors.Is(err, connectors.ErrClientRefused) || attempt > 0 {
			return err
		}
		s.tokens.Forget(struct{}{}, func(kept string) bool { return kept == token })
	}
}

// fetch is the token request of "Implement OAuth for Okta with a service app".
func (s *serviceApp) fetch(ctx context.Context) (connectors.Fetched[string], error) {
	none, asked := connectors.Fetched[string]{}, s.d.now()
	form, err := connectors.ClientAssertion{ClientID: s.clientID, Audience: s.endpoint, KeyID: s.keyID}.Params(s.key.Current(), asked)
	if err != nil {
		return none, &connectors.Error{Kind: connectors.Operator, Hint: "api_client_key cannot sign"}
	}
	form.Set("grant_type", "client_credentials")
	form.Set("scope", serviceScope)
	form.Set("client_id", s.clientID)
	answer, err := s.d.fetcher.PostForm(ctx, s.endpoint, form)
	if err != nil {
		return none, err
	}
	if !answer.OK() {
		return none, s.refusal(answer)
	}
	var t struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if jose.StrictUnmarshal(bytes.TrimSpace(answer.Body), &t) != nil || t.AccessToken == "" || !strings.EqualFold(t.TokenType, "Bearer") {
		return none, broken("Okta's answer to api_client_id has no usable access token")
	}
	life := time.Duration(min(max(t.ExpiresIn, 0), int64(serviceLife/time.Second))) * time.Second
	end := asked.Add(life - serviceMargin)
	return connectors.Fetched[string]{Value: t.AccessToken, Renew: end, Until: end}, nil
}

func (s *serviceApp) refusal(answer connectors.Answer) error {
	said := code(answer.Body)
	e := &connectors.Error{
		Kind: connectors.StatusKind(answer.Status), Code: connectors.SafeCode(said),
		Hint:       fmt.Sprintf("Okta gave the application of api_client_id no access token (status %d)", answer.Status),
		RetryAfter: connectors.RetryAfter(answer.Header, s.d.now()),
	}
	if e.Kind == connectors.Transient {
		return e
	}
	for _, known := range []struct{ code, fix string }{
		{"invalid_client", "check api_client_id, and that the public key of api_client_key is registered there, under api_client_key_id if that is set, and org_url"},
		{"invalid_scope", "grant it the scope " + serviceScope + " (Okta API Scopes tab)"},
		{"unauthorized_client", "it has to be of the type API Services"},
		{"invalid_dpop_proof", "on its General tab turn off Require Demonstrating Proof of Possession (DPoP)"},
	} {
		if said == known.code {
			e.Kind = connectors.Operator
			e.Hint += ": " + known.fix
		}
	}
	return e
}
