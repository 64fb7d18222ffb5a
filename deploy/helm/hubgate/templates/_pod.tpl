{{/* What the gateway's pods and the pod of helm test share. */}}

{{- define "hubgate.env" -}}
env:
  - name: HUBGATE_CONFIG
    value: /etc/hubgate/hubgate.yaml
  - name: POD_IP
    valueFrom: {fieldRef: {fieldPath: status.podIP}}
  {{- with include "hubgate.softMemory" . }}
  - name: GOMEMLIMIT
    value: {{ . }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.secrets.env }}
envFrom:
  {{- range . }}
  - secretRef: {name: {{ . }}}
  {{- end }}
{{- end }}
{{- end }}

{{/*
hubgate.softMemory is 80% of the memory limit, near which Go collects garbage instead of growing until the kernel kills
the pod. It is empty without a limit, or if extraEnv sets GOMEMLIMIT.
*/}}
{{- define "hubgate.softMemory" -}}
{{- $limit := dig "limits" "memory" "" (.Values.resources | default dict) | toString }}
{{- $names := list }}
{{- range .Values.extraEnv }}{{ $names = append $names .name }}{{ end }}
{{- if and $limit (not (has "GOMEMLIMIT" $names)) }}
{{- $units := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 }}
{{- $number := regexFind "^[0-9.]+(?:[eE][+-]?[0-9]+)?" $limit }}
{{- $unit := get $units (trimPrefix $number $limit) }}
{{- $mebibytes := div (mulf (float64 $number) (float64 ($unit | default 0)) 0.8 | int64) 1048576 }}
{{- if not $mebibytes }}
{{- fail (printf "resources.limits.memory: %q must be a size such as 512Mi" $limit) }}
{{- end }}
{{- $mebibytes }}MiB
{{- end }}
{{- end }}

{{- define "hubgate.volumeMounts" -}}
# The folder, not the file: otherwise the process does not see changes of the ConfigMap.
- {name: config, mountPath: /etc/hubgate, readOnly: true}
{{- range $i, $name := .Values.secrets.files }}
- {name: secret-{{ $i }}, mountPath: /run/secrets/{{ $name }}, readOnly: true}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "hubgate.volumes" -}}
- name: config
  configMap: {name: {{ include "hubgate.fullname" . }}}
{{- range $i, $name := .Values.secrets.files }}
- name: secret-{{ $i }}
  secret: {secretName: {{ $name }}, defaultMode: 0440}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* hubgate.identity is what decides how a pod may run. */}}
{{- define "hubgate.identity" -}}
serviceAccountName: {{ include "hubgate.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "hubgate.topologySpread" -}}
{{- with .Values.topologySpreadConstraints }}
{{- toYaml . }}
{{- else }}
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "hubgate.selector" $ | nindent 6 }}
{{- end }}
{{- end }}
{{- end }}
