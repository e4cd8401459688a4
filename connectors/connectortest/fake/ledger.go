package fake

import (
	"crypto/rand"
	"slices"
	"sync"
	"time"
)

// grant is what a person agreed to at the authorization endpoint. Its code and
// every token made from it point to it.
type grant struct {
	person    string
	client    Client
	realm     string // Entra's tenant segment, Okta's authorization server
	scopes    []string
	nonce     string
	challenge string
	method    string
	// redirectURI is what the authorization request carried; empty if it did not.
	redirectURI string
	authTime    time.Time
	acr         string
	// refreshable says that a refresh token comes with the code's tokens.
	refreshable bool
	revoked     bool
}

type code struct {
	grant    *grant
	expires  time.Time
	redeemed bool
}

// token is an access or a refresh token.
type token struct {
	grant   *grant
	scopes  []string
	born    time.Time
	order   int       // of issue, where the clock stood still
	expires time.Time // zero: never
	dead    bool
	// idle is how long the token may rest unused, since used; zero: for ever.
	idle time.Duration
	used time.Time
	// spent is when a successor replaced this refresh token; zero: not yet.
	spent time.Time
}

func (t *token) alive(now time.Time) bool {
	return !t.dead && !t.grant.revoked && (t.expires.IsZero() || now.Before(t.expires)) &&
		(t.idle == 0 || now.Sub(t.used) < t.idle)
}

// maxEntries bounds each of the ledger's three maps. When one is full the expired
// entries leave, and then the oldest.
const maxEntries = 20000

// ledger holds the codes and tokens a fake has issued.
type ledger struct {
	mu      sync.Mutex
	codes   map[string]*code
	access  map[string]*token
	refresh map[string]*token
	issued  int
}

func newLedger() *ledger {
	return &ledger{codes: map[string]*code{}, access: map[string]*token{}, refresh: map[string]*token{}}
}

// random is prefix and n random bytes in base64url.
func random(prefix string, n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand
	return prefix + b64(b)
}

func (l *ledger) putCode(value string, g *grant, expires time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.codes) >= maxEntries {
		evict(l.codes, func(c *code) time.Time { return c.expires })
	}
	l.codes[value] = &code{grant: g, expires: expires}
}

// evict removes the older half of a full map.
func evict[E any](entries map[string]E, age func(E) time.Time) {
	ages := make([]time.Time, 0, len(entries))
	for _, e := range entries {
		ages = append(ages, age(e))
	}
	slices.SortFunc(ages, time.Time.Compare)
	median := ages[len(ages)/2]
	for value, e := range entries {
		if !age(e).After(median) {
			delete(entries, value)
		}
	}
}

// redeem spends a code if the request fits it. The checks are in the order in
// which they reveal least: a code is of nobody's concern but its own client's.
func (l *ledger) redeem(value string, r redemption) (*grant, reason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.codes[value]
	switch {
	case c == nil || c.grant.client.ID != r.client.ID || c.grant.realm != r.realm:
		return nil, codeUnknown
	case c.redeemed:
		// RFC 6749 §4.1.2: what came of the code is revoked.
		c.grant.revoked = true
		return nil, codeReused
	case !r.now.Before(c.expires):
		return nil, codeExpired
	case !r.fits(c.grant):
		return nil, redirectDiffers
	case !verified(c.grant, r.verifier):
		return nil, verifierWrong
	}
	c.redeemed = true
	return c.grant, fine
}

func (l *ledger) putAccess(value string, g *grant, scopes []string, now time.Time, life time.Duration) {
	t := &token{grant: g, scopes: scopes, born: now}
	if life > 0 {
		t.expires = now.Add(life)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.access) >= maxEntries {
		evict(l.access, func(t *token) time.Time { return t.born })
	}
	l.issued++
	t.order = l.issued
	l.access[value] = t
}

func (l *ledger) putRefresh(value string, g *grant, now time.Time, life, idle time.Duration) {
	t := &token{grant: g, scopes: g.scopes, born: now, idle: idle, used: now}
	if life > 0 {
		t.expires = now.Add(life)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.refresh) >= maxEntries {
		evict(l.refresh, func(t *token) time.Time { return t.born })
	}
	l.issued++
	t.order = l.issued
	l.refresh[value] = t
}

// bearer returns what an access token stands for.
func (l *ledger) bearer(value string, now time.Time) (g grant, scopes []string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.access[value]
	if t == nil || !t.alive(now) {
		return grant{}, nil, false
	}
	return *t.grant, slices.Clone(t.scopes), true
}

// present looks a refresh token up for its client. spend says that the token is
// to be replaced; grace is how long a replaced one still works (negative: not at
// all), and after it reuse ends the grant.
func (l *ledger) present(value string, r redemption, spend bool, grace time.Duration) (*grant, reason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.refresh[value]
	switch {
	case t == nil || t.grant.client.ID != r.client.ID || t.grant.realm != r.realm:
		return nil, refreshUnknown
	case t.grant.revoked || t.dead:
		return nil, refreshRevoked
	case !t.alive(r.now):
		return nil, refreshExpired
	case !t.spent.IsZero() && (grace < 0 || r.now.Sub(t.spent) > grace):
		t.grant.revoked = true
		return nil, refreshReused
	}
	t.used = r.now
	if spend && t.spent.IsZero() {
		t.spent = r.now
	}
	return t.grant, fine
}

// kill ends one token, access or refresh, and reports the grant it belonged to.
func (l *ledger) kill(value, clientID string) (*grant, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, kind := range []map[string]*token{l.access, l.refresh} {
		if t := kind[value]; t != nil && (clientID == "" || t.grant.client.ID == clientID) {
			t.dead = true
			return t.grant, true
		}
	}
	return nil, false
}

// revokeGrants ends every grant that match selects, with all its tokens.
func (l *ledger) revokeGrants(match func(*grant) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.codes {
		if match(c.grant) {
			c.grant.revoked = true
		}
	}
	for _, kind := range []map[string]*token{l.access, l.refresh} {
		for _, t := range kind {
			if match(t.grant) {
				t.grant.revoked = true
			}
		}
	}
}

// keepNewest ends the oldest live tokens that match selects until at most n live.
func (l *ledger) keepNewest(kind func(*ledger) map[string]*token, n int, now time.Time, match func(*token) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var live []*token
	for _, t := range kind(l) {
		if t.alive(now) && match(t) {
			live = append(live, t)
		}
	}
	slices.SortFunc(live, func(a, b *token) int { return a.order - b.order })
	for len(live) > n {
		live[0].dead = true
		live = live[1:]
	}
}

func accessTokens(l *ledger) map[string]*token  { return l.access }
func refreshTokens(l *ledger) map[string]*token { return l.refresh }
