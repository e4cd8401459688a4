package github

import (
	"context"
	"net/http"
	"time"

	"gatehouse/connectors"
)

// SetPause replaces the waits between attempts.
func SetPause(c connectors.Connector, pause func(context.Context, time.Duration) error) {
	c.(*Connector).pause = pause
}

// Addresses returns the base URL and the API of an opened connector.
func Addresses(c connectors.Connector) (base, api string) {
	g := c.(*Connector)
	return g.base, g.api
}

// Within reports whether a link stays at the API.
func Within(api, link string) bool { return within(api, link) }

// DecodeEmails reads a list of addresses and chooses the primary one.
func DecodeEmails(body []byte) (address string, verified, ok bool) {
	var all []emailAddress
	if decode(connectors.Answer{Status: http.StatusOK, Body: body}, "e-mail addresses", &all) != nil {
		return "", false, false
	}
	address, trust := primary(all)
	return address, trust.String() == "verified", true
}

// ReadTokenResponse returns the access token or the error of an answer.
func ReadTokenResponse(body []byte) (token, refusal string, ok bool) {
	r, ok := readTokenResponse(body)
	return r.AccessToken, r.Error, ok
}

// SSOAdvice is what is said about a refusal with this X-GitHub-SSO, by a GitHub at
// base; LeftOut is what a list with it leaves out.
func SSOAdvice(base, header string) string { return (&Connector{base: base}).ssoAdvice(header) }

// LeftOut reads X-GitHub-SSO of a list.
func LeftOut(header string) (withheld map[int64]bool, unnamed bool) {
	v := &view{withheld: map[int64]bool{}}
	v.leftOut(connectors.Answer{Header: http.Header{"X-Github-Sso": {header}}})
	return v.withheld, v.unnamed
}
