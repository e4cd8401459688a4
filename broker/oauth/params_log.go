package oauth

import (
	"log/slog"
	"slices"
	"strings"
)

// maxLogged bounds one logged value in bytes.
const maxLogged = 256

// Loggable returns the parameters of an endpoint's allow-list, for its log lines. A name must be listed only if no
// client, well-behaved or not, puts a secret there. Long values are cut.
func (p Params) Loggable(allow ...string) slog.Value {
	var attrs []slog.Attr
	for _, f := range p.fields {
		if slices.Contains(allow, f.Name) {
			attrs = append(attrs, slog.String(f.Name, strings.ToValidUTF8(f.Value[:min(len(f.Value), maxLogged)], "?")))
		}
	}
	return slog.GroupValue(attrs...)
}

// String is the names without the values, so that a stray %v in a log line gives no secret away.
func (p Params) String() string { return "params(" + strings.Join(p.Names(), " ") + ")" }

// GoString is String: %#v would print the values.
func (p Params) GoString() string { return p.String() }

// LogValue is the names without the values.
func (p Params) LogValue() slog.Value { return slog.AnyValue(p.Names()) }
