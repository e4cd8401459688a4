package storetest

import (
	"bytes"
	"testing"
	"time"

	"gatehouse/broker"
)

const window = 5 * time.Second

// refreshTokens are the rules about rotation (RFC 9700 §4.14.2).
func refreshTokens() []rule {
	return []rule{
		{"a rotation takes one commit and keeps the current and the previous token", rotated},
		{"TK-08 a spent token revokes the family", tokenReused},
		{"TK-08 a token older than the previous one revokes the family", olderReused},
		{"TK-09 one retry within the window gets the same successor", retried},
		{"TK-09 a second retry revokes the family", retriedTwice},
		{"TK-09 a retry after the window revokes the family", retriedLate},
		{"TK-09 a clock that was set back opens no window", clockSetBack},
		{"TK-09 without a window the clock is not looked at", noWindow},
		{"TK-10 another client's attempt changes nothing", foreignToken},
		{"an expired token is not found and revokes nothing", tokenExpired},
		{"a refused rotation leaves the token current", refusedRotation},
		{"an unknown grant is not found", unknownGrant},
		{"without rotation nothing is written", notRotated},
		{"without rotation a one-time key is consumed and recorded", notRotatedOnce},
		{"a one-time key is used once", onceUsedRotation},
	}
}

// offline is a visit whose code has been redeemed, and its first refresh token.
func (f *fixture) offline(subject string) (visit, broker.Digest) {
	f.t.Helper()
	v := f.signedIn(subject, wiki, true)
	return v, f.redeem(v)
}

// reuse presents a token that must be taken for stolen, and checks what follows.
func (f *fixture) reuse(t *testing.T, v visit, r broker.Rotation) {
	t.Helper()
	wanted := broker.Event{
		Type: broker.EventTokenReused, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID,
		ClientID: wiki, Connector: google, SessionID: v.Session.ID, GrantID: v.Grant.ID,
	}
	f.commitsOnce(t, func() {
		f.wrote(t, wanted, func() {
			r.Event.Type = broker.EventTokenRefreshed // as the endpoint hoped
			out, err := f.RotateRefreshToken(t.Context(), r, agree)
			want(t, "reuse", err, broker.ErrTokenReused)
			if len(out.Successor) != 0 || !sameEvent(out.Event, wanted) {
				t.Errorf("outcome %+v", out)
			}
		})
	})
	_, err := f.Grant(t.Context(), v.Grant.ID, f.now)
	want(t, "the grant", err, broker.ErrNotFound)
}

func rotated(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	f.pass(time.Hour)
	r := f.rotation(v, token)
	var out broker.Outcome
	var err error
	wanted := broker.Event{
		Type: broker.EventTokenRefreshed, At: f.now, RequestID: "req-1", Address: "192.0.2.1", AccountID: v.Account.ID,
		ClientID: wiki, Connector: google, SessionID: v.Session.ID, GrantID: v.Grant.ID,
	}
	f.commitsOnce(t, func() {
		f.wrote(t, wanted, func() {
			out, err = f.RotateRefreshToken(t.Context(), r, func(st broker.State) error { return st.GrantStanding() })
		})
	})
	must(t, "RotateRefreshToken", err)
	if len(out.Successor) != 0 || out.Account == nil || out.Identity == nil || out.Code != nil || !sameEvent(out.Event, wanted) {
		t.Errorf("outcome %+v", out)
	}
	g := f.grantOf(v.Grant.ID).Grant
	if g.Refresh.Current != r.Next.Digest || g.Refresh.Previous != token || g.Refresh.Generation != 2 || g.Refresh.Retried ||
		!g.Refresh.Expires.Equal(r.Next.Expires) || !g.Refresh.SpentAt.Equal(f.now) || !bytes.Equal(g.Refresh.Successor, r.Successor) ||
		!g.Forget.Equal(r.Next.Forget) {
		t.Errorf("grant %+v", g)
	}
	for range 3 {
		r.Next.Digest = f.rotate(v, r.Next.Digest)
	}
}

func tokenReused(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	next := f.rotate(v, token)
	f.reuse(t, v, f.rotation(v, token))
	_, err := f.RotateRefreshToken(t.Context(), f.rotation(v, next), agree)
	want(t, "the current token", err, broker.ErrNotFound)
}

func olderReused(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	f.rotate(v, f.rotate(v, token))
	r := f.rotation(v, token)
	r.Retry = window
	f.reuse(t, v, r)
}

func retried(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	first := f.rotation(v, token)
	first.Retry = window
	_, err := f.RotateRefreshToken(t.Context(), first, agree)
	must(t, "RotateRefreshToken", err)
	f.pass(window)
	before := f.grantOf(v.Grant.ID).Grant
	again := f.rotation(v, token)
	again.Retry = window
	f.unchanged(t, func() {
		_, err := f.RotateRefreshToken(t.Context(), again, disagree)
		want(t, "a refused retry", err, errNo)
	})
	var out broker.Outcome
	f.commitsOnce(t, func() { out, err = f.RotateRefreshToken(t.Context(), again, agree) })
	must(t, "the retry", err)
	if !bytes.Equal(out.Successor, first.Successor) || out.Event.Type != broker.EventTokenRefreshed || out.Event.Detail != "retry" {
		t.Errorf("outcome %+v, want the successor of the first attempt", out)
	}
	after := f.grantOf(v.Grant.ID).Grant
	if after.Refresh.Current != first.Next.Digest || after.Refresh.Generation != before.Refresh.Generation || !after.Refresh.Retried ||
		!after.Forget.Equal(before.Forget) {
		t.Errorf("grant %+v, want nothing but the retry noted", after)
	}
	f.rotate(v, first.Next.Digest)
}

func retriedTwice(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	f.rotate(v, token)
	r := f.rotation(v, token)
	r.Retry = window
	_, err := f.RotateRefreshToken(t.Context(), r, agree)
	must(t, "the retry", err)
	f.reuse(t, v, r)
}

func retriedLate(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	f.rotate(v, token)
	f.pass(window + 1)
	r := f.rotation(v, token)
	r.Retry = window
	f.reuse(t, v, r)
}

func clockSetBack(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	f.rotate(v, token)
	f.pass(-1)
	r := f.rotation(v, token)
	r.Retry = window
	f.reuse(t, v, r)
}

func noWindow(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	f.rotate(v, token)
	f.reuse(t, v, f.rotation(v, token))
}

func foreignToken(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	next := f.rotate(v, token)
	for _, presented := range []broker.Digest{token, next, randomDigest()} {
		r := f.rotation(v, presented)
		r.ClientID, r.Retry = mail, window
		f.unchanged(t, func() {
			_, err := f.RotateRefreshToken(t.Context(), r, agree)
			want(t, "another client", err, broker.ErrNotFound)
		})
	}
	f.rotate(v, next)
}

func tokenExpired(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	f.pass(refreshLife - 1)
	early, current := f.offline("grace")
	f.rotate(early, current)
	for _, more := range []time.Duration{1, time.Minute} {
		f.pass(more)
		f.unchanged(t, func() {
			_, err := f.RotateRefreshToken(t.Context(), f.rotation(v, token), agree)
			want(t, "expired", err, broker.ErrNotFound)
		})
	}
}

func refusedRotation(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	r := f.rotation(v, token)
	r.Once = []broker.Once{f.once()}
	f.unchanged(t, func() {
		_, err := f.RotateRefreshToken(t.Context(), r, disagree)
		want(t, "refused", err, errNo)
	})
	_, err := f.RotateRefreshToken(t.Context(), r, agree)
	must(t, "afterwards", err)
}

func unknownGrant(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	for _, id := range []string{"", "no such", broker.NewID(f.now)} {
		r := f.rotation(v, token)
		r.GrantID = id
		f.unchanged(t, func() {
			_, err := f.RotateRefreshToken(t.Context(), r, agree)
			want(t, id, err, broker.ErrNotFound)
		})
	}
	f.unchanged(t, func() {
		_, err := f.RotateRefreshToken(t.Context(), f.rotation(v, broker.Digest{}), agree)
		want(t, "no token", err, broker.ErrNotFound)
	})
}

func notRotated(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	r := f.rotation(v, token)
	r.Next, r.Successor = nil, nil
	for range 2 {
		f.unchanged(t, func() {
			out, err := f.RotateRefreshToken(t.Context(), r, agree)
			must(t, "RotateRefreshToken", err)
			if out.Grant == nil || out.Grant.Refresh.Current != token || out.Event.GrantID != v.Grant.ID {
				t.Errorf("outcome %+v", out)
			}
		})
	}
}

func notRotatedOnce(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	r := f.rotation(v, token)
	r.Next, r.Successor, r.Once = nil, nil, []broker.Once{f.once()}
	f.commitsOnce(t, func() {
		_, err := f.RotateRefreshToken(t.Context(), r, agree)
		must(t, "RotateRefreshToken", err)
	})
	if all := f.allEvents(); all[len(all)-1].Type != broker.EventTokenRefreshed {
		t.Errorf("events %+v", all)
	}
	f.unchanged(t, func() {
		_, err := f.RotateRefreshToken(t.Context(), r, agree)
		want(t, "the same proof again", err, broker.ErrOnceUsed)
	})
	f.rotate(v, token)
}

func onceUsedRotation(t *testing.T, f *fixture) {
	v, token := f.offline("ada")
	r := f.rotation(v, token)
	r.Once = []broker.Once{f.once()}
	_, err := f.RotateRefreshToken(t.Context(), r, agree)
	must(t, "RotateRefreshToken", err)
	again := f.rotation(v, r.Next.Digest)
	again.Once = r.Once
	f.unchanged(t, func() {
		_, err := f.RotateRefreshToken(t.Context(), again, agree)
		want(t, "the proof of another request", err, broker.ErrOnceUsed)
	})
	f.rotate(v, r.Next.Digest)
}
