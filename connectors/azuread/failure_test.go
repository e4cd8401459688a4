package azuread_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/oidc"
)

// Each known mistake comes with the click that mends it, in Microsoft's own words.
func TestHintsSayWhereToClick(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, nil)
	for number, want := range map[string]string{
		"50011": "Authentication > Add a platform > Web", "500113": "Authentication > Add a platform > Web",
		"700016": "Application (client) ID", "90002": "Directory (tenant) ID", "7000215": "the secret's Value", "7000222": "New client secret",
		"65001": "Grant admin consent", "90094": "Grant admin consent", "50020": "Invite external user", "50105": "Users and groups",
		"50194": "Supported account types", "7000218": "platform Web", "700027": "Certificates", "700211": "Federated credentials", "53003": "Sign-in logs",
		"650056": "API permissions", "7000112": "Enabled for users to sign-in",
	} {
		l := connectortest.NewLogin()
		_, _, err := b.Identify(t, url.Values{"state": {l.State}, "error": {"access_denied"}, "error_description": {"AADSTS" + number + ": text that changes"}}, l)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "AADSTS"+number) {
			t.Errorf("%s: got %v, want %q", number, err, want)
		}
	}
}

// Which number says that it is the client's credential, and not the person's, does
// not depend on the error beside it; and at the callback nobody has presented any.
func TestNumbersOfTheClientsCredentials(t *testing.T) {
	t.Parallel()
	for _, number := range []int{7000215, 7000222, 7000218, 700027, 700024, 50012, 50027, 700213} {
		for step, want := range map[oidc.Step]bool{oidc.AtToken: true, oidc.AtRefresh: true, oidc.AtCallback: false} {
			e := azuread.Classify(oidc.Failure{Step: step, Status: 400, Code: "invalid_request", Codes: []int{number}})
			if e.Kind != connectors.Operator || errors.Is(e, connectors.ErrClientRefused) != want || e.Unspent != want {
				t.Errorf("%d: got %v, unspent %v", number, e, e.Unspent)
			}
		}
	}
}

// Numbers in the middle of the text are prose.
func TestProseIsNotRead(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, rechecking)
	id, up, err := b.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	b.Vendor.Misbehave(fake.EntraProseNumber)
	if e := b.Refused(t, connectors.Broken); e.Code != "AADSTS999999" {
		t.Errorf("got %v", e)
	}
	_, _, err = refresh(t, b, id, up)
	if e := connectortest.KindOf(t, err, connectors.Gone); e.Code != "AADSTS999999" {
		t.Errorf("got %v", e)
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, person            string
		setup                   func(*connectortest.Setup)
		edit                    func(map[string]any)
		evidence, source, notes string
	}{
		{"a proven domain", "ada", nil, nil, "xms_edov in the ID token", "the claim groups of the ID token", ""},
		{"no xms_edov", "ben", nil, nil, "Add optional claim > ID > xms_edov", "the claim groups of the ID token", ""},
		{"no address", "ada", nil, func(c map[string]any) { delete(c, "email") }, "Add optional claim > ID > email", "the claim groups of the ID token", ""},
		{"no groups", "ada", nil, func(c map[string]any) { delete(c, "groups") }, "xms_edov", "the claim groups of the ID token", "Add groups claim"},
		{"none wanted", "ada", mode("none"), nil, "xms_edov", "group_claims is none", ""},
		{"Graph", "ada", mode("graph_always"), nil, "xms_edov", "Microsoft Graph, getMemberGroups", ""},
		{"names", "ada", func(s *connectortest.Setup) {
			configure(func(c *azuread.Config) { c.GroupClaims, c.GroupNames = "graph", true })(s)
		}, nil, "xms_edov", "the claim groups of the ID token, names by Microsoft Graph, getByIds", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, tt.setup)
			b.Vendor.SignInAs(tt.person)
			if tt.edit != nil {
				b.Vendor.Edit(fake.IDToken, tt.edit)
			}
			_, up, err := b.SignIn(t)
			if err != nil {
				t.Fatal(err)
			}
			r := up.Report
			if !strings.Contains(r.EmailEvidence, tt.evidence) || r.GroupSource != tt.source {
				t.Errorf("got evidence %q, source %q", r.EmailEvidence, r.GroupSource)
			}
			if notes := strings.Join(r.Notes, " "); !strings.Contains(notes, tt.notes) || (tt.notes == "") != (notes == "") {
				t.Errorf("got notes %q", notes)
			}
			if secret, leaks := b.LeaksIn(r.EmailEvidence + r.GroupSource + strings.Join(r.Notes, " ")); leaks {
				t.Errorf("the report holds the secret %q", secret)
			}
		})
	}
}
