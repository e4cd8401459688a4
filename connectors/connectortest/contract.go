package connectortest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

// row is one rule of the contract.
type row struct {
	name string
	test func(t *testing.T, s Subject)
	// openID marks the rules about ID tokens, userinfo those about that endpoint;
	// recheck, groupTrouble and levels ask for the Subject's members.
	openID, userinfo, recheck, groupTrouble, levels bool
	// secret marks the rules about the client secret.
	secret bool
}

// about reports whether the rule concerns a connector.
func (r row) about(s Subject) bool {
	switch {
	case r.openID && s.OpenID == nil, r.userinfo && (s.OpenID == nil || !s.OpenID.Userinfo),
		r.secret && s.Secretless, r.recheck && s.Recheck == nil, r.groupTrouble && s.GroupTrouble == nil, r.levels && s.Levels == nil:
		return false
	}
	return true
}

// Run holds a connector to the contract.
func Run(t *testing.T, s Subject) {
	if s.Keys == nil {
		s.Keys = &fake.KeyPool{}
	}
	rows := slices.Concat(signInRows(), callbackRows(), tokenRows(), documentRows(), faultRows(),
		secretRows(), recheckRows(), outageRows(), groupRows(), levelRows(), emailRows(), canaryRows())
	for _, r := range rows {
		if !r.about(s) {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.test(t, s)
		})
	}
}

func signInRows() []row {
	return []row{
		{name: "opening a connector asks nobody", test: testLazy},
		{name: "a sign-in answers who, with what evidence", test: testHappyPath},
		{name: "the browser is sent with state, PKCE S256 and no secret", test: testAuthorizationURL},
		{name: "a sign-in without its safeguards is not begun", test: testIncompleteLogin},
		{name: "a sign-in asks no more than it needs", test: testCalls},
		{name: "the PKCE verifier has to be the one of the challenge", test: testVerifier},
		{name: "UP-04 one subject at two connectors is two people", test: testTwoConnectors},
		{name: "UP-18 one e-mail address at one connector can be two people", test: testTwoPeople},
		{name: "UP-23 groups are namespaced, or on the allow-list", test: testGroups},
	}
}

func testLazy(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	if n := len(b.Vendor.Requests()); n != 0 {
		t.Errorf("the vendor heard %d requests before anybody signed in", n)
	}
	if err := b.Connector.Check(t.Context()); err != nil {
		t.Errorf("a connector that was never used is unhealthy: %v", err)
	}
}

func testHappyPath(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	id, up, err := b.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	person := b.Vendor.Person(s.Person)
	if want := b.key(person); id.Key != want {
		t.Errorf("got key %+v, want %+v", id.Key, want)
	}
	if id.Profile.Name != person.Name {
		t.Errorf("got name %q, want %q", id.Profile.Name, person.Name)
	}
	if id.Profile.Email != person.Email || id.Profile.EmailTrust != broker.EmailVerified {
		t.Errorf("got address %q, %s; want %q, verified", id.Profile.Email, id.Profile.EmailTrust, person.Email)
	}
	if up.AccessToken == "" || len(up.Scopes) == 0 && !s.Unscoped || s.OpenID != nil && up.IDToken == "" {
		t.Errorf("the upstream's tokens are incomplete")
	}
	if again := b.MustSignIn(t); again.Key != id.Key {
		t.Errorf("the second sign-in has another key: %+v", again.Key)
	}
	if err := b.Connector.Check(t.Context()); err != nil {
		t.Errorf("unhealthy after a sign-in: %v", err)
	}
	d := b.Connector.Describe()
	if d.ID != "up" || d.Type == "" || d.Name == "" || d.BestEffort {
		t.Errorf("the description is incomplete: %+v", d)
	}
}

// key is the expected identity key of a sample person.
func (b *Bench) key(p fake.Person) broker.IdentityKey {
	issuer, subject := b.subject.Key(p, b.URL)
	return broker.IdentityKey{Connector: "up", Issuer: issuer, Subject: subject}
}

func testAuthorizationURL(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	l := NewLogin()
	address, err := b.Connector.AuthorizationURL(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, b.URL+"/") {
		t.Fatalf("the browser is sent to %s", address)
	}
	challenge := sha256.Sum256([]byte(l.CodeVerifier))
	want := map[string]string{
		"response_type": "code", "client_id": ClientID, "redirect_uri": RedirectURI, "state": l.State,
		"code_challenge_method": "S256", "code_challenge": base64.RawURLEncoding.EncodeToString(challenge[:]),
	}
	if s.OpenID != nil {
		want["nonce"] = l.Nonce
		if !slices.Contains(strings.Fields(u.Query().Get("scope")), "openid") {
			t.Error("the scope openid is not asked for")
		}
	}
	for name, value := range want {
		if got := u.Query()[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if strings.Contains(address, l.CodeVerifier) || strings.Contains(address, url.QueryEscape(ClientSecret)) {
		t.Error("the address holds the verifier or the client secret")
	}
	for _, name := range []string{"prompt", "max_age", "acr_values", "login_hint", "login"} {
		if u.Query().Has(name) {
			t.Errorf("%s is sent although nobody asked for it", name)
		}
	}
}

func testIncompleteLogin(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	for name, forget := range map[string]func(*connectors.Login){
		"state": func(l *connectors.Login) { l.State = "" }, "nonce": func(l *connectors.Login) { l.Nonce = "" },
		"verifier": func(l *connectors.Login) { l.CodeVerifier = "" }, "redirect URI": func(l *connectors.Login) { l.RedirectURI = "" },
	} {
		l := NewLogin()
		forget(&l)
		if address, err := b.Connector.AuthorizationURL(t.Context(), l); err == nil || address != "" {
			t.Errorf("without %s the browser was sent to %s", name, address)
		}
	}
}

func testCalls(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	b.MustSignIn(t)
	b.Vendor.Forget()
	b.MustSignIn(t)
	total := 0
	for e, n := range s.Calls {
		if got := b.Vendor.Calls(e); got != n {
			t.Errorf("%d requests at %s, want %d", got, e, n)
		}
		total += n
	}
	if got := len(b.Vendor.Requests()) - b.Vendor.Calls(fake.Authorize); got != total {
		t.Errorf("%d requests in all, want %d: %v", got, total, b.Vendor.Requests())
	}
}

func testVerifier(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	l := NewLogin()
	callback := b.Begin(t, l)
	l.CodeVerifier = NewLogin().CodeVerifier
	_, _, err := b.Identify(t, callback, l)
	KindOf(t, err, connectors.Broken)
}

func testTwoConnectors(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	other := s.Open(t, func(setup *Setup) { setup.Common.ID = "other" })
	one, two := b.MustSignIn(t), other.MustSignIn(t)
	if one.Key.Subject != two.Key.Subject {
		t.Fatalf("the test is void: subjects %q and %q", one.Key.Subject, two.Key.Subject)
	}
	if one.Key.Connector == two.Key.Connector || one.Key.Digest() == two.Key.Digest() {
		t.Errorf("one person out of two: %+v and %+v", one.Key, two.Key)
	}
}

func testTwoPeople(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	one := b.MustSignIn(t)
	b.Vendor.SignInAs(s.Other)
	two := b.MustSignIn(t)
	if want := b.key(b.Vendor.Person(s.Other)); two.Key != want || one.Key == two.Key {
		t.Errorf("got key %+v, want %+v", two.Key, want)
	}
}

func testGroups(t *testing.T, s Subject) {
	all := s.Open(t, s.withGroups(nil)).MustSignIn(t).Profile.Groups
	if s.Groups == nil {
		if len(all) != 0 {
			t.Errorf("got groups %q from an upstream without groups", all)
		}
		return
	}
	var want []string
	for _, g := range s.Groups {
		want = append(want, "up:"+g)
	}
	if !slices.Equal(all, want) {
		t.Errorf("got groups %q, want %q", all, want)
	}
	first := s.Groups[0]
	none := ""
	rules := connectors.GroupRules{Prefix: &none, Allow: []string{first, "not-there"}}
	if got := s.Open(t, s.withGroups(&rules)).MustSignIn(t).Profile.Groups; !slices.Equal(got, []string{first}) {
		t.Errorf("with an allow-list of one got groups %q", got)
	}
}

func (s Subject) withGroups(rules *connectors.GroupRules) func(*Setup) {
	return func(setup *Setup) {
		if rules != nil {
			setup.Common.Groups = *rules
		}
		if s.GroupScopes != nil {
			setup.Common.Scopes = s.GroupScopes
		}
	}
}

// Problems fails the test unless a configuration has problems at exactly these
// paths, in this order.
func Problems(t testing.TB, c connectors.Config, paths []string) {
	t.Helper()
	var found []string
	for _, p := range c.Validate() {
		found = append(found, p.Path)
	}
	if !slices.Equal(found, paths) {
		t.Errorf("got problems at %q, want %q", found, paths)
	}
}
