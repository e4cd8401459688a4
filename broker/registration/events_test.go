package registration

import (
	"strings"
	"testing"

	"gatehouse/broker"
)

// Every change leaves an event that says which client, and a registration by what it
// was admitted; a refusal leaves none, and changes nothing (I12).
func TestChangesAreRecorded(t *testing.T) {
	t.Parallel()
	p := closedPolicy()
	p.Open = true
	w := newWorld(t, p)
	named := w.register("", bearer(initial)...)
	open := w.register("")
	w.manage("PUT", named, replacement(named, ""))
	for _, refused := range []reply{
		w.do("POST", "/register", `{}`), w.do("POST", "/register", minimal, bearer("wrong")...), w.manage("PUT", named, `{}`),
		w.do("DELETE", "/register/"+named.text("client_id"), ""), w.manage("GET", named, ""),
	} {
		if refused.status == 201 {
			t.Fatal(refused.body)
		}
	}
	w.manage("DELETE", named, "")
	events, _, err := w.store.Events(t.Context(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	want := []broker.Event{
		{Type: broker.EventClientRegistered, ClientID: named.text("client_id"), Detail: "partners"},
		{Type: broker.EventClientRegistered, ClientID: open.text("client_id"), Detail: "open"},
		{Type: broker.EventClientUpdated, ClientID: named.text("client_id")},
		{Type: broker.EventClientUnregistered, ClientID: named.text("client_id")},
	}
	if len(events) != len(want) {
		t.Fatalf("%d events, want %d: %+v", len(events), len(want), events)
	}
	for i, e := range events {
		w := want[i]
		w.At, w.RequestID, w.Address = e.At, "reference", "192.0.2.1"
		if e != w || !e.At.Equal(epoch) {
			t.Errorf("event %+v, want %+v", e, w)
		}
	}
	log := w.log.String()
	if strings.Count(log, "msg=committed") != 4 || strings.Count(log, "msg=refused") != 4 || strings.Count(log, "endpoint=registration") != 4 {
		t.Errorf("log:\n%s", log)
	}
	for _, secret := range []string{initial, "wrong", named.text("client_secret"), named.text("registration_access_token")} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}
