package external

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/broker"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// maxDocument bounds a discovery document and a key set, in bytes.
const (
	maxDocument = 256 << 10
	maxURL      = 2 << 10
)

// wellKnown is behind the issuer (OpenID Connect Discovery §4), which is where
// Kubernetes, GitHub and GitLab have it.
const wellKnown = "/.well-known/openid-configuration"

var (
	errURL      = errors.New("external: not an https URL")
	errStatus   = errors.New("external: the issuer answered with another status than 200")
	errDocument = errors.New("external: the issuer's discovery document names another issuer, or no https jwks_uri")
)

// Keys finds the keys of one issuer: those of its jwks, parsed once, or those that
// fetch has read. Fetched keys are kept as package clientkeys keeps them: fetched
// again on an unknown kid, at most once per cool-down, by one request at a time.
func Keys(cache *clientkeys.Cache, issuer *broker.ExternalIssuer) jose.KeySource {
	of := clientkeys.Owner{ID: issuer.ID, JWKS: issuer.JWKS, JWKSURI: issuer.JWKSURI}
	if len(of.JWKS) == 0 && of.JWKSURI == "" {
		of.JWKSURI = strings.TrimSuffix(issuer.Issuer, "/") + wellKnown
	}
	return cache.Source(of)
}

// Fetch reads the keys of an issuer, by way of its discovery document where no
// jwks_uri is configured. It is what the cache of [Keys] fetches with; a Fetcher is
// bounded in time and follows no redirect.
func Fetch(from *connectors.Fetcher, issuer *broker.ExternalIssuer) func(ctx context.Context, address string, types ...string) ([]byte, error) {
	return func(ctx context.Context, address string, _ ...string) ([]byte, error) {
		body, err := get(ctx, from, address)
		if err != nil || issuer.JWKSURI != "" {
			return body, unreachable(err)
		}
		var document struct {
			Issuer  string `json:"issuer"`
			JWKSURI string `json:"jwks_uri"`
		}
		// Discovery §4.3: the issuer has to be the one it was asked for. The keys may be
		// on another host, but not in the clear.
		if jose.StrictUnmarshal(body, &document) != nil || document.Issuer != issuer.Issuer || CheckURL(document.JWKSURI, address) != nil {
			return nil, unreachable(errDocument)
		}
		body, err = get(ctx, from, document.JWKSURI)
		return body, unreachable(err)
	}
}

func unreachable(err error) error {
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return nil
}

// CheckURL refuses what keys are not to be fetched from: anything but an https URL
// without credentials; http is for loopback, and not when beside is https.
func CheckURL(address, beside string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || len(address) > maxURL,
		u.Scheme != "https" && (u.Scheme != "http" || !connectors.IsLoopback(u.Hostname()) || strings.HasPrefix(beside, "https:")):
		return errURL
	}
	return nil
}

func get(ctx context.Context, from *connectors.Fetcher, address string) ([]byte, error) {
	answer, err := from.Get(ctx, address, "", maxDocument)
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, errStatus
	}
	return answer.Body, nil
}
