package policy

import (
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// Resources are the resource servers behind the broker, in configured order.
type Resources []broker.Resource

// Scopes are those of all resource servers.
func (r Resources) Scopes() oauth.Scopes {
	var all oauth.Scopes
	for _, one := range r {
		for _, s := range one.Scopes {
			if !all.Has(s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// Of returns the resource indicators of which a client is the resource server.
func (r Resources) Of(clientID string) []string {
	var out []string
	for _, one := range r {
		if one.ClientID == clientID {
			out = append(out, one.URI)
		}
	}
	return out
}

// Target says whom a token with scopes is for, and which of the scopes it has (RFC 8707 §2). issuer is the broker
// itself, whose own scopes are those about the person.
//
// Without requested the token is for every resource server that one of the scopes belongs to, and for the broker if a
// scope is its own or there is no other. With requested it is for those alone and has the scopes of those alone, so
// that no resource server gets a token that is good at another (RFC 9068 §5). A resource that nobody has configured,
// or that none of the scopes belongs to, is invalid_target.
func (r Resources) Target(issuer string, scopes oauth.Scopes, requested []string) (audience []string, kept oauth.Scopes, err error) {
	if len(requested) == 0 {
		return r.audience(issuer, scopes), scopes, nil
	}
	for _, uri := range requested {
		if slices.Contains(audience, uri) {
			continue // a stranger chooses how often one is named
		}
		served := len(scopes) == 0 && uri == issuer
		for _, name := range scopes {
			if !r.owns(issuer, uri, name) {
				continue
			}
			if served = true; !kept.Has(name) {
				kept = append(kept, name)
			}
		}
		if !served {
			return nil, nil, oauth.Errorf(oauth.InvalidTarget, "the resource is unknown, or none of the scopes is for it")
		}
		audience = append(audience, uri)
	}
	return audience, kept, nil
}

// Asked is [Resources.Target] for a request that people are asked about, before there is a grant (RFC 8707 §2.1): the
// resources, each once, and of the scopes those that can be used there, for nobody has to agree to others. The broker's
// own stay, as they are about the ID token too. Without requested there is nothing to narrow.
func (r Resources) Asked(issuer string, scopes oauth.Scopes, requested []string) (resources []string, useful oauth.Scopes, err error) {
	if len(requested) == 0 {
		return nil, scopes, nil
	}
	resources, kept, err := r.Target(issuer, scopes, requested)
	if err != nil {
		return nil, nil, err
	}
	others := r.Scopes().Without(kept...)
	return resources, scopes.Without(others...), nil
}

// Issued is [Resources.Target] for an access token that client gets for a grant with the resources granted, or for
// itself. Where the authorization request named resources the token stays within them, and is without requested for
// all of those that the scopes belong to (RFC 8707 §2.2). Where nobody named any, it is also for the client's own
// audience. What is issued can be taken to every one of them, so one that has its tokens encrypted must be alone.
func (r Resources) Issued(issuer string, client *broker.Client, scopes oauth.Scopes, requested, granted []string) (audience []string, kept oauth.Scopes, err error) {
	if len(granted) > 0 {
		return r.Narrowed(issuer, scopes, requested, granted)
	}
	if audience, kept, err = r.Target(issuer, scopes, requested); err != nil {
		return nil, nil, err
	}
	if len(requested) == 0 {
		for _, uri := range client.Audience {
			if !slices.Contains(audience, uri) {
				audience = append(audience, uri)
			}
		}
	}
	return audience, kept, r.readable(audience)
}

// Recipient returns the resource server for whose eyes a token with the audience is to be encrypted; nil for none.
func (r Resources) Recipient(audience []string) *broker.Resource {
	for i, one := range r {
		if !one.Encryption.IsZero() && slices.Contains(audience, one.URI) {
			return &r[i]
		}
	}
	return nil
}

// readable refuses an audience of which one could read the token and another could not.
func (r Resources) readable(audience []string) error {
	if len(audience) > 1 && r.Recipient(audience) != nil {
		return oauth.Errorf(oauth.InvalidTarget, "access tokens for one of the resources are encrypted and for it alone: name one resource with the parameter resource")
	}
	return nil
}

// audience is whom scopes belong to.
func (r Resources) audience(issuer string, scopes oauth.Scopes) []string {
	var out []string
	own := len(scopes) == 0
	for _, s := range scopes {
		own = own || r.owns(issuer, issuer, s)
	}
	if own {
		out = append(out, issuer)
	}
	for _, one := range r {
		if slices.ContainsFunc(scopes, one.Scopes.Has) && !slices.Contains(out, one.URI) {
			out = append(out, one.URI)
		}
	}
	if len(out) == 0 {
		out = append(out, issuer)
	}
	return out
}

// owns reports whether a scope belongs to the resource; the broker owns what nobody else does.
func (r Resources) owns(issuer, uri, scope string) bool {
	if uri == issuer {
		return !r.Scopes().Has(scope)
	}
	return slices.ContainsFunc(r, func(one broker.Resource) bool { return one.URI == uri && one.Scopes.Has(scope) })
}
