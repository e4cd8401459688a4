package jose

import (
	"fmt"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may nest. Nothing that signs in a person needs a quarter of it, and every
// recursive reader behind this door (go-jose, encoding/json, CEL) is spared the deep ones (JW-10).
const maxDepth = 32

// linearNames is the number of members up to which comparing each with each is cheaper than a map.
const linearNames = 16

// scanner checks a JSON text (RFC 8259) in one pass, together with what the grammar leaves open and readers disagree on:
// members that occur twice, members that differ from a known name only in case, unpaired surrogates, invalid UTF-8, NUL.
type scanner struct {
	data  []byte
	pos   int
	depth int
	names [][]byte // of the members read so far of every object that is open, innermost last
	// members is where those of the outermost object are collected, in order.
	members []member
}

// member is one member of the outermost object. raw is its value without white space around it.
type member struct {
	name string
	raw  []byte
}

// scan checks that data is exactly one JSON value that keeps to shape.
func scan(data []byte, s *shape) error {
	sc := scanner{data: data}
	return sc.whole(s)
}

// scanObject is scan for a text that has to be an object; it returns the object's members.
func scanObject(data []byte, s *shape) ([]member, error) {
	sc := scanner{data: data, names: make([][]byte, 0, 24), members: make([]member, 0, 16)}
	sc.space()
	if sc.peek() != '{' {
		return nil, fmt.Errorf("%w: not a JSON object", ErrMalformed)
	}
	if err := sc.whole(s); err != nil {
		return nil, err
	}
	return sc.members, nil
}

func (s *scanner) whole(sh *shape) error {
	s.space()
	if err := s.value(sh); err != nil {
		return err
	}
	s.space()
	if s.pos != len(s.data) {
		return s.fail("data behind the end")
	}
	return nil
}

func (s *scanner) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrMalformed, what, s.pos)
}

// peek returns the byte at the position, and 0, which no JSON text holds outside of strings, at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) value(sh *shape) error {
	switch c := s.peek(); c {
	case '{':
		return s.nested(sh, s.object)
	case '[':
		return s.nested(sh, s.array)
	case '"':
		_, err := s.text()
		return err
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		if c == '-' || '0' <= c && c <= '9' {
			return s.number()
		}
		return s.fail("not a JSON value")
	}
}

func (s *scanner) nested(sh *shape, read func(*shape) error) error {
	if s.depth++; s.depth > maxDepth {
		return s.fail("nested too deep")
	}
	s.pos++ // the bracket
	s.space()
	err := read(sh)
	s.depth--
	return err
}

func (s *scanner) array(sh *shape) error {
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	element := sh.elementShape()
	for {
		s.space()
		if err := s.value(element); err != nil {
			return err
		}
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return nil
		default:
			return s.fail("comma or ] missing")
		}
	}
}

func (s *scanner) object(sh *shape) error {
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	first := len(s.names)
	var seen map[string]struct{} // once there are more than linearNames
	for {
		s.space()
		if err := s.oneMember(sh, first, &seen); err != nil {
			return err
		}
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			s.names = s.names[:first]
			return nil
		default:
			return s.fail("comma or } missing")
		}
	}
}

func (s *scanner) oneMember(sh *shape, first int, seen *map[string]struct{}) error {
	if s.peek() != '"' {
		return s.fail("member name missing")
	}
	name, err := s.text()
	if err != nil {
		return err
	}
	if s.repeated(name, first, seen) {
		return s.fail("member occurs twice")
	}
	s.names = append(s.names, name)
	child, exact := sh.memberShape(name)
	if !exact {
		return s.fail("member name differs from a known one in case only")
	}
	s.space()
	if s.peek() != ':' {
		return s.fail("colon missing")
	}
	s.pos++
	s.space()
	start := s.pos
	if err := s.value(child); err != nil {
		return err
	}
	if s.members != nil && s.depth == 1 {
		s.members = append(s.members, member{string(name), s.data[start:s.pos:s.pos]})
	}
	return nil
}

// repeated says whether the object whose names begin at first has this one already. Go's maps are seeded, so that
// names chosen to collide cost no more than others.
func (s *scanner) repeated(name []byte, first int, seen *map[string]struct{}) bool {
	known := s.names[first:]
	if len(known) <= linearNames {
		for _, k := range known {
			if string(k) == string(name) {
				return true
			}
		}
		return false
	}
	if *seen == nil {
		*seen = make(map[string]struct{}, 4*linearNames)
		for _, k := range known {
			(*seen)[string(k)] = struct{}{}
		}
	}
	if _, ok := (*seen)[string(name)]; ok {
		return true
	}
	(*seen)[string(name)] = struct{}{}
	return false
}

func (s *scanner) literal(word string) error {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return s.fail("not a JSON value")
	}
	s.pos += len(word)
	return nil
}

// number reads RFC 8259 §6: no leading zeros, no plus sign, digits on both sides of the point.
func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return s.fail("number without digits")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return s.fail("number without digits")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return s.fail("number without digits")
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

// text reads a string and returns its content, which shares memory with the input unless it has escapes.
func (s *scanner) text() ([]byte, error) {
	s.pos++ // the quotation mark
	start := s.pos
	escaped, ascii := false, true
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			content := s.data[start:s.pos:s.pos]
			if !ascii && !utf8.Valid(content) {
				return nil, s.fail("invalid UTF-8")
			}
			s.pos++
			if escaped {
				return unescape(content), nil
			}
			return content, nil
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return nil, err
			}
		case c < ' ':
			return nil, s.fail("control character in a string")
		default:
			ascii = ascii && c < utf8.RuneSelf
			s.pos++
		}
	}
	return nil, s.fail("string without end")
}
