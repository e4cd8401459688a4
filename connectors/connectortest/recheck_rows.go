package connectortest

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

func recheckRows() []row {
	return []row{
		{name: "what a re-check needs is asked for where there is one", test: testOffline, recheck: true},
		{name: "a re-check answers who the person is now", test: testRecheck, recheck: true},
		{name: "a re-check asks no more than it needs", test: testRecheckCalls, recheck: true},
		{name: "a refresh token that is replaced is handed on, and one that is not stays", test: testReplacedTokens, recheck: true},
		{name: "UP-32 the upstream no longer vouches for the person", test: testNoLonger, recheck: true},
		{name: "UP-32 the upstream answers for somebody else", test: testSomebodyElse, recheck: true},
	}
}

// Kept is somebody who has signed in where re-check is on, and what the vendor
// handed out.
type Kept struct {
	*Bench
	Person   broker.Identity
	Upstream connectors.Upstream
}

// Keep signs Subject.Person in with re-check on, and lets the time until the first
// re-check pass. change may be nil.
func (s Subject) Keep(t testing.TB, change func(*Setup)) *Kept {
	t.Helper()
	b := s.Open(t, func(setup *Setup) {
		setup.Common.RecheckInterval = time.Hour
		if s.GroupScopes != nil {
			setup.Common.Scopes = s.GroupScopes
		}
		if change != nil {
			change(setup)
		}
	})
	k := &Kept{Bench: b}
	k.signIn(t)
	return k
}

func (k *Kept) signIn(t testing.TB) {
	t.Helper()
	var err error
	if k.Person, k.Upstream, err = k.SignIn(t); err != nil {
		t.Fatalf("sign-in failed: %v", err)
	}
	k.later()
}

// later is when the next re-check is due.
func (k *Kept) later() {
	after := k.subject.Recheck.After
	if after == 0 {
		after = time.Hour
	}
	k.Clock.Advance(after)
}

// Recheck asks again with what is kept.
func (k *Kept) Recheck(t testing.TB) (broker.Identity, connectors.Upstream, error) {
	t.Helper()
	return k.Bench.Refresh(t, k.Person, k.Upstream)
}

// Definite reports whether an error says that the vendor no longer vouches for the
// person.
func Definite(kind connectors.Kind) bool {
	switch kind {
	case connectors.Gone, connectors.NotAllowed, connectors.Declined, connectors.Interaction, connectors.Unmet:
		return true
	}
	return false
}

// carries reports whether a parameter holds all these words.
func carries(query url.Values, name, words string) bool {
	have := strings.Fields(query.Get(name))
	for _, word := range strings.Fields(words) {
		if !slices.Contains(have, word) {
			return false
		}
	}
	return true
}

func testOffline(t *testing.T, s Subject) {
	on := s.Keep(t, nil)
	if d := on.Connector.Describe(); d.Recheck.Interval != time.Hour {
		t.Errorf("described as %+v", d.Recheck)
	}
	_, refreshes := s.Recheck.Calls[fake.Refresh]
	if refreshes && on.Upstream.RefreshToken == "" || !refreshes && !on.Upstream.Reusable {
		t.Error("nothing was handed out to ask again with")
	}
	off := s.Open(t, nil)
	if d := off.Connector.Describe(); d.Recheck.Interval != 0 {
		t.Errorf("described as %+v", d.Recheck)
	}
	for name, words := range s.Recheck.Offline {
		if query := on.Asked(t, NewLogin()); !carries(query, name, words) {
			t.Errorf("with re-check %s is %q, which lacks %q", name, query.Get(name), words)
		}
		if query := off.Asked(t, NewLogin()); carries(query, name, words) {
			t.Errorf("without re-check %s is %q", name, query.Get(name))
		}
	}
	_, up, err := off.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	if up.RefreshToken != "" {
		t.Error("a refresh token is handed out though nobody has a use for it")
	}
}

func testRecheck(t *testing.T, s Subject) {
	k := s.Keep(t, nil)
	if !k.Vendor.Update(s.Person, s.Recheck.Change) {
		t.Fatal("there is no such person")
	}
	id, up, err := k.Recheck(t)
	if err != nil {
		t.Fatalf("the re-check failed: %v", err)
	}
	if id.Key != k.Person.Key {
		t.Errorf("the key is %+v, was %+v", id.Key, k.Person.Key)
	}
	if !reflect.DeepEqual(id.Authentication, k.Person.Authentication) {
		t.Errorf("nobody authenticated, and %+v became %+v", k.Person.Authentication, id.Authentication)
	}
	// What the person would be who came now.
	fresh := k.MustSignIn(t).Profile
	if !reflect.DeepEqual(id.Profile, fresh) {
		t.Errorf("the re-check says %+v, a sign-in %+v", id.Profile, fresh)
	}
	if was := k.Person.Profile; was.Name == fresh.Name || was.Email == fresh.Email || s.Groups != nil && slices.Equal(was.Groups, fresh.Groups) {
		t.Errorf("the test is void: nothing has changed from %+v to %+v", was, fresh)
	}
	// What came with the answer is good for the next one.
	k.Person, k.Upstream = id, up
	k.later()
	if again, _, err := k.Recheck(t); err != nil || !reflect.DeepEqual(again.Profile, fresh) {
		t.Errorf("the second re-check: %+v, %v", again.Profile, err)
	}
}

func testRecheckCalls(t *testing.T, s Subject) {
	k := s.Keep(t, nil)
	k.MustSignIn(t) // which brings what is remembered up to date
	k.Vendor.Forget()
	if _, _, err := k.Recheck(t); err != nil {
		t.Fatal(err)
	}
	total := 0
	for e, n := range s.Recheck.Calls {
		if got := k.Vendor.Calls(e); got != n {
			t.Errorf("%d requests at %s, want %d", got, e, n)
		}
		if e != fake.Token { // where fake.Refresh is counted too
			total += n
		}
	}
	if got := len(k.Vendor.Requests()); got != total {
		t.Errorf("%d requests in all, want %d: %v", got, total, k.Vendor.Requests())
	}
}

func testReplacedTokens(t *testing.T, s Subject) {
	if _, refreshes := s.Recheck.Calls[fake.Refresh]; !refreshes {
		k := s.Keep(t, nil)
		if _, up, err := k.Recheck(t); err != nil || up.AccessToken != k.Upstream.AccessToken || up.RefreshToken != "" || !up.Reusable {
			t.Errorf("what is asked with does not stay: %v", err)
		}
		return
	}
	k := s.Keep(t, nil)
	_, up, err := k.Recheck(t)
	if err != nil || up.RefreshToken == "" || (up.RefreshToken != k.Upstream.RefreshToken) != s.Recheck.Rotates {
		t.Errorf("replaced: %v, want %v (%v)", up.RefreshToken != k.Upstream.RefreshToken, s.Recheck.Rotates, err)
	}
	if s.Recheck.Rotate == nil {
		return
	}
	k = s.Keep(t, func(setup *Setup) { s.Recheck.Rotate(&setup.Vendor) })
	for range 3 {
		id, up, err := k.Recheck(t)
		if err != nil || up.RefreshToken == "" || up.RefreshToken == k.Upstream.RefreshToken {
			t.Fatalf("the new token is not handed on: %v", err)
		}
		k.Person, k.Upstream = id, up
		k.later()
	}
}

func testNoLonger(t *testing.T, s Subject) {
	for name, end := range map[string]func(*Kept){
		"disabled":  func(k *Kept) { k.Vendor.Disable(s.Person) },
		"revoked":   func(k *Kept) { k.Vendor.RevokeTokens(s.Person) },
		"long gone": func(k *Kept) { k.Vendor.RevokeTokens(s.Person); k.Vendor.Disable(s.Person) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := s.Keep(t, nil)
			end(k)
			_, _, err := k.Recheck(t)
			if e := KindOf(t, err, connectors.Gone); !Definite(e.Kind) {
				t.Error("Gone is definite")
			}
			if err := k.Connector.Check(t.Context()); err != nil {
				t.Errorf("one person's end made the connector unhealthy: %v", err)
			}
		})
	}
}

func testSomebodyElse(t *testing.T, s Subject) {
	k := s.Keep(t, nil)
	s.Recheck.Somebody(k.Vendor)
	_, _, err := k.Recheck(t)
	KindOf(t, err, connectors.Gone)
}

// endpoints are those of a re-check, in order; with the pseudo endpoint of refresh
// tokens instead of the token endpoint.
func (r *Recheck) endpoints() []fake.Endpoint {
	calls := maps.Clone(r.Calls)
	if _, refreshes := calls[fake.Refresh]; refreshes {
		delete(calls, fake.Token)
	}
	return slices.Sorted(maps.Keys(calls))
}
