package introspection

import (
	"net/http"

	"gatehouse/broker/audit"
	"gatehouse/broker/clientauth"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
)

// maxForm has room for one token and an assertion.
const maxForm = 64 << 10

// Endpoint serves /introspect and /revoke.
type Endpoint struct {
	Issuer string
	// Reception is what both do first. They share its limits.
	Reception *clientauth.Reception
	Tokens    *Tokens
	Resources policy.Resources
}

// Mount adds the endpoint's routes.
func (e *Endpoint) Mount(mux *http.ServeMux) {
	mux.HandleFunc("POST /introspect", e.handler(audit.Introspection, e.introspect))
	mux.HandleFunc("POST /revoke", e.handler(audit.Revocation, e.revoke))
}

// handler admits a caller, has it answered and refuses it otherwise.
func (e *Endpoint) handler(name audit.Endpoint, answer func(http.ResponseWriter, *http.Request, clientauth.Visit) error) http.HandlerFunc {
	reception := e.Reception.At(name, maxForm, "client_id", "token_type_hint")
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := reception.Admit(w, r)
		if err != nil && name == audit.Introspection {
			err = unauthenticated(r, v, err)
		}
		if err == nil && !v.Form.Has("token") {
			err = oauth.Errorf(oauth.InvalidRequest, "token is missing")
		}
		if err == nil {
			err = answer(w, r, v)
		}
		if err != nil {
			reception.Refuse(w, r, v, err)
		}
	}
}
