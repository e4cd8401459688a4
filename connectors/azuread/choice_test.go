package azuread_test

import (
	"net/url"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// named2 are the two directories with their names.
func named2() []azuread.Tenant {
	return []azuread.Tenant{{ID: acme, Name: "Acme"}, {ID: partner, Name: "Partner & Sons"}}
}

// choosing offers both directories.
func choosing(s *connectortest.Setup) {
	configure(func(c *azuread.Config) { c.Tenant, c.AllowedTenants = "", named2() })(s)
}

func choice(tenant string) connectors.Login {
	l := connectortest.NewLogin()
	l.Choice = tenant
	return l
}

func TestNamedDirectoriesAreOffered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		setup func(*connectortest.Setup)
		want  int
	}{
		{"two with names", choosing, 2},
		{"two without", several("", acme, partner), 0},
		{"one with a name", configure(func(c *azuread.Config) { c.AllowedTenants = named2()[:1] }), 0},
		{"one directory", nil, 0},
	} {
		d := subject().Open(t, tt.setup).Connector.Describe()
		if len(d.Choices) != tt.want || tt.want > 0 && (d.Choices[1] != connectors.Choice{Key: partner, Name: "Partner & Sons"}) {
			t.Errorf("%s: got choices %v", tt.name, d.Choices)
		}
	}
}

func TestAChoiceIsTheDirectorysOwnEndpoint(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, choosing)
	id, up, err := b.SignInWith(t, choice(acme))
	if err != nil || id.Key.Issuer != b.URL+"/"+acme+"/v2.0" || up.Choice != acme {
		t.Fatalf("got %+v, %v", id.Key, err)
	}
	for _, path := range []string{"/authorize", "/token"} {
		if n := b.Vendor.Count("/" + acme + "/oauth2/v2.0" + path); n != 1 {
			t.Errorf("%s was asked %d times", path, n)
		}
	}
	// A guest has an account in the directory, and at the shared endpoint none.
	b.Vendor.SignInAs("dana")
	if id, _, err := b.SignInWith(t, choice(acme)); err != nil || id.Key.Subject != b.Vendor.Person("dana").Entra.ObjectID {
		t.Errorf("got %+v, %v", id.Key, err)
	}
	b.Vendor.SignInAs("eve")
	if id, _, err := b.SignInWith(t, choice(partner)); err != nil || id.Key.Issuer != b.URL+"/"+partner+"/v2.0" {
		t.Errorf("got %+v, %v", id.Key, err)
	}
	// Who makes no choice goes where everybody does.
	if _, _, err := b.SignIn(t); err != nil || b.Vendor.Count("/organizations/oauth2/v2.0/token") != 1 {
		t.Errorf("without a choice: %v", err)
	}
}

func TestUP08AChoiceIsHeldTo(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, choosing)
	b.Vendor.Misbehave(fake.EntraOtherTenant)
	_, _, err := b.SignInWith(t, choice(acme))
	connectortest.KindOf(t, err, connectors.Broken)
	// Without a choice the same token is one of an allowed directory.
	if _, _, err := b.SignIn(t); err != nil {
		t.Error(err)
	}
}

func TestUP08ChoicesThatWereNotOffered(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, choosing)
	b.Vendor.Forget()
	for name, key := range map[string]string{
		"another directory": "99999999-2222-4b4b-8888-aaaabbbbcccc", "a segment": "common", "a path": "../evil", "a host": "@evil.example", "a name": "Acme",
		"capitals": strings.ToUpper(acme),
	} {
		l := choice(key)
		address, err := b.Connector.AuthorizationURL(t.Context(), l)
		if connectortest.KindOf(t, err, connectors.Broken); address != "" {
			t.Errorf("%s: sent to %s", name, address)
		}
		_, _, err = b.Identify(t, url.Values{"state": {l.State}, "code": {"c"}}, l)
		connectortest.KindOf(t, err, connectors.Broken)
	}
	if n := len(b.Vendor.Requests()); n != 0 {
		t.Errorf("%d requests were made", n)
	}
	// Without names there is nothing to choose, allowed or not.
	plain := subject().Open(t, several("", acme, partner))
	_, err := plain.Connector.AuthorizationURL(t.Context(), choice(acme))
	connectortest.KindOf(t, err, connectors.Broken)
}

// A document whose endpoints are elsewhere leads nobody there by a choice.
func TestUP30AChoiceAndADocumentThatPointsElsewhere(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, choosing)
	b.Vendor.Edit(fake.Discovery, func(doc map[string]any) { doc["authorization_endpoint"] = b.URL + "/elsewhere/oauth2/v2.0/authorize" })
	_, err := b.Connector.AuthorizationURL(t.Context(), choice(acme))
	connectortest.KindOf(t, err, connectors.Broken)
}

func TestAChoiceIsKeptForTheRefresh(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) {
		choosing(s)
		rechecking(s)
	})
	id, up, err := b.SignInWith(t, choice(acme))
	if err != nil {
		t.Fatal(err)
	}
	b.Vendor.Forget()
	again, next, err := refresh(t, b, id, up)
	if err != nil || again.Key != id.Key || next.Choice != acme || b.Vendor.Count("/"+acme+"/oauth2/v2.0/token") != 1 {
		t.Errorf("got %+v, choice %q, %v", again.Key, next.Choice, err)
	}
	// The person belongs to the directory, and not the other way round.
	b.Vendor.Misbehave(fake.EntraOtherTenant)
	if _, _, err := refresh(t, b, id, up); err == nil {
		t.Error("the token of another directory was taken")
	}
	b.Vendor.Behave()
	// A directory that was taken off the list since vouches for nobody.
	up.Choice = "99999999-2222-4b4b-8888-aaaabbbbcccc"
	_, _, err = refresh(t, b, id, up)
	connectortest.KindOf(t, err, connectors.NotAllowed)
}

// The page with AADSTS50011 stays at Microsoft; should the callback or the token
// endpoint say it, the error names what to register.
func TestTheAddressToRegisterIsNamed(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	l := connectortest.NewLogin()
	for _, code := range []string{"AADSTS50011", "AADSTS500113"} {
		_, _, err := b.Identify(t, url.Values{"state": {l.State}, "error": {"invalid_request"}, "error_description": {code + ": The redirect URI does not match."}}, l)
		if e := connectortest.KindOf(t, err, connectors.Operator); !strings.HasSuffix(e.Hint, ": "+connectortest.RedirectURI) || e.Code != code {
			t.Errorf("got %v", e)
		}
	}
	_, _, err := b.Identify(t, url.Values{"state": {l.State}, "error": {"access_denied"}, "error_description": {"AADSTS65004: no."}}, l)
	if e := connectortest.KindOf(t, err, connectors.Declined); strings.Contains(e.Hint, connectortest.RedirectURI) {
		t.Errorf("got %v", e)
	}
}

// refresh asks again about somebody who is not present, as the re-check does.
func refresh(t *testing.T, b *connectortest.Bench, id broker.Identity, up connectors.Upstream) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	id, up, err := b.Connector.(connectors.Refresher).Refresh(t.Context(), id, up)
	if err != nil {
		if secret, leaks := b.LeaksIn(err.Error() + b.Log.String()); leaks {
			t.Errorf("the error or the log holds the secret %q", secret)
		}
	}
	return id, up, err
}

func TestStandIns(t *testing.T) {
	t.Parallel()
	// A stand-in that names one directory's endpoints everywhere serves those who chose it.
	b := subject().Open(t, choosing)
	b.Vendor.Edit(fake.Discovery, func(doc map[string]any) {
		for _, name := range []string{"authorization_endpoint", "token_endpoint"} {
			doc[name] = strings.Replace(doc[name].(string), "/organizations/", "/"+acme+"/", 1)
		}
	})
	if _, _, err := b.SignInWith(t, choice(acme)); err != nil {
		t.Error(err)
	}
	if _, err := b.Connector.AuthorizationURL(t.Context(), choice(partner)); err == nil {
		t.Error("somebody who chose another directory was sent to this one")
	}
	if b.Vendor.Calls(fake.Discovery) != 1 {
		t.Error("discovery was not asked once")
	}
}
