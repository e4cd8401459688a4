package registration

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

const (
	// maxEntries bounds how many converted clients are kept, and maxCached of how many
	// bytes of metadata, which strangers may have chosen (I11).
	maxEntries = 4096
	maxCached  = 16 << 20
	// usedEvery is the least time between two notes that a client is in use, each of
	// which is a commit.
	usedEvery = 24 * time.Hour
)

// Clients finds clients: those of the configuration, then those that have registered.
// It is safe for concurrent use and may not be copied.
type Clients struct {
	Configured    broker.Clients
	Registrations broker.Registrations
	// Policy is what registered clients may do today, whatever they were registered for.
	Policy Policy
	Log    *slog.Logger
	Now    func() time.Time

	mu      sync.Mutex
	entries map[string]*entry
	cached  int // bytes of metadata
}

// entry is a registration that has been converted.
type entry struct {
	revision uint64
	client   *broker.Client
	// noted is when the client was last noted, or attempted to be noted, as in use.
	noted time.Time
	every time.Duration
}

// Client implements [broker.Clients]: one read of the store for a client that has
// registered, and none for an ID that no such client can have.
func (c *Clients) Client(ctx context.Context, id string) (*broker.Client, error) {
	client, err := c.Configured.Client(ctx, id)
	if !errors.Is(err, broker.ErrNotFound) {
		return client, err
	}
	if !isID(id) {
		return nil, broker.ErrNotFound
	}
	r, err := c.Registrations.Registration(ctx, id, c.Now())
	if err != nil {
		return nil, err
	}
	if client := c.known(&r); client != nil {
		return client, nil
	}
	if client, err = c.convert(&r); err != nil {
		return nil, err
	}
	c.keep(&r, client)
	return client, nil
}

// known is the client of the revision that is stored, if it was converted before.
func (c *Clients) known(r *broker.Registration) *broker.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[r.ClientID]; e != nil && e.revision == r.Revision {
		return e.client
	}
	return nil
}

func (c *Clients) keep(r *broker.Registration, client *broker.Client) {
	e := &entry{revision: r.Revision, client: client, noted: r.UsedAt, every: usedEvery}
	if c.Policy.Unused > 0 {
		// One that is used at least that often must not be forgotten for being noted too
		// seldom.
		e.every = min(usedEvery, c.Policy.Unused/2)
	}
	if r.Unused != c.Policy.Unused {
		e.noted = time.Time{} // the next use gives it what the policy gives
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil || len(c.entries) >= maxEntries || c.cached+len(r.Metadata) > maxCached {
		// Whoever is still active is converted again; nothing is ever searched for victims,
		// and a revision that another has replaced counts until then.
		c.entries, c.cached = make(map[string]*entry), 0
	}
	c.entries[r.ClientID] = e
	c.cached += len(r.Metadata)
}

// convert makes the client of a registration, less what the policy no longer allows.
func (c *Clients) convert(r *broker.Registration) (*broker.Client, error) {
	var m metadata.Client
	if err := json.Unmarshal(r.Metadata, &m); err != nil {
		return nil, fmt.Errorf("registration: metadata of %s: %w", r.ClientID, err)
	}
	client, err := m.Broker()
	if err != nil {
		return nil, fmt.Errorf("registration: metadata of %s: %w", r.ClientID, err)
	}
	client.ID, client.Name, client.Registered = r.ClientID, cmp.Or(client.Name, r.ClientID), true
	if r.Secret != "" {
		client.Secrets = []string{r.Secret}
	}
	if len(r.MACSecret) > 0 {
		client.MACSecrets = [][]byte{r.MACSecret}
	}
	client.Connectors = slices.Clone(c.Policy.Connectors)
	client.PKCEOptional = c.Policy.PKCEOptional && !client.Public()
	client.MinimalIDToken = !c.Policy.FullIDToken
	if client.Scopes = client.Scopes.Intersect(c.Policy.Scopes); len(client.Scopes) == 0 {
		return nil, broker.ErrNotFound // an empty set would mean all
	}
	client.GrantTypes = slices.DeleteFunc(client.GrantTypes, func(g oauth.GrantType) bool { return !c.Policy.allowsGrant(g) })
	client.ResponseTypes = slices.DeleteFunc(client.ResponseTypes, func(t oauth.ResponseType) bool { return !starts(&client, t) })
	forbidden := func(uri string) bool { return !c.Policy.allowsTarget(uri) }
	for _, list := range []*[]string{&client.RedirectURIs, &client.PostLogout, &client.WebOrigins} {
		*list = slices.DeleteFunc(*list, forbidden)
	}
	if forbidden(client.InitiateLoginURI) {
		client.InitiateLoginURI = ""
	}
	return &client, nil
}

// starts reports whether the client has the grants that the response type starts
// (OpenID Connect Registration §2).
func starts(client *broker.Client, t oauth.ResponseType) bool {
	front := t.Has(oauth.ResponseTypeIDToken) || t.Has(oauth.ResponseTypeToken)
	return (!front || client.AllowsGrantType(oauth.GrantTypeImplicit)) &&
		(!t.Has(oauth.ResponseTypeCode) || client.AllowsGrantType(oauth.GrantTypeAuthorizationCode))
}

// Used notes that a registered client is in use, so that it is not forgotten: at most
// once a day, or twice within the time after which it would be. Call it when the
// client has authenticated, or a person has signed in to it: a stranger who names its
// ID must not keep it alive. It fails no request.
func (c *Clients) Used(ctx context.Context, client *broker.Client) {
	now := c.Now()
	if !client.Registered || !c.due(client.ID, now) {
		return
	}
	// The caller may hang up now that it has its answer.
	if err := c.Registrations.UseRegistration(context.WithoutCancel(ctx), client.ID, now, c.Policy.Unused); err != nil {
		c.Log.LogAttrs(ctx, slog.LevelWarn, "the use of a registered client could not be noted",
			slog.String("client_id", client.ID), slog.String("reason", err.Error()))
	}
}

// due reports whether a note is due, to one caller alone. A client that is no longer
// among the entries is noted the next time.
func (c *Clients) due(id string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[id]
	if e == nil || now.Sub(e.noted) < e.every {
		return false
	}
	e.noted = now
	return true
}
