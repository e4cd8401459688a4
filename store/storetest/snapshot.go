package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gatehouse/broker"
)

// counter is what an engine offers that knows how often it has made something durable.
type counter interface{ Commits() uint64 }

// commits returns the number of durable commits so far, and whether the engine counts them.
func (f *fixture) commits() (uint64, bool) {
	c, ok := f.Store.(counter)
	if !ok {
		return 0, false
	}
	return c.Commits(), true
}

// snapshot is everything the public reads tell about what the fixture has made.
func (f *fixture) snapshot() string {
	f.t.Helper()
	var b strings.Builder
	note := func(what string, v any, err error) {
		if err != nil && !errors.Is(err, broker.ErrNotFound) {
			f.t.Fatalf("reading %s: %v", what, err)
		}
		text, jsonErr := json.Marshal(v)
		if jsonErr != nil {
			f.t.Fatalf("%s: %v", what, jsonErr)
		}
		fmt.Fprintf(&b, "%s: %s (%v)\n", what, text, err)
	}
	ctx := f.t.Context()
	for _, r := range f.refs {
		st, err := f.Session(ctx, r, wiki, "", f.now)
		note("session "+r.ID, st, err)
	}
	for _, id := range f.accounts {
		account, linked, err := f.Account(ctx, id)
		note("account "+id, account, err)
		note("identities "+id, linked, nil)
		for _, client := range []string{wiki, mail} {
			consent, err := f.Consent(ctx, id, client)
			note("consent "+id+" "+client, consent, err)
		}
	}
	for _, d := range f.identities {
		c, err := f.Credential(ctx, d)
		note(fmt.Sprintf("credential %x", d[:4]), c, err)
	}
	for _, id := range f.grants {
		st, err := f.Grant(ctx, id, f.now)
		note("grant "+id, st, err)
	}
	for _, d := range f.devices {
		device, err := f.Device(ctx, d.Key, d.ClientID)
		note(fmt.Sprintf("device %x", d.Key[:8]), device, err)
		device, err = f.DeviceByUserCode(ctx, d.UserCode, f.now)
		note(fmt.Sprintf("user code %x", d.UserCode[:4]), device, err)
	}
	for _, id := range f.clients {
		r, err := f.Registration(ctx, id, f.now)
		note("registration "+id, r, err)
	}
	for _, client := range []string{wiki, mail} {
		sw, err := f.Switch(ctx, broker.ClientSwitch, client)
		note("client "+client, sw, err)
	}
	for _, connector := range []string{google, github} {
		sw, err := f.Switch(ctx, broker.ConnectorSwitch, connector)
		note("connector "+connector, sw, err)
	}
	set, version, err := f.Keys(ctx)
	note("keys", set, err)
	note("keys version", version, nil)
	note("events", f.allEvents(), nil)
	return b.String()
}

// unchanged runs what must be refused and compares before and after (invariant I12).
func (f *fixture) unchanged(t *testing.T, refused func()) {
	t.Helper()
	before := f.snapshot()
	n, counted := f.commits()
	refused()
	if after := f.snapshot(); after != before {
		t.Errorf("a refusal changed something\nbefore:\n%s\nafter:\n%s", before, after)
	}
	if m, _ := f.commits(); counted && m != n {
		t.Errorf("a refusal made %d commits", m-n)
	}
}

// commitsOnce runs a verb that must make exactly one durable commit.
func (f *fixture) commitsOnce(t *testing.T, verb func()) {
	t.Helper()
	n, counted := f.commits()
	verb()
	if m, _ := f.commits(); counted && m != n+1 {
		t.Errorf("the verb made %d commits, want 1", m-n)
	}
}

// allEvents pages through the events.
func (f *fixture) allEvents() []broker.Event {
	f.t.Helper()
	var all []broker.Event
	cursor := ""
	for {
		page, next, err := f.Events(f.t.Context(), cursor, 7)
		if err != nil {
			f.t.Fatalf("Events: %v", err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		cursor = next
	}
}

// newEvents runs a verb and returns the events it wrote.
func (f *fixture) newEvents(verb func()) []broker.Event {
	f.t.Helper()
	before := len(f.allEvents())
	verb()
	return f.allEvents()[before:]
}

// wrote runs a verb and checks that it wrote exactly the one event.
func (f *fixture) wrote(t *testing.T, wanted broker.Event, verb func()) {
	t.Helper()
	got := f.newEvents(verb)
	if len(got) != 1 || !sameEvent(got[0], wanted) {
		t.Errorf("events %+v, want one %+v", got, wanted)
	}
}

func sameEvent(a, b broker.Event) bool {
	if !a.At.Equal(b.At) {
		return false
	}
	a.At = b.At // the same moment may come in another zone
	return a == b
}
