{{/* The image: by digest where one is named. */}}
{{- define "langhoc.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "langhoc.labels" -}}
app.kubernetes.io/name: langhoc
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* What picks a service's pods: (dict "root" $ "service" "intake"). */}}
{{- define "langhoc.selector" -}}
app.kubernetes.io/name: langhoc
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .service }}
{{- end }}

{{/* What services and the job are told alike. */}}
{{- define "langhoc.environment" -}}
- {name: LANGHOC_KAFKA, value: {{ .Values.kafka | quote }}}
- {name: LANGHOC_MONGO, value: {{ .Values.mongo | quote }}}
- {name: LANGHOC_SECRETS_DIR, value: /run/secrets/langhoc}
{{- if .Values.ca }}
- {name: LANGHOC_KAFKA_CA, value: /etc/langhoc/ca/ca.pem}
- {name: SSL_CERT_FILE, value: /etc/langhoc/ca/ca.pem}
{{- end }}
{{- end }}

{{- define "langhoc.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "langhoc.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "langhoc.placing" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}
