package fake

import (
	"slices"
	"sync"
)

// consents remembers which scopes a person allowed a client. Google and GitHub
// answer differently once they have been asked.
type consents struct {
	mu    sync.Mutex
	given map[consentKey][]string
}

type consentKey struct{ client, person string }

func newConsents() *consents { return &consents{given: map[consentKey][]string{}} }

// scopes are those allowed so far; ok is false before the first consent.
func (c *consents) scopes(client, person string) (scopes []string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	scopes, ok = c.given[consentKey{client, person}]
	return slices.Clone(scopes), ok
}

// cover reports whether all of scopes were allowed before.
func (c *consents) cover(client, person string, scopes []string) bool {
	given, ok := c.scopes(client, person)
	if !ok {
		return false
	}
	for _, scope := range scopes {
		if !slices.Contains(given, scope) {
			return false
		}
	}
	return true
}

func (c *consents) add(client, person string, scopes []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := consentKey{client, person}
	if len(c.given) >= maxEntries {
		clear(c.given)
	}
	merged := append(slices.Clone(c.given[key]), scopes...)
	slices.Sort(merged)
	c.given[key] = slices.Compact(merged)
}

func (c *consents) forget(client, person string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.given, consentKey{client, person})
}
