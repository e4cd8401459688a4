package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"
)

// fingerprint stands for a token where it must be recognised but not shown.
func fingerprint(token string) string {
	if token == "" {
		return "none"
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:4])
}

var errNobody = errors.New("nobody is signed in")

// current returns a copy of who is signed in.
func (a *application) current(r *http.Request) (signIn, error) {
	var p *signIn
	a.with(r, func(s *session) {
		if s != nil && s.person != nil {
			copied := *s.person
			p = &copied
		}
	})
	if p == nil {
		return signIn{}, errNobody
	}
	return *p, nil
}

// refresh exchanges the refresh token for new tokens (RFC 6749 §6).
func (a *application) refresh(w http.ResponseWriter, r *http.Request) {
	a.exchange(w, r, "refreshed", func(p signIn) string { return p.tokens.RefreshToken })
}

// replay presents the refresh token that the last refresh spent: what a thief
// would do. The broker then ends the grant (RFC 9700 §4.14).
func (a *application) replay(w http.ResponseWriter, r *http.Request) {
	a.exchange(w, r, "presented the spent refresh token", func(p signIn) string { return p.spent })
}

func (a *application) exchange(w http.ResponseWriter, r *http.Request, what string, choose func(signIn) string) {
	old, err := a.current(r)
	if err != nil || choose(old) == "" {
		a.notify(w, r, notice{Title: "There is no such refresh token", Text: "Sign in first; a spent one is there after the first refresh."})
		return
	}
	u, err := a.discover(r.Context())
	if err != nil {
		a.brokerUnreachable(w, r, err)
		return
	}
	presented := choose(old)
	fresh, err := a.redeem(r.Context(), u, presented, old)
	if err != nil {
		// Whether the grant is gone shows at userinfo, which sees a revocation at once.
		now := a.askUserinfo(a.client(r.Context()), u, old.tokens, old.subject)
		a.remember(r, func(p *signIn) { p.remember(a.Now(), what, false); p.userinfo = now })
		a.notify(w, r, tokenError("The broker refused the refresh token", err))
		return
	}
	fresh.history, fresh.refreshed = old.history, old.refreshed
	if fresh.spent = presented; fresh.tokens.RefreshToken == presented {
		fresh.spent = ""
	}
	fresh.remember(a.Now(), what, true)
	a.remember(r, func(p *signIn) { *p = *fresh })
	a.notify(w, r, refreshedNotice(fresh, old))
}

func refreshedNotice(fresh *signIn, old signIn) notice {
	n := notice{Good: true, Title: "New tokens", Text: "The access token has changed."}
	switch {
	case fresh.tokens.RefreshToken == old.tokens.RefreshToken && fresh.spent != "":
		n.Title, n.Text = "The same successor", "You were within the retry window of a few seconds, in which a lost answer may be fetched once more. Wait, and try again."
	case fresh.spent != "":
		n.Text += " So has the refresh token: the one before is spent."
	}
	return n
}

// remember changes who is signed in, if somebody still is.
func (a *application) remember(r *http.Request, change func(*signIn)) {
	a.with(r, func(s *session) {
		if s != nil && s.person != nil {
			change(s.person)
		}
	})
}

// redeem presents a refresh token and verifies what comes back. An ID token that
// comes with it must be about the same person (OIDC Core §12.2).
func (a *application) redeem(ctx context.Context, u *upstream, presented string, old signIn) (*signIn, error) {
	tokens, err := a.oauth(u).TokenSource(a.client(ctx), &oauth2.Token{RefreshToken: presented}).Token()
	if err != nil {
		return nil, err
	}
	if raw, ok := tokens.Extra("id_token").(string); !ok || raw == "" {
		fresh := old
		fresh.tokens = tokens
		fresh.accessChecks = a.accessChecks(a.client(ctx), u, tokens.AccessToken)
		return &fresh, nil
	}
	// It should have no nonce; if it has, then the first one's.
	fresh, err := a.accept(ctx, u, tokens, func(nonce string) bool { return nonce == "" || nonce == old.nonce })
	if err != nil {
		return nil, err
	}
	if fresh.subject != old.subject {
		return nil, fmt.Errorf("the refreshed ID token is about %s, the first about %s", fresh.subject, old.subject)
	}
	fresh.nonce = old.nonce
	return fresh, nil
}
