package demo

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// jwt is a token taken apart to be looked at. Taking apart verifies nothing.
type jwt struct {
	// Parts are the three parts as they travel.
	Parts  [3]string
	Header []member
	Claims []member
}

// member is one line of a decoded token.
type member struct {
	Name, Value string
	// Meaning says in a few words what the member is for; empty if it is not known here.
	Meaning string
}

var errNotJWT = errors.New("not a JWT: there is nothing in it to read")

// decodeJWT takes a token in compact serialisation apart (RFC 7515 §3.1).
func decodeJWT(token string, now time.Time) (jwt, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return jwt{}, errNotJWT
	}
	t := jwt{Parts: [3]string(parts)}
	for i, into := range []*[]member{&t.Header, &t.Claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return jwt{}, errNotJWT
		}
		if *into, err = members(raw, now); err != nil {
			return jwt{}, errNotJWT
		}
	}
	return t, nil
}

// members reads a JSON object into lines: known members first, in the order of
// meanings, then the others by name.
func members(object []byte, now time.Time) ([]member, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	var doc map[string]any
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("reading a token: %w", err)
	}
	var lines []member
	for _, known := range meanings() {
		value, ok := doc[known.Name]
		if !ok {
			continue
		}
		known.Value = display(known.Name, value, now)
		lines = append(lines, known)
		delete(doc, known.Name)
	}
	known := len(lines)
	for name, value := range doc {
		lines = append(lines, member{Name: name, Value: display(name, value, now)})
	}
	slices.SortFunc(lines[known:], func(a, b member) int { return strings.Compare(a.Name, b.Name) })
	return lines, nil
}

// display renders a value: texts as they are, times also for people, the rest as JSON.
func display(name string, value any, now time.Time) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		if seconds, err := v.Int64(); err == nil && slices.Contains([]string{"iat", "nbf", "exp", "auth_time", "updated_at"}, name) {
			return fmt.Sprintf("%s (%s)", v, relative(time.Unix(seconds, 0), now))
		}
		return v.String()
	case []any:
		var words []string
		for _, element := range v {
			word, ok := element.(string)
			if !ok {
				return asJSON(value)
			}
			words = append(words, word)
		}
		return strings.Join(words, ", ")
	}
	return asJSON(value)
}

func asJSON(value any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // the page escapes
	if encoder.Encode(value) != nil {
		return "?"
	}
	return strings.TrimSpace(b.String())
}

// relative says when t is, seen from now.
func relative(t, now time.Time) string {
	d := t.Sub(now).Round(time.Second)
	switch {
	case d > 0:
		return t.UTC().Format(time.TimeOnly) + " UTC, in " + duration(d)
	case d < 0:
		return t.UTC().Format(time.TimeOnly) + " UTC, " + duration(-d) + " ago"
	}
	return t.UTC().Format(time.TimeOnly) + " UTC, now"
}

func duration(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
