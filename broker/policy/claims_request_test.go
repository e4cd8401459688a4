package policy

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// OpenID Connect Core §5.5: claims by name come besides those of the scopes, and alone.
func TestClaimsAskedForByName(t *testing.T) {
	t.Parallel()
	without := profile()
	without.Email = ""
	for _, row := range []struct {
		name   string
		scopes oauth.Scopes
		named  []string
		p      broker.Profile
		want   string
	}{
		{"one of a scope that was not granted", oauth.Scopes{"openid"}, []string{"name"}, profile(), `{"name":"Ada Lovelace"}`},
		{"besides those of a scope", oauth.Scopes{"groups"}, []string{"locale", "picture"}, profile(),
			`{"picture":"https://img.test/ada.png","locale":"en-GB","groups":["staff","dev"]}`},
		{"an address comes with its standing", nil, []string{"email"}, profile(), `{"email":"ada@corp.test","email_verified":true}`},
		{"the standing without the address", nil, []string{"email_verified"}, profile(), `{"email_verified":true}`},
		{"the standing of no address", nil, []string{"email_verified"}, without, `{}`},
		{"what there is not, and what is no claim", nil, []string{"phone_number", "acr", "sub", "iss", "Name", "", "profile"}, profile(), `{}`},
	} {
		text, err := json.Marshal(ClaimsFor(row.scopes, row.p, row.named...))
		if err != nil || string(text) != row.want {
			t.Errorf("%s: %s, %v; want %s", row.name, text, err, row.want)
		}
	}
}

// Each claim is one of Claims, and asked for by name brings itself.
func TestEveryClaimHasAScopeAndAName(t *testing.T) {
	t.Parallel()
	for _, name := range ClaimNames() {
		text, err := json.Marshal(ClaimsFor(nil, profile(), name))
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if name == "email" {
			delete(got, "email_verified")
		}
		if keys := slices.Collect(maps.Keys(got)); len(keys) != 1 || keys[0] != name {
			t.Errorf("%s brings %s", name, text)
		}
		if !slices.Contains([]string{oauth.Profile, oauth.Email, oauth.Groups}, ClaimScope(name)) {
			t.Errorf("%s belongs to scope %q", name, ClaimScope(name))
		}
	}
	for _, name := range []string{"sub", "acr", "auth_time", "phone_number", "NAME", ""} {
		if scope := ClaimScope(name); scope != "" {
			t.Errorf("%q belongs to scope %q", name, scope)
		}
	}
}

func TestWhatAPersonAgreesTo(t *testing.T) {
	t.Parallel()
	request := broker.ClaimsRequest{IDToken: []string{"email", "name"}, UserInfo: []string{"name", "groups"}}
	for _, row := range []struct {
		name   string
		scopes oauth.Scopes
		want   []string
	}{
		{"claims each once, after the scopes", oauth.Scopes{"openid"}, []string{"openid", "claim email", "claim name", "claim groups"}},
		{"what a scope grants is agreed to with it", oauth.Scopes{"openid", "email", "groups"}, []string{"openid", "email", "groups", "claim name"}},
	} {
		got := ConsentTo(row.scopes, request)
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		// No scope that anybody can ask for or configure stands for a claim (RFC 6749 §3.3).
		for _, entry := range got[len(row.scopes):] {
			if parsed, err := oauth.ParseScopes(entry); err == nil && len(parsed) == 1 {
				t.Errorf("%s: %q is a scope", row.name, entry)
			}
		}
	}
}

// I5: claims by name are judged like scopes, before a grant and with one.
func TestAuthorizeClaimsAskedForByName(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*broker.Client, *broker.State)
		claims broker.ClaimsRequest
		want   error
	}{
		{"the scope is granted", nil, broker.ClaimsRequest{IDToken: []string{"email"}}, nil},
		{"agreed to", func(c *broker.Client, s *broker.State) {
			c.Scopes = append(c.Scopes, "profile")
			s.Consent.Scopes = []string{"openid", "email", "claim name"}
		}, broker.ClaimsRequest{UserInfo: []string{"name"}}, nil},
		{"not agreed to", func(c *broker.Client, s *broker.State) {
			c.Scopes = append(c.Scopes, "profile")
			s.Consent.Scopes = []string{"openid", "email", "claim locale"}
		}, broker.ClaimsRequest{UserInfo: []string{"name"}}, ErrConsentRequired},
		{"the client may not have the scope", nil, broker.ClaimsRequest{UserInfo: []string{"name"}}, ErrScopeNotAllowed},
		{"nor in the ID token", nil, broker.ClaimsRequest{IDToken: []string{"name"}}, ErrScopeNotAllowed},
		{"a first-party client may not either", func(c *broker.Client, _ *broker.State) { c.SkipConsent = true }, broker.ClaimsRequest{IDToken: []string{"name"}}, ErrScopeNotAllowed},
		{"a client that may have every scope", func(c *broker.Client, s *broker.State) {
			c.Scopes, c.SkipConsent = nil, true
		}, broker.ClaimsRequest{IDToken: []string{"name"}}, nil},
		{"a claim that there no longer is", func(c *broker.Client, _ *broker.State) { c.SkipConsent = true }, broker.ClaimsRequest{IDToken: []string{"shoe_size"}}, nil},
	} {
		c, s := client(), signIn()
		if row.change != nil {
			row.change(c, &s)
		}
		if err := AuthorizeRequest(c, s, asked(), row.claims); !errors.Is(err, row.want) || row.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
		c, s = client(), withGrant()
		if row.change != nil {
			row.change(c, &s)
		}
		s.Grant.Claims = row.claims
		if err := Authorize(c, s, asked()); !errors.Is(err, row.want) || row.want == nil && err != nil {
			t.Errorf("%s, with a grant: %v, want %v", row.name, err, row.want)
		}
	}
}

// RFC 6749 §6, RFC 8707 §2.2: a token has fewer scopes than its grant, and is no less good for claims that a scope of
// the grant was agreed to for; those that none brings still need their own consent.
func TestAuthorizeFewerScopesThanClaimsWereGrantedWith(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		want error
	}{{"email", nil}, {"name", ErrConsentRequired}} {
		c, s := client(), withGrant()
		c.Scopes = append(c.Scopes, "profile")
		s.Grant.Claims = broker.ClaimsRequest{IDToken: []string{row.name}}
		if err := Authorize(c, s, oauth.Scopes{"openid"}); !errors.Is(err, row.want) || row.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}
