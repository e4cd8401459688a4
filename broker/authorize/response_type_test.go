package authorize

import (
	"testing"

	"gatehouse/broker/oauth"
)

// Registration §2: a response type needs a registration of its own and each of its
// values the grant type that goes with it. Neither stands in for the other.
func TestResponseTypesNeedBothRegistrations(t *testing.T) {
	t.Parallel()
	code, implicit := oauth.GrantTypeAuthorizationCode, oauth.GrantTypeImplicit
	for _, row := range []struct {
		name   string
		asked  string
		types  []oauth.ResponseType
		grants []oauth.GrantType
		want   oauth.Code
	}{
		{"id_token with both", "id_token", []oauth.ResponseType{"id_token"}, []oauth.GrantType{implicit}, ""},
		{"id_token without its grant type", "id_token", []oauth.ResponseType{"id_token"}, []oauth.GrantType{code}, oauth.UnauthorizedClient},
		{"id_token without its response type", "id_token", []oauth.ResponseType{"code"}, []oauth.GrantType{code, implicit}, oauth.UnauthorizedClient},
		{"a hybrid type with both", "code id_token", []oauth.ResponseType{"code id_token"}, []oauth.GrantType{code, implicit}, ""},
		{"a hybrid type without codes", "code id_token", []oauth.ResponseType{"code id_token"}, []oauth.GrantType{implicit}, oauth.UnauthorizedClient},
		{"a hybrid type without tokens", "code id_token", []oauth.ResponseType{"code id_token"}, []oauth.GrantType{code}, oauth.UnauthorizedClient},
		{"a hybrid type made of others", "code id_token", []oauth.ResponseType{"code", "id_token"}, []oauth.GrantType{code, implicit}, oauth.UnauthorizedClient},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			client := wiki()
			client.ResponseTypes, client.GrantTypes = row.types, row.grants
			q := examine(t, client, "response_type", row.asked)
			if err := q.establish(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got oauth.Code
			if err := q.check(t.Context()); err != nil {
				got = err.Code
			}
			if got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

// Core §11: without a code there is nothing that offline_access could be granted for.
func TestOfflineAccessNeedsACode(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]bool{"code": true, "id_token": false, "code id_token": true} {
		client := wiki()
		client.ResponseTypes = []oauth.ResponseType{oauth.ResponseType(asked)}
		client.GrantTypes = append(client.GrantTypes, oauth.GrantTypeImplicit)
		q := examine(t, client, "response_type", asked)
		if err := q.establish(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := q.check(t.Context()); err != nil || q.out.Scopes.Has(oauth.OfflineAccess) != want {
			t.Errorf("%s: %v, %v", asked, q.out.Scopes, err)
		}
	}
}
