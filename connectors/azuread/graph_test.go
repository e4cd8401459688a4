package azuread_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

// chloe has 250 groups; Engineering comes last.
const engineering = "11111111-aaaa-4bbb-8ccc-000000000001"

// asked is a bench for a person about whom Graph is asked.
func asked(t *testing.T, person string, change func(*azuread.Config)) *connectortest.Bench {
	t.Helper()
	b := subject().Open(t, configure(func(c *azuread.Config) {
		c.GroupClaims = "graph"
		change(c)
	}))
	b.Vendor.SignInAs(person)
	return b
}

func groupsOf(t *testing.T, b *connectortest.Bench) []string {
	t.Helper()
	return b.MustSignIn(t).Profile.Groups
}

func TestUP22PagesOfGroups(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Vendor.Entra.GraphPage = 40
		configure(func(c *azuread.Config) { c.GroupClaims, c.GraphMethod = "graph", "transitiveMemberOf" })(s)
	})
	b.Vendor.SignInAs("chloe")
	_, up, err := b.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	if g := groupsOf(t, b); len(g) != 250 || g[249] != "up:"+engineering {
		t.Errorf("got %d groups", len(g))
	}
	if up.Report.GroupSource != "Microsoft Graph, transitiveMemberOf, pages: 7" {
		t.Errorf("the groups come from %q", up.Report.GroupSource)
	}
	for _, r := range b.Vendor.Requests() {
		if !strings.HasPrefix(r.Path, "/v1.0/") {
			continue
		}
		if r.Path != "/v1.0/me/transitiveMemberOf/microsoft.graph.group" || r.Query.Get("$select") != "id,displayName" || r.Query.Get("$count") != "true" ||
			r.Query.Get("$top") != "999" || r.Header.Get("ConsistencyLevel") != "eventual" {
			t.Errorf("asked %s with %v", r.Path, r.Query)
		}
	}
}

func TestUP22HostilePages(t *testing.T) {
	t.Parallel()
	for m, kind := range map[fake.Misbehaviour]connectors.Kind{
		fake.GraphNextElsewhere: connectors.Broken, fake.GraphNextOtherPath: connectors.Broken, fake.GraphNextDotted: connectors.Broken,
		fake.GraphNextUserinfo: connectors.Broken, fake.GraphNextScheme: connectors.Broken, fake.GraphNextNumber: connectors.Broken,
		fake.GraphEndlessPages: connectors.Broken,
	} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				t.Error("an address out of a page was asked that is not Graph's")
			}))
			t.Cleanup(stranger.Close)
			b := asked(t, "chloe", func(c *azuread.Config) { c.GraphMethod = "transitiveMemberOf" })
			b.Vendor.SetElsewhere(stranger.URL)
			b.Vendor.Misbehave(m)
			b.Refused(t, kind)
			for _, r := range b.Vendor.Requests() {
				if strings.HasPrefix(r.Path, "/beta") || strings.Contains(r.Path, "..") {
					t.Errorf("asked %s", r.Path)
				}
			}
			b.Vendor.Behave()
			b.MustSignIn(t)
		})
	}
}

// An attacker's page is no outage: no policy for groups that cannot be read lets
// anybody in with it.
func TestUP22HostilePagesAreRefusedWhateverThePolicy(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, func(s *connectortest.Setup) {
		s.Common.OnGroupFailure = connectors.GroupFailures{Unavailable: connectors.NoGroups, Denied: connectors.NoGroups, Incomplete: connectors.NoGroups}
		configure(func(c *azuread.Config) { c.GroupClaims, c.GraphMethod = "graph", "transitiveMemberOf" })(s)
	})
	b.Vendor.SignInAs("chloe")
	b.Vendor.Misbehave(fake.GraphNextElsewhere)
	b.Refused(t, connectors.Broken)
}

func TestUP22WhatBecomesOfGroupsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		mode   string
		policy connectors.GroupFailures
		vendor fake.Misbehaviour
		fine   bool
	}{
		{"an overage counts as incomplete", "token", connectors.GroupFailures{Incomplete: connectors.NoGroups}, fake.EntraHasGroups, true},
		{"an overage is nothing else", "token", connectors.GroupFailures{Denied: connectors.NoGroups, Unavailable: connectors.NoGroups}, fake.EntraHasGroups, false},
		{"a refusal of Graph's counts as denied", "graph", connectors.GroupFailures{Denied: connectors.NoGroups}, fake.At(fake.GraphMemberGroups, fake.Forbidden), true},
		{"a limit of Graph's counts as unavailable", "graph", connectors.GroupFailures{Unavailable: connectors.NoGroups}, fake.At(fake.GraphMemberGroups, fake.TooManyRequests), true},
		{"a limit is no refusal", "graph", connectors.GroupFailures{Denied: connectors.NoGroups}, fake.At(fake.GraphMemberGroups, fake.TooManyRequests), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := subject().Open(t, func(s *connectortest.Setup) {
				s.Common.OnGroupFailure = tt.policy
				mode(tt.mode)(s)
			})
			b.Vendor.SignInAs("chloe")
			b.Vendor.Misbehave(tt.vendor)
			id, _, err := b.SignIn(t)
			if tt.fine != (err == nil) || len(id.Profile.Groups) != 0 {
				t.Errorf("got groups %q, %v", id.Profile.Groups, err)
			}
		})
	}
}

func TestMoreGroupsThanGraphTells(t *testing.T) {
	t.Parallel()
	b := asked(t, "chloe", func(*azuread.Config) {})
	b.Vendor.Replace("/v1.0/me/getMemberGroups", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"code":"Directory_ResultSizeLimitExceeded","message":"too many"}}`)
	}))
	if e := b.Refused(t, connectors.Operator); !errors.Is(e, connectors.ErrGroupsIncomplete) || !strings.Contains(e.Hint, "transitiveMemberOf") {
		t.Errorf("got %v", e)
	}
}

// A wish to be left alone for a moment is granted once; a longer one is the caller's.
func TestGraphLimits(t *testing.T) {
	t.Parallel()
	b := asked(t, "chloe", func(*azuread.Config) {})
	calls := 0
	wait := "1"
	b.Vendor.Replace("/v1.0/me/getMemberGroups", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 1 {
			w.Header().Set("Retry-After", wait)
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		fmt.Fprint(w, `{"value":["`+engineering+`"]}`)
	}))
	if g := groupsOf(t, b); !slices.Equal(g, []string{"up:" + engineering}) || calls != 2 {
		t.Errorf("got %q after %d requests", g, calls)
	}
	calls, wait = 0, "30"
	if e := b.Refused(t, connectors.Transient); e.RetryAfter != 30*time.Second || calls != 1 {
		t.Errorf("got %v after %v, %d requests", e, e.RetryAfter, calls)
	}
	b.Vendor.Behave()
	b.Vendor.Misbehave(fake.At(fake.GraphMemberGroups, fake.Unavailable))
	if e := b.Refused(t, connectors.Transient); e.RetryAfter != 7*time.Second {
		t.Errorf("got %v after %v", e, e.RetryAfter)
	}
}

func TestGraphSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	b := asked(t, "chloe", func(*azuread.Config) {})
	b.Vendor.Misbehave(fake.At(fake.GraphMemberGroups, fake.Forbidden))
	e := b.Refused(t, connectors.Operator)
	if e.Code != "Authorization_RequestDenied" || !strings.Contains(e.Hint, "GroupMember.Read.All") || !strings.Contains(e.Hint, "Grant admin consent") {
		t.Errorf("got %v", e)
	}
}

func TestGraphOfPersonalAccounts(t *testing.T) {
	t.Parallel()
	b := subject().Open(t, configure(func(c *azuread.Config) {
		c.Tenant, c.AllowedTenants, c.GroupClaims = "common", tenants(acme, personal), "graph_always"
	}))
	b.Vendor.SignInAs("finn")
	if e := b.Refused(t, connectors.Operator); e.Code != "personal_account" || b.Vendor.Calls(fake.GraphMemberGroups) != 0 {
		t.Errorf("got %v after %d requests", e, b.Vendor.Calls(fake.GraphMemberGroups))
	}
	// Where only an overage is asked about, such an account has no groups to tell.
	b = subject().Open(t, configure(func(c *azuread.Config) {
		c.Tenant, c.AllowedTenants, c.GroupClaims = "common", tenants(acme, personal), "graph"
	}))
	b.Vendor.SignInAs("finn")
	if g := groupsOf(t, b); len(g) != 0 {
		t.Errorf("got groups %q", g)
	}
}

func TestRowsOfGraphThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"no ID": []any{map[string]any{"displayName": "x"}}, "a name as ID": []any{map[string]any{"id": "admins"}}, "an ID alone": []any{engineering},
		"no list": nil, "an object": map[string]any{},
	} {
		b := asked(t, "chloe", func(c *azuread.Config) { c.GraphMethod = "transitiveMemberOf" })
		b.Vendor.Edit(fake.GraphGroups, func(doc map[string]any) { doc["value"] = value })
		if _, _, err := b.SignIn(t); err == nil {
			t.Errorf("%s: signed in", name)
		} else {
			connectortest.KindOf(t, err, connectors.Broken)
		}
	}
}

func TestGraphIsAskedAboutGuests(t *testing.T) {
	t.Parallel()
	b := asked(t, "dana", func(c *azuread.Config) { c.GroupClaims = "graph_always" })
	if g := groupsOf(t, b); !slices.Equal(g, []string{"up:" + engineering}) {
		t.Errorf("got %q", g)
	}
}

// Graph's scopes are asked for where Graph is, and nowhere else.
func TestLeastScope(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{
		"": "openid profile email", "token": "openid profile email", "none": "openid profile email",
		"graph": "openid profile email User.Read GroupMember.Read.All", "graph_always": "openid profile email User.Read GroupMember.Read.All",
	} {
		b := subject().Open(t, configure(func(c *azuread.Config) { c.GroupClaims = mode }))
		if got := b.Asked(t, connectortest.NewLogin()).Get("scope"); got != want {
			t.Errorf("%q: got %q, want %q", mode, got, want)
		}
		_, up, err := b.SignIn(t)
		if err != nil {
			t.Fatal(err)
		}
		if len(up.Report.Notes) != 0 {
			t.Errorf("%q: got notes %q", mode, up.Report.Notes)
		}
	}
}
