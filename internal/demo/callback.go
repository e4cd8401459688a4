package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// signIn is what an application has of a person who signed in.
type signIn struct {
	subject, name  string
	idToken, nonce string
	tokens         *oauth2.Token
	// spent is the refresh token before the current one.
	spent string
	// refreshed is the fingerprint of the refresh token that came last.
	refreshed string
	// idChecks and accessChecks are what was verified, in words.
	idChecks, accessChecks []check
	userinfo               userinfo
	history                []exchange
}

// check is one thing that was verified about a token.
type check struct {
	Good bool
	Text string
}

// userinfo is the answer of the userinfo endpoint, or why there is none.
type userinfo struct {
	Claims []member
	Err    string
}

// exchange is one line of the history: a time at which tokens came.
type exchange struct {
	At            string
	What          string
	Access        string
	Refresh       string
	Good, Rotated bool
}

// callback receives the authorization response (RFC 6749 §4.1.2).
func (a *application) callback(w http.ResponseWriter, r *http.Request) {
	var begun attempt
	var mine bool
	a.with(r, func(s *session) { begun, mine = s.take(r.FormValue("state")) })
	// RFC 6749 §10.12: a response that this browser did not ask for is somebody else's.
	if !mine {
		a.notify(w, r, notice{Title: "This sign-in is not one of this browser's", Text: "Its state is unknown here: it was used already, or begun elsewhere. Nothing was changed."})
		return
	}
	u, err := a.discover(r.Context())
	if err != nil {
		a.brokerUnreachable(w, r, err)
		return
	}
	// RFC 9207 §2.4: before anything in the response is believed.
	if iss := r.FormValue("iss"); iss != a.Issuer && (iss != "" || u.metadata.ResponseIssuer) {
		a.notify(w, r, notice{Title: "The answer came from somebody else", Text: "Its issuer is not the broker's (RFC 9207)."})
		return
	}
	if code := r.FormValue("error"); code != "" {
		a.notify(w, r, refused("The broker did not sign you in", code, r.FormValue("error_description")))
		return
	}
	tokens, err := a.oauth(u).Exchange(a.client(r.Context()), r.FormValue("code"), oauth2.VerifierOption(begun.verifier))
	if err != nil {
		a.notify(w, r, tokenError("The code could not be exchanged", err))
		return
	}
	person, err := a.accept(r.Context(), u, tokens, func(nonce string) bool { return nonce == begun.nonce })
	if err != nil {
		a.Log.Warn("sample application: ID token refused", "application", a.ClientID, "error", err)
		a.notify(w, r, notice{Title: "The ID token does not hold", Text: "The application refuses it: " + err.Error() + "."})
		return
	}
	person.nonce = begun.nonce
	person.remember(a.Now(), "signed in", true)
	a.replace(w, r, &session{person: person})
	http.Redirect(w, r, a.Base, http.StatusSeeOther)
}

// refused is the notice about an OAuth error. Its texts come from outside.
func refused(title, code, description string) notice {
	return notice{Title: title, Text: explainError(code), Code: cut(code, 60), Description: cut(description, 300)}
}

func tokenError(title string, err error) notice {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok && e.ErrorCode != "" {
		return refused(title, e.ErrorCode, e.ErrorDescription)
	}
	return notice{Title: title, Text: "The token endpoint gave no usable answer."}
}

func cut(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return string(runes[:limit]) + "…"
}

// accept verifies what came from the token endpoint and asks for userinfo. Only
// a good ID token makes somebody signed in.
func (a *application) accept(ctx context.Context, u *upstream, tokens *oauth2.Token, nonceFits func(string) bool) (*signIn, error) {
	ctx = a.client(ctx)
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("there is none")
	}
	verified, err := u.provider.VerifierContext(ctx, &oidc.Config{ClientID: a.ClientID, Now: a.Now}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	// OIDC Core §3.1.3.7: go-oidc leaves the nonce to its caller.
	if !nonceFits(verified.Nonce) {
		return nil, errors.New("its nonce is not the one that was sent")
	}
	if verified.Subject == "" {
		return nil, errors.New("it names nobody") // go-oidc lets an empty sub pass
	}
	p := &signIn{subject: verified.Subject, idToken: raw, tokens: tokens}
	p.idChecks = idChecks(verified, tokens.AccessToken)
	p.accessChecks = a.accessChecks(ctx, u, tokens.AccessToken)
	p.userinfo = a.askUserinfo(ctx, u, tokens, verified.Subject)
	var named struct {
		Name     string `json:"name"`
		Username string `json:"preferred_username"`
		Email    string `json:"email"`
	}
	if err := verified.Claims(&named); err != nil {
		return nil, fmt.Errorf("its claims cannot be read: %w", err)
	}
	for _, name := range []string{named.Name, named.Username, named.Email, verified.Subject} {
		if p.name == "" {
			p.name = cut(name, 80)
		}
	}
	return p, nil
}

// idChecks words what Verify and accept have found, and checks at_hash (OIDC
// Core §3.1.3.8).
func idChecks(t *oidc.IDToken, accessToken string) []check {
	checks := []check{
		{true, "signed by a key that the broker publishes"},
		{true, "issued by " + t.Issuer},
		{true, "for this application and no other"},
		{true, "not expired"},
	}
	if t.Nonce != "" {
		checks = append(checks, check{true, "nonce is the one this browser was given"})
	}
	switch {
	case t.AccessTokenHash == "":
		checks = append(checks, check{false, "has no at_hash to tie it to the access token"})
	case t.VerifyAccessToken(accessToken) != nil:
		checks = append(checks, check{false, "at_hash is that of another access token"})
	default:
		checks = append(checks, check{true, "belongs to the access token (at_hash)"})
	}
	return checks
}

// accessChecks verifies the access token the way an API would that it is shown
// to (RFC 9068 §4). To the application itself it is opaque.
func (a *application) accessChecks(ctx context.Context, u *upstream, token string) []check {
	t, err := decodeJWT(token, a.Now())
	if err != nil {
		return []check{{false, err.Error()}}
	}
	var checks []check
	typ := value(t.Header, "typ")
	checks = append(checks, check{typ == "at+jwt", "typ is " + typ + ", so that it cannot pass for an ID token"})
	config := &oidc.Config{ClientID: a.Issuer, Now: a.Now, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256, oidc.EdDSA}}
	verified, err := u.provider.VerifierContext(ctx, config).Verify(ctx, token)
	if err != nil {
		return append(checks, check{false, "does not verify: " + err.Error()})
	}
	return append(checks,
		check{true, "signed by a key that the broker publishes"},
		check{true, "issued by " + verified.Issuer + ", for the broker's own userinfo endpoint"},
		check{value(t.Claims, "client_id") == a.ClientID, "issued to this application (client_id)"},
		check{true, "not expired"})
}

func value(members []member, name string) string {
	for _, m := range members {
		if m.Name == name {
			return m.Value
		}
	}
	return "absent"
}

// askUserinfo calls the userinfo endpoint. Its sub must be the ID token's (OIDC
// Core §5.3.2).
func (a *application) askUserinfo(ctx context.Context, u *upstream, tokens *oauth2.Token, subject string) userinfo {
	answer, err := u.provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		a.Log.Warn("sample application: userinfo", "application", a.ClientID, "error", err)
		return userinfo{Err: "The userinfo endpoint refuses the access token, or does not answer."}
	}
	if answer.Subject != subject {
		return userinfo{Err: "Its sub is not the ID token's: refused."}
	}
	var doc json.RawMessage
	if err := answer.Claims(&doc); err != nil {
		return userinfo{Err: "The answer cannot be read."}
	}
	claims, err := members(doc, a.Now())
	if err != nil {
		return userinfo{Err: "The answer cannot be read."}
	}
	return userinfo{Claims: claims}
}

// remember adds a line to the history.
func (p *signIn) remember(now time.Time, what string, good bool) {
	line := exchange{At: now.UTC().Format(time.TimeOnly), What: what, Good: good}
	if good {
		line.Access, line.Refresh = fingerprint(p.tokens.AccessToken), fingerprint(p.tokens.RefreshToken)
		line.Rotated = len(p.history) > 0 && p.refreshed != line.Refresh
		p.refreshed = line.Refresh
	}
	p.history = append(p.history, line)
	if len(p.history) > maxHistory {
		p.history = p.history[len(p.history)-maxHistory:]
	}
}
