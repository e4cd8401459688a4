package connectors

import (
	"crypto/subtle"
	"net/url"
)

const (
	maxCode        = 4 << 10
	maxDescription = 2 << 10
)

// Response is an authorization response (RFC 6749 §4.1.2): either Code or Refusal
// is set. Everything in it is whatever the browser brought.
type Response struct {
	Code string
	// Refusal is the error code, Description the text that came with it, cut short.
	Refusal, Description string
	// Issuer is the parameter iss of RFC 9207, if HasIssuer.
	Issuer    string
	HasIssuer bool
}

// ReadResponse reads a callback. Its errors are Broken.
func ReadResponse(callback url.Values, l Login) (Response, error) {
	refuse := func(hint string) (Response, error) { return Response{}, &Error{Kind: Broken, Hint: hint} }
	// RFC 6749 §3.1: no parameter more than once; two readers could choose differently.
	for name, hint := range map[string]string{
		"state": "the callback has two states", "iss": "the callback has two issuers",
		"code": "the callback has two codes", "error": "the callback has two errors",
	} {
		if len(callback[name]) > 1 {
			return refuse(hint)
		}
	}
	// The caller has compared the state already; a response to no sign-in of ours must
	// not get past here even if one day a caller forgets (ATTACKS UP-33).
	if l.State == "" || subtle.ConstantTimeCompare([]byte(callback.Get("state")), []byte(l.State)) != 1 {
		return refuse("the callback's state is not that of the sign-in")
	}
	r := Response{
		Code: callback.Get("code"), Refusal: callback.Get("error"),
		Issuer: callback.Get("iss"), HasIssuer: callback.Has("iss"),
	}
	description := callback.Get("error_description")
	r.Description = description[:min(len(description), maxDescription)]
	switch {
	case r.Refusal != "" && r.Code != "":
		return refuse("the callback has both a code and an error")
	case r.Refusal == "" && (r.Code == "" || len(r.Code) > maxCode):
		return refuse("the callback has no usable code")
	}
	return r, nil
}

// Complete refuses a login that lacks what protects the person: a caller that
// forgot one is not served without it.
func (l Login) Complete() error {
	if l.State == "" || l.Nonce == "" || l.CodeVerifier == "" || l.RedirectURI == "" {
		return &Error{Kind: Broken, Hint: "a sign-in was begun without state, nonce, PKCE verifier or redirect URI"}
	}
	return nil
}
