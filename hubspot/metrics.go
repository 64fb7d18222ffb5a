package hubspot

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/background"
)

// Metrics are the metrics of contact sync.
type Metrics struct {
	contacts      *prometheus.CounterVec
	queueLength   prometheus.Gauge
	queueHeld     prometheus.Gauge
	queueOldest   prometheus.Gauge
	deadLetters   prometheus.Gauge
	rateRemaining prometheus.Gauge
	lost          prometheus.Counter
	rejected      *prometheus.CounterVec
	skipped       *prometheus.CounterVec
}

// result is the outcome of a queue entry: its end, or a retry.
type result string

const (
	created   result = "created"
	updated   result = "updated"
	unchanged result = "unchanged"
	retried   result = "retried"
	dead      result = "dead"
)

// NewMetrics registers the metrics with all label values. A nil registerer leaves them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "hubgate_hubspot_" + name, Help: help})
	}
	m := &Metrics{
		contacts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_hubspot_contacts_total", Help: "Contacts by result.",
		}, []string{"result"}),
		queueLength:   gauge("queue_length", "Entries in the contact queue that are due, delayed or in flight."),
		queueHeld:     gauge("queue_held", "Unchanged entries that are held until min_interval ends."),
		queueOldest:   gauge("queue_oldest_seconds", "Age of the oldest entry waiting to be sent."),
		deadLetters:   gauge("dead_letters", "Contacts that HubSpot rejected permanently."),
		rateRemaining: gauge("rate_remaining", "Calls remaining in the current window, as last reported by HubSpot."),
	}
	m.lost = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hubgate_hubspot_lost_total", Help: "Logins that could not be queued in Redis, or not be read again.",
	})
	for _, r := range []result{created, updated, unchanged, retried, dead} {
		m.contacts.WithLabelValues(string(r))
	}
	m.rejected = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hubgate_hubspot_rejected_properties_total", Help: "Values that did not reach HubSpot.",
	}, []string{"property", "reason"})
	m.skipped = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hubgate_hubspot_skipped_total", Help: "Logins of people who must not become contacts.",
	}, []string{"reason"})
	for _, r := range mapping.SkipReasons() {
		m.skipped.WithLabelValues(r)
	}
	if reg != nil {
		reg.MustRegister(m.contacts, m.queueLength, m.queueHeld, m.queueOldest, m.deadLetters, m.rateRemaining, m.lost,
			m.rejected, m.skipped)
	}
	return m
}

func (m *Metrics) count(r result) { m.contacts.WithLabelValues(string(r)).Inc() }

const gaugeEvery = time.Second

// exportGauges sets the gauges once a second, also while a call to HubSpot takes long.
func (c *Contacts) exportGauges(ctx context.Context) error {
	for {
		c.gauges(ctx)
		if !background.Sleep(ctx, gaugeEvery) {
			return nil
		}
	}
}

// gauges sets the gauges of the shared queue, which every replica exports.
func (c *Contacts) gauges(ctx context.Context) {
	s, err := c.outbox.Status(ctx)
	if err != nil {
		return
	}
	c.deps.Metrics.queueLength.Set(float64(s.Queued + s.Delayed + s.InFlight))
	c.deps.Metrics.queueHeld.Set(float64(s.Held))
	c.deps.Metrics.queueOldest.Set(s.OldestSeconds)
	c.deps.Metrics.deadLetters.Set(float64(s.Dead))
	if left, err := c.limits.Left(ctx); err == nil {
		c.deps.Metrics.rateRemaining.Set(float64(left))
	}
}
