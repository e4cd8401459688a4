package mint

import (
	"testing"

	"gatehouse/broker"
)

func TestWhatIsMintedIsReadBack(t *testing.T) {
	t.Parallel()
	m, _ := newMinter(t)

	token, lifetime, err := m.AccessToken(accessTokenParams())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from memory
		got, err := m.ReadAccessToken(t.Context(), token, moment())
		if err != nil {
			t.Fatal(err)
		}
		if got.GrantID != grant().ID || got.Subject != grant().AccountID || got.ClientID != "wiki" || got.SessionID != grant().SessionID ||
			got.Scopes.String() != "openid email" || !got.Expires.Equal(moment().Add(lifetime)) || got.ID == "" || len(got.AMR) != 2 {
			t.Errorf("read back %+v", got)
		}
	}

	idToken, err := m.IDToken(idTokenParams())
	if err != nil {
		t.Fatal(err)
	}
	hint, err := m.ReadIDTokenHint(t.Context(), idToken, moment())
	if want := (Hint{grant().AccountID, "wiki", grant().SessionID}); err != nil || hint != want {
		t.Errorf("hint %+v, %v", hint, err)
	}

	forget := moment().Add(60e9)
	id := broker.NewID(forget)
	code, key, err := m.NewCode(id)
	if err != nil {
		t.Fatal(err)
	}
	if got, of, err := m.ParseCode(code); err != nil || got != key || of != id || !got.Forget().Equal(forget) || got.Digest() != broker.DigestOf(code) {
		t.Errorf("code %q: %v, %v", code, got, err)
	}

	refresh, digest, err := m.NewRefreshToken(id, 7)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.ParseRefreshToken(refresh); err != nil || got != (RefreshToken{id, 7, digest}) {
		t.Errorf("refresh token %q: %+v, %v", refresh, got, err)
	}
}
