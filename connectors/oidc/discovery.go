package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

const wellKnown = "/.well-known/openid-configuration"

// metadata is what is read of a discovery document (OIDC Discovery §3,
// RFC 9207 §3). Whether the provider has PKCE is not: see the package comment.
type metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	UserinfoEndpoint      string   `json:"userinfo_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	ScopesSupported       []string `json:"scopes_supported"`
	ResponseIssuer        bool     `json:"authorization_response_iss_parameter_supported"`

	// members are all of the document, for what a vendor adds to it (API.Metadata).
	members map[string]json.RawMessage
}

// discoveryURL is OIDC Discovery §4.1: a slash at the issuer's end is not doubled.
func discoveryURL(issuer string) string { return strings.TrimSuffix(issuer, "/") + wellKnown }

// loadMetadata fetches the discovery document and holds it against the
// configuration and, on a refresh, against the last good one.
func (p *Provider) loadMetadata(ctx context.Context, prior *metadata) (metadata, time.Duration, error) {
	m, fresh, err := p.fetchMetadata(ctx)
	if err == nil && prior != nil {
		err = m.sameHosts(prior)
	}
	p.health.Note(err)
	return m, fresh, err
}

func (p *Provider) fetchMetadata(ctx context.Context) (metadata, time.Duration, error) {
	var m metadata
	address := p.quirks.DiscoveryURL
	answer, err := p.fetcher.Get(ctx, address, "", connectors.MaxDocument)
	if err != nil {
		return m, 0, err
	}
	if !answer.OK() {
		return m, 0, p.documentRefused("discovery document", answer)
	}
	err = jose.StrictUnmarshal(answer.Body, &m)
	if err == nil {
		m.members, err = jose.StrictObject(answer.Body)
	}
	if err != nil {
		return m, 0, broken(err, "the discovery document cannot be read")
	}
	// OIDC Discovery §4.3: byte for byte. A slash or a letter's case more is another
	// authorization server.
	if !slices.Contains(p.quirks.DocumentIssuers, m.Issuer) {
		return m, 0, broken(nil, "the discovery document names another issuer: configured is %q, the document says %q", p.config.Issuer, shown(m.Issuer))
	}
	if err := m.checkEndpoints(p.config.Issuer); err != nil {
		return m, 0, err
	}
	return m, freshness(answer.Header), nil
}

// documentRefused words an answer other than 200 to a GET of a public document.
func (p *Provider) documentRefused(what string, answer connectors.Answer) error {
	e := &connectors.Error{
		Kind:       connectors.StatusKind(answer.Status),
		Hint:       fmt.Sprintf("the %s was answered with status %d", what, answer.Status),
		RetryAfter: connectors.RetryAfter(answer.Header, p.now()),
	}
	switch {
	case answer.Status >= 300 && answer.Status < 400:
		e.Hint += "; redirects are not followed, so configure the issuer it leads to"
	case answer.Status == http.StatusNotFound:
		e.Kind = connectors.Operator
		e.Hint += "; check the configured issuer"
	}
	if e.Kind == connectors.Transient {
		return e
	}
	f := readFailure(AtDocument, answer, p.now())
	if known := p.quirks.classify(f); known != nil {
		e.Kind, e.Code = known.Kind, connectors.SafeCode(f.Code)
		e.Hint += ": " + known.Hint
	}
	return e
}

type endpoint struct {
	name, address string
	required      bool
}

func (m *metadata) endpoints() []endpoint {
	return []endpoint{
		{"authorization_endpoint", m.AuthorizationEndpoint, true},
		{"token_endpoint", m.TokenEndpoint, true},
		{"jwks_uri", m.JWKSURI, true},
		{"userinfo_endpoint", m.UserinfoEndpoint, false},
	}
}

// checkEndpoints refuses what is not an absolute URL and what is less protected
// than the issuer. Other hosts are normal: Google has four.
func (m *metadata) checkEndpoints(issuer string) error {
	secure := strings.HasPrefix(issuer, "https:")
	for _, e := range m.endpoints() {
		if e.address == "" && !e.required {
			continue
		}
		u, err := url.Parse(e.address)
		if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
			return broken(nil, "the discovery document has no usable %s", e.name)
		}
		loopback := u.Scheme == "http" && !secure && connectors.IsLoopback(u.Hostname())
		if u.Scheme != "https" && !loopback {
			return broken(nil, "the discovery document names a %s without TLS", e.name)
		}
	}
	return nil
}

// sameHosts refuses a document whose endpoints have moved to other hosts since
// the last good one: who can forge one document must not gain our users'
// credentials with it (DESIGN.md §4). A restart accepts a move that is meant.
func (m *metadata) sameHosts(prior *metadata) error {
	var known []string
	old := prior.endpoints()
	for _, e := range old {
		known = append(known, hostOf(e.address))
	}
	for i, e := range m.endpoints() {
		if e.address == "" {
			continue
		}
		allowed := known
		if old[i].address != "" {
			allowed = known[i : i+1]
		}
		if !slices.Contains(allowed, hostOf(e.address)) {
			return broken(nil, "the discovery document moved %s to the host %q; the last good one stays in use. If the move is meant, restart", e.name, shown(hostOf(e.address)))
		}
	}
	return nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// shown makes a public value that an upstream chose fit for a log line.
func shown(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "?")
}

// broken is the error for what fails a check.
func broken(cause error, hint string, args ...any) *connectors.Error {
	return &connectors.Error{Kind: connectors.Broken, Hint: fmt.Sprintf(hint, args...), Err: cause}
}
