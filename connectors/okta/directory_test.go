package okta_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
	"gatehouse/connectors/okta"
)

const apiToken = "00ssws-token-of-the-fixtures"

// apiSubject reads groups from the management API, at the org's authorization server.
func apiSubject() connectortest.Subject {
	s := subject()
	s.Fake = func(o fake.Options) *fake.Provider {
		o.Okta.APITokens = []string{apiToken}
		return fake.NewOkta(o).Provider
	}
	s.Config = func(c connectors.Common, base string) connectors.Config {
		return &okta.Config{Common: c, Issuer: base, GroupsFrom: "api", APIToken: connectors.Secrets{apiToken}}
	}
	s.Key = func(p fake.Person, base string) (string, string) { return base, p.Okta.Subject }
	s.Calls = map[fake.Endpoint]int{fake.Token: 1, fake.Userinfo: 1, fake.OktaGroups: 1}
	s.Recheck.Calls = map[fake.Endpoint]int{fake.Refresh: 1, fake.Userinfo: 1, fake.OktaGroups: 1}
	s.GroupTrouble = map[connectortest.Cause]connectortest.Trouble{
		connectortest.Unavailable: {Vendor: misbehave(fake.At(fake.OktaGroups, fake.ServerError))},
		connectortest.Denied:      {Vendor: misbehave(fake.At(fake.OktaGroups, fake.Forbidden))},
		connectortest.Incomplete:  {Vendor: misbehave(fake.OktaEndlessGroups)},
	}
	s.GroupNonsense = misbehave(fake.OktaNamelessGroup)
	return s
}

func misbehave(m fake.Misbehaviour) func(*fake.Provider) {
	return func(v *fake.Provider) { v.Misbehave(m) }
}

func TestContractWithTheAPI(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, apiSubject())
}

func configure(change func(*okta.Config)) func(*connectortest.Setup) {
	return func(s *connectortest.Setup) {
		s.Configure = func(c connectors.Config) { change(c.(*okta.Config)) }
	}
}

// pages makes the fake's pages small.
func pages(size int) func(*connectortest.Setup) {
	return func(s *connectortest.Setup) { s.Vendor.Okta.GroupPage = size }
}

func TestGroupsOfTheAPI(t *testing.T) {
	t.Parallel()
	t.Run("more than a hundred, in pages", func(t *testing.T) {
		t.Parallel()
		b := apiSubject().Open(t, pages(50))
		b.Vendor.SignInAs("dana")
		id, up, err := b.SignIn(t)
		if err != nil {
			t.Fatal(err)
		}
		if g := id.Profile.Groups; len(g) != 120 || g[0] != "up:Project 001" || g[119] != "up:Project 120" {
			t.Errorf("got %d groups", len(g))
		}
		if n := b.Vendor.Calls(fake.OktaGroups); n != 3 || !strings.Contains(up.Report.GroupSource, "3 pages") {
			t.Errorf("%d requests; the report says %q", n, up.Report.GroupSource)
		}
		if got := query(t, b, nil).Get("scope"); got != "openid profile email" {
			t.Errorf("got scope %q: the scope groups would make Okta refuse", got)
		}
	})
	t.Run("the claim refuses more than a hundred, and says what helps", func(t *testing.T) {
		t.Parallel()
		b := subject().Open(t, nil)
		b.Vendor.SignInAs("dana")
		if e := b.Refused(t, connectors.Operator); !strings.Contains(e.Hint, "groups_from: api") {
			t.Errorf("got hint %q", e.Hint)
		}
	})
	t.Run("imported ones, and only some types", func(t *testing.T) {
		t.Parallel()
		for _, tt := range []struct{ types, want []string }{
			{nil, []string{"up:Everyone", "up:Engineering", "up:West Coast Admins", "up:Domain Users"}},
			{[]string{"OKTA_GROUP"}, []string{"up:Engineering", "up:West Coast Admins"}},
			{[]string{"OKTA_GROUP", "APP_GROUP"}, []string{"up:Engineering", "up:West Coast Admins", "up:Domain Users"}},
			{[]string{"BUILT_IN"}, []string{"up:Everyone"}},
		} {
			b := apiSubject().Open(t, configure(func(c *okta.Config) { c.GroupTypes = tt.types }))
			b.Vendor.Update("ada", func(p *fake.Person) { p.Okta.AppGroups = []string{"Domain Users"} })
			if g := b.MustSignIn(t).Profile.Groups; !slices.Equal(g, tt.want) {
				t.Errorf("of the types %q got %q, want %q", tt.types, g, tt.want)
			}
		}
	})
	t.Run("a renamed login is the same person", func(t *testing.T) {
		t.Parallel()
		b := apiSubject().Open(t, nil)
		b.Vendor.Update("ben", func(p *fake.Person) { p.Okta.Login = "ada@acme.example" })
		b.Vendor.Update("ada", func(p *fake.Person) { p.Okta.Login = "ada.winter@acme.example" })
		if g := b.MustSignIn(t).Profile.Groups; len(g) != 3 {
			t.Errorf("got groups %q", g)
		}
	})
}

// The API takes "me" (the owner of our token) and logins where it takes IDs.
func TestTheAPIIsAskedAboutIDsAlone(t *testing.T) {
	t.Parallel()
	for _, sub := range []string{"me", "ada@acme.example", "00u", "00u/../../me", "00u1ada0acme00000d7/groups?x=", "00u1ada0acme00000d7%2f", "10u1ada0acme00000d7"} {
		b := apiSubject().Open(t, nil)
		change := func(doc map[string]any) { doc["sub"] = sub }
		b.Vendor.Edit(fake.IDToken, change)
		b.Vendor.Edit(fake.Userinfo, change)
		b.Refused(t, connectors.Broken)
		if n := b.Vendor.Calls(fake.OktaGroups); n != 0 {
			t.Errorf("the API was asked about %q", sub)
		}
	}
}

func TestTheListOfGroupsIsReadStrictly(t *testing.T) {
	t.Parallel()
	for _, m := range []fake.Misbehaviour{
		fake.OktaNextElsewhere, fake.OktaNextOtherPath, fake.OktaNextIsPrevious, fake.OktaBrokenLink, fake.OktaNamelessGroup, fake.OktaHostileGroup,
	} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			asked := new(atomic.Int32)
			stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
			defer stranger.Close()
			b := apiSubject().Open(t, pages(1))
			b.Vendor.SetElsewhere(stranger.URL)
			b.Vendor.Misbehave(m)
			b.Refused(t, connectors.Broken)
			if n := b.Vendor.Calls(fake.OktaGroups); n != 1 || asked.Load() != 0 {
				t.Errorf("%d requests at the API, %d at another host", n, asked.Load())
			}
		})
	}
	t.Run("a list without an end is incomplete, and not cut short", func(t *testing.T) {
		t.Parallel()
		b := apiSubject().Open(t, nil)
		b.Vendor.Misbehave(fake.OktaEndlessGroups)
		e := b.Refused(t, connectors.Operator)
		if n := b.Vendor.Calls(fake.OktaGroups); n != connectors.MaxPages || !strings.Contains(e.Error(), connectors.ErrGroupsIncomplete.Error()) {
			t.Errorf("%d requests, and %v", n, e)
		}
	})
	for name, body := range map[string]string{
		"null": `null`, "an object": `{"errorCode":"none"}`, "no JSON": `<html>`, "a name that is a number": `[{"type":"OKTA_GROUP","profile":{"name":7}}]`,
		"members twice": `[{"type":"OKTA_GROUP","profile":{"name":"a","name":"admins"}}]`, "a row that is null": `[null]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := apiSubject().Open(t, nil)
			b.Vendor.Replace("/api/v1/users/00u1ada0acme00000d7/groups", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(body))
			}))
			b.Refused(t, connectors.Broken)
		})
	}
}

func TestTheAPIRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault fake.Fault
		kind  connectors.Kind
		code  string
		hint  string
	}{
		{"a token that is not good", fake.Unauthorized, connectors.Operator, "E0000011", "api_token"},
		{"a privilege that is missing", fake.Forbidden, connectors.Operator, "E0000006", "may view users"},
		{"a person it does not show", fake.NotFound, connectors.Operator, "E0000007", "org_url"},
		{"too many requests", fake.TooManyRequests, connectors.Transient, "E0000047", "429"},
		{"a fault of its own", fake.ServerError, connectors.Transient, "E0000009", "500"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := apiSubject().Open(t, nil)
			b.Vendor.Misbehave(fake.At(fake.OktaGroups, tt.fault))
			e := b.Refused(t, tt.kind)
			if e.Code != tt.code || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("got code %q, hint %q", e.Code, e.Hint)
			}
			if tt.fault == fake.TooManyRequests && e.RetryAfter != 7*time.Second {
				t.Errorf("X-Rate-Limit-Reset is 7 s away, got %v", e.RetryAfter)
			}
			b.Vendor.Behave()
			b.MustSignIn(t)
		})
	}
}

func TestAPITokensOverlap(t *testing.T) {
	t.Parallel()
	b := apiSubject().Open(t, configure(func(c *okta.Config) { c.APIToken = connectors.Secrets{"00a-revoked-token", apiToken} }))
	b.MustSignIn(t)
	b.MustSignIn(t)
	if n := b.Vendor.Calls(fake.OktaGroups); n != 3 {
		t.Errorf("%d requests at the API: the token that was accepted comes first afterwards", n)
	}
	wrong := apiSubject().Open(t, configure(func(c *okta.Config) { c.APIToken = connectors.Secrets{"00a-revoked-token", "00b-another-one"} }))
	wrong.Refused(t, connectors.Operator)
}

func TestTheAPIHasAnAddressOfItsOwn(t *testing.T) {
	t.Parallel()
	b := apiSubject().Open(t, nil)
	other := apiSubject().Open(t, configure(func(c *okta.Config) { c.OrgURL = b.URL + "/" }))
	other.MustSignIn(t)
	if here, there := other.Vendor.Calls(fake.OktaGroups), b.Vendor.Calls(fake.OktaGroups); here != 0 || there != 1 {
		t.Errorf("%d requests at the issuer's host, %d at org_url", here, there)
	}
	custom := apiSubject().Open(t, configure(func(c *okta.Config) { c.Issuer += "/oauth2/default" }))
	custom.MustSignIn(t) // the API is beside a custom server, not below it
}
