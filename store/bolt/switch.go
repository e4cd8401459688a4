package bolt

import (
	"context"
	"fmt"
	"time"

	"gatehouse/broker"
)

// Switch implements [broker.Switches].
func (s *Store) Switch(ctx context.Context, kind broker.SwitchKind, id string) (broker.Switch, error) {
	var sw broker.Switch
	err := s.view(ctx, func(v *view) error {
		sw = v.toggle(kind, id)
		return nil
	})
	return sw, err
}

// SetSwitch implements [broker.Switches]. What is so already stays without a commit.
func (s *Store) SetSwitch(ctx context.Context, kind broker.SwitchKind, id string, disabled bool, e broker.Event) error {
	what, err := switched(kind, disabled)
	if err != nil || id == "" {
		return fmt.Errorf("bolt: no such switch: %s %q", kind, id)
	}
	return s.update(ctx, func(t *txn) error {
		sw := t.toggle(kind, id)
		if sw.Disabled == disabled {
			return nil
		}
		sw.Disabled = disabled
		if disabled {
			sw.Epoch++ // turning it on later revives nothing
		}
		t.putSwitch(kind, id, &sw)
		e := fill(e, what, time.Time{}, &broker.State{})
		if kind == broker.ClientSwitch {
			e.ClientID = id
		} else {
			e.Connector = id
		}
		t.recordEvent(&e)
		return nil
	})
}

func switched(kind broker.SwitchKind, disabled bool) (broker.EventType, error) {
	switch {
	case kind == broker.ClientSwitch && disabled:
		return broker.EventClientDisabled, nil
	case kind == broker.ClientSwitch:
		return broker.EventClientEnabled, nil
	case kind == broker.ConnectorSwitch && disabled:
		return broker.EventConnectorDisabled, nil
	case kind == broker.ConnectorSwitch:
		return broker.EventConnectorEnabled, nil
	}
	return "", broker.ErrNotFound
}
