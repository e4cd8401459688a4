package configs

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"gatehouse/connectors"
)

// Types maps the type of a connector, as the file names it, to a function that makes its empty configuration: a
// pointer to a struct. Only cmd/broker knows which there are.
type Types map[string]func() connectors.Config

var connectorConfig = reflect.TypeFor[connectors.Config]()

// connector decodes one entry of connectors into the configuration that its type chooses.
func (d *decoder) connector(n ast.Node, v reflect.Value, path string) {
	pairs, ok := mapping(n)
	if !ok {
		d.fail(lineOf(n), path, "must be a mapping with id and type")
		return
	}
	names := slices.Sorted(maps.Keys(d.types))
	at := slices.IndexFunc(pairs, func(p *ast.MappingValueNode) bool { return p.Key.GetToken().Value == "type" })
	if at < 0 {
		// Without a type none of the other keys can be judged.
		d.fail(lineOf(n), path, "has no type: choose one of %s", strings.Join(names, ", "))
		return
	}
	name, _ := textOf(pairs[at].Value)
	empty, known := d.types[name]
	if !known {
		hint := ""
		if near := nearest(name, names); near != "" {
			hint = "did you mean " + near + "? "
		}
		d.fail(lineOf(pairs[at]), join(path, "type"), "unknown connector type: %sknown are %s", hint, strings.Join(names, ", "))
		d.failed[path] = true
		return
	}
	config := empty()
	d.value(n, reflect.ValueOf(config).Elem(), path)
	v.Set(reflect.ValueOf(config))
}

// reservedIDs are names that people would take for the broker's own.
func reservedIDs() []string { return []string{"broker", "gatehouse"} }

// validateConnectors checks every entry and that none is there twice. An entry that could not be read is nil.
func validateConnectors(list []connectors.Config) []connectors.Problem {
	var f faults
	if len(list) == 0 {
		f.add("", "needs at least one entry: somebody has to be able to sign in")
	}
	first := make(map[string]int)
	for i, c := range list {
		if c == nil {
			continue
		}
		path, id := element("", i), c.Base().ID
		f.under(path, c.Validate())
		if other, taken := first[id]; taken && id != "" {
			f.add(join(path, "id"), "is that of connectors[%d] too: identities belong to an id, choose another", other)
		} else {
			first[id] = i
		}
		if slices.Contains(reservedIDs(), id) {
			f.add(join(path, "id"), "%s is reserved: choose another", id)
		}
	}
	return f
}
