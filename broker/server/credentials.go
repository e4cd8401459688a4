package server

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/connectors"
)

const (
	// expiryNotice is how long ahead the end of a credential is spoken of: long enough
	// for whoever has the rights at the upstream to be found.
	expiryNotice = 30 * 24 * time.Hour
	// remindEvery is how often the log does.
	remindEvery = 24 * time.Hour
)

// credential is something the broker authenticates with at an upstream, and when
// that ends.
type credential struct {
	connector, what string
	at              time.Time
}

// credentials asks the connectors, soonest end first. They answer from what they
// hold, so that a certificate replaced in its file is seen.
func (rt *runtime) credentials() []credential {
	var out []credential
	for id, connector := range rt.connectors {
		expirer, ok := connector.(connectors.Expirer)
		if !ok {
			continue
		}
		for _, e := range expirer.Expirations() {
			if !e.At.IsZero() {
				out = append(out, credential{id, e.What, e.At})
			}
		}
	}
	slices.SortFunc(out, func(a, b credential) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.connector, b.connector), cmp.Compare(a.what, b.what))
	})
	return out
}

// due are those whose end is near or past.
func due(all []credential, now time.Time) []credential {
	return slices.DeleteFunc(all, func(c credential) bool { return c.at.Sub(now) > expiryNotice })
}

// expired: a credential is good up to its end, and not at it.
func (c credential) expired(now time.Time) bool { return !now.Before(c.at) }

// daysLeft are whole days, negative once it has expired.
func (c credential) daysLeft(now time.Time) int {
	return int(math.Floor(c.at.Sub(now).Hours() / 24))
}

// reminder tells the log of credentials that end: at the start, when the
// configuration has changed, and then once a day. It belongs to one goroutine.
type reminder struct {
	log  *slog.Logger
	last time.Time
	of   *runtime
}

func (r *reminder) remind(ctx context.Context, rt *runtime, now time.Time) {
	// A clock that was set back must not silence it, hence both bounds.
	if since := now.Sub(r.last); r.of == rt && since >= 0 && since < remindEvery {
		return
	}
	r.of, r.last = rt, now
	for _, c := range due(rt.credentials(), now) {
		level, message := slog.LevelWarn, "what the broker authenticates with at an upstream expires soon: replace it in time"
		if c.expired(now) {
			level, message = slog.LevelError, "what the broker authenticates with at an upstream has expired: replace it"
		}
		r.log.Log(ctx, level, message, "connector", c.connector, "credential", c.what,
			"expires", c.at.UTC().Format(time.RFC3339), "days_left", c.daysLeft(now))
	}
}

// expiring is one entry of /readyz.
type expiring struct {
	Connector  string    `json:"connector"`
	Credential string    `json:"credential"`
	Expires    time.Time `json:"expires"`
	DaysLeft   int       `json:"days_left"`
	Expired    bool      `json:"expired"`
}

func expiringSoon(all []credential, now time.Time) []expiring {
	var out []expiring
	for _, c := range due(all, now) {
		out = append(out, expiring{c.connector, c.what, c.at.UTC(), c.daysLeft(now), c.expired(now)})
	}
	return out
}

// credentialExpiry is the series of the same, for every credential whose end is
// known. It is asked at each scrape, so that a reload leaves none behind.
type credentialExpiry struct {
	desc    *prometheus.Desc
	current func() []credential
}

func newCredentialExpiry(current func() []credential) *credentialExpiry {
	return &credentialExpiry{current: current, desc: prometheus.NewDesc("gatehouse_connector_credential_expiry_timestamp_seconds",
		"When a certificate, or a secret whose end is configured, expires at the upstream, in seconds since 1970.",
		[]string{"connector", "credential"}, nil)}
}

// Describe implements prometheus.Collector.
func (e *credentialExpiry) Describe(out chan<- *prometheus.Desc) { out <- e.desc }

// Collect implements prometheus.Collector. Of two with one name the sooner counts:
// two series with the same labels would fail the whole scrape.
func (e *credentialExpiry) Collect(out chan<- prometheus.Metric) {
	seen := map[string]bool{}
	for _, c := range e.current() {
		if key := fmt.Sprintf("%q %q", c.connector, c.what); !seen[key] {
			seen[key] = true
			out <- prometheus.MustNewConstMetric(e.desc, prometheus.GaugeValue, float64(c.at.Unix()), c.connector, c.what)
		}
	}
}
