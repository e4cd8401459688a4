package storetest

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"gatehouse/broker"
)

// switches are the rules about turning clients and connectors off.
func switches() []rule {
	return []rule{
		{"nothing recorded means on, at epoch zero", switchUnset},
		{"turning off moves the epoch, turning on does not", switchTurned},
		{"turning it the way it is changes nothing", switchSame},
		{"a client and a connector of one name are two things", switchKinds},
	}
}

func (f *fixture) switchOf(kind broker.SwitchKind, id string) broker.Switch {
	f.t.Helper()
	sw, err := f.Switch(f.t.Context(), kind, id)
	if err != nil {
		f.t.Fatalf("Switch: %v", err)
	}
	return sw
}

func switchUnset(t *testing.T, f *fixture) {
	for _, kind := range []broker.SwitchKind{broker.ClientSwitch, broker.ConnectorSwitch} {
		for _, id := range []string{wiki, "", "no such"} {
			if sw := f.switchOf(kind, id); sw != (broker.Switch{}) {
				t.Errorf("%s %q: %+v", kind, id, sw)
			}
		}
	}
}

func switchTurned(t *testing.T, f *fixture) {
	for kind, types := range map[broker.SwitchKind][2]broker.EventType{
		broker.ClientSwitch:    {broker.EventClientEnabled, broker.EventClientDisabled},
		broker.ConnectorSwitch: {broker.EventConnectorEnabled, broker.EventConnectorDisabled},
	} {
		for epoch := uint64(1); epoch < 3; epoch++ {
			for _, disabled := range []bool{true, false} {
				wanted := broker.Event{Type: types[0], At: f.now, RequestID: "req-1", Address: "192.0.2.1"}
				if disabled {
					wanted.Type = types[1]
				}
				if kind == broker.ClientSwitch {
					wanted.ClientID = "x"
				} else {
					wanted.Connector = "x"
				}
				f.commitsOnce(t, func() {
					f.wrote(t, wanted, func() { must(t, "SetSwitch", f.SetSwitch(t.Context(), kind, "x", disabled, f.event())) })
				})
				if sw := f.switchOf(kind, "x"); sw.Disabled != disabled || sw.Epoch != epoch {
					t.Errorf("%s: %+v, want %v at epoch %d", kind, sw, disabled, epoch)
				}
			}
		}
	}
}

func switchSame(t *testing.T, f *fixture) {
	f.signedIn("ada", wiki, false)
	for _, disabled := range []bool{false, true, false} {
		must(t, "SetSwitch", f.SetSwitch(t.Context(), broker.ClientSwitch, wiki, disabled, f.event()))
		f.unchanged(t, func() {
			must(t, "again", f.SetSwitch(t.Context(), broker.ClientSwitch, wiki, disabled, f.event()))
		})
	}
}

func switchKinds(t *testing.T, f *fixture) {
	must(t, "SetSwitch", f.SetSwitch(t.Context(), broker.ClientSwitch, google, true, f.event()))
	if sw := f.switchOf(broker.ConnectorSwitch, google); sw.Disabled || sw.Epoch != 0 {
		t.Errorf("the connector was turned off too: %+v", sw)
	}
	f.unchanged(t, func() {
		if err := f.SetSwitch(t.Context(), "account", "x", true, f.event()); err == nil {
			t.Error("a kind that does not exist was switched")
		}
	})
}

// keys are the rules about the set of signing keys.
func keys() []rule {
	return []rule{
		{"a new store has no keys", noKeys},
		{"a set is read back as it was stored", keysRead},
		{"a set replaces the one before, in one commit", keysReplaced},
		{"a set built on an old version is a conflict", keysConflict},
		{"a set with one ID twice is refused", keysTwice},
	}
}

func (f *fixture) key(id string) broker.Key {
	return broker.Key{
		ID: id, Algorithm: "ES256", Private: []byte("private part of " + id),
		PublishAt: f.now, SignAt: f.now.Add(time.Hour), RetireAt: f.now.Add(2 * time.Hour),
		WithdrawAt: f.now.Add(3 * time.Hour), ForgetAt: f.now.Add(4 * time.Hour),
	}
}

// keysAre checks the current set, whatever its order, and returns its version.
func (f *fixture) keysAre(t *testing.T, wanted ...broker.Key) uint64 {
	t.Helper()
	set, version, err := f.Keys(t.Context())
	must(t, "Keys", err)
	if len(set) != len(wanted) {
		t.Fatalf("%d keys, want %d", len(set), len(wanted))
	}
	for _, w := range wanted {
		found := false
		for _, k := range set {
			found = found || k.ID == w.ID && k.Algorithm == w.Algorithm && bytes.Equal(k.Private, w.Private) &&
				k.PublishAt.Equal(w.PublishAt) && k.SignAt.Equal(w.SignAt) && k.RetireAt.Equal(w.RetireAt) &&
				k.WithdrawAt.Equal(w.WithdrawAt) && k.ForgetAt.Equal(w.ForgetAt)
		}
		if !found {
			t.Errorf("keys %+v, want %+v among them", set, w)
		}
	}
	return version
}

func noKeys(t *testing.T, f *fixture) { f.keysAre(t) }

func keysRead(t *testing.T, f *fixture) {
	set := []broker.Key{f.key("b"), f.key("a"), f.key("c")}
	given := append([]broker.Key(nil), set...)
	must(t, "ReplaceKeys", f.ReplaceKeys(t.Context(), f.keysAre(t), set, f.event()))
	f.keysAre(t, given...)
	if !reflect.DeepEqual(set, given) {
		t.Error("the caller's keys were changed")
	}
}

func keysReplaced(t *testing.T, f *fixture) {
	version := f.keysAre(t)
	must(t, "ReplaceKeys", f.ReplaceKeys(t.Context(), version, []broker.Key{f.key("a"), f.key("b")}, f.event()))
	next := f.keysAre(t, f.key("a"), f.key("b"))
	if next == version {
		t.Error("the version did not change")
	}
	renewed := f.key("b")
	renewed.RetireAt = f.now.Add(time.Minute)
	wanted := broker.Event{Type: broker.EventKeysReplaced, At: f.now, RequestID: "req-1", Address: "192.0.2.1"}
	f.commitsOnce(t, func() {
		f.wrote(t, wanted, func() {
			must(t, "ReplaceKeys", f.ReplaceKeys(t.Context(), next, []broker.Key{renewed, f.key("c")}, f.event()))
		})
	})
	f.keysAre(t, renewed, f.key("c"))
}

func keysConflict(t *testing.T, f *fixture) {
	version := f.keysAre(t)
	must(t, "ReplaceKeys", f.ReplaceKeys(t.Context(), version, []broker.Key{f.key("a")}, f.event()))
	f.unchanged(t, func() {
		for _, old := range []uint64{version, version + 17} {
			want(t, "an old version", f.ReplaceKeys(t.Context(), old, []broker.Key{f.key("b")}, f.event()), broker.ErrConflict)
		}
	})
}

func keysTwice(t *testing.T, f *fixture) {
	version := f.keysAre(t)
	f.unchanged(t, func() {
		for _, set := range [][]broker.Key{{f.key("a"), f.key("a")}, {f.key("")}} {
			if err := f.ReplaceKeys(t.Context(), version, set, f.event()); err == nil {
				t.Errorf("%d keys with a bad ID were stored", len(set))
			}
		}
	})
}
