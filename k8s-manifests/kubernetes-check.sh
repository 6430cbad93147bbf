#!/usr/bin/env bash
# Applies what the chart renders to a real API server, and shows that it is accepted: every field known, no warning, and
# nothing that the restricted pod security standard forbids (but for what asks for ports of hosts).
#
#   ETCD=…/etcd KUBE_APISERVER=…/kube-apiserver KUBECTL=…/kubectl ./kubernetes-check.sh
#
# Nothing is run: there is no kubelet. etcd and the API server listen on loopback, keep everything in a new directory, and
# end with this script. Where one of the three is not installed, it says so and exits with 0.
set -euo pipefail
cd "$(dirname "$0")"

etcd=${ETCD:-$(command -v etcd || true)}
server=${KUBE_APISERVER:-$(command -v kube-apiserver || true)}
kubectl=${KUBECTL:-$(command -v kubectl || true)}
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

k() {
  "$kubectl" --server "https://127.0.0.1:$port" --insecure-skip-tls-verify --token "$token" --cache-dir "$work/cache" "$@"
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
exit $failed
