package registration

import (
	"errors"
	"net/http"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// own reads the registration that the request is about, if its token is the
// registration's (RFC 7592 §2).
func (e *Endpoint) own(v *visit) (broker.Registration, error) {
	id := v.r.PathValue("client_id")
	if v.token == "" || !isID(id) || e.Taken(id) {
		return broker.Registration{}, unauthorized(nil)
	}
	r, err := e.Registrations.Registration(v.ctx(), id, v.now)
	switch {
	case errors.Is(err, broker.ErrNotFound):
		return r, unauthorized(err)
	case err != nil:
		return r, fault(err)
	case !r.AccessToken.Equal(broker.DigestOf(v.token)):
		return r, unauthorized(nil)
	}
	return r, nil
}

// read answers GET. The secret is not in the answer: it was shown when it was made.
func (e *Endpoint) read(v *visit) error {
	r, err := e.own(v)
	if err != nil {
		return err
	}
	return e.write(v.w, http.StatusOK, &r, v.token, "")
}

// update answers PUT: what is in the document replaces all that was registered (RFC
// 7592 §2.2).
func (e *Endpoint) update(v *visit) error {
	r, err := e.own(v)
	if err != nil {
		return err
	}
	d, err := readDocument(v.w, v.r)
	if err != nil {
		return err
	}
	if err := d.About.check(&r); err != nil {
		return err
	}
	accepted, err := e.accept(v, &d.Metadata)
	if err != nil {
		return err
	}
	v.event.Type = broker.EventClientUpdated
	method := oauth.AuthMethod(d.Metadata.AuthMethod)
	secret, err := e.replace(v, &r, accepted, method)
	if errors.Is(err, broker.ErrConflict) { // another update came between: this one replaces it
		if r, err = e.own(v); err != nil {
			return err
		}
		if err = d.About.check(&r); err != nil {
			return err
		}
		secret, err = e.replace(v, &r, accepted, method)
	}
	switch {
	case errors.Is(err, broker.ErrNotFound):
		return unauthorized(err)
	case err != nil:
		return fault(err)
	}
	e.Audit.Committed(v.ctx(), v.event)
	return e.write(v.w, http.StatusOK, &r, v.token, secret)
}

// replace stores the next revision.
func (e *Endpoint) replace(v *visit, r *broker.Registration, accepted []byte, method oauth.AuthMethod) (secret string, err error) {
	r.Revision++
	r.Metadata, r.UsedAt = accepted, v.now
	secret = equip(r, method)
	return secret, e.Registrations.ReplaceRegistration(v.ctx(), *r, v.event)
}

// check holds what an update says of the registration against it (RFC 7592 §2.2).
func (a *about) check(r *broker.Registration) error {
	if !absent(a.AccessToken) || !absent(a.URI) || !absent(a.SecretExpires) || !absent(a.IssuedAt) {
		return oauth.Errorf(oauth.InvalidClientMetadata,
			"registration_access_token, registration_client_uri, client_secret_expires_at and client_id_issued_at must not be in an update")
	}
	if id, ok := text(a.ClientID); !ok || id != r.ClientID {
		return oauth.Errorf(oauth.InvalidClientMetadata, "client_id must be that of the registration")
	}
	if secret, ok := text(a.ClientSecret); !absent(a.ClientSecret) && (!ok || !hasSecret(r, secret)) {
		return oauth.Errorf(oauth.InvalidClientMetadata, "client_secret is not the current one: a client cannot choose its own")
	}
	return nil
}

// unregister answers DELETE (RFC 7592 §2.3).
func (e *Endpoint) unregister(v *visit) error {
	r, err := e.own(v)
	if err != nil {
		return err
	}
	v.event.Type = broker.EventClientUnregistered
	err = e.Registrations.Unregister(v.ctx(), r.ClientID, v.event)
	switch {
	case errors.Is(err, broker.ErrNotFound):
		return unauthorized(err)
	case err != nil:
		return fault(err)
	}
	e.Audit.Committed(v.ctx(), v.event)
	oauth.Uncached(v.w.Header())
	v.w.WriteHeader(http.StatusNoContent)
	return nil
}
