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

func TestClientToken(t *testing.T) {
	t.Parallel()
	m, c := newMinter(t)
	machine := &broker.Client{ID: "robot", Lifetimes: broker.Lifetimes{AccessToken: time.Minute}}
	raw, lifetime, err := m.ClientToken(t.Context(), ClientTokenParams{Client: machine, Epoch: 7, Scopes: oauth.Scopes{"orders.read"}, Audience: []string{"https://api.test"}, Now: c.Now()})
	if err != nil || lifetime != time.Minute {
		t.Fatal(lifetime, err)
	}
	token, err := m.InspectAccessToken(t.Context(), raw, c.Now())
	if err != nil || token.Subject != "robot" || token.ClientID != "robot" || token.ClientEpoch != 7 || token.GrantID != "" || token.SessionID != "" ||
		!token.AuthTime.IsZero() || token.Scopes.String() != "orders.read" || token.Audience[0] != "https://api.test" || token.ID == "" || !token.Expires.Equal(c.Now().Add(time.Minute)) {
		t.Errorf("%+v, %v", token, err)
	}
	// TK-24: it is nobody's, whether it has been read before or not, and whoever it is addressed to.
	if _, err := m.ReadAccessToken(t.Context(), raw, c.Now()); !errors.Is(err, ErrNotForUs) {
		t.Errorf("taken for a person's: %v", err)
	}
	ours, _, err := m.ClientToken(t.Context(), ClientTokenParams{Client: machine, Now: c.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := m.ReadAccessToken(t.Context(), ours, c.Now()); !errors.Is(err, ErrNotForUs) {
			t.Errorf("taken for a person's: %v", err)
		}
	}
	if _, err := m.InspectAccessToken(t.Context(), raw, c.Now().Add(time.Minute)); !errors.Is(err, jose.ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
}

// What is addressed to a resource server alone is not for us, also when it is remembered.
func TestATokenForAnotherAudienceIsNotForUs(t *testing.T) {
	t.Parallel()
	m, c := newMinter(t)
	raw, _, err := m.AccessToken(t.Context(), AccessTokenParams{Client: client(), Grant: grant(), Scopes: oauth.Scopes{"openid"}, Audience: []string{"https://api.test"}, Now: c.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.InspectAccessToken(t.Context(), raw, c.Now()); err != nil {
		t.Error(err)
	}
	if _, err := m.ReadAccessToken(t.Context(), raw, c.Now()); !errors.Is(err, ErrNotForUs) {
		t.Errorf("%v", err)
	}
}

// Between a person's token and a client's there is nothing.
func TestTokensThatAreNeitherAreRefused(t *testing.T) {
	t.Parallel()
	c := &clock{now: moment()}
	ring := newRing(t, c, "ES256")
	m := minterOf(t, ring, "ES256")
	machine := `{"iss":"https://b.test","sub":"wiki","aud":"https://b.test","exp":1773481313,"iat":1773480413,"jti":"j","client_id":"wiki","client_epoch":0}`
	if _, err := m.InspectAccessToken(t.Context(), signedAs(t, ring, "at+jwt", machine), c.Now()); err != nil {
		t.Fatalf("the sample: %v", err)
	}
	for name, payload := range map[string]string{
		"with a grant":            strings.Replace(machine, `"jti"`, `"grant_id":"g","jti"`, 1),
		"with an auth_time":       strings.Replace(machine, `"jti"`, `"auth_time":1773476813,"jti"`, 1),
		"with neither":            without(machine, "client_epoch"),
		"a grant, no auth_time":   without(accessPayload, "auth_time"),
		"an auth_time, no grant":  without(accessPayload, "grant_id"),
		"a client without a name": without(machine, "client_id"),
		"without an audience":     without(machine, "aud"),
	} {
		if _, err := m.InspectAccessToken(t.Context(), signedAs(t, ring, "at+jwt", payload), c.Now()); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	l := newLinter(issuer, time.Hour)
	if err := l.check("at+jwt", []byte(machine), intent{subject: "wiki", clientID: "wiki", machine: true}); err != nil {
		t.Error(err)
	}
	if err := l.check("at+jwt", []byte(machine), intent{subject: "wiki", clientID: "wiki"}); err == nil {
		t.Error("a client's token passes for a person's")
	}
	person := strings.Replace(machine, `"sub":"wiki"`, `"sub":"a"`, 1)
	if err := l.check("at+jwt", []byte(person), intent{subject: "a", clientID: "wiki", machine: true}); err == nil {
		t.Error("a client's token about somebody else")
	}
}
