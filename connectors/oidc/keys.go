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

// keySource finds the key of one token.
type keySource struct {
	p *Provider
	// asked is the serial of the key set at the moment the sign-in arrived; used is the
	// one that answered, nil before.
	asked uint64
	used  *snapshot[keySet]
}

// Keys implements jose.KeySource. A key ID that is not in the set has it fetched
// anew, once per cool-down whoever asks: tokens with invented key IDs cost the
// upstream nothing, and rotation costs us one fetch.
func (k *keySource) Keys(ctx context.Context, kid string, alg jose.Algorithm) ([]jose.Key, error) {
	s, err := k.p.keys.get(ctx)
	if err != nil {
		return nil, err
	}
	k.used = s
	found := s.value.Find(kid, alg)
	if len(found) > 0 || kid == "" {
		return found, nil
	}
	if k.used, err = k.p.keys.renew(ctx, unknownKey, s, k.asked); err != nil {
		return nil, err
	}
	return k.used.value.Find(kid, alg), nil
}

// outdated reports whether there are other keys now than those that a signature
// was found wrong with: a provider that was set up anew, as those in test
// environments are, may give the old name to a new key.
func (k *keySource) outdated(ctx context.Context) bool {
	if k.used == nil {
		return false // no key has been looked at
	}
	s, err := k.p.keys.renew(ctx, wrongSignature, k.used, k.asked)
	return err == nil && s.serial != k.used.serial
}
