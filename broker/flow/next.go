package flow

import (
	"errors"
	"slices"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
	"gatehouse/connectors"
)

// Action is what happens to a flow next.
type Action uint8

const (
	// Fail answers the client with Step.Err. It is the zero value.
	Fail Action = iota
	// SignIn sends the person to one of Step.Connectors.
	SignIn
	// AskConsent shows the consent page.
	AskConsent
	// ConfirmDevice shows the page that asks about a device (RFC 8628 §3.3).
	ConfirmDevice
	// Issue issues the code, resting on the sign-in through Step.Connector.
	Issue
)

// Step is the decision about a flow.
type Step struct {
	Action Action
	Err    *oauth.Error
	// Connectors are the upstreams that can do what is asked, in configured order.
	Connectors []string
	// Force asks for fresh credentials, SelectAccount for the upstream's chooser.
	Force         bool
	SelectAccount bool
	Connector     string
	// ACR is what the client is told of how the person authenticated, with Issue.
	ACR string
}

// Situation is everything Next looks at. It is read-only.
type Situation struct {
	Flow   *Flow
	Client *broker.Client
	// State is the store's: Session, Account, Identity, Consent and switches for
	// this client and the sign-in under consideration. Without a session most of
	// it is nil.
	State broker.State
	// Connector is the sign-in under consideration; empty when there is none.
	Connector string
	// Upstreams are the configured connectors, in order.
	Upstreams []connectors.Description
	// Subjects tells by which sub the client knows an account.
	Subjects policy.Subjects
	// Consented says that the person has just agreed: on the consent page, or for a
	// device on its confirmation page.
	Consented bool
}

// Next decides what happens to an authorization request. It is pure, and the
// only place that decides: before the store's transaction to know what to show,
// and within it to know what to do.
func Next(s Situation) Step {
	r := s.Flow.Request
	usable := s.usable()
	if len(usable) == 0 {
		return fail(oauth.Errorf(oauth.AccessDenied, "no identity provider is available to this client"))
	}
	if s.Connector == "" || !contains(usable, s.Connector) {
		return s.signIn(usable, false)
	}
	if err := s.State.SessionStanding(s.Connector); err != nil {
		if s.signedInNow() && s.State.Standing() != nil {
			// Disabled meanwhile, or before: signing in once more would not help.
			return fail(oauth.Errorf(oauth.AccessDenied, "the person may not use this client").Because(err))
		}
		return s.signIn(usable, false)
	}
	if r.HintSubject != "" && r.HintSubject != s.Subjects.Of(s.Client, s.State.Account.ID) {
		// The client named somebody else than who is signed in (Core §3.1.2.1).
		if s.signedInNow() {
			return fail(oauth.Errorf(oauth.LoginRequired, "another person signed in than id_token_hint names"))
		}
		return s.signIn(usable, false)
	}
	if !s.signedInNow() {
		if r.Prompt.Has(oauth.PromptLogin) || s.stale() {
			return s.signIn(usable, true)
		}
		if r.Prompt.Has(oauth.PromptSelectAccount) {
			return s.signIn(usable, false)
		}
	}
	acr, met := s.assured(usable)
	if !met && s.signedInNow() {
		// Issuing would launder the weaker sign-in (UP-27), asking again would loop.
		return unmet("the identity provider did not authenticate the person as was demanded")
	}
	if !met {
		return s.signIn(usable, false)
	}
	return s.permit(acr)
}

// permit decides about somebody whose sign-in meets the request: whether they may
// use the client, and agree.
func (s Situation) permit(acr string) Step {
	r := s.Flow.Request
	err := policy.AuthorizeRequest(s.Client, s.State, r.Scopes, r.Claims)
	consent := errors.Is(err, policy.ErrConsentRequired)
	if err != nil && !consent {
		return fail(oauth.Errorf(oauth.AccessDenied, "the person may not use this client").Because(err))
	}
	if s.Flow.Kind == ForDevice && !s.Consented {
		// Whoever is signed in and whatever they agreed to before: who has sent them
		// here nobody knows (RFC 8628 §3.3.1, §5.4).
		return Step{Action: ConfirmDevice, Connector: s.Connector}
	}
	if !s.Consented && (consent || r.Prompt.Has(oauth.PromptConsent) || s.unprovenClient()) {
		if r.Prompt.Has(oauth.PromptNone) {
			return fail(oauth.Errorf(oauth.ConsentRequired, "the person has to be asked for consent"))
		}
		return Step{Action: AskConsent, Connector: s.Connector}
	}
	return Step{Action: Issue, Connector: s.Connector, ACR: acr}
}

// Offer is the step that lets the person choose an upstream, whoever is signed
// in: for the chooser page and, with another, for "use another account", where the
// upstream is to ask which: it would silently answer with the same.
func Offer(s Situation, another bool) Step {
	s.Flow.SignedIn = ""
	usable := s.usable()
	if len(usable) == 0 {
		return fail(oauth.Errorf(oauth.AccessDenied, "no identity provider is available to this client"))
	}
	step := s.signIn(usable, s.Connector != "" && s.stale())
	step.SelectAccount = step.SelectAccount || another
	return step
}

// usable lists the connectors the client's people may come from.
func (s Situation) usable() []connectors.Description {
	var out []connectors.Description
	for _, d := range s.Upstreams {
		if s.Client.AllowsConnector(d.ID) && (s.Flow.Request.Connector == "" || s.Flow.Request.Connector == d.ID) {
			out = append(out, d)
		}
	}
	return out
}

// signIn sends the person to sign in, or tells the client that they would have
// to. An upstream that cannot prove a demanded level is no choice, nor is one that
// cannot be made to ask for fresh credentials where those are demanded, unless the
// operator accepts its best effort.
func (s Situation) signIn(usable []connectors.Description, force bool) Step {
	r := s.Flow.Request
	demanded := s.demanded(usable)
	usable = slices.DeleteFunc(slices.Clone(usable), func(d connectors.Description) bool { return !provable(d, demanded) })
	if len(usable) == 0 {
		// Also with prompt=none: no interaction would help.
		return unmet("no identity provider of this client can authenticate as is demanded")
	}
	if r.Prompt.Has(oauth.PromptNone) {
		// Also where somebody is signed in and has to do so more strongly: that is
		// End-User authentication (Core §3.1.2.6).
		return fail(oauth.Errorf(oauth.LoginRequired, "the person has to sign in"))
	}
	if s.signedInNow() {
		// They have just done so and it did not count: asking again would loop.
		return fail(oauth.Errorf(oauth.LoginRequired, "the sign-in does not meet the request"))
	}
	force = force || r.Prompt.Has(oauth.PromptLogin)
	step := Step{Action: SignIn, Force: force, SelectAccount: r.Prompt.Has(oauth.PromptSelectAccount)}
	for _, d := range usable {
		if !force || d.BestEffort || d.Reauthentication != connectors.ReauthImpossible {
			step.Connectors = append(step.Connectors, d.ID)
		}
	}
	if len(step.Connectors) == 0 {
		return fail(oauth.Errorf(oauth.LoginRequired, "the identity provider cannot ask for credentials again"))
	}
	return step
}

// stale reports whether the sign-in is older than max_age allows (Core §3.1.2.1).
func (s Situation) stale() bool {
	r := s.Flow.Request
	if !r.HasMaxAge {
		return false
	}
	in := s.State.Session.SignIn(s.Connector)
	// max_age=0 means prompt=login, however little time has passed (Core §3.1.2.1).
	return r.MaxAge == 0 || s.State.Now.Sub(in.AuthTime) > r.MaxAge
}

// signedInNow reports whether the sign-in under consideration happened within
// this flow.
func (s Situation) signedInNow() bool {
	return s.Flow.SignedIn != "" && s.Flow.SignedIn == s.Connector
}

// unprovenClient reports whether anybody on the person's machine could be the
// client: a public one that is answered on a loopback port or a private scheme.
// Its consent is not remembered (RFC 6749 §10.2, RFC 8252 §8.6).
func (s Situation) unprovenClient() bool {
	uri := s.Flow.Request.RedirectURI
	return s.Client.Public() && !s.Client.SkipConsent && !strings.HasPrefix(uri, "https://")
}

func fail(err *oauth.Error) Step { return Step{Action: Fail, Err: err} }

func contains(list []connectors.Description, id string) bool {
	return slices.ContainsFunc(list, func(d connectors.Description) bool { return d.ID == id })
}
