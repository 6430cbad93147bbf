#!/usr/bin/env bash
# Applies what the chart renders to a real API server, and shows that it is accepted: every field known, no warning, and
# nothing that the restricted pod security standard forbids (but for what asks for ports of hosts). Then, with helm, does what
# the handbook says about installing, scaling, upgrading, rolling back and a larger disk, and looks whether objects are as it says.
#
#   ETCD=…/etcd KUBE_APISERVER=…/kube-apiserver KUBECTL=…/kubectl HELM=…/helm ./kubernetes-check.sh
#
# Nothing is run: there is no kubelet. etcd and the API server listen on loopback, keep everything in a new directory, and
# end with this script. Where one of the first three is not installed, it says so and exits with 0; without helm its part is
# left out, and said.
set -euo pipefail
cd "$(dirname "$0")"

etcd=${ETCD:-$(command -v etcd || true)}
server=${KUBE_APISERVER:-$(command -v kube-apiserver || true)}
kubectl=${KUBECTL:-$(command -v kubectl || true)}
helm=${HELM:-$(command -v helm || true)}
for each in "etcd:$etcd" "kube-apiserver:$server" "kubectl:$kubectl"; do
  if [ -z "${each#*:}" ]; then
    echo "${each%%:*} is not installed: the chart was not tried with a real API server"
    exit 0
  fi
done

work=$(mktemp -d)
etcd_port=${ETCD_PORT:-23790}
port=${PORT:-16443}
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"' EXIT

"$etcd" --data-dir "$work/etcd" --listen-client-urls "http://127.0.0.1:$etcd_port" \
  --advertise-client-urls "http://127.0.0.1:$etcd_port" --listen-peer-urls "http://127.0.0.1:$((etcd_port + 1))" \
  --initial-advertise-peer-urls "http://127.0.0.1:$((etcd_port + 1))" \
  --initial-cluster "default=http://127.0.0.1:$((etcd_port + 1))" >"$work/etcd.log" 2>&1 &
pids+=($!)

openssl genrsa -out "$work/sa.key" 2048 2>/dev/null
token=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
echo "$token,admin,admin,system:masters" >"$work/tokens.csv"
"$server" --etcd-servers "http://127.0.0.1:$etcd_port" --bind-address 127.0.0.1 --secure-port "$port" \
  --cert-dir "$work/certs" --service-account-issuer https://kubernetes.default.svc \
  --service-account-key-file "$work/sa.key" --service-account-signing-key-file "$work/sa.key" \
  --token-auth-file "$work/tokens.csv" --authorization-mode RBAC --service-cluster-ip-range 10.96.0.0/16 \
  --disable-admission-plugins ServiceAccount >"$work/server.log" 2>&1 &
pids+=($!)

export KUBECONFIG=$work/config HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm
cat >"$KUBECONFIG" <<CONFIG
apiVersion: v1
kind: Config
current-context: check
contexts: [{name: check, context: {cluster: check, user: check}}]
clusters: [{name: check, cluster: {server: "https://127.0.0.1:$port", insecure-skip-tls-verify: true}}]
users: [{name: check, user: {token: "$token"}}]
CONFIG
k() {
  "$kubectl" --cache-dir "$work/cache" "$@"
}
for _ in $(seq 1 120); do
  if k get --raw /readyz >/dev/null 2>&1; then
    break
  fi
  sleep 1
done
k get --raw /readyz >/dev/null || { tail -5 "$work/server.log"; exit 1; }
echo "Kubernetes $(k get --raw /version | sed -n 's/.*"gitVersion": "\(.*\)".*/\1/p')"

# The kinds of the Prometheus operator, with any content.
for kind in ServiceMonitor PrometheusRule; do
  plural=$(echo "${kind}s" | tr '[:upper:]' '[:lower:]')
  k apply -f - >/dev/null <<CRD
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: $plural.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: $kind, plural: $plural}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
CRD
done
k create -f - >/dev/null <<CLASS
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: important}
value: 1000
CLASS
k wait --for condition=established --timeout=30s crd --all >/dev/null

failed=0
for file in plain/mooring.yaml plain/mooring-host-network.yaml src/test/resources/golden/*.yaml; do
  namespace=$(basename "$file" .yaml)-$(basename "$(dirname "$file")")
  standard=restricted
  grep -q 'hostPort:' "$file" && standard=privileged
  k create namespace "$namespace" >/dev/null
  k label namespace "$namespace" "pod-security.kubernetes.io/enforce=$standard" "pod-security.kubernetes.io/warn=$standard" >/dev/null
  # The second time as an upgrade that changes nothing.
  if said=$(k -n "$namespace" apply --server-side --validate=strict --warnings-as-errors -f "$file" 2>&1) &&
    said=$(k -n "$namespace" apply --server-side --validate=strict --warnings-as-errors -f "$file" 2>&1); then
    echo "accepted: $file ($(echo "$said" | wc -l) objects, $standard)"
    k -n "$namespace" delete service,statefulset --all >/dev/null # ports of hosts and fixed addresses are free again
  else
    echo "REFUSED: $file"
    echo "$said" | grep -v 'serverside-applied$'
    failed=1
  fi
done

if [ -z "$helm" ]; then
  echo "helm is not installed: releases were not tried"
  exit $failed
fi
# What, an object, a path in it, and what is expected there.
is() {
  local now
  now=$(k -n mooring get "$2" -o "jsonpath=$3" 2>&1) || true
  if [ "$now" = "$4" ]; then
    echo "as the handbook says: $1"
  else
    echo "NOT as the handbook says: $1: $2 $3 is '$now', not '$4'"
    failed=1
  fi
}
nodes='{.spec.replicas} {.spec.template.spec.containers[0].image}'
image=registry.example/mooring/registry-server
version=$(sed -n 's/^appVersion: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' mooring/Chart.yaml)
h() {
  "$helm" -n mooring "$@" >"$work/helm.log" 2>&1 || { echo "REFUSED: helm $*"; cat "$work/helm.log"; exit 1; }
}
upgrade() {
  h upgrade mooring mooring --reset-then-reuse-values "$@"
}
k create namespace mooring >/dev/null
k label namespace mooring pod-security.kubernetes.io/enforce=restricted >/dev/null
h install mooring mooring --set "image.repository=$image"
is "three nodes from nothing" statefulset/mooring "$nodes" "3 $image:$version"
secret=$(k -n mooring get secret mooring-peer-secret -o 'jsonpath={.data.secret}')
upgrade --set replicaCount=5
is "from three to five" statefulset/mooring "$nodes" "5 $image:$version"
upgrade --set replicaCount=3
is "and back" statefulset/mooring "$nodes" "3 $image:$version"
upgrade --set image.tag=0.2.0
is "an upgrade keeps what was set" statefulset/mooring "$nodes" "3 $image:0.2.0"
h rollback mooring
is "a rollback" statefulset/mooring "$nodes" "3 $image:$version"
k -n mooring delete statefulset mooring --cascade=orphan --wait=false >/dev/null
# In a cluster a controller does this.
k -n mooring patch statefulset mooring --type json -p '[{"op": "remove", "path": "/metadata/finalizers"}]' >/dev/null
upgrade --set persistence.size=4Gi
is "a larger disk" statefulset/mooring '{.spec.volumeClaimTemplates[0].spec.resources.requests.storage}' 4Gi
h uninstall mooring
h install mooring mooring --set "image.repository=$image"
is "one secret all the time, over an uninstallation, too" secret/mooring-peer-secret '{.data.secret}' "$secret"
exit $failed
