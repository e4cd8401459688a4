package policy

import (
	"errors"
	"fmt"
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// What [Authorize] answers besides the reasons of [broker.State.Standing] and [broker.State.GrantStanding].
var (
	// ErrNotAllowed: the person may not use the client. The errors below that say why wrap it.
	ErrNotAllowed = errors.New("not allowed to use this client")
	// ErrConnectorNotAllowed: the client does not take people of this connector.
	ErrConnectorNotAllowed = fmt.Errorf("%w: not through this connector", ErrNotAllowed)
	// ErrGroupNotAllowed: the person is in none of the client's groups, or the groups are not known.
	ErrGroupNotAllowed = fmt.Errorf("%w: in none of its groups", ErrNotAllowed)
	// ErrEmailNotAllowed: the person has no verified address in one of the client's domains.
	ErrEmailNotAllowed = fmt.Errorf("%w: no verified address in one of its e-mail domains", ErrNotAllowed)

	// ErrConsentRequired: the person has not, or no longer, agreed to the scopes. At the authorization endpoint the
	// person can be asked; anywhere else it is a refusal.
	ErrConsentRequired = errors.New("consent to the scopes is missing")
	// ErrScopeNotAllowed: the scopes, or the claims asked for by name, go beyond the grant or the client's registration.
	ErrScopeNotAllowed = errors.New("scope is beyond what was granted or registered")
	// ErrClientGone: the client is not known (any more), or the grant is another client's.
	ErrClientGone = errors.New("client is gone or is not the grant's")
)

// Authorize reports why nothing may be issued to the client for the person and scopes as things stand in s; nil when it
// may. It is the only authorisation function: sign-in, single sign-on, consent, code redemption and every refresh run
// it inside the transaction that issues (invariants I5, I6).
//
// With a grant in s the grant has to be alive and to cover the scopes (I7). A nil client is one that is absent from the
// configuration. An error is one of this package or of [broker.State]; all of them are refusals, told apart only so
// that a page can say what the matter is. To a client they are access_denied, consent_required or invalid_grant.
func Authorize(client *broker.Client, s broker.State, scopes oauth.Scopes) error {
	var claims broker.ClaimsRequest
	if s.Grant != nil {
		claims = s.Grant.Claims
	}
	return AuthorizeRequest(client, s, scopes, claims)
}

// AuthorizeRequest is [Authorize] for a request that is about to become a grant, and asks for claims besides those of
// its scopes.
func AuthorizeRequest(client *broker.Client, s broker.State, scopes oauth.Scopes, claims broker.ClaimsRequest) error {
	if client == nil {
		return ErrClientGone
	}
	if err := standing(client, s, scopes); err != nil {
		return err
	}
	if !client.AllowsConnector(s.Identity.Key.Connector) {
		return ErrConnectorNotAllowed
	}
	if err := allowed(client.Allow, s.Identity.Profile); err != nil {
		return err
	}
	if len(client.Scopes) > 0 && !(client.Scopes.Contains(scopes) && mayHave(client, claims)) {
		return ErrScopeNotAllowed
	}
	granted := scopes
	if s.Grant != nil { // a token may have fewer: the person was asked for no claim that the grant's scopes bring
		granted = s.Grant.Scopes
	}
	if !client.SkipConsent && !covers(s.Consent, client, s.Account, consentTo(scopes, ClaimsBeyond(granted, claims))) {
		return ErrConsentRequired
	}
	return nil
}

// standing asks the records. Without a grant, which is when one is about to be made, only the switches, the account and
// the identity have a say.
func standing(client *broker.Client, s broker.State, scopes oauth.Scopes) error {
	if s.Grant == nil {
		return s.Standing()
	}
	if err := s.GrantStanding(); err != nil {
		return err
	}
	if s.Grant.ClientID != client.ID {
		return ErrClientGone
	}
	if !s.Grant.Scopes.Contains(scopes) {
		return ErrScopeNotAllowed
	}
	return nil
}

// allowed applies the client's own rules to what the upstream last said about the person.
func allowed(rules broker.Allow, p broker.Profile) error {
	if len(rules.Groups) > 0 && !slices.ContainsFunc(p.Groups, func(g string) bool { return slices.Contains(rules.Groups, g) }) {
		return ErrGroupNotAllowed
	}
	if len(rules.EmailDomains) > 0 && (p.EmailTrust != broker.EmailVerified || !inDomains(p.Email, rules.EmailDomains)) {
		return ErrEmailNotAllowed
	}
	return nil
}

// mayHave reports whether the client is registered for the scopes that the claims belong to. A claim that there no longer
// is is given to nobody, and no reason to refuse the rest.
func mayHave(client *broker.Client, claims broker.ClaimsRequest) bool {
	for _, name := range slices.Concat(claims.IDToken, claims.UserInfo) {
		if scope := ClaimScope(name); scope != "" && !client.Scopes.Has(scope) {
			return false
		}
	}
	return true
}

// covers guards against a consent of somebody else or for another client, should a store ever hand one over.
func covers(c *broker.Consent, client *broker.Client, a *broker.Account, scopes []string) bool {
	return c != nil && c.ClientID == client.ID && c.AccountID == a.ID && c.Covers(scopes)
}

// AuthorizeClient is [Authorize] for what a client does in its own name (RFC 6749 §4.4): nobody's account, session or
// consent has a say, but the client's switch and its registration do. epoch is that of a token that is being looked at;
// a token that is being issued has the one of now.
//
// A client gets the scopes it is registered for and no others: where a registration lists none, there are none, because
// "all that are supported" are scopes about people.
func AuthorizeClient(client *broker.Client, now broker.Switch, epoch uint64, scopes oauth.Scopes) error {
	switch {
	case client == nil:
		return ErrClientGone
	case now.Disabled:
		return broker.ErrClientDisabled
	case now.Epoch != epoch:
		return broker.ErrSuperseded
	case !client.AllowsGrantType(oauth.GrantTypeClientCredentials):
		return ErrNotAllowed
	case !client.Scopes.Contains(scopes):
		return ErrScopeNotAllowed
	}
	return nil
}
