package audit

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

func counting(t *testing.T) (*Recorder, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	m, err := NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	return &Recorder{Log: slog.New(slog.DiscardHandler), Metrics: m}, registry
}

func TestCounters(t *testing.T) {
	t.Parallel()
	r, registry := counting(t)
	for range 2 {
		r.Committed(t.Context(), event())
	}
	r.Committed(t.Context(), broker.Event{Type: broker.EventKeysReplaced})
	r.Refused(t.Context(), Refusal{Endpoint: Token, Code: oauth.InvalidGrant})
	r.Refused(t.Context(), Refusal{Endpoint: Callback})
	want := []string{
		`gatehouse_events_total{connector="",type="keys_replaced"} 1`,
		`gatehouse_events_total{connector="corp",type="code_redeemed"} 2`,
		`gatehouse_refusals_total{code="",endpoint="callback"} 1`,
		`gatehouse_refusals_total{code="invalid_grant",endpoint="token"} 1`,
	}
	if got := series(t, registry); !slices.Equal(got, want) {
		t.Errorf("counted\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// series returns what a scrape would see, one line for each counter.
func series(t *testing.T, registry *prometheus.Registry) (lines []string) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			lines = append(lines, fmt.Sprintf("%s{%s} %v", family.GetName(), strings.Join(labels, ","), m.GetCounter().GetValue()))
		}
	}
	return lines
}

// I11: whoever sends requests cannot make series.
func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	r, registry := counting(t)
	for i := range 1000 {
		name := fmt.Sprint("made-up-", i)
		r.Committed(t.Context(), broker.Event{Type: broker.EventType(name), Connector: name})
		r.Refused(t.Context(), Refusal{Endpoint: Endpoint(name), Code: oauth.Code(name), ClientID: name})
	}
	if n := len(series(t, registry)); n != maxConnectors+2 {
		t.Errorf("%d series", n)
	}
}

func TestMetricsAreRegisteredOnce(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	if _, err := NewMetrics(registry); err != nil {
		t.Fatal(err)
	}
	if _, err := NewMetrics(registry); err == nil {
		t.Error("registered twice")
	}
}

// An event or error code that is added elsewhere has to be added to the labels too, or it would be counted as "other".
func TestLabelsAreComplete(t *testing.T) {
	t.Parallel()
	for _, value := range constants(t, "../event.go", "EventType") {
		if known(broker.EventType(value), eventTypes()) == other {
			t.Errorf("event %q is counted as other", value)
		}
	}
	for _, value := range constants(t, "recorder.go", "Endpoint") {
		if known(Endpoint(value), endpoints()) == other {
			t.Errorf("endpoint %q is counted as other", value)
		}
	}
	for _, value := range constants(t, "../oauth/code.go", "Code") {
		if known(oauth.Code(value), codes()) == other {
			t.Errorf("code %q is counted as other", value)
		}
	}
}

// constants returns the string constants of a type that a file declares.
func constants(t *testing.T, file, typ string) (values []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == typ {
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok {
					value, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					values = append(values, value)
				}
			}
		}
		return true
	})
	if len(values) == 0 {
		t.Fatalf("no constants of type %s in %s", typ, file)
	}
	return values
}

func BenchmarkCommitted(b *testing.B) {
	m, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	r := &Recorder{Log: slog.New(slog.NewTextHandler(discard{}, nil)), Metrics: m}
	b.ReportAllocs()
	for b.Loop() {
		r.Committed(b.Context(), event())
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
