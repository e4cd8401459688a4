package mint

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
)

func exchangeParams() ExchangeParams {
	return ExchangeParams{Client: &broker.Client{ID: "orders"}, Epoch: 7, Scopes: oauth.Scopes{"email"}, Audience: []string{"https://api.test"},
		Now: moment(), NotAfter: moment().Add(time.Hour)}
}

func chain(n int) *Actor {
	var a *Actor
	for range n {
		a = &Actor{Subject: "orders", Before: a}
	}
	return a
}

// RFC 8693 §2.2.1, §4.1: about the person, for another client.
func TestExchangedToken(t *testing.T) {
	t.Parallel()
	m, c := newMinter(t)
	p := exchangeParams()
	p.Actor = &Actor{Subject: "orders", Before: &Actor{Subject: "stock"}}
	raw, lifetime, err := m.ExchangedToken(t.Context(), p, grant())
	if err != nil || lifetime != 15*time.Minute {
		t.Fatal(lifetime, err)
	}
	for range 2 { // also when it is remembered
		token, err := m.InspectAccessToken(t.Context(), raw, c.Now())
		if err != nil || token.Subject != grant().AccountID || token.ClientID != "orders" || token.GrantID != grant().ID || !token.Exchanged || token.ClientEpoch != 7 || token.ExternalIssuer != "" ||
			!token.AuthTime.Equal(grant().AuthTime) || token.ACR != grant().ACR || token.SessionID != grant().SessionID || token.Actor.Depth() != 2 || token.Actor.Subject != "orders" || token.Actor.Before.Subject != "stock" {
			t.Errorf("%+v, %v", token, err)
		}
	}
	p.NotAfter = p.Now.Add(90*time.Second + time.Millisecond)
	if raw, lifetime, err = m.ExchangedToken(t.Context(), p, grant()); err != nil || lifetime != 90*time.Second+time.Millisecond {
		t.Errorf("I7: it outlives what was presented: %v, %v", lifetime, err)
	}
	if token, err := m.InspectAccessToken(t.Context(), raw, c.Now()); err != nil || token.Expires.After(p.NotAfter) {
		t.Errorf("I7: it ends at %v, %v", token.Expires, err)
	}
	for name, change := range map[string]func(*ExchangeParams){
		"a scope beyond the grant": func(p *ExchangeParams) { p.Scopes = oauth.Scopes{"admin"} },
		"less than a second":       func(p *ExchangeParams) { p.NotAfter = p.Now.Add(999 * time.Millisecond) },
		"what has ended":           func(p *ExchangeParams) { p.NotAfter = p.Now.Add(-time.Minute) },
		"for nobody":               func(p *ExchangeParams) { p.Audience = nil },
	} {
		p := exchangeParams()
		change(&p)
		if raw, _, err := m.ExchangedToken(t.Context(), p, grant()); !errors.Is(err, ErrBeyondGrant) || raw != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, actor := range map[string]*Actor{"TX-04 a chain of six": chain(6), "nobody": {}, "no sub": {Subject: "a b"}, "nobody before": {Subject: "a", Before: &Actor{}}} {
		p := exchangeParams()
		p.Actor = actor
		if raw, _, err := m.ExchangedToken(t.Context(), p, grant()); !errors.Is(err, ErrLint) || raw != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWorkloadToken(t *testing.T) {
	t.Parallel()
	m, c := newMinter(t)
	forge := &broker.ExternalIssuer{ID: "forge"}
	raw, _, err := m.WorkloadToken(t.Context(), exchangeParams(), forge, "repo:acme/app")
	if err != nil {
		t.Fatal(err)
	}
	token, err := m.InspectAccessToken(t.Context(), raw, c.Now())
	if err != nil || token.Subject != "forge:repo:acme/app" || token.ClientID != "orders" || token.ExternalIssuer != "forge" || token.ClientEpoch != 7 || token.GrantID != "" || token.Exchanged || !token.AuthTime.IsZero() {
		t.Errorf("%+v, %v", token, err)
	}
	p := exchangeParams()
	p.Audience = []string{issuer}
	if raw, _, err = m.WorkloadToken(t.Context(), p, forge, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.ReadAccessToken(t.Context(), raw, c.Now()); !errors.Is(err, ErrNotForUs) { // TK-24
		t.Errorf("taken for a person's: %v", err)
	}
	for _, subject := range []string{"a b", "\u00e4", strings.Repeat("x", 250)} {
		if raw, _, err := m.WorkloadToken(t.Context(), exchangeParams(), forge, subject); !errors.Is(err, ErrLint) || raw != "" {
			t.Errorf("%q: %v", subject, err)
		}
	}
}

// RFC 8693 §4.4: the client's access tokens name who may act.
func TestMayAct(t *testing.T) {
	t.Parallel()
	m, c := newMinter(t)
	p := accessTokenParams()
	p.Client.MayAct = "orders"
	raw, _, err := m.AccessToken(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if token, err := m.InspectAccessToken(t.Context(), raw, c.Now()); err != nil || token.MayAct != "orders" || token.Exchanged || token.Actor != nil {
		t.Errorf("%+v, %v", token, err)
	}
}

const (
	exchangedPayload = `{"iss":"https://b.test","sub":"a","aud":"https://api.test","exp":1773481313,"iat":1773480413,"jti":"j","client_id":"orders","client_epoch":7,"auth_time":1773476813,"grant_id":"g","act":{"sub":"orders"}}`
	workloadPayload  = `{"iss":"https://b.test","sub":"forge:x","aud":"https://api.test","exp":1773481313,"iat":1773480413,"jti":"j","client_id":"orders","client_epoch":7,"external_issuer":"forge"}`
)

// What has not been made here is not taken, though a key of ours has signed it; and it would not be signed.
func TestTokensBetweenTheKinds(t *testing.T) {
	t.Parallel()
	c := &clock{now: moment()}
	ring := newRing(t, c, "ES256")
	m := minterOf(t, ring, "ES256")
	l := newLinter(issuer, time.Hour)
	person, workload := intent{subject: "a", clientID: "orders", exchanged: true}, intent{subject: "forge:x", clientID: "orders", machine: true, issuer: "forge"}
	replace := func(s, old, text string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("%s lacks %s", s, old)
		}
		return strings.Replace(s, old, text, 1)
	}
	deep := func(n int) string {
		return strings.Repeat(`{"sub":"x","act":`, n-1) + `{"sub":"x"}` + strings.Repeat("}", n-1)
	}
	for _, row := range []struct {
		name, payload string
		intent        intent
		good          bool
	}{
		{"in exchange", exchangedPayload, person, true},
		{"a chain of five", replace(exchangedPayload, `{"sub":"orders"}`, deep(5)), person, true},
		{"TX-04 a chain of six", replace(exchangedPayload, `{"sub":"orders"}`, deep(6)), person, false},
		{"TX-04 a chain of five hundred", replace(exchangedPayload, `{"sub":"orders"}`, deep(500)), person, false},
		{"an actor that is text", replace(exchangedPayload, `{"sub":"orders"}`, `"orders"`), person, false},
		{"an actor without a name", replace(exchangedPayload, `{"sub":"orders"}`, `{}`), person, false},
		{"an actor with more to it", replace(exchangedPayload, `{"sub":"orders"}`, `{"sub":"orders","exp":1}`), person, false},
		{"an actor of nothing", replace(exchangedPayload, `{"sub":"orders"}`, `null`), person, false},
		{"an actor twice", replace(exchangedPayload, `{"sub":"orders"}`, `{"sub":"orders","sub":"x"}`), person, false},
		{"may_act that is text", replace(accessPayload, `"jti"`, `"may_act":"x","jti"`), intent{subject: "a", clientID: "wiki"}, false},
		{"may_act with a chain", replace(accessPayload, `"jti"`, `"may_act":`+deep(2)+`,"jti"`), intent{subject: "a", clientID: "wiki"}, false},
		{"an actor in a token of the grant's own client", replace(accessPayload, `"jti"`, `"act":{"sub":"x"},"jti"`), intent{subject: "a", clientID: "wiki"}, false},
		{"no auth_time", without(exchangedPayload, "auth_time"), person, false},
		{"no grant", without(exchangedPayload, "grant_id"), person, false},
		{"a workload with a grant", replace(workloadPayload, `"jti"`, `"grant_id":"g","auth_time":1,"jti"`), workload, false},
		{"a workload", workloadPayload, workload, true},
		{"a workload of another issuer", replace(workloadPayload, `"sub":"forge:x"`, `"sub":"other:x"`), workload, false},
		{"a workload without an issuer in front", replace(workloadPayload, `"sub":"forge:x"`, `"sub":"x"`), workload, false},
		{"a workload named as an account is", replace(workloadPayload, `,"external_issuer":"forge"`, ``), workload, false},
		{"a workload without an epoch", without(workloadPayload, "client_epoch"), workload, false},
	} {
		if err := l.check("at+jwt", []byte(row.payload), row.intent); (err == nil) != row.good {
			t.Errorf("%s: signed with %v", row.name, err)
		}
		if _, err := m.InspectAccessToken(t.Context(), signedAs(t, ring, "at+jwt", row.payload), c.Now()); (err == nil) != row.good {
			t.Errorf("%s: read with %v", row.name, err)
		}
	}
	// No intent signs another's payload.
	for payload, of := range map[string]intent{exchangedPayload: person, workloadPayload: workload} {
		for _, i := range []intent{person, workload, {subject: of.subject, clientID: "orders"}, {subject: of.subject, clientID: "orders", machine: true}} {
			if err := l.check("at+jwt", []byte(payload), i); (err == nil) != (i == of) {
				t.Errorf("%+v signs %s: %v", i, payload, err)
			}
		}
	}
	if _, err := m.InspectAccessToken(t.Context(), signedAs(t, ring, "JWT", exchangedPayload), c.Now()); !errors.Is(err, jose.ErrType) {
		t.Errorf("another typ: %v", err)
	}
}

// Whatever stands in act, reading it ends, and what is taken is written back the same.
func FuzzActor(f *testing.F) {
	f.Add([]byte(`{"sub":"a","act":{"sub":"b"}}`))
	f.Add([]byte(strings.Repeat(`{"act":`, 100)))
	f.Add([]byte(`{"SUB":"a"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, ok := readActor(raw, MaxActors)
		if !ok {
			return
		}
		p := newPayload()
		p.actor(a)
		members, err := jose.StrictObject(p.done())
		if err != nil {
			t.Fatal(err)
		}
		again, _, ok := actorsOf(members)
		if !ok || again.Depth() != a.Depth() || again.Subject != a.Subject || a.Depth() > MaxActors {
			t.Errorf("%s comes back as %+v", raw, again)
		}
	})
}
