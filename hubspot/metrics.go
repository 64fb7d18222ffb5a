package hubspot

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what becomes of contacts.
type Metrics struct {
	contacts      *prometheus.CounterVec
	queueLength   prometheus.Gauge
	queueOldest   prometheus.Gauge
	deadLetters   prometheus.Gauge
	rateRemaining prometheus.Gauge
	lost          prometheus.Counter
}

// result is how an entry of the queue ended, or what happened to it on the way.
type result string

const (
	created   result = "created"
	updated   result = "updated"
	unchanged result = "unchanged"
	retried   result = "retried"
	dead      result = "dead"
)

// NewMetrics registers the metrics with every child in place. A nil registerer makes metrics that nobody reads.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "hubgate_hubspot_" + name, Help: help})
	}
	m := &Metrics{
		contacts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_hubspot_contacts_total", Help: "Contacts by what became of them in HubSpot.",
		}, []string{"result"}),
		queueLength:   gauge("queue_length", "Entries of the contact queue, delayed ones included."),
		queueOldest:   gauge("queue_oldest_seconds", "Age of the oldest entry that waits to be sent."),
		deadLetters:   gauge("dead_letters", "Contacts that HubSpot will not take."),
		rateRemaining: gauge("rate_remaining", "Calls left in HubSpot's current window, as HubSpot last said."),
	}
	m.lost = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hubgate_hubspot_lost_total", Help: "Logins whose contact Redis did not take into the queue.",
	})
	for _, r := range []result{created, updated, unchanged, retried, dead} {
		m.contacts.WithLabelValues(string(r))
	}
	if reg != nil {
		reg.MustRegister(m.contacts, m.queueLength, m.queueOldest, m.deadLetters, m.rateRemaining, m.lost)
	}
	return m
}

func (m *Metrics) count(r result) { m.contacts.WithLabelValues(string(r)).Inc() }
