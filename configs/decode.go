package configs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"gatehouse/connectors"
)

// decoder fills structs from YAML nodes. Unlike the library's own it goes on after a problem, and remembers the line of
// every key, so that what Validate finds later can be placed too.
type decoder struct {
	file  string
	types Types
	// later holds keys that are known but belong to another version, with what to say about each.
	later    map[string]string
	lines    map[string]int
	failed   map[string]bool
	problems []Problem
}

// fail records a problem with the value at path. Validate is not heard about that path or what is below it: the
// value it saw is not the one in the file.
func (d *decoder) fail(line int, path, format string, args ...any) {
	d.failed[path] = true
	d.problems = append(d.problems, Problem{d.file, line, path, fmt.Sprintf(format, args...)})
}

// judged reports whether path, or something it is part of, has a problem already. The path "" is the whole file.
func (d *decoder) judged(path string) bool {
	for p := path; p != ""; p = parent(p) {
		if d.failed[p] {
			return true
		}
	}
	return d.failed[""]
}

// add places problems that were found in the decoded values.
func (d *decoder) add(found []connectors.Problem) {
	for _, f := range found {
		if d.judged(f.Path) {
			continue
		}
		d.problems = append(d.problems, Problem{d.file, d.line(f.Path), f.Path, f.Message})
	}
}

// line returns the line of a path, or of the nearest thing around it that the file has.
func (d *decoder) line(path string) int {
	for p := path; p != ""; p = parent(p) {
		if line, ok := d.lines[p]; ok {
			return line
		}
	}
	return 0
}

// err is every problem, in the order of the lines; nil when there is none.
func (d *decoder) err() error {
	if len(d.problems) == 0 {
		return nil
	}
	sortProblems(d.problems)
	return &Problems{d.problems}
}

// value decodes n into v, which is addressable.
func (d *decoder) value(n ast.Node, v reflect.Value, path string) {
	if d.special(n, v, path) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), path)
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	case reflect.Map:
		d.dictionary(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

// structure decodes a mapping into the fields named by yaml tags.
func (d *decoder) structure(n ast.Node, v reflect.Value, path string) {
	pairs, ok := mapping(n)
	if !ok {
		d.fail(lineOf(n), path, "must be a mapping of keys to values")
		return
	}
	fields := fieldsOf(v.Type())
	for _, p := range d.unique(pairs, path) {
		index, known := fields.index[p.key]
		if !known {
			d.unknown(p, path, fields.names)
			continue
		}
		if empty(p.value) {
			// Sections and lists whose every line is commented out are common; anywhere else nothing means forgotten,
			// and in a rule such as allow it would mean everybody.
			if kind := v.FieldByIndex(index).Kind(); path == "" && (kind == reflect.Struct || kind == reflect.Slice) {
				continue
			}
			d.fail(p.line, p.path, "has no value: give it one or remove the key")
			continue
		}
		d.value(p.value, v.FieldByIndex(index), p.path)
	}
}

// unknown explains a key that is not known.
func (d *decoder) unknown(p pair, path string, known []string) {
	if why, ok := d.later[withoutIndices(p.path)]; ok {
		d.fail(p.line, p.path, "%s", why)
		return
	}
	if near := nearest(p.key, known); near != "" {
		// What was meant is not missing as well.
		d.failed[join(path, near)] = true
		d.fail(p.line, p.path, "unknown key: did you mean %s?", near)
		return
	}
	d.fail(p.line, p.path, "unknown key: known here are %s", strings.Join(known, ", "))
}

// list decodes a sequence. A present list is never nil, so that an empty one can be told from an absent one.
func (d *decoder) list(n ast.Node, v reflect.Value, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.fail(lineOf(n), path, "must be a list: write [a, b] or one entry a line behind a dash")
		return
	}
	if len(seq.Values) == 0 && strings.HasPrefix(path, "connectors[") {
		// Rules of admission are lists there, and whoever empties one does not mean to let everybody in.
		d.fail(lineOf(n), path, "is an empty list: fill it, or remove the key if no restriction is meant")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	for i, entry := range seq.Values {
		p := element(path, i)
		d.lines[p] = lineOf(entry)
		if empty(entry) {
			d.fail(lineOf(entry), p, "has no value: give it one or remove the entry")
			continue
		}
		d.value(entry, v.Index(i), p)
	}
}

// dictionary decodes a mapping whose keys are free text.
func (d *decoder) dictionary(n ast.Node, v reflect.Value, path string) {
	pairs, ok := mapping(n)
	if !ok || v.Type().Key().Kind() != reflect.String {
		d.fail(lineOf(n), path, "must be a mapping of names to values")
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(pairs)))
	for _, p := range d.unique(pairs, path) {
		if empty(p.value) {
			d.fail(p.line, p.path, "has no value: give it one or remove the key")
			continue
		}
		one := reflect.New(v.Type().Elem()).Elem()
		d.value(p.value, one, p.path)
		v.SetMapIndex(reflect.ValueOf(p.key).Convert(v.Type().Key()), one)
	}
}

// pair is a key with its value and where it stands.
type pair struct {
	key, path string
	line      int
	value     ast.Node
}

func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// unique returns the pairs of a mapping less those whose key was there before, which are problems.
func (d *decoder) unique(nodes []*ast.MappingValueNode, path string) []pair {
	var out []pair
	seen := make(map[string]int, len(nodes))
	for _, n := range nodes {
		key := n.Key.GetToken().Value
		p := pair{key, join(path, key), lineOf(n.Key), n.Value}
		if first, again := seen[key]; again {
			d.fail(p.line, p.path, "is given twice, here and on line %d: keep one", first)
			continue
		}
		seen[key] = p.line
		d.lines[p.path] = p.line
		out = append(out, p)
	}
	return out
}

func empty(n ast.Node) bool {
	_, null := n.(*ast.NullNode)
	return n == nil || null
}

// fields are the keys of a struct.
type fields struct {
	names []string
	index map[string][]int
}

// fieldsOf reads the yaml tags of a struct. Fields without one are not keys; inline structs lend theirs.
func fieldsOf(t reflect.Type) fields {
	f := fields{index: make(map[string][]int)}
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "inline" && field.Type.Kind() == reflect.Struct:
			inner := fieldsOf(field.Type)
			for _, n := range inner.names {
				f.names = append(f.names, n)
				f.index[n] = slices.Concat([]int{i}, inner.index[n])
			}
		case name != "" && name != "-" && field.IsExported():
			f.names = append(f.names, name)
			f.index[name] = []int{i}
		}
	}
	return f
}
