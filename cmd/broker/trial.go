package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"gatehouse/broker"
	"gatehouse/configs"
	"gatehouse/connectors"
)

// trial is one sign-in through a connector, from the terminal.
type trial struct {
	base      *connectors.Common
	connector connectors.Connector
	about     connectors.Description
	// rules are the configuration's for groups. The connector was opened without its
	// allow-list, so that the report can tell what that leaves out.
	rules connectors.GroupRules
	login connectors.Login
	way   *way

	in      io.Reader
	out     io.Writer
	timeout time.Duration
	now     func() time.Time
}

// newTrial opens the connector as serve does. What it has to say is on errOut.
func newTrial(config *configs.Config, section connectors.Config, errOut io.Writer) (*trial, error) {
	base := section.Base()
	t := &trial{base: base, rules: base.Groups, now: time.Now}
	if len(base.Groups.Allow) > 0 {
		base.Groups = connectors.GroupRules{}
	}
	log := slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var err error
	t.connector, err = section.Open(connectors.Environment{Now: t.now, Log: log, Resolve: config.Resolve, Path: config.Path})
	if err != nil {
		return nil, fmt.Errorf("%s: connector %s: %w", config.File(), base.ID, err)
	}
	t.about = t.connector.Describe()
	// As package login makes them: fresh, and of no use to anybody else.
	t.login = connectors.Login{State: rand.Text(), Nonce: rand.Text(), CodeVerifier: rand.Text() + rand.Text()}
	return t, nil
}

// run signs in and reports.
func (t *trial) run(ctx context.Context) error {
	t.login.RedirectURI = t.way.redirectURI
	ctx, cancel := context.WithTimeoutCause(ctx, t.timeout, errNoAnswer)
	defer cancel()
	address, err := t.connector.AuthorizationURL(ctx, t.login)
	if err != nil {
		return t.failed(ctx, "Before anybody was asked to sign in", err)
	}
	t.invite(address)
	callback, err := t.await(ctx)
	if err != nil {
		return t.failed(ctx, "No answer came back", err)
	}
	id, up, err := t.connector.Identify(ctx, callback, t.login)
	if err != nil {
		return t.failed(ctx, "The answer came back, but it is no sign-in", err)
	}
	t.report(address, id, up)
	return t.recheck(ctx, id, up)
}

var errNoAnswer = errors.New("nobody signed in within the time of --timeout")

// await waits for the answer to this sign-in.
func (t *trial) await(ctx context.Context) (url.Values, error) {
	u, err := url.Parse(t.way.redirectURI)
	if err != nil {
		return nil, err
	}
	a := &answers{state: t.login.State, path: u.Path, arrived: make(chan url.Values, 1), say: func(s string) { fmt.Fprintf(t.out, "%s\n", s) }}
	served := make(chan struct{})
	listening, stop := context.WithCancel(ctx)
	if t.way.listener != nil {
		go func() { a.listen(listening, t.way.listener); close(served) }()
	} else {
		close(served)
	}
	defer func() { stop(); <-served }()
	ended := make(chan error, 1)
	if t.way.listener == nil || isTerminal(t.in) {
		go func() { ended <- a.paste(t.in) }()
	}
	for {
		select {
		case q := <-a.arrived:
			return q, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case err := <-ended:
			if err == nil || t.way.listener != nil {
				ended = nil // it has arrived, or the listener goes on alone
				continue
			}
			return nil, err
		}
	}
}

// recheck asks the upstream a second time, as the broker does when an application refreshes.
func (t *trial) recheck(ctx context.Context, id broker.Identity, up connectors.Upstream) error {
	r := &sheet{w: t.out}
	defer r.flush()
	r.title("Asked again")
	refresher, can := t.connector.(connectors.Refresher)
	switch {
	case t.about.Recheck.Interval == 0:
		r.row("re-check", "off: set recheck_interval to have the provider asked again while applications refresh")
		return nil
	case !can:
		r.row("re-check", "connectors of type "+t.about.Type+" cannot ask again: take recheck_interval away")
		return notSignedIn(t.about.ID, errors.New("re-check is configured and not possible"))
	case up.RefreshToken == "" && up.AccessToken == "":
		r.row("re-check", "does not work: the provider handed out nothing to ask with")
		return notSignedIn(t.about.ID, errors.New("re-check is configured, and nothing to ask with was handed out"))
	}
	again, next, err := refresher.Refresh(ctx, id, up)
	if err != nil {
		r.row("re-check", "does not work")
		r.flush()
		return t.failed(ctx, "Signed in, but asked again the provider did not answer as it has to", err)
	}
	r.row("re-check", fmt.Sprintf("works: asked once more, the provider vouches for the same person; every %s from now on", t.about.Recheck.Interval))
	r.row("outage", fmt.Sprintf("a person stays signed in for %s more while the provider does not answer", t.about.Recheck.OutageGrace))
	switch {
	case next.Reusable:
		r.row("credential", "may be presented again, so that a lost answer costs nothing")
	default:
		r.row("credential", "is used up each time it is presented: a lost answer costs the person one sign-in")
	}
	if !sameGroups(id, again) {
		r.row("groups", "differ from those of the sign-in: "+list(again.Profile.Groups))
	}
	r.flush()
	return nil
}

func sameGroups(a, b broker.Identity) bool {
	return a.KeepGroups == b.KeepGroups && strings.Join(a.Profile.Groups, "\x00") == strings.Join(b.Profile.Groups, "\x00")
}

// said are the claims of the verified ID token that the identity has in another form, for people who compare.
func said(up connectors.Upstream) (acr []string) {
	parts := strings.Split(up.IDToken, ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		ACR  json.RawMessage `json:"acr"`
		ACRS json.RawMessage `json:"acrs"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return nil
	}
	for _, raw := range []json.RawMessage{claims.ACR, claims.ACRS} {
		var one string
		var several []string
		switch {
		case json.Unmarshal(raw, &one) == nil && one != "":
			acr = append(acr, one)
		case json.Unmarshal(raw, &several) == nil:
			acr = append(acr, several...)
		}
	}
	return acr
}
