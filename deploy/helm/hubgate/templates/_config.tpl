{{/* What the chart reads from hubgate's own configuration, so that nothing is written twice. */}}

{{/* hubgate.port is the port of a listen address such as ":8080". */}}
{{- define "hubgate.port" -}}
{{- $port := regexFind "[0-9]+$" .address }}
{{- if not $port }}
{{- fail (printf "config.server.%s: %q must end in a port number" .key .address) }}
{{- end }}
{{- $port }}
{{- end }}

{{- define "hubgate.publicPort" -}}
{{- include "hubgate.port" (dict "key" "listen" "address" (.Values.config.server.listen | default ":8080")) }}
{{- end }}

{{/* hubgate.redirectPort is empty without config.server.tls.http_listen. */}}
{{- define "hubgate.redirectPort" -}}
{{- with (.Values.config.server.tls | default dict).http_listen }}
{{- include "hubgate.port" (dict "key" "tls.http_listen" "address" .) }}
{{- end }}
{{- end }}

{{- define "hubgate.adminPort" -}}
{{- $address := .Values.config.server.admin_listen | default "127.0.0.1:9090" }}
{{- if regexMatch "^(127\\.|localhost:|\\[::1\\])" $address }}
{{- fail (printf "config.server.admin_listen: the kubelet cannot reach %s; write \"[${POD_IP}]:9090\"" $address) }}
{{- end }}
{{- include "hubgate.port" (dict "key" "admin_listen" "address" $address) }}
{{- end }}

{{/* hubgate.scheme names the public port: https if hubgate terminates TLS itself. */}}
{{- define "hubgate.scheme" -}}
{{- $mode := (.Values.config.server.tls | default dict).mode }}
{{- has $mode (list "files" "acme") | ternary "https" "http" }}
{{- end }}

{{/* hubgate.servicePort is the Service's port for visitors, which must not be the one for redirects to https. */}}
{{- define "hubgate.servicePort" -}}
{{- $redirects := include "hubgate.redirectPort" . }}
{{- $secure := or $redirects (eq (include "hubgate.scheme" .) "https") }}
{{- $port := int .Values.service.port | default (empty $secure | ternary 80 443) }}
{{- if and $redirects (eq $port 80) }}
{{- fail "service.port: 80 is the port for config.server.tls.http_listen; leave it out, or write 443" }}
{{- end }}
{{- $port }}
{{- end }}

{{/* hubgate.hosts is a JSON list of the hosts that visitors use. */}}
{{- define "hubgate.hosts" -}}
{{- $hosts := list }}
{{- range .Values.config.server.public_urls }}
{{- if contains "${" . }}
{{- printf "config.server.public_urls: no host in %q; set ingress.hosts or httpRoute.hostnames" . | fail }}
{{- end }}
{{- $hosts = append $hosts (regexReplaceAll ":[0-9]+$" (urlParse .).host "") }}
{{- end }}
{{- range $names := .Values.config.server.redirect_from | default dict }}
{{- $hosts = concat $hosts $names }}
{{- end }}
{{- $hosts | uniq | toJson }}
{{- end }}

{{/* hubgate.seconds converts a duration such as 1m30s; it is empty for others, such as ${DRAIN}. */}}
{{- define "hubgate.seconds" -}}
{{- $units := dict "ms" 0.001 "s" 1 "m" 60 "h" 3600 "d" 86400 }}
{{- $parts := regexFindAll "[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h|d)" . -1 }}
{{- if and $parts (eq (join "" $parts) .) }}
{{- $sum := 0 }}
{{- range $parts }}
{{- $sum = addf $sum (mulf (regexFind "[0-9.]+" . | float64) (get $units (regexFind "[a-z]+" .))) }}
{{- end }}
{{- ceil $sum | int }}
{{- end }}
{{- end }}

{{/* hubgate.grace is how long a stop takes at most, plus a margin for the log and the last spans. */}}
{{- define "hubgate.grace" -}}
{{- $server := .Values.config.server }}
{{- $delay := include "hubgate.seconds" ($server.drain_delay | default "5s" | toString) }}
{{- $timeout := include "hubgate.seconds" ($server.drain_timeout | default "30s" | toString) }}
{{- $drain := add (int $delay) (int $timeout) }}
{{- $set := int .Values.terminationGracePeriodSeconds }}
{{- if and (not $set) (not (and $delay $timeout)) }}
{{- fail "terminationGracePeriodSeconds: missing; it cannot be computed from these drain_delay and drain_timeout" }}
{{- else if and $set (le $set (int $drain)) }}
{{- $message := "terminationGracePeriodSeconds: %d must be more than drain_delay + drain_timeout, %d seconds" }}
{{- fail (printf $message $set $drain) }}
{{- end }}
{{- $set | default (add $drain 10) }}
{{- end }}

{{/* hubgate.restartKeys is a hash of the keys that hubgate does not reload; docs/configuration.md lists them. */}}
{{- define "hubgate.restartKeys" -}}
{{- $server := .Values.config.server }}
{{- $tls := $server.tls | default dict }}
{{- $session := .Values.config.session | default dict }}
{{- $redis := $session.redis | default dict }}
{{- list
  $server.listen $server.admin_listen $server.pprof $tls.http_listen $tls.mode $tls.acme
  (omit ($server.limits | default dict) "connections_per_address")
  (omit $redis "username" "password" "sentinel_password") (not $redis.sentinel_password) $session.cookie_name
  (.Values.config.auth | default dict).prefix (.Values.config.log | default dict).format .Values.config.tracing
  | toJson | sha256sum | trunc 16 }}
{{- end }}
