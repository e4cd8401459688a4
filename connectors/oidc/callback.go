package oidc

import (
	"net/url"

	"gatehouse/connectors"
)

// code reads an authorization response: the code, or the upstream's refusal as an
// error.
func (p *Provider) code(callback url.Values, l connectors.Login, m *metadata) (string, error) {
	r, err := connectors.ReadResponse(callback, l)
	if err != nil {
		return "", err
	}
	if err := p.checkResponseIssuer(r, m); err != nil {
		return "", err
	}
	if r.Refusal != "" {
		return "", p.failed(Failure{Step: AtCallback, Code: r.Refusal, Description: r.Description})
	}
	return r.Code, nil
}

// checkResponseIssuer is RFC 9207 §2.4. An error without the promised iss is let
// through, because all it can do is to fail the sign-in with better words.
func (p *Provider) checkResponseIssuer(r connectors.Response, m *metadata) error {
	if !r.HasIssuer {
		if m.ResponseIssuer && r.Refusal == "" {
			return broken(nil, "the callback lacks the iss that the provider promises")
		}
		return nil
	}
	valid := r.Issuer == p.config.Issuer
	if p.quirks.ResponseIssuer != nil {
		valid = p.quirks.ResponseIssuer(r.Issuer)
	}
	if !valid {
		return broken(nil, "the callback comes from another issuer: expected %q, got %q", p.config.Issuer, shown(r.Issuer))
	}
	return nil
}
