package jose

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shape knows the member names of the objects at one place of a document. encoding/json takes "SUB" and even "ſub" for
// "sub" where that is what the struct asks for; the scanner refuses a name that matches a known one only that way.
// A nil shape knows no names.
type shape struct {
	members map[string]known // by folded name
	element *shape           // of what is in an array, or in a map whatever the name
}

type known struct {
	name  string // exact
	shape *shape
}

func shapeOf(names ...string) *shape {
	s := &shape{members: make(map[string]known, len(names))}
	for _, n := range names {
		s.members[string(fold(nil, []byte(n)))] = known{name: n}
	}
	return s
}

func (s *shape) elementShape() *shape {
	if s == nil {
		return nil
	}
	return s.element
}

// memberShape returns the shape of the member of that name, and whether the name may stand: false for one that is not
// a known name but would be taken for it.
func (s *shape) memberShape(name []byte) (*shape, bool) {
	if s == nil {
		return nil, true
	}
	if s.members == nil {
		return s.element, true
	}
	var buf [64]byte
	k, ok := s.members[string(fold(buf[:0], name))]
	if !ok {
		return nil, true
	}
	return k.shape, k.name == string(name)
}

// fold appends one and the same text for all names that encoding/json takes for equal: those that differ by simple
// Unicode case folding, so that U+017F is an s and U+212A a k.
func fold(dst, name []byte) []byte {
	for i := 0; i < len(name); {
		c := name[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(name[i:])
		least := r
		for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
			least = min(least, o)
		}
		if 'A' <= least && least <= 'Z' {
			least += 'a' - 'A'
		}
		dst = utf8.AppendRune(dst, least)
		i += size
	}
	return dst
}

// shapeOfType returns the shape of what encoding/json decodes into t. Types that decode themselves have none.
func shapeOfType(t reflect.Type) *shape {
	return typeShapes{}.of(t)
}

// typeShapes holds the types met so far, because a type may contain itself.
type typeShapes map[reflect.Type]*shape

func (m typeShapes) of(t reflect.Type) *shape {
	for t != nil && t.Kind() == reflect.Pointer {
		if decodesItself(t) {
			return nil
		}
		t = t.Elem()
	}
	if t == nil || decodesItself(reflect.PointerTo(t)) {
		return nil
	}
	if s, ok := m[t]; ok {
		return s
	}
	s := &shape{}
	m[t] = s
	switch t.Kind() {
	case reflect.Struct:
		s.members = make(map[string]known, t.NumField())
		m.addFields(s, t)
	case reflect.Map, reflect.Slice, reflect.Array:
		s.element = m.of(t.Elem())
	default:
		delete(m, t)
		return nil
	}
	return s
}

// addFields enters the fields of t the way encoding/json finds them: by tag, else by name, and embedded structs
// flattened, after the struct's own fields because those hide theirs.
func (m typeShapes) addFields(s *shape, t reflect.Type) {
	var embedded []reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		if inner := embeddedStruct(f); inner != nil && name == "" {
			embedded = append(embedded, inner)
			continue
		}
		if tag == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		folded := string(fold(nil, []byte(name)))
		if _, hidden := s.members[folded]; !hidden {
			s.members[folded] = known{name: name, shape: m.of(f.Type)}
		}
	}
	for _, inner := range embedded {
		m.addEmbedded(s, inner)
	}
}

func embeddedStruct(f reflect.StructField) reflect.Type {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !f.Anonymous || t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

// addEmbedded flattens an embedded struct, once: a struct that embeds a pointer to itself would go on for ever.
func (m typeShapes) addEmbedded(s *shape, t reflect.Type) {
	if _, open := m[t]; open {
		return
	}
	m[t] = s
	m.addFields(s, t)
	delete(m, t)
}

func decodesItself(pointer reflect.Type) bool {
	return pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) || pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}
