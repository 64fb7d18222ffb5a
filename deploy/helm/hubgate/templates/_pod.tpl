{{/* What the gateway's pods and the pod of helm test share. */}}

{{- define "hubgate.env" -}}
env:
  - name: HUBGATE_CONFIG
    value: /etc/hubgate/hubgate.yaml
  - name: POD_IP
    valueFrom: {fieldRef: {fieldPath: status.podIP}}
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
