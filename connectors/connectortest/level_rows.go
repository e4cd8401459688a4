package connectortest

import (
	"net/url"
	"testing"

	"gatehouse/broker"
	"gatehouse/connectors"
)

func levelRows() []row {
	return []row{
		{name: "UP-27 a level is asked for in the vendor's words, and proven by its own", test: testLevels, levels: true},
		{name: "UP-27 less than was asked for is not asserted, and refused elsewhere", test: testWeakerLevel, levels: true},
		{name: "UP-27 a level that the vendor does not know is not asserted", test: testUnprovenLevel},
	}
}

// Levels of the tests, as clients call them.
const (
	strong = "urn:example:strong"
	other  = "urn:example:other"
)

func (s Subject) withLevels(setup *Setup) {
	setup.Common.Assurance = connectors.Assurance{
		{Level: other, ACR: []string{"urn:nobody:says:this"}, Request: s.Levels.ACR},
		{Level: strong, ACR: []string{s.Levels.ACR}},
	}
}

func demanding(levels ...string) connectors.Login {
	l := NewLogin()
	l.ACRValues = levels
	return l
}

func testLevels(t *testing.T, s Subject) {
	b := s.Open(t, s.withLevels)
	read := s.Levels.Asked
	if read == nil {
		read = func(query url.Values) string {
			if v := query["acr_values"]; len(v) == 1 {
				return v[0]
			}
			return ""
		}
	}
	for _, tt := range []struct {
		name  string
		login connectors.Login
		want  string
	}{
		{"a level of the table", demanding(strong), s.Levels.ACR},
		{"a level that is asked for in other words than it is proven in", demanding(other), s.Levels.ACR},
		{"a level of nobody's", demanding("urn:example:unknown"), ""},
		{"the vendor's own word is no level of ours", demanding(s.Levels.ACR), ""},
		{"none", demanding(), ""},
	} {
		if got := read(b.Asked(t, tt.login)); got != tt.want {
			t.Errorf("%s: asked for %q, want %q", tt.name, got, tt.want)
		}
	}
	id, _, err := b.SignInWith(t, demanding(strong))
	if err != nil || id.Authentication.ACR != strong {
		t.Errorf("got level %q, %v", id.Authentication.ACR, err)
	}
	if d := b.Connector.Describe(); d.NoACR || len(d.Levels) != 2 || d.Levels[0] != other || d.Levels[1] != strong {
		t.Errorf("described with levels %q", d.Levels)
	}
}

func testWeakerLevel(t *testing.T, s Subject) {
	b := s.Open(t, s.withLevels)
	s.Levels.Weaken(b.Vendor)
	// Whether this is enough is decided in one place for all connectors, and not here.
	id, _, err := b.SignInWith(t, demanding(strong))
	if err != nil || id.Authentication.ACR != "" {
		t.Errorf("got level %q, %v", id.Authentication.ACR, err)
	}
}

func testUnprovenLevel(t *testing.T, s Subject) {
	b := s.Open(t, nil)
	var known broker.Authentication
	if s.Levels != nil {
		b = s.Open(t, s.withLevels)
	} else if d := b.Connector.Describe(); !d.NoACR {
		t.Error("the connector does not say that it knows of no level")
	}
	for _, level := range []string{other, "urn:example:unknown"} {
		id, _, err := b.SignInWith(t, demanding(level))
		if err == nil && (id.Authentication.ACR == level || s.Levels == nil && id.Authentication.ACR != known.ACR) {
			t.Errorf("%s was demanded, and %q is asserted", level, id.Authentication.ACR)
		}
	}
}
