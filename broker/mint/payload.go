package mint

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// payload is the JSON object of a JWT's claims while it is written, in a fixed order. Empty values are left out: a
// claim that says nothing is a fault to OpenID Connect (Core §5.3.2) and to its conformance suite.
type payload []byte

// newPayload begins an object with room for most tokens.
func newPayload() payload { return append(make(payload, 0, 1024), '{') }

// done ends the object.
func (p payload) done() []byte { return append(p, '}') }

// name writes the name of a member. Names are constants of this package and need no escaping.
func (p *payload) name(name string) {
	if len(*p) > 1 {
		*p = append(*p, ',')
	}
	*p = append(*p, '"')
	*p = append(*p, name...)
	*p = append(*p, '"', ':')
}

func (p *payload) text(name, value string) {
	if value == "" {
		return
	}
	p.name(name)
	p.value(value)
}

func (p *payload) texts(name string, values []string) {
	if len(values) == 0 {
		return
	}
	p.name(name)
	*p = append(*p, '[')
	for i, v := range values {
		if i > 0 {
			*p = append(*p, ',')
		}
		p.value(v)
	}
	*p = append(*p, ']')
}

// audience writes one value as a string and several as an array (RFC 7519 §4.1.3).
func (p *payload) audience(values []string) {
	if len(values) == 1 {
		p.text("aud", values[0])
		return
	}
	p.texts("aud", values)
}

// time writes a NumericDate in whole seconds (RFC 7519 §2).
func (p *payload) time(name string, t time.Time) {
	p.name(name)
	*p = strconv.AppendInt(*p, t.Unix(), 10)
}

func (p *payload) number(name string, n uint64) {
	p.name(name)
	*p = strconv.AppendUint(*p, n, 10)
}

func (p *payload) flag(name string, value *bool) {
	if value == nil {
		return
	}
	p.name(name)
	*p = strconv.AppendBool(*p, *value)
}

// value writes a JSON string. What is not plain ASCII is left to encoding/json, which also replaces invalid UTF-8.
func (p *payload) value(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			text, err := json.Marshal(s)
			if err != nil {
				panic(fmt.Sprintf("mint: encoding a string: %v", err)) // strings always encode
			}
			*p = append(*p, text...)
			return
		}
	}
	*p = append(*p, '"')
	*p = append(*p, s...)
	*p = append(*p, '"')
}
