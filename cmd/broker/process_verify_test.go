//go:build unix

package main

import (
	"context"
	"fmt"
	"net/http"
)

// kept is how many of each kind an actor takes along to the next kill.
const kept = 3

// verify looks, after a restart, at everything the actor was given.
func (a *actor) verify(ctx context.Context) {
	for _, s := range a.sessions {
		a.verifySession(ctx, s)
	}
	// Families first: to present a spent code ends one.
	for _, f := range a.families {
		a.verifyFamily(ctx, f)
	}
	for _, c := range a.codes {
		if c.fate != gone {
			a.verifyCode(ctx, c)
		}
	}
	a.codes = nil
	a.sessions = last(a.sessions)
	a.families = last(a.families)
}

// last are the newest few. What was taken along before is older, so some of every round stay for several kills.
func last[T any](list []T) []T {
	if len(list) <= kept {
		return list
	}
	return append(list[:1:1], list[len(list)-kept+1:]...)
}

func (a *actor) verifySession(ctx context.Context, s *heldSession) {
	q, err := s.browser.signIn(ctx, "prompt", "none", "scope", "openid")
	if err != nil {
		_ = a.wrong("single sign-on: %v", err)
		return
	}
	signedIn := q.Get("code") != ""
	switch {
	case s.fate == standing && !signedIn:
		_ = a.wrong("a session is lost: %v", q)
	case s.fate == gone && (signedIn || q.Get("error") != "login_required"):
		_ = a.wrong("a session that was ended: %v", q)
	}
	switch s.fate {
	case standing:
		a.crash.seen.sessions.Add(1)
	case gone:
		a.crash.seen.ended.Add(1)
	case unknown: // from here on it is known
		a.crash.seen.underWay.Add(1)
		if s.fate = standing; !signedIn {
			s.fate = gone
		}
	}
}

// verifyCode: a code works once, if it was not redeemed before.
func (a *actor) verifyCode(ctx context.Context, c *heldCode) {
	lost := c.session.fate == gone && !c.offline
	first := a.token(a.w.redeem(ctx, c.value))
	switch {
	case lost && !first.refused():
		_ = a.wrong("a code of a session that was ended: %v", first)
	case !lost && first.status != http.StatusOK && (c.fate == standing || !first.refused()):
		_ = a.wrong("a code is lost: %v", first)
	}
	if c.fate == standing {
		a.crash.seen.codes.Add(1)
	} else {
		a.crash.seen.underWay.Add(1)
	}
	a.mustRefuse("a code that is spent", first.text("access_token"), a.token(a.w.redeem(ctx, c.value)))
	a.userInfo(ctx, "of a code that was replayed", first.text("access_token"), http.StatusUnauthorized)
}

func (a *actor) verifyFamily(ctx context.Context, f *family) {
	switch {
	case f.dead():
		a.crash.seen.revoked.Add(1)
		a.mustBeDead(ctx, f)
		return
	case !f.code.offline:
		a.crash.seen.families.Add(1)
		a.userInfo(ctx, "of a session that lives", f.access, http.StatusOK)
	case f.fate == unknown:
		a.crash.seen.underWay.Add(1)
		a.settleRevocation(ctx, f)
	case f.refreshing:
		a.crash.seen.underWay.Add(1)
		a.settleRefresh(ctx, f)
	default:
		a.crash.seen.families.Add(1)
		a.userInfo(ctx, "of a family that stands", f.access, http.StatusOK)
		tokens := a.token(a.w.refresh(ctx, f.current))
		if tokens.status != http.StatusOK {
			_ = a.wrong("a refresh token is lost: %v", tokens)
			f.fate = gone
			return
		}
		f.take(tokens)
	}
	if !f.dead() && upTo(2) == 0 {
		a.replay(ctx, f)
	}
}

// settleRevocation: the request that revokes got no answer. The revocation took place or not, for good.
func (a *actor) settleRevocation(ctx context.Context, f *family) {
	tokens := a.token(a.w.refresh(ctx, f.current))
	switch {
	case tokens.status == http.StatusOK:
		f.fate = standing
		f.take(tokens)
	case tokens.refused():
		f.fate = gone
		a.mustBeDead(ctx, f)
	default:
		_ = a.wrong("a refresh token: %v", tokens)
	}
}

// settleRefresh: a refresh got no answer. There is at most one lineage from here on.
func (a *actor) settleRefresh(ctx context.Context, f *family) {
	f.refreshing = false
	old := f.current
	tokens := a.token(a.w.refresh(ctx, old))
	switch {
	case tokens.status == http.StatusOK:
		f.take(tokens)
	case a.retries || !tokens.refused():
		_ = a.wrong("a refresh whose answer was lost, tried again: %v", tokens)
		fallthrough
	default:
		// It had taken place. Without a retry the second presentation looks like theft, and the family is gone.
		f.fate = gone
		a.mustBeDead(ctx, f)
		return
	}
	again := a.token(a.w.refresh(ctx, old))
	switch {
	case again.status == http.StatusOK && a.retries && again.text("refresh_token") == f.current:
		f.access = again.text("access_token") // the same lineage
	case again.refused():
		f.fate = gone
		a.mustBeDead(ctx, f)
	default:
		_ = a.wrong("a spent refresh token makes a second lineage: %v", again)
	}
}

// replay presents something spent, which must be refused and end the family.
func (a *actor) replay(ctx context.Context, f *family) {
	what, present := "code", func() (answer, error) { return a.w.redeem(ctx, f.code.value) }
	if tokens := f.useless(a.retries); len(tokens) > 0 && upTo(2) == 0 {
		what, present = "refresh token", func() (answer, error) { return a.w.refresh(ctx, tokens[upTo(len(tokens))]) }
	} else {
		a.crash.seen.spentCodes.Add(1)
	}
	a.mustRefuse("a spent "+what, f.access, a.token(present()))
	f.fate = gone
	a.mustBeDead(ctx, f)
}

// mustBeDead checks that nothing of a family is good for anything.
func (a *actor) mustBeDead(ctx context.Context, f *family) {
	a.userInfo(ctx, "of a family that was revoked", f.access, http.StatusUnauthorized)
	for _, token := range append([]string{f.current}, f.spent...) {
		if token != "" {
			a.mustRefuse("a refresh token of a family that was revoked", f.access, a.token(a.w.refresh(ctx, token)))
		}
	}
	a.mustRefuse("the code of a family that was revoked", f.access, a.token(a.w.redeem(ctx, f.code.value)))
}

func (a *actor) mustRefuse(what, of string, got answer) {
	if !got.refused() {
		_ = a.wrong("%s (%s): %v", what, grantOf(of), got)
	}
}

// token is an answer of a broker that nobody kills.
func (a *actor) token(got answer, err error) answer {
	if err != nil {
		_ = a.wrong("%v", err)
	}
	return got
}

func (a *actor) userInfo(ctx context.Context, whose, access string, want int) {
	if access == "" {
		return
	}
	if got, err := a.w.userInfo(ctx, access); err != nil || got.status != want {
		_ = a.wrong("an access token %s (%s): %v, %v; want status %d", whose, grantOf(access), got, err, want)
	}
}

// grantOf names the grant in a failure; the end of a token tells it from others.
func grantOf(access string) string {
	if len(access) < 8 {
		return "no access token"
	}
	return fmt.Sprintf("access token …%s", access[len(access)-8:])
}
