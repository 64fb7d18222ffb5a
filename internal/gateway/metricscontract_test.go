package gateway

// contract is what dashboards and alerts are built on: every metric with its labels, and the closed sets of their
// values. A rule's name comes from the configuration; * is one value that this test does not know. The values after
// "later" appear when they first happen.
var contract = map[string]map[string]string{
	"hubgate_http_requests_total": {
		"rule": "*", "decision": "public allow login forbid refuse error",
		"method": "GET HEAD POST other later PUT PATCH DELETE OPTIONS", "code": usualCodes,
	},
	"hubgate_http_request_duration_seconds": {"rule": "*", "code": usualCodes},
	"hubgate_http_response_bytes_total":     {"rule": "*"},
	"hubgate_http_overhead_seconds":         nil,
	"hubgate_http_requests_in_flight":       nil,
	"hubgate_websockets":                    nil,
	"hubgate_upstream_requests_total":       {"code": codes},
	"hubgate_upstream_duration_seconds":     nil,
	"hubgate_upstream_errors_total":         {"reason": "dial tls timeout reset rate_limited challenge"},
	"hubgate_auth_logins_started_total":     nil,
	"hubgate_auth_logins_finished_total": {
		"result": "ok failed reported", "reason": "none attribute cached_redirect clock cookies_blocked denied " +
			"expired login_rate login_required provider rule state store timeout token too_large used",
	},
	"hubgate_auth_login_duration_seconds": nil,
	"hubgate_auth_login_loops_total": {
		"cause": "cookie_missing cookie_invalid record_missing expired_at_once host scheme cached_redirect",
	},
	"hubgate_auth_logouts_total":       {"kind": "cognito oidc local backchannel everywhere"},
	"hubgate_auth_refreshes_total":     {"result": "ok denied failed", "reason": "none invalid_grant provider"},
	"hubgate_session_live":             nil,
	"hubgate_session_started_total":    nil,
	"hubgate_session_ended_total":      {"reason": "logout idle expired revoked refresh_denied"},
	"hubgate_session_cache_total":      {"result": "hit miss stale"},
	"hubgate_session_unreadable_total": nil,
	"hubgate_session_record_bytes":     nil,
	"hubgate_dependency_requests_total": {
		"dependency": dependencies, "op": ops,
		"result": "ok timeout failed throttled server_error client_error canceled",
	},
	"hubgate_dependency_duration_seconds": {
		"dependency": dependencies, "op": "command discovery page upsert later jwks token refresh userinfo revoke read " +
			"update schema form lists account other",
	},
	"hubgate_dependency_up":          {"dependency": dependencies},
	"hubgate_hubspot_contacts_total": {"result": "created updated unchanged retried dead"},
	"hubgate_hubspot_lost_total":     nil,
	"hubgate_hubspot_skipped_total": {
		"reason": "no_email invalid_email unverified_email group email_domain forgotten",
	},
	"hubgate_hubspot_queue_length":                 nil,
	"hubgate_hubspot_queue_held":                   nil,
	"hubgate_hubspot_queue_oldest_seconds":         nil,
	"hubgate_hubspot_dead_letters":                 nil,
	"hubgate_hubspot_rate_remaining":               nil,
	"hubgate_hubspot_access_reads_total":           {"result": "found no_contact ambiguous unknown"},
	"hubgate_hubspot_access_unknown_total":         {"reason": "outage timeout failed"},
	"hubgate_hubspot_access_age_seconds":           nil,
	"hubgate_config_last_reload_success":           nil,
	"hubgate_config_last_reload_timestamp_seconds": nil,
	"hubgate_config_rules":                         nil,
	"hubgate_config_info":                          {"sha256": "*"},
	"hubgate_tls_not_after_timestamp_seconds":      {"name": "*"},
	"hubgate_draining":                             nil,
	"hubgate_build_info":                           {"version": "*", "revision": "*", "goversion": "*"},
	"hubgate_log_lines_dropped_total":              {"reason": "full write_error"},
	"hubgate_tracing_spans_total":                  {"result": "sent failed dropped"},
}

const (
	codes        = "1xx 2xx 3xx 4xx 5xx"
	usualCodes   = "2xx 3xx 4xx 5xx later 1xx"
	dependencies = "redis idp hubspot_site hubspot_api"
	ops          = "command discovery jwks token refresh userinfo revoke page upsert read update schema form lists " +
		"account other"
)
