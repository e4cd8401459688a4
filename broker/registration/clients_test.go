package registration

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// counting counts what reaches the store, and fails when told to.
type counting struct {
	broker.Registrations
	reads, notes atomic.Int32
	err          error
}

func (c *counting) Registration(ctx context.Context, id string, now time.Time) (broker.Registration, error) {
	c.reads.Add(1)
	if c.err != nil {
		return broker.Registration{}, c.err
	}
	return c.Registrations.Registration(ctx, id, now)
}

func (c *counting) UseRegistration(ctx context.Context, id string, now time.Time, unused time.Duration) error {
	c.notes.Add(1)
	if err := errors.Join(c.err, ctx.Err()); err != nil {
		return err
	}
	return c.Registrations.UseRegistration(ctx, id, now, unused)
}

func TestConfiguredClientsComeFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	made := w.register("")
	count := &counting{Registrations: w.store}
	mine := &broker.Client{ID: made.text("client_id")}
	w.clients = &Clients{Configured: configured{"wiki": {ID: "wiki"}, mine.ID: mine}, Registrations: count, Policy: openPolicy(), Now: w.clock}
	for _, id := range []string{"wiki", mine.ID} {
		if client, err := w.clients.Client(t.Context(), id); err != nil || client.Registered {
			t.Errorf("%s: %+v, %v", id, client, err)
		}
	}
	for _, id := range []string{"nobody", "", "https://app.example.org/client", "reg_"} {
		if _, err := w.clients.Client(t.Context(), id); !errors.Is(err, broker.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if n := count.reads.Load(); n != 0 {
		t.Errorf("%d reads of the store for IDs that it cannot have", n)
	}
	w.endpoint.Taken = func(id string) bool { return id == mine.ID }
	if got := w.manage("GET", made, ""); got.status != 401 {
		t.Errorf("a registration behind a configured client answers %d", got.status)
	}
}

func TestAClientIsConvertedOncePerRevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	count := &counting{Registrations: w.store}
	w.clients.Registrations = count
	made := w.register("")
	first := w.client(made)
	if again := w.client(made); again != first || count.reads.Load() != 2 {
		t.Errorf("converted again, or %d reads for two look-ups", count.reads.Load())
	}
	w.manage("PUT", made, replacement(made, ""))
	if after := w.client(made); after == first || after.RedirectURIs[0] != "https://app.example.org/new" {
		t.Errorf("after an update: %+v", after)
	}
	if first.RedirectURIs[0] != "https://app.example.org/cb" {
		t.Error("a client that somebody holds was changed")
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := &Clients{}
	for i := range maxEntries + 1 {
		c.keep(&broker.Registration{ClientID: strconv.Itoa(i)}, &broker.Client{})
	}
	if n := len(c.entries); n > maxEntries {
		t.Errorf("%d entries", n)
	}
	// Strangers choose how long their documents are.
	c = &Clients{}
	kept := 0
	for i := range 2 * maxCached / maxBody {
		c.keep(&broker.Registration{ClientID: strconv.Itoa(i), Metadata: make([]byte, maxBody)}, &broker.Client{})
		if kept = len(c.entries) * maxBody; kept > maxCached {
			t.Fatalf("%d bytes of metadata", kept)
		}
	}
	if kept < maxCached/2 {
		t.Errorf("%d bytes of metadata are kept: hardly any", kept)
	}
}

// What the policy of today no longer allows is refused at use, whatever was registered.
func TestThePolicyOfTodayHolds(t *testing.T) {
	t.Parallel()
	before := openPolicy()
	before.PKCEOptional, before.Loopback = true, true
	w := newWorld(t, before)
	made := w.register(`{"redirect_uris":["https://app.example.org/cb","https://two.example.net/cb"],"post_logout_redirect_uris":["https://two.example.net/bye"],
		"web_origins":["https://two.example.net"],"initiate_login_uri":"https://two.example.net/login","grant_types":["authorization_code","implicit","refresh_token","client_credentials"],
		"response_types":["code","id_token","code id_token"]}`)
	public := w.register(`{"redirect_uris":["http://127.0.0.1/cb"],"token_endpoint_auth_method":"none"}`)
	if client := w.client(made); !client.PKCEOptional || client.InitiateLoginURI == "" || len(client.RedirectURIs) != 2 || len(client.ResponseTypes) != 3 || len(client.GrantTypes) != 4 || len(client.Connectors) != 0 {
		t.Errorf("client %+v", client)
	}
	if client := w.client(public); client.PKCEOptional {
		t.Error("a public client may leave out the challenge")
	}
	after := Policy{Scopes: oauth.Scopes{"openid", "groups"}, GrantTypes: []oauth.GrantType{oauth.GrantTypeAuthorizationCode, oauth.GrantTypeTokenExchange},
		RedirectHosts: []string{"app.example.org"}, Connectors: []string{"corp"}}
	w.clients = &Clients{Configured: configured{}, Registrations: w.store, Policy: after, Now: w.clock}
	client := w.client(made)
	if client.Scopes.String() != "openid" || len(client.GrantTypes) != 1 || client.GrantTypes[0] != oauth.GrantTypeAuthorizationCode ||
		len(client.ResponseTypes) != 1 || client.ResponseTypes[0] != oauth.ResponseTypeCode || client.PKCEOptional || len(client.Connectors) != 1 ||
		len(client.RedirectURIs) != 1 || client.RedirectURIs[0] != "https://app.example.org/cb" || len(client.PostLogout) != 0 || client.InitiateLoginURI != "" || len(client.WebOrigins) != 0 {
		t.Errorf("client %+v", client)
	}
	// With no scope left there is no client: an empty set would mean all of them.
	w.clients = &Clients{Configured: configured{}, Registrations: w.store, Now: w.clock}
	if _, err := w.clients.Client(t.Context(), made.text("client_id")); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("a client without any scope: %v", err)
	}
}

func TestAStoreThatCannotBeReadIsNoUnknownClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	made := w.register("")
	broken := &counting{Registrations: w.store, err: errors.New("disk")}
	w.clients.Registrations = broken
	if _, err := w.clients.Client(t.Context(), made.text("client_id")); err == nil || errors.Is(err, broker.ErrNotFound) {
		t.Errorf("answered %v", err)
	}
}

func TestUseIsNotedOnceADay(t *testing.T) {
	t.Parallel()
	p := closedPolicy()
	p.Unused = 90 * 24 * time.Hour
	w := newWorld(t, p)
	count := &counting{Registrations: w.store}
	w.clients.Registrations = count
	made := w.register("", bearer(initial)...)
	use := func() { w.clients.Used(t.Context(), w.client(made)) }
	use()
	if n := count.notes.Load(); n != 0 {
		t.Errorf("%d notes on the day of registration", n)
	}
	for day := range 3 {
		w.sleep(24 * time.Hour)
		client := w.client(made)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() { w.clients.Used(t.Context(), client) })
		}
		wg.Wait()
		if n := count.notes.Load(); int(n) != day+1 {
			t.Errorf("%d notes after %d days", n, day+1)
		}
	}
	w.sleep(24 * time.Hour)
	w.clients.Used(t.Context(), &broker.Client{ID: made.text("client_id")}) // configured under that ID meanwhile
	w.sleep(-24 * time.Hour)
	w.clients.Used(t.Context(), &broker.Client{ID: newID(), Registered: true})
	if n := count.notes.Load(); n != 3 {
		t.Errorf("%d notes, some of them of clients that are not registered", n)
	}
	// Another runtime reads from the store that it has been noted.
	other := &Clients{Configured: configured{}, Registrations: count, Policy: p, Now: w.clock}
	client, err := other.Client(t.Context(), made.text("client_id"))
	if err != nil {
		t.Fatal(err)
	}
	other.Used(t.Context(), client)
	if n := count.notes.Load(); n != 3 {
		t.Errorf("%d notes: a reload notes again", n)
	}
}

// A client that is used every day lives on; one that is not is forgotten.
func TestUseKeepsAClientAlive(t *testing.T) {
	t.Parallel()
	for _, unused := range []time.Duration{24 * time.Hour, 10 * 24 * time.Hour} {
		p := closedPolicy()
		p.Unused = unused
		w := newWorld(t, p)
		made := w.register("", bearer(initial)...)
		for range 30 {
			w.sleep(unused / 2)
			w.clients.Used(t.Context(), w.client(made))
		}
		w.sleep(unused + time.Hour)
		if _, err := w.clients.Client(t.Context(), made.text("client_id")); !errors.Is(err, broker.ErrNotFound) {
			t.Errorf("unused for %v: %v", unused, err)
		}
	}
}

// A note that fails fails nothing, is not tried again at each request, and does not end
// with the request.
func TestANoteFailsNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, closedPolicy())
	count := &counting{Registrations: w.store}
	w.clients.Registrations = count
	made := w.register("", bearer(initial)...)
	client := w.client(made)
	w.sleep(25 * time.Hour)
	count.err = broker.ErrReadOnly
	for range 10 {
		w.clients.Used(t.Context(), client)
	}
	if n := count.notes.Load(); n != 1 {
		t.Errorf("%d attempts", n)
	}
	count.err = nil
	w.sleep(25 * time.Hour)
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	w.clients.Used(ctx, client)
	r, err := w.store.Registration(t.Context(), client.ID, w.clock())
	if err != nil || !r.UsedAt.Equal(w.clock()) {
		t.Errorf("used at %v, want %v: %v", r.UsedAt, w.clock(), err)
	}
}

// Of what anybody may register, what nobody uses is gone in a day; the first use gives a
// client the time of the others, and an update does not.
func TestDR05WhatIsNeverUsedIsForgottenSoon(t *testing.T) {
	t.Parallel()
	p := openPolicy()
	p.Unused = 10 * 24 * time.Hour
	w := newWorld(t, p)
	idle, used, updated := w.register(""), w.register(""), w.register("")
	w.sleep(time.Hour)
	w.clients.Used(t.Context(), w.client(used))
	if got := w.manage("PUT", updated, `{"client_id":"`+updated.text("client_id")+`",`+minimal[1:]); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	w.sleep(24 * time.Hour)
	for name, made := range map[string]reply{"never used": idle, "only updated": updated} {
		if _, err := w.clients.Client(t.Context(), made.text("client_id")); !errors.Is(err, broker.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.sleep(8 * 24 * time.Hour)
	w.clients.Used(t.Context(), w.client(used))
	w.sleep(10 * 24 * time.Hour)
	if _, err := w.clients.Client(t.Context(), used.text("client_id")); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("not used any more: %v", err)
	}
}

// OpenID Connect Core §5.4: claims of scopes are userinfo's, unless an operator says
// otherwise.
func TestIDTokensOfRegisteredClients(t *testing.T) {
	t.Parallel()
	for _, full := range []bool{false, true} {
		p := openPolicy()
		p.FullIDToken = full
		w := newWorld(t, p)
		if client := w.client(w.register("")); client.MinimalIDToken == full {
			t.Errorf("full is %v, and minimal %v", full, client.MinimalIDToken)
		}
	}
}
