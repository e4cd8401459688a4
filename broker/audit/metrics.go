package audit

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/broker"
)

const other = "other"

// maxConnectors bounds the values of the connector label. Connectors come from the configuration, so only one that is
// reloaded with ever new names reaches it; further ones are counted together.
const maxConnectors = 64

// Metrics are the counters of a [Recorder]. A nil *Metrics counts nothing.
type Metrics struct {
	events   *prometheus.CounterVec
	refusals *prometheus.CounterVec

	mu         sync.Mutex
	connectors map[string]bool
}

// NewMetrics makes the counters and registers them; registering them twice with one registry is an error.
//
//   - gatehouse_events_total counts committed events by type (the values of [broker.EventType]) and connector (its
//     configured ID, empty where the event has none).
//   - gatehouse_refusals_total counts refused requests by endpoint (the values of [Endpoint]) and code (the OAuth error
//     code, empty where a page was shown).
//
// A value outside these sets is counted as "other": nobody can make series by sending requests.
func NewMetrics(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_events_total", Help: "Facts committed to the store, by type and connector.",
		}, []string{"type", "connector"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_refusals_total", Help: "Requests refused, by endpoint and OAuth error code.",
		}, []string{"endpoint", "code"}),
		connectors: make(map[string]bool),
	}
	for _, c := range []prometheus.Collector{m.events, m.refusals} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Metrics) committed(e broker.Event) {
	if m == nil {
		return
	}
	m.events.WithLabelValues(known(e.Type, eventTypes()), m.connector(e.Connector)).Inc()
}

func (m *Metrics) refused(f Refusal) {
	if m == nil {
		return
	}
	code := ""
	if f.Code != "" {
		code = known(f.Code, codes())
	}
	m.refusals.WithLabelValues(known(f.Endpoint, endpoints()), code).Inc()
}

func (m *Metrics) connector(id string) string {
	if id == "" {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.connectors[id] {
		if len(m.connectors) == maxConnectors {
			return other
		}
		m.connectors[id] = true
	}
	return id
}

func known[T ~string](value T, values []T) string {
	if slices.Contains(values, value) {
		return string(value)
	}
	return other
}
