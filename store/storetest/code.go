package storetest

import (
	"testing"
	"time"

	"gatehouse/broker"
)

// codes are the rules about redeeming (RFC 6749 §4.1.2).
func codes() []rule {
	return []rule{
		{"a code is redeemed in one commit and its grant keeps the refresh token", redeemed},
		{"a grant that is not offline keeps no refresh token", redeemedOnline},
		{"TK-01 another client's attempt changes nothing", foreignCode},
		{"TK-02 a replay revokes the grant and everything issued under it", codeReplayed},
		{"TK-02 a replay is recognised after the code has expired", lateReplay},
		{"TK-02 a replay consumes its one-time key and another replay writes nothing", replayedAgain},
		{"TK-04 a code is dead at its expiry", codeExpired},
		{"who cannot show what the code is bound to neither redeems nor revokes", unboundCode},
		{"a refused redemption leaves the code unspent", refusedRedemption},
		{"an unknown code is not found", unknownCode},
		{"a code of a revoked grant is not found", revokedCode},
		{"a one-time key is used once", onceUsedRedemption},
	}
}

func redeemed(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	f.pass(time.Second)
	r := f.redemption(v.code, wiki)
	r.Once = []broker.Once{f.once()}
	var out broker.Outcome
	var err error
	wanted := broker.Event{
		Type: broker.EventCodeRedeemed, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID,
		ClientID: wiki, Connector: google, SessionID: v.Session.ID, GrantID: v.Grant.ID,
	}
	f.commitsOnce(t, func() {
		f.wrote(t, wanted, func() {
			out, err = f.RedeemCode(t.Context(), r, func(st broker.State) error {
				if st.Grant == nil || st.Code == nil || st.Code.Spent || !st.Grant.Refresh.Current.IsZero() || !st.Now.Equal(f.now) {
					t.Errorf("state %+v", st)
				}
				return st.GrantStanding()
			})
		})
	})
	must(t, "RedeemCode", err)
	c := out.Code
	if c.Nonce != "nonce" || c.Challenge != "challenge" || c.RedirectURI != "https://wiki.example/callback" || !c.RedirectURISent ||
		!c.Spent || c.GrantID != v.Grant.ID || !sameEvent(out.Event, wanted) {
		t.Errorf("outcome %+v", out)
	}
	g := f.grantOf(v.Grant.ID).Grant
	if g.Refresh.Current != r.Next.Digest || g.Refresh.Generation != 1 || !g.Refresh.Expires.Equal(r.Next.Expires) || !g.Forget.Equal(r.Next.Forget) {
		t.Errorf("grant %+v, want the refresh token and the later end", g)
	}
	f.rotate(v, r.Next.Digest)
}

func redeemedOnline(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	offered := f.redeem(v)
	g := f.grantOf(v.Grant.ID).Grant
	if !g.Refresh.Current.IsZero() || !g.Forget.Equal(v.Grant.Forget) {
		t.Errorf("grant %+v", g)
	}
	if _, err := f.RotateRefreshToken(t.Context(), f.rotation(v, offered), agree); err == nil {
		t.Error("a token that was not stored was accepted")
	}
}

func foreignCode(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	for _, client := range []string{mail, "", "WIKI", wiki + " "} {
		f.unchanged(t, func() {
			_, err := f.RedeemCode(t.Context(), f.redemption(v.code, client), agree)
			want(t, client, err, broker.ErrNotFound)
		})
	}
	token := f.redeem(v)
	f.unchanged(t, func() {
		_, err := f.RedeemCode(t.Context(), f.redemption(v.code, mail), agree)
		want(t, "a spent code of another client", err, broker.ErrNotFound)
	})
	f.rotate(v, token)
}

func codeReplayed(t *testing.T, f *fixture) {
	for _, after := range []time.Duration{0, time.Second, 30 * time.Second} {
		v := f.signedIn("ada", wiki, true)
		token := f.redeem(v)
		f.pass(after)
		wanted := broker.Event{
			Type: broker.EventCodeReplayed, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID,
			ClientID: wiki, Connector: google, SessionID: v.Session.ID, GrantID: v.Grant.ID,
		}
		f.commitsOnce(t, func() {
			f.wrote(t, wanted, func() {
				r := f.redemption(v.code, wiki)
				r.Event.Type = broker.EventCodeRedeemed // as the endpoint hoped
				out, err := f.RedeemCode(t.Context(), r, agree)
				want(t, "replay", err, broker.ErrCodeReplayed)
				if !sameEvent(out.Event, wanted) {
					t.Errorf("outcome's event %+v, want %+v", out.Event, wanted)
				}
			})
		})
		_, err := f.Grant(t.Context(), v.Grant.ID, f.now)
		want(t, "the grant", err, broker.ErrNotFound)
		_, err = f.RotateRefreshToken(t.Context(), f.rotation(v, token), agree)
		want(t, "the refresh token", err, broker.ErrNotFound)
		must(t, "the session", f.sessionOf(v.ref, wiki).SessionStanding(google))
	}
}

func lateReplay(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	f.redeem(v)
	f.pass(codeLife + tokenLife - time.Second)
	_, err := f.RedeemCode(t.Context(), f.redemption(v.code, wiki), agree)
	want(t, "replay", err, broker.ErrCodeReplayed)
	_, err = f.Grant(t.Context(), v.Grant.ID, f.now)
	want(t, "the grant", err, broker.ErrNotFound)
}

func replayedAgain(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	f.redeem(v)
	r := f.redemption(v.code, wiki)
	r.Once = []broker.Once{f.once()}
	_, err := f.RedeemCode(t.Context(), r, agree)
	want(t, "replay", err, broker.ErrCodeReplayed)
	f.unchanged(t, func() {
		_, err := f.RedeemCode(t.Context(), f.redemption(v.code, wiki), agree)
		want(t, "another replay", err, broker.ErrCodeReplayed)
	})
	l := f.login(f.person(google, "ada"), wiki, false)
	l.Once = r.Once
	f.unchanged(t, func() {
		_, err := f.CompleteLogin(t.Context(), l, issue)
		want(t, "the replay's one-time key", err, broker.ErrOnceUsed)
	})
}

func codeExpired(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	early := f.signedIn("grace", wiki, true)
	f.pass(codeLife - 1)
	f.redeem(early)
	for _, more := range []time.Duration{1, time.Second, time.Hour} {
		f.pass(more)
		f.unchanged(t, func() {
			_, err := f.RedeemCode(t.Context(), f.redemption(v.code, wiki), agree)
			want(t, "expired", err, broker.ErrNotFound)
		})
	}
}

func unboundCode(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	stranger := func() {
		r := f.redemption(v.code, wiki)
		r.Bound = func(c broker.Code) error {
			if c.Challenge != "challenge" || c.RedirectURI == "" {
				t.Errorf("code %+v", c)
			}
			return errNo
		}
		_, err := f.RedeemCode(t.Context(), r, agree)
		want(t, "without the verifier", err, errNo)
	}
	f.unchanged(t, stranger)
	f.redeem(v)
	f.unchanged(t, stranger)
	must(t, "the grant", f.grantOf(v.Grant.ID).GrantStanding())
}

func refusedRedemption(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	r := f.redemption(v.code, wiki)
	r.Once = []broker.Once{f.once()}
	f.unchanged(t, func() {
		_, err := f.RedeemCode(t.Context(), r, disagree)
		want(t, "refused", err, errNo)
	})
	_, err := f.RedeemCode(t.Context(), r, agree)
	must(t, "afterwards", err)
}

func unknownCode(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	for name, key := range map[string]broker.ExpiringKey{
		"nothing":                        {},
		"another secret":                 broker.NewExpiringKey(v.code.Forget(), randomDigest()),
		"the secret with another expiry": broker.NewExpiringKey(v.code.Forget().Add(time.Second), v.code.Digest()),
	} {
		f.unchanged(t, func() {
			_, err := f.RedeemCode(t.Context(), f.redemption(key, wiki), agree)
			want(t, name, err, broker.ErrNotFound)
		})
	}
}

func revokedCode(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, true)
	must(t, "RevokeGrant", f.RevokeGrant(t.Context(), v.Grant.ID, f.event()))
	f.unchanged(t, func() {
		_, err := f.RedeemCode(t.Context(), f.redemption(v.code, wiki), agree)
		want(t, "the code", err, broker.ErrNotFound)
	})
}

func onceUsedRedemption(t *testing.T, f *fixture) {
	v, other := f.signedIn("ada", wiki, true), f.signedIn("grace", wiki, true)
	r := f.redemption(v.code, wiki)
	r.Once = []broker.Once{f.once()}
	_, err := f.RedeemCode(t.Context(), r, agree)
	must(t, "RedeemCode", err)
	again := f.redemption(other.code, wiki)
	again.Once = r.Once
	f.unchanged(t, func() {
		_, err := f.RedeemCode(t.Context(), again, agree)
		want(t, "the proof of another request", err, broker.ErrOnceUsed)
	})
	f.redeem(other)
}
