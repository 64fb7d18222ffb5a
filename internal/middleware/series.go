package middleware

import (
	"net/http"
	"slices"

	"github.com/hubgate/hubgate/proxy/rules"
)

// This file knows which series exist from the start, so that rate() sees the first increment. Of all combinations of
// labels, most never happen, and one scrape has the series of all rules: those that a rule can decide exist for GET
// with every code, and for two more methods with the usual code. A histogram has no increment that must not be missed,
// and 17 series: those of rules begin with their first request.

const (
	// maxPrepared bounds the rules whose series exist from the start, with the built-in ones: with thousands, a scrape
	// would be mostly zeros.
	maxPrepared = 1000
	// maxMethods bounds the methods of a rule whose series exist from the start.
	maxMethods = 3
)

// usualCodes lists the code classes of each decision, that of methods other than GET first. WebSockets (1xx) are rare.
var usualCodes = map[rules.Kind][]string{
	rules.Public: {"2xx", "3xx", "4xx", "5xx"}, rules.Allow: {"2xx", "3xx", "4xx", "5xx"},
	rules.Login: {"4xx", "3xx"}, rules.Forbid: {"4xx"}, rules.Refuse: {"4xx"}, failure: {"5xx"},
}

// failure is the decision about a request that failed.
const failure rules.Kind = "error"

// usualMethods are those whose refusal is counted from the start, if a rule does not take them.
var usualMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, otherMethod}

// prepare creates the series of a rule.
func (m *Metrics) prepare(o rules.Outcomes) {
	for i, method := range o.Methods {
		if i == maxMethods {
			break
		}
		for _, kind := range append([]rules.Kind{failure}, o.Kinds...) {
			codes := usualCodes[kind]
			switch admits := kind == rules.Public || kind == rules.Allow; {
			case method == http.MethodGet:
				m.create(o.Rule, kind, method, codes...)
			case method != http.MethodHead || admits:
				m.create(o.Rule, kind, method, codes[0])
			}
		}
	}
	for _, method := range usualMethods {
		if !slices.Contains(o.Methods, method) {
			m.create(o.Rule, rules.Refuse, method, "4xx")
		}
	}
}

// prepareOwn creates the series of requests that no rule decides, and of the gateway's own endpoints.
func (m *Metrics) prepareOwn() {
	m.create(RuleNone, rules.Refuse, http.MethodGet, "3xx", "4xx")
	m.create(RuleNone, rules.Refuse, http.MethodPost, "4xx")
	m.create(RuleNone, failure, http.MethodGet, "5xx")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		m.create(RuleGateway, rules.Public, method, usualCodes[rules.Public]...)
	}
	m.create(RuleGateway, rules.Allow, http.MethodGet, "2xx") // a question to /oauth2/auth, as the next ones
	for _, kind := range []rules.Kind{rules.Login, rules.Forbid, rules.Refuse} {
		m.create(RuleGateway, kind, http.MethodGet, "4xx")
	}
	m.create(RuleGateway, failure, http.MethodGet, "5xx")
	for _, code := range usualCodes[rules.Public] {
		m.duration.WithLabelValues(RuleGateway, code)
	}
}

func (m *Metrics) create(rule string, kind rules.Kind, method string, codes ...string) {
	for _, code := range codes {
		m.requests.WithLabelValues(rule, string(kind), method, code)
	}
}

// methods are the values of the method label.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodOptions,
}

const otherMethod = "other"

func methodLabel(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return otherMethod
}
