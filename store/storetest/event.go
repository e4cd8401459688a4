package storetest

import (
	"testing"
	"time"

	"gatehouse/broker"
)

// events are the rules about the audit trail.
func events() []rule {
	return []rule{
		{"events are read in order of writing, whatever the clock said", eventsInOrder},
		{"a cursor continues where the page ended, also after more was written", eventsPaged},
		{"an event keeps every field that the caller gave", eventKept},
		{"what is no cursor is refused", eventsBadCursor},
	}
}

// turns writes n events that can be told apart by their request.
func (f *fixture) turns(names ...string) {
	f.t.Helper()
	for _, name := range names {
		e := f.event()
		e.RequestID = name
		must(f.t, "SetSwitch", f.SetSwitch(f.t.Context(), broker.ClientSwitch, "client of "+name, true, e))
	}
}

func eventsInOrder(t *testing.T, f *fixture) {
	f.turns("a")
	f.pass(-time.Hour)
	f.turns("b")
	f.pass(2 * time.Hour)
	f.turns("c")
	got := ""
	for _, e := range f.allEvents() {
		got += e.RequestID
	}
	if got != "abc" {
		t.Errorf("events in order %q, want abc", got)
	}
}

func eventsPaged(t *testing.T, f *fixture) {
	ctx := t.Context()
	page, cursor, err := f.Events(ctx, "", 10)
	if err != nil || len(page) != 0 {
		t.Fatalf("an empty trail: %v, error %v", page, err)
	}
	f.turns("a", "b", "c")
	page, cursor, err = f.Events(ctx, cursor, 2)
	if err != nil || len(page) != 2 || page[0].RequestID != "a" || page[1].RequestID != "b" {
		t.Fatalf("first page %+v, error %v", page, err)
	}
	f.turns("d")
	page, cursor, err = f.Events(ctx, cursor, 10)
	if err != nil || len(page) != 2 || page[0].RequestID != "c" || page[1].RequestID != "d" {
		t.Fatalf("second page %+v, error %v", page, err)
	}
	page, cursor, err = f.Events(ctx, cursor, 10)
	if err != nil || len(page) != 0 {
		t.Fatalf("third page %+v, error %v", page, err)
	}
	f.turns("e")
	page, _, err = f.Events(ctx, cursor, 10)
	if err != nil || len(page) != 1 || page[0].RequestID != "e" {
		t.Fatalf("fourth page %+v, error %v", page, err)
	}
}

func eventKept(t *testing.T, f *fixture) {
	v := f.signedIn("ada", wiki, false)
	given := broker.Event{Type: "custom", At: f.now.Add(-time.Second), RequestID: "req-9", Address: "2001:db8::1", Detail: "by_owner"}
	wanted := given
	wanted.AccountID = v.Account.ID
	wanted.ClientID = wiki
	wanted.Connector = google
	wanted.SessionID = v.Session.ID
	wanted.GrantID = v.Grant.ID
	f.wrote(t, wanted, func() { must(t, "RevokeGrant", f.RevokeGrant(t.Context(), v.Grant.ID, given)) })
}

func eventsBadCursor(t *testing.T, f *fixture) {
	f.turns("a")
	for _, cursor := range []string{"x", "..", "ffffffffffffffffffffffff", "ffffffffffffffff", "0"} {
		if page, _, err := f.Events(t.Context(), cursor, 10); err == nil && len(page) > 0 {
			t.Errorf("cursor %q led to %+v", cursor, page)
		}
	}
}
