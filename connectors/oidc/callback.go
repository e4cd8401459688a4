package oidc

import (
	"crypto/subtle"
	"net/url"

	"gatehouse/connectors"
)

const (
	maxCode        = 4 << 10
	maxDescription = 2 << 10
)

// readCallback reads an authorization response: the code, or the upstream's
// refusal as an error. Every parameter counts at most once (RFC 6749 §3.1).
func (p *Provider) readCallback(callback url.Values, l connectors.Login, m *metadata) (string, error) {
	for _, name := range []string{"state", "iss", "code", "error"} {
		if len(callback[name]) > 1 {
			return "", broken(nil, "the callback has %s more than once", name)
		}
	}
	// The caller has compared the state already; a response that answers no sign-in
	// of ours must not get past here even if one day a caller forgets.
	if l.State == "" || subtle.ConstantTimeCompare([]byte(callback.Get("state")), []byte(l.State)) != 1 {
		return "", broken(nil, "the callback's state is not that of the sign-in")
	}
	code, refusal := callback.Get("code"), callback.Get("error")
	if err := p.checkResponseIssuer(callback, m, refusal != ""); err != nil {
		return "", err
	}
	switch {
	case refusal != "" && callback.Has("code"):
		return "", broken(nil, "the callback has both a code and an error")
	case refusal != "":
		return "", p.failed(Failure{Step: AtCallback, Code: refusal, Description: head(callback.Get("error_description"), maxDescription)})
	case code == "" || len(code) > maxCode:
		return "", broken(nil, "the callback has no code")
	}
	return code, nil
}

// checkResponseIssuer is RFC 9207 §2.4. An error without the promised iss is let
// through, because all it can do is to fail the sign-in with better words.
func (p *Provider) checkResponseIssuer(callback url.Values, m *metadata, refusal bool) error {
	if !callback.Has("iss") {
		if m.ResponseIssuer && !refusal {
			return broken(nil, "the callback lacks the iss that the provider promises")
		}
		return nil
	}
	iss := callback.Get("iss")
	valid := iss == p.config.Issuer
	if p.quirks.ResponseIssuer != nil {
		valid = p.quirks.ResponseIssuer(iss)
	}
	if !valid {
		return broken(nil, "the callback comes from another issuer: expected %q, got %q", p.config.Issuer, shown(iss))
	}
	return nil
}

func head(s string, most int) string {
	return s[:min(len(s), most)]
}
