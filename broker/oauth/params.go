package oauth

import (
	"errors"
	"iter"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxFields bounds the fields of a form or query, the empty ones between two ampersands included.
const maxFields = 200

// Field is one parameter of a request or response.
type Field struct{ Name, Value string }

// Params are the parameters of one request: of its query or of its form, never of both. Order is kept. A parameter
// without a value is absent (RFC 6749 §3.1), and so is one that was repeated: which of its values was meant is not ours
// to guess. The zero value has no parameters.
//
// Printing or logging Params shows the names alone.
type Params struct {
	fields   []Field
	repeated []string
}

// ParseQuery reads rawQuery, a URL's query or a form's body, as application/x-www-form-urlencoded (RFC 6749 App. B).
// Bad percent-encoding, a semicolon, invalid UTF-8, NUL, a field without a name and more than 200 fields are
// invalid_request, and the Params are then empty.
//
// A repeated parameter is invalid_request as well (RFC 6749 §3.1, §3.2), but the rest can still be read: the Params hold
// all that came once, Repeated names what did not, and Duplicate tells this error from the others. An endpoint that
// can redirect its errors needs that: state doubled is an error for the client, client_id doubled is not.
// Only resource and audience may occur more than once (RFC 8707 §2, RFC 8693 §2.1); Values returns them all.
func ParseQuery(rawQuery string) (Params, error) {
	fields, err := splitFields(rawQuery)
	if err != nil {
		return Params{}, err
	}
	var p Params
	for i, f := range fields {
		if !repeatable(f.Name) && !slices.Contains(p.repeated, f.Name) &&
			slices.ContainsFunc(fields[:i], func(g Field) bool { return g.Name == f.Name }) {
			p.repeated = append(p.repeated, f.Name)
		}
	}
	p.fields = slices.DeleteFunc(fields, func(f Field) bool {
		return f.Value == "" || slices.Contains(p.repeated, f.Name)
	})
	if len(p.repeated) > 0 {
		name := p.repeated[0]
		return p, Errorf(InvalidRequest, "parameter %s is repeated", name).Because(repeatedError{name})
	}
	return p, nil
}

// With returns the parameters with fields in the place of those of the same names, repeated ones included.
func (p Params) With(fields []Field) Params {
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	out := p.Without(names...)
	for _, f := range fields {
		if f.Value != "" {
			out.fields = append(out.fields, f)
		}
	}
	return out
}

// Without returns the parameters but for those of the names.
func (p Params) Without(names ...string) Params {
	return Params{
		fields:   slices.DeleteFunc(slices.Clone(p.fields), func(f Field) bool { return slices.Contains(names, f.Name) }),
		repeated: slices.DeleteFunc(slices.Clone(p.repeated), func(name string) bool { return slices.Contains(names, name) }),
	}
}

// splitFields reads every field there is, also repeated ones and those without a value.
func splitFields(raw string) ([]Field, error) {
	if strings.Count(raw, "&") >= maxFields { // counted before anything is decoded: a stranger chose the length
		return nil, Errorf(InvalidRequest, "more than %d parameters", maxFields)
	}
	if strings.Contains(raw, ";") {
		// Some readers take a semicolon for a separator and see parameters that others do not.
		return nil, Errorf(InvalidRequest, "a semicolon must be percent-encoded")
	}
	var fields []Field
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		f := Field{}
		var err, err2 error
		f.Name, err = url.QueryUnescape(name)
		f.Value, err2 = url.QueryUnescape(value)
		switch {
		case err != nil || err2 != nil: // the cause would quote what may be a secret
			return nil, Errorf(InvalidRequest, "a parameter has bad percent-encoding")
		case f.Name == "":
			return nil, Errorf(InvalidRequest, "a parameter has no name")
		case !isText(f.Name) || !isText(f.Value):
			return nil, Errorf(InvalidRequest, "a parameter is not text in UTF-8")
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// isText reports whether s is UTF-8 without NUL, at which C programs and some databases stop reading.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// repeatable reports whether a specification lets a parameter occur more than once.
func repeatable(name string) bool { return name == "resource" || name == "audience" }

// repeatedError is the cause of the refusal of a repeated parameter.
type repeatedError struct{ name string }

// Error leaves the name out, which a stranger chose: Duplicate has it.
func (e repeatedError) Error() string { return "repeated parameter" }

// Duplicate reports whether err says that a parameter was repeated, and which (the first, if several were).
func Duplicate(err error) (name string, ok bool) {
	e, ok := errors.AsType[repeatedError](err)
	return e.name, ok
}

// Get returns the value of a parameter, of the first where several are allowed; empty when it is absent.
func (p Params) Get(name string) string {
	for _, f := range p.fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Has reports whether the parameter is there with a value.
func (p Params) Has(name string) bool { return p.Get(name) != "" }

// Values returns every value of a parameter that may occur more than once.
func (p Params) Values(name string) []string {
	var values []string
	for _, f := range p.fields {
		if f.Name == name {
			values = append(values, f.Value)
		}
	}
	return values
}

// Names returns the names of the parameters in order, each once.
func (p Params) Names() []string {
	var names []string
	for _, f := range p.fields {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// All yields names and values in the order in which they came.
func (p Params) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, f := range p.fields {
			if !yield(f.Name, f.Value) {
				return
			}
		}
	}
}

// Repeated returns the names of parameters that occurred more than once and must not. They are absent otherwise.
func (p Params) Repeated() []string { return slices.Clone(p.repeated) }

// Encode returns the parameters as a query or form body.
func (p Params) Encode() string { return encodeFields(p.fields) }
