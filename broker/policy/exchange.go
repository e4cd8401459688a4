package policy

import (
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// Holder is the client that a token was given to in exchange (RFC 8693), and its switch as it is now. Epoch is the one
// the token was issued under.
type Holder struct {
	Client *broker.Client
	Now    broker.Switch
	Epoch  uint64
}

func (h Holder) standing(scopes oauth.Scopes, grants ...oauth.GrantType) error {
	switch {
	case h.Client == nil:
		return ErrClientGone
	case h.Now.Disabled:
		return broker.ErrClientDisabled
	case h.Now.Epoch != h.Epoch:
		return broker.ErrSuperseded
	case !slices.ContainsFunc(grants, h.Client.AllowsGrantType):
		return ErrNotAllowed
	case !h.Client.Scopes.Contains(scopes):
		return ErrScopeNotAllowed
	}
	return nil
}

// AuthorizeExchange is [Authorize] for a token that one client has in exchange for a token of another about a person.
// origin is the client of the grant, for which everything has to hold that held when it got its own token; the holder
// has to be one that may have tokens of people, and the person one that may use the holder (TX-01). Nobody is asked for
// consent again: who may exchange what is the operator's word.
func AuthorizeExchange(h Holder, origin *broker.Client, s broker.State, scopes oauth.Scopes) error {
	if err := Authorize(origin, s, scopes); err != nil {
		return err
	}
	if err := h.standing(scopes, oauth.GrantTypeTokenExchange); err != nil {
		return err
	}
	if !h.Client.Exchange.People {
		return ErrNotAllowed
	}
	if !h.Client.AllowsConnector(s.Identity.Key.Connector) {
		return ErrConnectorNotAllowed
	}
	return allowed(h.Client.Allow, s.Identity.Profile)
}

// AuthorizeWorkload is [AuthorizeClient] for a token about a workload of an external issuer, as that is configured now;
// nil when it no longer is.
func AuthorizeWorkload(h Holder, issuer *broker.ExternalIssuer, scopes oauth.Scopes) error {
	if err := h.standing(scopes, oauth.GrantTypeTokenExchange, oauth.GrantTypeJWTBearer); err != nil {
		return err
	}
	switch {
	case issuer == nil || !issuer.Takes(h.Client.ID):
		return ErrNotAllowed
	case !issuer.Scopes.Contains(scopes):
		return ErrScopeNotAllowed
	}
	return nil
}

// Narrowed is [Resources.Target] for a token that is derived from another, or from a grant for certain resources:
// nobody gets it who was not permitted (invariant I7). A nil permitted is everybody. Without requested it is for those
// of the permitted that the scopes belong to.
func (r Resources) Narrowed(issuer string, scopes oauth.Scopes, requested, permitted []string) (audience []string, kept oauth.Scopes, err error) {
	if len(requested) == 0 {
		for _, uri := range r.audience(issuer, scopes) {
			if permitted == nil || slices.Contains(permitted, uri) {
				requested = append(requested, uri)
			}
		}
	}
	if len(requested) == 0 || permitted != nil && slices.ContainsFunc(requested, func(uri string) bool { return !slices.Contains(permitted, uri) }) {
		return nil, nil, oauth.Errorf(oauth.InvalidTarget, "the resource is beyond what was granted, or the scopes are for none that was")
	}
	if audience, kept, err = r.Target(issuer, scopes, requested); err != nil {
		return nil, nil, err
	}
	return audience, kept, r.readable(audience)
}
