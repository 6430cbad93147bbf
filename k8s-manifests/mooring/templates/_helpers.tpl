{{- define "mooring.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough for a pod's ordinal and a revision's hash behind it. */}}
{{- define "mooring.fullname" -}}
{{- $name := include "mooring.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "mooring.selector" -}}
app.kubernetes.io/name: {{ include "mooring.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of the pods of nodes, and of nothing else of the release. */}}
{{- define "mooring.nodes" -}}
{{ include "mooring.selector" . }}
app.kubernetes.io/component: node
{{- end -}}

{{- define "mooring.labels" -}}
{{ include "mooring.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: mooring
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "mooring.peersService" -}}
{{ include "mooring.fullname" . }}-peers
{{- end -}}

{{- define "mooring.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mooring.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "mooring.secretName" -}}
{{- default (printf "%s-peer-secret" (include "mooring.fullname" .)) .Values.peerSecret.existingSecret -}}
{{- end -}}

{{- define "mooring.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ .tag }}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mooring.nacosPort" -}}
{{- add .Values.ports.http 1000 -}}
{{- end -}}

{{/* Whether two nodes on one host would want the same port. */}}
{{- define "mooring.usesHostPorts" -}}
{{- if ne .Values.network.mode "pod" }}true{{ end -}}
{{- end -}}

{{- define "mooring.spreadHosts" -}}
{{- if ne .Values.spread.hosts "auto" -}}
{{- .Values.spread.hosts -}}
{{- else -}}
{{- ternary "required" "preferred" (eq (include "mooring.usesHostPorts" .) "true") -}}
{{- end -}}
{{- end -}}

{{/* What the schema cannot say, or not in words that help. */}}
{{- define "mooring.validate" -}}
{{- range list
  (list "image.repository" .Values.image.repository "^[a-z0-9]+([._-][a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*$" "a name without a version, such as registry.example/mooring/registry-server; the version goes to image.tag or image.digest")
  (list "image.tag" .Values.image.tag "^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$" "a version, such as 0.1.0")
  (list "image.digest" .Values.image.digest "^(sha256:[0-9a-f]{64})?$" "sha256: and 64 hexadecimal digits, or nothing, where image.tag counts")
  (list "cluster.name" .Values.cluster.name "^[A-Za-z0-9_.-]{1,64}$" "1-64 letters, digits, _ - . ; the same for all nodes")
  (list "service.clusterIP" .Values.service.clusterIP "^([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)?$" "a free address of the range of Services, such as 10.96.0.50, or nothing; the headless Service is there anyway")
  (list "persistence.size" .Values.persistence.size "^[0-9]+(\\.[0-9]+)?([kMGT]i?)?$" "a number and a unit, such as 2Gi")
-}}
{{- if not (regexMatch (index . 2) (toString (index . 1))) -}}
{{- fail (printf "%s: %v (expected: %s)" (index . 0) (index . 1) (index . 3)) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if hasPrefix "MOORING_" .name -}}
{{- fail (printf "extraEnv: %s would be set beside what the chart sets and checks: set it by its name under properties, such as properties: {mooring.lease.ttl: 20s}; docs/operations.md has the names." .name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := .Values.podLabels -}}
{{- if hasPrefix "app.kubernetes.io/" $name -}}
{{- fail (printf "podLabels: %s belongs to the chart, whose Services find nodes by it: choose another name." $name) -}}
{{- end -}}
{{- end -}}
{{- with .Values.image -}}
{{- if and (not .tag) (not .digest) -}}
{{- fail "image.tag is empty: name the version to run, such as --set image.tag=0.1.0, or an image.digest. A node that is restarted later must come back as what it was." -}}
{{- end -}}
{{- if and (eq (toString .tag) "latest") (not .digest) -}}
{{- fail "image.tag: latest is another version every time a node is restarted: name the version to run, such as --set image.tag=0.1.0, or an image.digest." -}}
{{- end -}}
{{- end -}}
{{- if and (eq (include "mooring.usesHostPorts" .) "true") (ne (include "mooring.spreadHosts" .) "required") -}}
{{- fail (printf "network.mode: %s with spread.hosts: %s would allow several nodes on one host, where they want the same ports: set spread.hosts=required (or leave it at auto), or network.mode=pod." .Values.network.mode .Values.spread.hosts) -}}
{{- end -}}
{{- if not (or .Values.peerSecret.existingSecret .Values.peerSecret.generate) -}}
{{- fail "peerSecret: nodes need a secret that proves to one another that they belong together: name one that is there by peerSecret.existingSecret (kubectl create secret generic mooring-peers --from-literal=secret=\"$(head -c 32 /dev/urandom | base64)\"), or set peerSecret.generate=true." -}}
{{- end -}}
{{- $ports := list .Values.ports.http .Values.ports.session .Values.ports.peers .Values.ports.operations (add .Values.ports.http 1000) -}}
{{- if ne (len (uniq (splitList "," (join "," $ports)))) 5 -}}
{{- fail (printf "ports: http, session, peers, operations and http + 1000 (Nacos clients) must differ, but are %s: choose others." (join ", " $ports)) -}}
{{- end -}}
{{- if and (ne .Values.service.type "NodePort") (or .Values.service.nodePorts.http .Values.service.nodePorts.session) -}}
{{- fail (printf "service.nodePorts are set, but service.type is %s: set service.type=NodePort, or remove them." .Values.service.type) -}}
{{- end -}}
{{- end -}}
