package server

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the process's own series:
//
//	gatehouse_http_request_duration_seconds{route, status}  answers, by route pattern and class of status
//	gatehouse_build_info{version}                           always 1
//	gatehouse_connector_credential_expiry_timestamp_seconds{connector, credential}
//	                                                        the end of certificates and secrets at upstreams
type metrics struct {
	registry *prometheus.Registry
	answers  *prometheus.HistogramVec
}

func newMetrics(registry *prometheus.Registry, version string) (*metrics, error) {
	m := &metrics{registry: registry, answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "gatehouse_http_request_duration_seconds", Help: "Time to answer a request, by route and class of status.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
	}, []string{"route", "status"})}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "gatehouse_build_info", Help: "The running version.",
		ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	for _, c := range []prometheus.Collector{m.answers, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// observe counts an answer. Only patterns we registered become label values, so
// that nobody can make series by asking for paths.
func (m *metrics) observe(pattern string, status int, took time.Duration) {
	route := "none"
	if _, path, ok := strings.Cut(pattern, " "); ok {
		route = path
	}
	m.answers.WithLabelValues(route, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
