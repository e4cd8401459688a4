// Package docs_test holds the documents to the program: what they name exists,
// and what they show works.
package docs_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"gatehouse/internal/brokertest"
)

// What follows, as far as the next line of this kind, is shown in README.md.
// --- README
// signIn signs people in to an application.
type signIn struct {
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
}

func newSignIn(ctx context.Context, issuer, clientID, clientSecret, redirectURL string) (*signIn, error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, err
	}
	return &signIn{
		oauth: oauth2.Config{ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURL,
			Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "profile", "email", "groups"}},
		verifier: provider.Verifier(&oidc.Config{ClientID: clientID}),
	}, nil
}

// login sends the browser to the broker, and remembers in it what the answer has to fit.
func (s *signIn) login(w http.ResponseWriter, r *http.Request) {
	state, nonce, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	http.SetCookie(w, &http.Cookie{Name: "__Host-signin", Value: state + "." + nonce + "." + verifier, Path: "/",
		MaxAge: 1800, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, s.oauth.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), http.StatusSeeOther)
}

// callback answers who signed in. Identify people by Subject, never by their e-mail address.
func (s *signIn) callback(r *http.Request) (*oidc.IDToken, error) {
	cookie, err := r.Cookie("__Host-signin")
	if err != nil {
		return nil, errors.New("no sign-in was begun in this browser")
	}
	parts := strings.Split(cookie.Value, ".")
	if len(parts) != 3 || r.FormValue("state") != parts[0] {
		return nil, errors.New("the answer belongs to another sign-in")
	}
	if refusal := r.FormValue("error"); refusal != "" {
		return nil, errors.New(refusal) // such as access_denied
	}
	tokens, err := s.oauth.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(parts[2]))
	if err != nil {
		return nil, err
	}
	raw, _ := tokens.Extra("id_token").(string)
	idToken, err := s.verifier.Verify(r.Context(), raw)
	if err == nil && idToken.Nonce != parts[1] {
		err = errors.New("the ID token belongs to another sign-in")
	}
	return idToken, err
}

// --- README

// TestTheClientOfTheReadme signs a person in to the application of the README,
// and refuses what is not the answer to its own request.
func TestTheClientOfTheReadme(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Options{})
	app, err := newSignIn(t.Context(), b.Issuer, brokertest.Wiki, brokertest.Secret(brokertest.Wiki), brokertest.RedirectURI(brokertest.Wiki))
	if err != nil {
		t.Fatal(err)
	}
	// The world's clock stands still at a time of its own.
	app.verifier = oidc.NewVerifier(b.Issuer, oidc.NewRemoteKeySet(t.Context(), b.Issuer+"/jwks"),
		&oidc.Config{ClientID: brokertest.Wiki, Now: b.Clock.Now})
	begin := func() (location string, cookies []*http.Cookie) {
		w := httptest.NewRecorder()
		app.login(w, httptest.NewRequest(http.MethodGet, "/login", nil))
		return w.Header().Get("Location"), w.Result().Cookies()
	}
	answer := func(query string, cookies []*http.Cookie) (*oidc.IDToken, error) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/callback?"+query, nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		return app.callback(r)
	}
	location, cookies := begin()
	page := b.Browser(t).Get(location)
	if !page.AtClient {
		t.Fatalf("the sign-in ended at %s with %d", page.URL, page.Status)
	}
	_, others := begin()
	if _, err := answer(page.URL.RawQuery, others); err == nil {
		t.Error("the answer counts in another browser")
	}
	if _, err := answer(page.URL.RawQuery, nil); err == nil {
		t.Error("the answer counts without a sign-in")
	}
	token, err := answer(page.URL.RawQuery, cookies)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Email  string   `json:"email"`
		Groups []string `json:"groups"`
	}
	if err := token.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if token.Subject == "" || claims.Email != "ada@corp.example" || len(claims.Groups) == 0 || claims.Groups[0] != "corp:staff" {
		t.Errorf("signed in %q with %+v", token.Subject, claims)
	}
	location, cookies = begin()
	page = b.Browser(t).Get(location + "&prompt=none")
	if _, err := answer(page.URL.RawQuery, cookies); err == nil || err.Error() != "login_required" {
		t.Errorf("a refusal: %v", err)
	}
}
