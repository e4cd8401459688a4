package policy

import (
	"errors"
	"slices"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

func holder() Holder {
	return Holder{Now: broker.Switch{Epoch: 3}, Epoch: 3, Client: &broker.Client{ID: "api", GrantTypes: []oauth.GrantType{oauth.GrantTypeTokenExchange},
		Scopes: oauth.Scopes{"email"}, Exchange: broker.TokenExchange{People: true}, Connectors: []string{"corp"}, Allow: broker.Allow{Groups: []string{"staff"}}}}
}

// One row for each rule of the client that has the token, on top of those of the grant's.
func TestAuthorizeExchange(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*Holder, *broker.State, *oauth.Scopes)
		want   error
	}{
		{"nothing speaks against it", func(*Holder, *broker.State, *oauth.Scopes) {}, nil},
		{"no client", func(h *Holder, _ *broker.State, _ *oauth.Scopes) { h.Client = nil }, ErrClientGone},
		{"a disabled client", func(h *Holder, _ *broker.State, _ *oauth.Scopes) { h.Now.Disabled = true }, broker.ErrClientDisabled},
		{"I6: one that was disabled since", func(h *Holder, _ *broker.State, _ *oauth.Scopes) { h.Now.Epoch++ }, broker.ErrSuperseded},
		{"a client without the grant", func(h *Holder, _ *broker.State, _ *oauth.Scopes) { h.Client.GrantTypes = nil }, ErrNotAllowed},
		{"a client that has another", func(h *Holder, _ *broker.State, _ *oauth.Scopes) {
			h.Client.GrantTypes = []oauth.GrantType{oauth.GrantTypeJWTBearer}
		}, ErrNotAllowed},
		{"a client that may not have tokens of people", func(h *Holder, _ *broker.State, _ *oauth.Scopes) { h.Client.Exchange.People = false }, ErrNotAllowed},
		{"TX-01 a connector that the client does not take", func(h *Holder, _ *broker.State, _ *oauth.Scopes) { h.Client.Connectors = []string{"github"} }, ErrConnectorNotAllowed},
		{"TX-01 a group that the client does not take", func(h *Holder, _ *broker.State, _ *oauth.Scopes) {
			h.Client.Allow.Groups = []string{"boards"}
		}, ErrGroupNotAllowed},
		{"a scope that the client lacks", func(_ *Holder, _ *broker.State, s *oauth.Scopes) { *s = oauth.Scopes{"openid"} }, ErrScopeNotAllowed},
		{"a scope that the grant lacks", func(h *Holder, _ *broker.State, s *oauth.Scopes) {
			*s, h.Client.Scopes = oauth.Scopes{"profile"}, oauth.Scopes{"profile"}
		}, ErrScopeNotAllowed},
		{"a disabled account", func(_ *Holder, s *broker.State, _ *oauth.Scopes) { s.Account.Disabled = true }, broker.ErrAccountDisabled},
		{"the client of the grant is disabled", func(_ *Holder, s *broker.State, _ *oauth.Scopes) { s.Client.Disabled = true }, broker.ErrClientDisabled},
		{"no grant that lives", func(_ *Holder, s *broker.State, _ *oauth.Scopes) { s.Grant.Epochs.Account++ }, broker.ErrSuperseded},
		{"consent was withdrawn", func(_ *Holder, s *broker.State, _ *oauth.Scopes) { s.Consent = nil }, ErrConsentRequired},
	} {
		h, s, scopes := holder(), withGrant(), oauth.Scopes{"email"}
		row.change(&h, &s, &scopes)
		if err := AuthorizeExchange(h, client(), s, scopes); !errors.Is(err, row.want) || err == nil != (row.want == nil) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if err := AuthorizeExchange(holder(), nil, withGrant(), nil); !errors.Is(err, ErrClientGone) {
		t.Errorf("the client of the grant is gone: %v", err)
	}
}

func TestAuthorizeWorkload(t *testing.T) {
	t.Parallel()
	forge := func() *broker.ExternalIssuer {
		return &broker.ExternalIssuer{ID: "forge", Clients: []string{"api"}, Scopes: oauth.Scopes{"email"}}
	}
	for _, row := range []struct {
		name   string
		change func(*Holder, *broker.ExternalIssuer)
		want   error
	}{
		{"nothing speaks against it", func(*Holder, *broker.ExternalIssuer) {}, nil},
		{"by the other grant", func(h *Holder, _ *broker.ExternalIssuer) {
			h.Client.GrantTypes = []oauth.GrantType{oauth.GrantTypeJWTBearer}
		}, nil},
		{"by neither", func(h *Holder, _ *broker.ExternalIssuer) { h.Client.GrantTypes = nil }, ErrNotAllowed},
		{"a client that is no longer named", func(_ *Holder, i *broker.ExternalIssuer) { i.Clients = nil }, ErrNotAllowed},
		{"a scope that workloads no longer have", func(_ *Holder, i *broker.ExternalIssuer) { i.Scopes = nil }, ErrScopeNotAllowed},
		{"a scope that the client no longer has", func(h *Holder, _ *broker.ExternalIssuer) { h.Client.Scopes = nil }, ErrScopeNotAllowed},
		{"I6: a client that was disabled since", func(h *Holder, _ *broker.ExternalIssuer) { h.Now.Epoch++ }, broker.ErrSuperseded},
	} {
		h, i := holder(), forge()
		row.change(&h, i)
		if err := AuthorizeWorkload(h, i, oauth.Scopes{"email"}); !errors.Is(err, row.want) || err == nil != (row.want == nil) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if err := AuthorizeWorkload(holder(), nil, nil); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("an issuer that is no longer configured: %v", err)
	}
}

func TestNarrowed(t *testing.T) {
	t.Parallel()
	const us, a, b = "https://us.example", "https://a.example", "https://b.example"
	resources := Resources{{URI: a, Scopes: oauth.Scopes{"read", "write"}}, {URI: b, Scopes: oauth.Scopes{"read"}}}
	for _, row := range []struct {
		name                 string
		scopes               string
		requested, permitted []string
		audience             []string
		kept                 string
	}{
		{"everybody that was permitted", "read write", nil, []string{a, b}, []string{a, b}, "read write"},
		{"I7: a scope that two share does not lead to the other", "read", nil, []string{a}, []string{a}, "read"},
		{"I7: not by asking either", "read", []string{b}, []string{a}, nil, ""},
		{"I7: nor beside a good one", "read", []string{a, b}, []string{a}, nil, ""},
		{"scopes that are for nobody permitted are left out", "read write", nil, []string{b}, []string{b}, "read"},
		{"the broker", "openid", nil, []string{us}, []string{us}, "openid"},
		{"I7: not the broker", "openid", nil, []string{a}, nil, ""},
		{"nobody is excluded", "read", nil, nil, []string{a, b}, "read"},
		{"one of all", "read write", []string{b}, nil, []string{b}, "read"},
		{"unknown", "read", []string{"https://c.example"}, nil, nil, ""},
	} {
		scopes, err := oauth.ParseScopes(row.scopes)
		if err != nil {
			t.Fatal(err)
		}
		audience, kept, err := resources.Narrowed(us, scopes, row.requested, row.permitted)
		if !slices.Equal(audience, row.audience) || kept.String() != row.kept || (err == nil) != (row.audience != nil) || err != nil && oauth.From(err).Code != oauth.InvalidTarget {
			t.Errorf("%s: %v with %q, %v", row.name, audience, kept, err)
		}
	}
}
