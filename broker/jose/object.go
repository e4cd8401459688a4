package jose

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// StrictUnmarshal decodes one JSON document into v like json.Unmarshal, but refuses what has more than one reading: a
// member twice in an object at any depth, a member that encoding/json would take for one of v's though its case
// differs, invalid UTF-8, unpaired surrogates, NUL, more than 32 levels, and data behind the end. Members that v does
// not know are ignored (RFC 7519 §4, OIDC Discovery §3). The caller bounds the size of data. All of
// that is [ErrMalformed], and so is a value of the wrong type; the error of an UnmarshalJSON method is wrapped in it.
//
// The shape of v's type is worked out at each call, some microseconds: fit for what a login fetches, not for inner loops.
func StrictUnmarshal(data []byte, v any) error {
	if err := scan(data, shapeOfType(reflect.TypeOf(v))); err != nil {
		return err
	}
	err := json.Unmarshal(data, v)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%w: %q is of a wrong type", ErrMalformed, wrong.Field) // its own text may repeat the value
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// StrictObject reads one JSON object under the same law as [StrictUnmarshal] and returns its members. Names that differ
// from a registered claim ("sub", "email", "groups" …) only in case are refused, because the next reader may not tell
// them apart. The values share memory with data.
func StrictObject(data []byte) (map[string]json.RawMessage, error) {
	members, err := scanObject(data, claimShape)
	if err != nil {
		return nil, err
	}
	return rawMap(members), nil
}

func rawMap(members []member) map[string]json.RawMessage {
	m := make(map[string]json.RawMessage, len(members))
	for _, member := range members {
		m[member.name] = member.raw
	}
	return m
}

// decodeString decodes a JSON string that the scanner has passed; false for any other type.
func decodeString(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	content := raw[1 : len(raw)-1]
	for _, c := range content {
		if c == '\\' {
			return string(unescape(content)), true
		}
	}
	return string(content), true
}

// decodeStrings decodes a JSON array of strings, or a single string as an array of one; false for anything else.
func decodeStrings(raw []byte) ([]string, bool) {
	if s, ok := decodeString(raw); ok {
		return []string{s}, true
	}
	if len(raw) == 0 || raw[0] != '[' {
		return nil, false
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, ok := decodeString(item)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}
