// Package trace records spans of requests and sends them to an OpenTelemetry collector (OTLP over HTTP).
// It knows only names from closed sets: rules, endpoints, dependencies, operations. Spans never contain a path, a
// query, an address, a user or the text of an error, because people who may read traces may not read sessions.
// It never delays a request: the queue is bounded, and spans that do not fit are dropped. The build tag notrace
// excludes OpenTelemetry from the binary; New then fails if an endpoint is configured.
package trace
