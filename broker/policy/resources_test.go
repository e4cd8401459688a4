package policy

import (
	"slices"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

func TestWhomATokenIsFor(t *testing.T) {
	t.Parallel()
	const issuer, orders, stock = "https://sso.example", "https://orders.example", "https://stock.example"
	r := Resources{{URI: orders, ClientID: "orders", Scopes: oauth.Scopes{"orders.read", "orders.write", "shared"}}, {URI: stock, Scopes: oauth.Scopes{"stock.read", "shared"}}}
	list := func(s ...string) []string { return s }
	for _, row := range []struct {
		name              string
		scopes            oauth.Scopes
		requested         []string
		audience, scopes2 []string
		refused           bool
	}{
		{"nothing about anybody", nil, nil, list(issuer), nil, false},
		{"scopes about the person", oauth.Scopes{"openid", "email"}, nil, list(issuer), list("openid", "email"), false},
		{"one resource server", oauth.Scopes{"orders.read"}, nil, list(orders), list("orders.read"), false},
		{"the person and a resource server", oauth.Scopes{"openid", "stock.read"}, nil, list(issuer, stock), list("openid", "stock.read"), false},
		{"a scope that two share", oauth.Scopes{"shared"}, nil, list(orders, stock), list("shared"), false},
		{"one that is asked for", oauth.Scopes{"openid", "orders.read", "stock.read"}, list(stock), list(stock), list("stock.read"), false},
		{"two that are asked for", oauth.Scopes{"openid", "orders.read", "stock.read"}, list(stock, orders), list(stock, orders), list("stock.read", "orders.read"), false},
		{"two that share the only scope", oauth.Scopes{"shared"}, list(orders, stock), list(orders, stock), list("shared"), false},
		{"the same twice", oauth.Scopes{"orders.read"}, list(orders, orders), list(orders), list("orders.read"), false},
		{"the broker itself", oauth.Scopes{"openid", "orders.read"}, list(issuer), list(issuer), list("openid"), false},
		{"TK-11 one that nobody knows", oauth.Scopes{"orders.read"}, list("https://evil.example"), nil, nil, true},
		{"TK-11 one that none of the scopes is for", oauth.Scopes{"orders.read"}, list(stock), nil, nil, true},
		{"a good one and a bad one", oauth.Scopes{"orders.read"}, list(orders, "https://evil.example"), nil, nil, true},
		{"another spelling", oauth.Scopes{"orders.read"}, list(orders + "/"), nil, nil, true},
	} {
		audience, kept, err := r.Target(issuer, row.scopes, row.requested)
		if (err != nil) != row.refused || !slices.Equal(audience, row.audience) || !slices.Equal(kept, row.scopes2) {
			t.Errorf("%s: %q with %q, %v", row.name, audience, kept, err)
		}
		if row.refused && oauth.From(err).Code != oauth.InvalidTarget {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if got := r.Of("orders"); !slices.Equal(got, list(orders)) || r.Of("") != nil && len(r.Of("wiki")) != 0 {
		t.Errorf("of orders: %q", got)
	}
	if got := r.Scopes(); !slices.Equal(got, list("orders.read", "orders.write", "shared", "stock.read")) {
		t.Errorf("%q", got)
	}
}

// RFC 8707 §2.1: of the scopes, nobody is asked for those that the resources have no use for.
func TestWhatAPersonIsAskedFor(t *testing.T) {
	t.Parallel()
	const issuer, orders, stock = "https://sso.example", "https://orders.example", "https://stock.example"
	r := Resources{{URI: orders, Scopes: oauth.Scopes{"orders.read", "shared"}}, {URI: stock, Scopes: oauth.Scopes{"stock.read", "shared"}}}
	scopes := oauth.Scopes{"openid", "stock.read", "email", "orders.read", "shared"}
	for _, row := range []struct {
		name                       string
		requested, resources, kept []string
	}{
		{"no resource", nil, nil, scopes},
		{"one, beside what is about the person", []string{stock}, []string{stock}, []string{"openid", "stock.read", "email", "shared"}},
		{"two, one of them twice", []string{stock, orders, stock}, []string{stock, orders}, scopes},
		{"the broker itself", []string{issuer}, []string{issuer}, []string{"openid", "email"}},
	} {
		resources, kept, err := r.Asked(issuer, scopes, row.requested)
		if err != nil || !slices.Equal(resources, row.resources) || !slices.Equal(kept, row.kept) {
			t.Errorf("%s: %q with %q, %v", row.name, resources, kept, err)
		}
	}
	if _, _, err := r.Asked(issuer, scopes, []string{orders, "https://evil.example"}); err == nil || oauth.From(err).Code != oauth.InvalidTarget {
		t.Errorf("one that nobody knows: %v", err)
	}
}

// RFC 8707 §2.2: what a token of a grant, or of a client itself, is for.
func TestWhomAnIssuedTokenIsFor(t *testing.T) {
	t.Parallel()
	const issuer, orders, stock, vault = "https://sso.example", "https://orders.example", "https://stock.example", "https://vault.example"
	r := Resources{{URI: orders, Scopes: oauth.Scopes{"orders.read"}}, {URI: stock, Scopes: oauth.Scopes{"stock.read"}},
		{URI: vault, Scopes: oauth.Scopes{"vault.open"}, Encryption: broker.Encryption{Alg: "ECDH-ES", Enc: "A256GCM"}}}
	list := func(s ...string) []string { return s }
	for _, row := range []struct {
		name                    string
		scopes                  oauth.Scopes
		own, requested, granted []string
		audience, kept          []string
		refused                 bool
	}{
		{"nobody named any", list("openid", "orders.read"), nil, nil, nil, list(issuer, orders), list("openid", "orders.read"), false},
		{"nor has the client its own", list("openid"), list("https://legacy.example", issuer), nil, nil, list(issuer, "https://legacy.example"), list("openid"), false},
		{"the token request named one: the client's own is not added", list("openid", "orders.read"), list("https://legacy.example"), list(orders), nil, list(orders), list("orders.read"), false},
		{"the authorization request did: likewise", list("openid", "orders.read"), list("https://legacy.example"), nil, list(orders), list(orders), list("orders.read"), false},
		{"all of the grant's", list("openid", "orders.read", "stock.read"), nil, nil, list(stock, orders), list(orders, stock), list("orders.read", "stock.read"), false},
		{"one of the grant's", list("openid", "orders.read", "stock.read"), nil, list(stock), list(stock, orders), list(stock), list("stock.read"), false},
		{"those of the grant that the scopes are for", list("openid", "stock.read"), nil, nil, list(stock, orders), list(stock), list("stock.read"), false},
		{"beyond the grant", list("openid", "orders.read", "stock.read"), nil, list(stock), list(orders), nil, nil, true},
		{"one of the grant's and one beyond", list("openid", "orders.read", "stock.read"), nil, list(orders, stock), list(orders), nil, nil, true},
		{"the broker itself is beyond too", list("openid", "orders.read"), nil, list(issuer), list(orders), nil, nil, true},
		{"scopes for none of the grant's", list("openid"), nil, nil, list(orders), nil, nil, true},
		{"a resource that is no longer configured", list("orders.read"), nil, nil, list("https://gone.example"), nil, nil, true},
		{"an encrypted one alone", list("vault.open"), nil, nil, nil, list(vault), list("vault.open"), false},
		{"an encrypted one that is named", list("openid", "vault.open", "orders.read"), nil, list(vault), nil, list(vault), list("vault.open"), false},
		{"an encrypted one beside the broker", list("openid", "vault.open"), nil, nil, nil, nil, nil, true},
		{"an encrypted one beside the client's own", list("vault.open"), list("https://legacy.example"), nil, nil, nil, nil, true},
		{"two that are named, one encrypted", list("orders.read", "vault.open"), nil, list(orders, vault), nil, nil, nil, true},
		{"two of the grant's, one encrypted", list("orders.read", "vault.open"), nil, nil, list(orders, vault), nil, nil, true},
		{"the encrypted one of the grant's", list("orders.read", "vault.open"), nil, list(vault), list(orders, vault), list(vault), list("vault.open"), false},
	} {
		audience, kept, err := r.Issued(issuer, &broker.Client{Audience: row.own}, row.scopes, row.requested, row.granted)
		if row.refused && (err == nil || oauth.From(err).Code != oauth.InvalidTarget) || !row.refused && (err != nil || !slices.Equal(audience, row.audience) || !slices.Equal(kept, row.kept)) {
			t.Errorf("%s: %q with %q, %v", row.name, audience, kept, err)
		}
	}
	if got := r.Recipient(list(vault)); got == nil || got.URI != vault || r.Recipient(list(orders)) != nil || r.Recipient(nil) != nil {
		t.Errorf("the recipient is %+v", got)
	}
	if _, _, err := r.Issued(issuer, &broker.Client{}, oauth.Scopes{"openid", "vault.open"}, nil, nil); err == nil || !strings.Contains(oauth.From(err).Description, "resource") {
		t.Errorf("the refusal does not say what to do: %v", err)
	}
	// What is had in exchange is held to the same.
	if _, _, err := r.Narrowed(issuer, oauth.Scopes{"orders.read", "vault.open"}, nil, nil); err == nil || oauth.From(err).Code != oauth.InvalidTarget {
		t.Errorf("in exchange, an encrypted one beside another: %v", err)
	}
}

func TestAuthorizeClient(t *testing.T) {
	t.Parallel()
	robot := func() *broker.Client {
		return &broker.Client{ID: "robot", GrantTypes: []oauth.GrantType{oauth.GrantTypeClientCredentials}, Scopes: oauth.Scopes{"orders.read"}}
	}
	for _, row := range []struct {
		name   string
		change func(*broker.Client, *broker.Switch)
		client bool
		scopes oauth.Scopes
		want   error
	}{
		{"nothing speaks against it", nil, true, oauth.Scopes{"orders.read"}, nil},
		{"no scopes", nil, true, nil, nil},
		{"no client", nil, false, nil, ErrClientGone},
		{"a disabled client", func(_ *broker.Client, s *broker.Switch) { s.Disabled = true }, true, nil, broker.ErrClientDisabled},
		{"I6: one that was disabled since", func(_ *broker.Client, s *broker.Switch) { s.Epoch = 4 }, true, nil, broker.ErrSuperseded},
		{"another grant type", func(c *broker.Client, _ *broker.Switch) {
			c.GrantTypes = []oauth.GrantType{oauth.GrantTypeAuthorizationCode}
		}, true, nil, ErrNotAllowed},
		{"a scope that is not registered", nil, true, oauth.Scopes{"orders.write"}, ErrScopeNotAllowed},
		{"no scopes registered", func(c *broker.Client, _ *broker.Switch) { c.Scopes = nil }, true, oauth.Scopes{"openid"}, ErrScopeNotAllowed},
	} {
		c, s := robot(), broker.Switch{Epoch: 3}
		if row.change != nil {
			row.change(c, &s)
		}
		if !row.client {
			c = nil
		}
		if err := AuthorizeClient(c, s, 3, row.scopes); err != row.want {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
