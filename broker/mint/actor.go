package mint

import (
	"encoding/json"

	"gatehouse/broker/jose"
	"gatehouse/broker/policy"
)

// readActor reads an act claim as it is written here: sub, and act where there was somebody before. false for anything
// else, a chain longer than [MaxActors] included.
func readActor(raw json.RawMessage, left int) (*Actor, bool) {
	members, err := jose.StrictObject(raw)
	if err != nil || left == 0 {
		return nil, false
	}
	a := &Actor{}
	for name, value := range members {
		switch name {
		case "sub":
			if json.Unmarshal(value, &a.Subject) != nil {
				return nil, false
			}
		case "act":
			var ok bool
			if a.Before, ok = readActor(value, left-1); !ok {
				return nil, false
			}
		default:
			return nil, false
		}
	}
	return a, policy.ValidSubject(a.Subject)
}

// actorsOf reads act and may_act of a token; false when one is there that was not written here.
func actorsOf(members map[string]json.RawMessage) (act *Actor, mayAct string, ok bool) {
	if raw, has := members["act"]; has {
		if act, ok = readActor(raw, MaxActors); !ok {
			return nil, "", false
		}
	}
	if raw, has := members["may_act"]; has {
		one, ok := readActor(raw, 1)
		if !ok {
			return nil, "", false
		}
		mayAct = one.Subject
	}
	return act, mayAct, true
}
