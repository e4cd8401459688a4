package authorize

import (
	"slices"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/connectors"
)

// passed is what a request is understood as, which must pass.
func passed(t *testing.T, name string, client *broker.Client, pairs ...string) broker.AuthorizationRequest {
	t.Helper()
	q := examine(t, client, pairs...)
	if err := q.establish(t.Context()); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := q.check(t.Context()); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return q.out
}

// refusedAs is the code with which a request is refused; empty when it passes.
func refusedAs(t *testing.T, client *broker.Client, pairs ...string) oauth.Code {
	t.Helper()
	q := examine(t, client, pairs...)
	if err := q.establish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := q.check(t.Context()); err != nil {
		return err.Code
	}
	return ""
}

// OpenID Connect Core §5.5: the claims that a client asks for by name, as far as it
// may have them.
func TestClaimsByName(t *testing.T) {
	t.Parallel()
	all := `{"id_token":{"email":null,"groups":{"essential":true}},"userinfo":{"groups":{"value":"x","values":[1,{}]},"email":null}}`
	for _, row := range []struct {
		name              string
		client            func(*broker.Client)
		pairs             []string
		idToken, userInfo []string
	}{
		{"by where they are wanted, in our order", nil, []string{"scope", "openid", "claims", all}, []string{"email", "groups"}, []string{"email", "groups"}},
		{"userinfo has those of the scopes anyway, minimal ID tokens have not", nil, []string{"scope", "openid email", "claims", all}, []string{"email", "groups"}, []string{"groups"}},
		{"of scopes that the client may have", func(c *broker.Client) { c.Scopes = oauth.Scopes{oauth.OpenID, oauth.Email} }, []string{"scope", "openid", "claims", all},
			[]string{"email"}, []string{"email"}},
		{"of scopes that there are", nil, []string{"scope", "openid", "claims", `{"userinfo":{"name":{"essential":true}}}`}, nil, nil},
		{"what there is not is ignored", nil, []string{"scope", "openid", "claims", `{"userinfo":{"phone_number":null,"email#de":null,"Email":null,"http://a.example/b":7,"":[]},"verified":{}}`}, nil, nil},
		{"conditions are no claims by name", nil, []string{"scope", "openid", "claims", `{"id_token":{"sub":null,"acr":null,"auth_time":{"essential":true}},"userinfo":{"acr":null}}`}, nil, nil},
		{"Core §5.5: userinfo needs an access token", implicit, []string{"response_type", "id_token", "scope", "openid", "claims", all}, []string{"email", "groups"}, nil},
		{"an access token alone brings no ID token", implicit, []string{"response_type", "token", "scope", "openid", "claims", all}, nil, []string{"email", "groups"}},
		{"both", implicit, []string{"response_type", "id_token token", "scope", "openid", "claims", all}, []string{"email", "groups"}, []string{"email", "groups"}},
		{"without openid there is neither", nil, []string{"scope", "groups", "claims", all}, nil, nil},
		{"nulls", nil, []string{"claims", `{"id_token":null,"userinfo":null}`}, nil, nil},
	} {
		client := wiki()
		if row.client != nil {
			row.client(client)
		}
		got := passed(t, row.name, client, row.pairs...).Claims
		if !slices.Equal(got.IDToken, row.idToken) || !slices.Equal(got.UserInfo, row.userInfo) {
			t.Errorf("%s: %+v", row.name, got)
		}
	}
	for _, claims := range []string{`{"userinfo":{"email":true}}`, `{"id_token":{"email":"x"}}`, `{"id_token":{"groups":[]}}`, `{"id_token":[]}`, `{"userinfo":{"email":null,"email":null}}`} {
		if code := refusedAs(t, wiki(), "claims", claims); code != oauth.InvalidRequest {
			t.Errorf("%s: %q", claims, code)
		}
	}
}

func implicit(c *broker.Client) {
	c.GrantTypes = append(c.GrantTypes, oauth.GrantTypeImplicit)
	c.ResponseTypes = []oauth.ResponseType{oauth.ResponseTypeCode, oauth.ResponseTypeIDToken, oauth.ResponseTypeToken, "id_token token", "code token"}
}

// Registration §2: acr_values or a claim acr, whatever it says, overrides
// default_acr_values.
func TestDefaultACRValues(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		pairs []string
		want  []string
	}{
		{"nothing is asked for", nil, []string{"phr", "mfa"}},
		{"acr_values", []string{"acr_values", "pwd"}, []string{"pwd"}},
		{"a claim with a value", []string{"claims", `{"id_token":{"acr":{"value":"pwd"}}}`}, []string{"pwd"}},
		{"a claim without", []string{"claims", `{"id_token":{"acr":{"essential":true}}}`}, nil},
		{"a claim that is null", []string{"claims", `{"id_token":{"acr":null}}`}, nil},
		{"a claim of userinfo is of no meaning", []string{"claims", `{"userinfo":{"acr":null}}`}, []string{"phr", "mfa"}},
		{"other claims", []string{"claims", `{"id_token":{"email":null}}`}, []string{"phr", "mfa"}},
	} {
		client := wiki()
		client.DefaultACRValues = []string{"phr", "mfa"}
		got := passed(t, row.name, client, row.pairs...)
		if !slices.Equal(got.ACRValues, row.want) || got.EssentialACR {
			t.Errorf("%s: %q, essential %t", row.name, got.ACRValues, got.EssentialACR)
		}
	}
}

// Core §8, §3.1.2.1: a client with pairwise subjects names people by those, and by
// those alone.
func TestAPairwiseClientNamesItsOwnSubject(t *testing.T) {
	t.Parallel()
	client := wiki()
	client.Sector, client.SkipConsent = "wiki.example", true
	subjects := policy.Subjects{Salt: []byte("a salt of the broker")}
	ada, now := subjects.Of(client, "ada"), time.Unix(1_700_000_000, 0)
	later := now.Add(time.Hour)
	for _, row := range []struct {
		name  string
		pairs []string
		want  oauth.Code
	}{
		{"its subject in id_token_hint", []string{"id_token_hint", ada + "@wiki"}, ""},
		{"its subject in claims", []string{"claims", `{"id_token":{"sub":{"value":"` + ada + `"}}}`}, ""},
		{"in both", []string{"id_token_hint", ada + "@wiki", "claims", `{"userinfo":{"sub":{"value":"` + ada + `"}}}`}, ""},
		{"the account's ID, which it cannot know, in id_token_hint", []string{"id_token_hint", "ada@wiki"}, oauth.LoginRequired},
		{"AZ-14: the account's ID in claims", []string{"claims", `{"id_token":{"sub":{"value":"ada"}}}`}, oauth.LoginRequired},
		{"another person", []string{"claims", `{"id_token":{"sub":{"value":"` + subjects.Of(client, "ben") + `"}}}`}, oauth.LoginRequired},
		{"the person's subject at another sector", []string{"claims", `{"id_token":{"sub":{"value":"` + subjects.Of(&broker.Client{Sector: "shop.example"}, "ada") + `"}}}`}, oauth.LoginRequired},
	} {
		request := passed(t, row.name, client, append(row.pairs, "prompt", "none")...)
		key := broker.IdentityKey{Connector: "corp", Issuer: "https://idp.example", Subject: "1"}
		step := flow.Next(flow.Situation{Flow: &flow.Flow{Kind: flow.ForClient, Request: &request}, Client: client, Connector: "corp", Subjects: subjects,
			Upstreams: []connectors.Description{{ID: "corp"}}, State: broker.State{Now: now, Account: &broker.Account{ID: "ada"},
				Identity: &broker.LinkedIdentity{Key: key, AccountID: "ada"},
				Session:  &broker.Session{AccountID: "ada", IdleUntil: later, Expires: later, SignIns: []broker.SignIn{{Connector: "corp", Identity: key.Digest()}}}}})
		if got := step.Err; row.want == "" && step.Action != flow.Issue || row.want != "" && (got == nil || got.Code != row.want) {
			t.Errorf("%s: %+v", row.name, step)
		}
	}
}
