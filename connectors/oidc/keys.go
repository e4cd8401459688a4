package oidc

import (
	"context"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// keySet is the provider's keys as last fetched.
type keySet struct{ *jose.KeySet }

// loadKeys fetches the key set that discovery names.
func (p *Provider) loadKeys(ctx context.Context, _ *keySet) (keySet, time.Duration, error) {
	set, fresh, err := p.fetchKeys(ctx)
	p.health.Note(err)
	return set, fresh, err
}

func (p *Provider) fetchKeys(ctx context.Context) (keySet, time.Duration, error) {
	m, err := p.metadata.get(ctx)
	if err != nil {
		return keySet{}, 0, err
	}
	answer, err := p.fetcher.Get(ctx, m.value.JWKSURI, "", connectors.MaxDocument)
	if err != nil {
		return keySet{}, 0, err
	}
	if !answer.OK() {
		return keySet{}, 0, p.documentRefused("key set", answer)
	}
	set, err := jose.ParseKeySet(answer.Body)
	if err != nil {
		return keySet{}, 0, broken(err, "the upstream's key set cannot be used")
	}
	for _, why := range set.Refused() {
		p.log.Warn("a key of an upstream is not used", "connector", p.config.ID, "reason", why)
	}
	return keySet{set}, freshness(answer.Header), nil
}

// keySource finds the key of one token. asked is the serial of the key set at the
// moment the sign-in arrived.
type keySource struct {
	p     *Provider
	asked uint64
}

// Keys implements jose.KeySource. A key ID that is not in the set has it fetched
// anew, once per cool-down whoever asks: tokens with invented key IDs cost the
// upstream nothing, and rotation costs us one fetch.
func (k keySource) Keys(ctx context.Context, kid string, alg jose.Algorithm) ([]jose.Key, error) {
	s, err := k.p.keys.get(ctx)
	if err != nil {
		return nil, err
	}
	found := s.value.Find(kid, alg)
	if len(found) > 0 || kid == "" {
		return found, nil
	}
	if s, err = k.p.keys.renew(ctx, s, k.asked); err != nil {
		return nil, err
	}
	return s.value.Find(kid, alg), nil
}
