package bolt

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"gatehouse/broker"
)

// Events implements [broker.Events]. The cursor is the number of the last event returned; an event is found after it
// also when the sweeper has removed that one.
func (s *Store) Events(ctx context.Context, cursor string, limit int) ([]broker.Event, string, error) {
	after, err := parseCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	var events []broker.Event
	next := after
	err = s.view(ctx, func(v *view) error {
		c := v.bucket(eventKind).Cursor()
		for key, value := c.Seek(binary.BigEndian.AppendUint64(nil, after+1)); key != nil && len(events) < limit; key, value = c.Next() {
			e, err := openEvent(key, value)
			if err != nil {
				panic(damaged(eventKind, key))
			}
			events = append(events, e)
			next = binary.BigEndian.Uint64(key)
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return events, formatCursor(next), nil
}

func openEvent(key, value []byte) (broker.Event, error) {
	var e broker.Event
	d, err := open(eventKind, key, value)
	if err != nil || len(key) != 8 {
		return e, errDamaged
	}
	decodeEvent(&d, &e)
	return e, d.end()
}

func formatCursor(n uint64) string {
	if n == 0 {
		return ""
	}
	return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, n))
}

func parseCursor(cursor string) (uint64, error) {
	if cursor == "" {
		return 0, nil
	}
	b, err := hex.DecodeString(cursor)
	if err != nil || len(b) != 8 || b[0] >= 0x80 {
		return 0, errors.New("bolt: not a cursor of the events")
	}
	return binary.BigEndian.Uint64(b), nil
}
