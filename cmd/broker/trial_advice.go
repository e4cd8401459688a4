package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse/connectors"
)

// advice is what is known of one type of upstream: where its consoles have what, in their own words, and the mistakes
// people make there. Menu names are those of the vendors' documentation in 2026.
type advice struct {
	title string
	// register says where redirect URIs are registered.
	register string
	// loopbackHost stands for 127.0.0.1 where the console does not accept that.
	loopbackHost string
	// oneCallback: only one redirect URI can be registered, and it is the broker's.
	oneCallback bool
	// hurry says why a pasted address does not keep.
	hurry string
	// pages are errors that the vendor shows to the person and does not send back.
	pages []shownPage
	// mistakes are those that come back, the more special one first.
	mistakes []mistake
}

// shownPage is an error page of a vendor: what it shows, and what to do.
type shownPage struct{ shows, fix string }

// mistake is one whose error the connector knows: by its code, whose end * stands for, by a part of the connector's own
// hint, by its kind. What is empty fits everything.
type mistake struct {
	codes []string
	hint  string
	kinds []connectors.Kind
	// what is it, and what to do; {redirect_uri}, {client_id} and {id} stand for the trial's.
	what, fix string
}

func (m mistake) fits(e *connectors.Error) bool {
	named := func(code string) bool {
		prefix, open := strings.CutSuffix(code, "*")
		return code == e.Code || open && strings.HasPrefix(e.Code, prefix)
	}
	return (len(m.codes) == 0 || slices.ContainsFunc(m.codes, named)) &&
		strings.Contains(e.Hint, m.hint) &&
		(len(m.kinds) == 0 || slices.Contains(m.kinds, e.Kind))
}

// adviceOf is what is known of a type of connector.
func adviceOf(vendor string) advice {
	switch vendor {
	case "google":
		return googleAdvice()
	case "azuread":
		return entraAdvice()
	case "okta":
		return oktaAdvice()
	case "github":
		return githubAdvice()
	}
	return oidcAdvice()
}

// diagnose finds what fits an error best: what the vendor's own table knows, then what is the same everywhere.
func (a advice) diagnose(e *connectors.Error) mistake {
	for _, m := range slices.Concat(a.mistakes, everywhere()) {
		if m.fits(e) {
			return m
		}
	}
	return mistake{what: "The provider's answer fails a check of ours",
		fix: "If it happens again with a fresh sign-in, the provider is not what the configuration says it is, or something between here and there changes answers. The reason above names the check."}
}

// fill puts what belongs to this trial into a text.
func (t *trial) fill(text string) string {
	return strings.NewReplacer("{redirect_uri}", t.login.RedirectURI, "{client_id}", t.base.ClientID, "{id}", t.about.ID).Replace(text)
}

// failed says what went wrong and what to do, and returns the line for standard error.
func (t *trial) failed(ctx context.Context, when string, err error) error {
	s := &sheet{w: t.out}
	defer s.flush()
	if cause := context.Cause(ctx); cause != nil {
		s.title("Not signed in")
		if errors.Is(cause, errNoAnswer) {
			s.row("why", fmt.Sprintf("nobody came back within %s; perhaps the browser shows one of these:", t.timeout))
			s.flush()
			t.stuck()
			return notSignedIn(t.about.ID, cause)
		}
		s.row("why", "interrupted")
		return notSignedIn(t.about.ID, errors.New("interrupted"))
	}
	e, ok := errors.AsType[*connectors.Error](err)
	if !ok {
		s.title("Not signed in")
		s.row("why", err.Error())
		return notSignedIn(t.about.ID, err)
	}
	found := adviceOf(t.about.Type).diagnose(e)
	s.title(when + ".")
	s.row("what", found.what)
	s.row("reason", e.Error())
	if e.RetryAfter > 0 {
		s.row("wait", fmt.Sprintf("%s, as the provider wishes", e.RetryAfter))
	}
	s.row("to do", t.fill(found.fix))
	if e.Kind == connectors.Broken && strings.Contains(e.Error(), "expired") || strings.Contains(e.Hint, "clock") {
		s.row("clock", t.now().UTC().Format("2006-01-02T15:04:05Z")+" is what this machine believes")
	}
	return notSignedIn(t.about.ID, e)
}

// everywhere are mistakes that are the same at every upstream.
func everywhere() []mistake {
	return []mistake{
		{hint: "ID token has expired", what: "The clocks do not agree",
			fix: "Tokens are good for minutes. Set this machine's clock (NTP: timedatectl set-ntp true), then try again."},
		{hint: "auth_time is in the future", what: "The clocks do not agree",
			fix: "This machine's clock is behind the provider's. Set it (NTP: timedatectl set-ntp true), then try again."},
		{hint: "names another issuer", what: "issuer is not what the provider calls itself",
			fix: "Copy the issuer from the provider's discovery document byte for byte: a slash at its end, a letter's case or a path makes another issuer."},
		{hint: "redirects are not followed", what: "The configured address leads to another one",
			fix: "Configure the address it leads to: nothing is asked at addresses that are not in the configuration."},
		{hint: "the callback's state is not that of the sign-in", what: "The answer belongs to another sign-in",
			fix: "Run the command again and use the address it prints, once."},
		{hint: "the callback comes from another issuer", what: "Somebody else than the configured provider answered",
			fix: "Compare issuer with what the provider calls itself. If it is right, an answer of one provider was sent to another's callback (mix-up)."},
		{hint: "no ID token", what: "The provider sent no ID token", fix: "Have openid among the scopes, and among those the provider allows this client."},
		{codes: []string{"redirect_uri_mismatch"}, what: "The redirect URI is not registered at the provider",
			fix: "Register {redirect_uri} there, to the byte."},
		{codes: []string{"invalid_client"}, what: "The provider does not accept client_id and client_secret",
			fix: "Compare client_id {client_id} with the registration, and make a new secret: it may be mistyped, of another client, or expired. The provider may also want another token_endpoint_auth_method."},
		{codes: []string{"unauthorized_client"}, what: "The client may not use the authorization code flow",
			fix: "Allow the grant type authorization_code (and refresh_token, with recheck_interval) where the client is registered."},
		{codes: []string{"unsupported_grant_type", "unsupported_response_type"}, what: "The client may not use the authorization code flow",
			fix: "Register it for the response type code and the grant type authorization_code (and refresh_token, with recheck_interval)."},
		{codes: []string{"invalid_scope", "insufficient_scope"}, what: "A scope is missing or not known at the provider",
			fix: "Compare scopes with those that the provider knows and allows this client. For groups one of its own is often needed."},
		{codes: []string{"invalid_grant"}, what: "The provider did not accept the code, or does not accept the refresh token any more",
			fix: "A code is good once and for a minute or so: run the command again and be quicker. If it happens each time, the redirect URI differs from the registered one, or a clock is wrong."},
		{codes: []string{"access_denied"}, what: "The person, or a policy of the provider, said no",
			fix: "If nobody pressed Cancel, look at who is assigned to the application at the provider, and at its policies."},
		{codes: []string{"unmet_authentication_requirements"}, what: "The provider could not authenticate as strongly as was demanded",
			fix: "Have the person enrol a stronger factor, or compare the connector's assurance table with what the provider can do."},
		{kinds: []connectors.Kind{connectors.Transient}, hint: "no answer from", what: "The provider cannot be reached",
			fix: "The reason above says whether it is the name, the connection, the time it takes, or the certificate. A private certificate authority goes into ca_file; this machine needs a way out to the provider."},
		{kinds: []connectors.Kind{connectors.Transient}, what: "The provider is not well, or limits requests", fix: "Try again in a minute."},
		{kinds: []connectors.Kind{connectors.Unmet}, what: "The provider authenticated less strongly than was demanded",
			fix: "Compare the connector's assurance table with what the provider sent, and the person's factors with what the level takes."},
		{kinds: []connectors.Kind{connectors.Interaction}, what: "The provider wants something of the person first", fix: "Run the command again and answer what the provider asks."},
		{kinds: []connectors.Kind{connectors.Declined}, what: "The person, or the provider on their behalf, said no",
			fix: "Run the command again and agree. If nobody said no, look at the provider's policies for this application."},
		{kinds: []connectors.Kind{connectors.NotAllowed}, what: "The provider knows the person, but the connector's rules do not admit them",
			fix: "Use an account that they admit, or change them."},
		{kinds: []connectors.Kind{connectors.Gone}, what: "The provider no longer vouches for the person",
			fix: "If the account is good, what was handed out cannot be used to ask again: compare with the provider's settings for refresh tokens."},
		{kinds: []connectors.Kind{connectors.Operator}, what: "The provider refuses this registration", fix: "Do what the reason above says, at the provider or in the configuration."},
	}
}
