//go:build unix

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// fate is what an actor knows of something it was given.
type fate int

const (
	standing fate = iota
	// unknown: the request that ends it got no answer.
	unknown
	gone
)

// heldSession is a browser that was signed in.
type heldSession struct {
	browser *browser
	// idToken proves at the logout who asks.
	idToken string
	fate    fate
}

// heldCode is a code that arrived.
type heldCode struct {
	value   string
	offline bool
	session *heldSession
	fate    fate
}

// family is a grant: its code, and the tokens that followed.
type family struct {
	code    *heldCode
	access  string
	current string
	// spent are the refresh tokens before current, oldest first.
	spent []string
	// refreshing says that current was presented and no answer came.
	refreshing bool
	fate       fate
}

// dead says that the family ended by itself or with its session.
func (f *family) dead() bool { return f.fate == gone || !f.code.offline && f.code.session.fate == gone }

// actor is one person at several browsers, and the application that they use. It writes down what it was answered.
type actor struct {
	crash    *crash
	w        *world
	hint     string
	retries  bool
	sessions []*heldSession
	codes    []*heldCode
	families []*family
}

// broken hands on an error of the network, which fails the test unless the broker was killed.
func (a *actor) broken(err error) error {
	if !a.crash.killed.Load() {
		a.crash.t.Errorf("%s: %v, and nobody was killed", a.hint, err)
	}
	return err
}

// wrong fails the test and ends the actor's round.
func (a *actor) wrong(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	a.crash.t.Errorf("%s: %v", a.hint, err)
	return err
}

// turn is one sign-in and what may follow it.
func (a *actor) turn(ctx context.Context) error {
	s := &heldSession{browser: a.w.browser()}
	first, err := a.authorize(ctx, s, "login_hint", a.hint)
	if err != nil {
		return err
	}
	a.sessions = append(a.sessions, s)
	a.codes = append(a.codes, first)
	if upTo(4) == 0 {
		return nil // nobody redeems it
	}
	f, err := a.redeem(ctx, first)
	if err != nil {
		return err
	}
	// Single sign-on, for a grant that lives and dies with the session.
	second, err := a.authorize(ctx, s, "prompt", "none", "scope", "openid")
	if err != nil {
		return err
	}
	a.codes = append(a.codes, second)
	if _, err := a.redeem(ctx, second); err != nil {
		return err
	}
	for range upTo(5) {
		if err := a.refresh(ctx, f); err != nil {
			return err
		}
	}
	switch upTo(5) {
	case 0:
		return a.end(ctx, f, func() (answer, error) { return a.w.redeem(ctx, f.code.value) })
	case 1:
		if tokens := f.useless(a.retries); len(tokens) > 0 {
			return a.end(ctx, f, func() (answer, error) { return a.w.refresh(ctx, tokens[upTo(len(tokens))]) })
		}
	case 2:
		return a.signOut(ctx, s)
	}
	return nil
}

// useless are the spent tokens that revoke the family: all, or all but the last, which may be presented once more.
func (f *family) useless(retries bool) []string {
	if retries && len(f.spent) > 0 {
		return f.spent[:len(f.spent)-1]
	}
	return f.spent
}

// authorize gets a code.
func (a *actor) authorize(ctx context.Context, s *heldSession, pairs ...string) (*heldCode, error) {
	p, err := s.browser.get(ctx, a.w.authorizeURL(pairs...))
	if err != nil {
		return nil, a.broken(err)
	}
	code := p.url.Query().Get("code")
	if !p.away || code == "" {
		return nil, a.wrong("no code: %s with status %d", p.url, p.status)
	}
	a.crash.answered.Add(1)
	c := &heldCode{value: code, session: s, offline: true}
	for i := 0; i+1 < len(pairs); i += 2 {
		c.offline = c.offline && pairs[i] != "scope"
	}
	return c, nil
}

func (a *actor) redeem(ctx context.Context, c *heldCode) (*family, error) {
	c.fate = unknown
	tokens, err := a.w.redeem(ctx, c.value)
	if err != nil {
		return nil, a.broken(err)
	}
	if tokens.status != http.StatusOK || (tokens.text("refresh_token") != "") != c.offline {
		return nil, a.wrong("a code that is good: %v", tokens)
	}
	a.crash.answered.Add(1)
	c.fate = gone
	f := &family{code: c, access: tokens.text("access_token"), current: tokens.text("refresh_token")}
	if c.session.idToken == "" {
		c.session.idToken = tokens.text("id_token")
	}
	a.families = append(a.families, f)
	return f, nil
}

func (a *actor) refresh(ctx context.Context, f *family) error {
	f.refreshing = true
	tokens, err := a.w.refresh(ctx, f.current)
	if err != nil {
		return a.broken(err)
	}
	if tokens.status != http.StatusOK {
		return a.wrong("a refresh token that is good: %v", tokens)
	}
	a.crash.answered.Add(1)
	f.refreshing = false
	f.take(tokens)
	return nil
}

// take makes the tokens of a refresh the family's.
func (f *family) take(tokens answer) {
	f.spent = append(f.spent, f.current)
	f.current, f.access = tokens.text("refresh_token"), tokens.text("access_token")
}

// end presents what is spent, which revokes the family.
func (a *actor) end(_ context.Context, f *family, present func() (answer, error)) error {
	f.fate = unknown
	refusal, err := present()
	if err != nil {
		return a.broken(err)
	}
	if !refusal.refused() {
		return a.wrong("what is spent: %v", refusal)
	}
	a.crash.answered.Add(1)
	f.fate = gone
	return nil
}

func (a *actor) signOut(ctx context.Context, s *heldSession) error {
	// Whoever has the cookie from before must not be signed in by it.
	asks := s.browser
	s.browser = asks.remember()
	s.fate = unknown
	q := url.Values{"id_token_hint": {s.idToken}, "post_logout_redirect_uri": {"https://wiki.example/bye"}}
	p, err := asks.get(ctx, a.w.issuer+"/logout?"+q.Encode())
	if err != nil {
		return a.broken(err)
	}
	if !p.away || p.url.Path != "/bye" {
		return a.wrong("signing out: %s with status %d", p.url, p.status)
	}
	a.crash.answered.Add(1)
	s.fate = gone
	return nil
}
