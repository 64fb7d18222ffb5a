package access

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// Metrics are the metrics of what HubSpot knows about visitors.
type Metrics struct {
	reads   *prometheus.CounterVec
	unknown *prometheus.CounterVec
	age     prometheus.Histogram
}

// Results of reads, for each person.
const (
	readFound     = "found"
	readNoContact = "no_contact"
	readAmbiguous = "ambiguous"
	readUnknown   = "unknown"
)

// Reasons why nothing is known when a decision needs it.
const (
	unknownOutage  = "outage"  // HubSpot answers no calls
	unknownTimeout = "timeout" // no answer within two seconds
	unknownFailed  = "failed"  // no answer about this person, now or in the last seconds
)

// NewMetrics registers the metrics. Every label value is present from the start.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		reads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_hubspot_access_reads_total",
			Help: "People who were looked up in HubSpot for rules, by result.",
		}, []string{"result"}),
		unknown: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hubgate_hubspot_access_unknown_total",
			Help: "Decisions for which nothing usable was known about a visitor, by reason.",
		}, []string{"reason"}),
		age: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "hubgate_hubspot_access_age_seconds",
			Help:                        "Age of HubSpot's answer when it was used for a decision.",
			Buckets:                     []float64{1, 10, 60, 300, 900, 1800, 3600, 4 * 3600, 24 * 3600},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}),
	}
	for _, result := range []string{readFound, readNoContact, readAmbiguous, readUnknown} {
		m.reads.WithLabelValues(result)
	}
	for _, reason := range []string{unknownOutage, unknownTimeout, unknownFailed} {
		m.unknown.WithLabelValues(reason)
	}
	if reg != nil {
		reg.MustRegister(m.reads, m.unknown, m.age)
	}
	return m
}

// read counts one person of an answer.
func (m *Metrics) read(r crm.LookupResult, k *Known) {
	result := readUnknown
	switch {
	case k != nil && k.Contact:
		result = readFound
	case k != nil:
		result = readNoContact
	case r.Ambiguous:
		result = readAmbiguous
	}
	m.reads.WithLabelValues(result).Inc()
}

// unread counts people about whom HubSpot did not answer.
func (m *Metrics) unread(n int) { m.reads.WithLabelValues(readUnknown).Add(float64(n)) }
