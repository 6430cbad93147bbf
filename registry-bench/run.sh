#!/usr/bin/env bash
# Measures a registry on this machine: the server on core 0, the load on core 1, both JVMs otherwise alike.
#   registry-bench/run.sh [all|load|start|memory|jmh]      about 20 minutes for all
#   registry-bench/run.sh cluster                          three nodes; nobody is kept to a core; about 15 minutes
#   registry-bench/run.sh nacos                            what clients of Nacos get over gRPC; about 5 minutes
# SERVER_JVM, README_JVM: flags of the server under load, and of the one whose start and idle size is measured.
# LOAD_OPTIONS, CLUSTER_OPTIONS, NACOS_OPTIONS: for registry-bench.jar. BUILD=no: takes the jars that are there.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
port=${PORT:-19847}
server_jvm=${SERVER_JVM:--Xms1g -Xmx1g -Xmn512m}
readme_jvm=${README_JVM:--Xmx64m -Xss512k -XX:+UseSerialGC -XX:TieredStopAtLevel=1}
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

if [ "${BUILD:-yes}" = yes ]; then
  mvn -B -q -DskipTests -pl registry-bench,registry-server -am package
fi

# A network namespace of our own: nobody else's packets in the count of bytes, and no port is taken.
if [ -z "${MOORING_BENCH_ALONE:-}" ] && unshare -n true 2>/dev/null && command -v ip >/dev/null; then
  exec unshare -n env MOORING_BENCH_ALONE=yes BUILD=no bash -c 'ip link set lo up && exec "$@"' bash "registry-bench/run.sh" "$what"
fi

work=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT

bench() { timeout 900 taskset -c 1 "$java" -Xmx768m -jar registry-bench/target/registry-bench.jar "$@"; }

start_server() {
  (cd "$work" && exec taskset -c 0 "$java" $server_jvm -jar "$OLDPWD/registry-server/target/registry-server.jar" \
    --mooring.session.port="$port" --mooring.http.port=$((port + 1)) --mooring.operations.port=$((port + 2)) \
    --mooring.data-directory="$work/data-$1") >"$work/server-$1.log" 2>&1 &
  server=$!
  for _ in $(seq 300); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
    if ! kill -0 "$server" 2>/dev/null; then break; fi
    sleep 0.1
  done
  cat "$work/server-$1.log" >&2
  echo "the server did not start" >&2
  exit 1
}

stop_server() {
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
}

echo "date     $(date -u +%Y-%m-%dT%H:%MZ)"
echo "commit   $(git rev-parse --short HEAD 2>/dev/null || echo unknown)$(git diff --quiet HEAD 2>/dev/null || echo ' and changes')"
echo "machine  $(nproc) × $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(uname -sr)"
echo "java     $("$java" -version 2>&1 | sed -n 2p)"
echo "server   $server_jvm, core 0; load on core 1; network namespace of its own: ${MOORING_BENCH_ALONE:-no}"
echo "load average before: $(cut -d' ' -f1-3 /proc/loadavg)"

case $what in all | load | rates)
  start_server rates
  bench load --port="$port" --pid="$server" --only=rates ${LOAD_OPTIONS:-}
  stop_server
  ;;
esac
case $what in all | load | push)
  start_server push
  bench load --port="$port" --pid="$server" --only=push ${LOAD_OPTIONS:-}
  stop_server
  ;;
esac
case $what in all | start)
  MALLOC_ARENA_MAX=2 bench start --jar=registry-server/target/registry-server.jar --port="$port" --core=0 "--jvm=$readme_jvm"
  bench start --jar=registry-server/target/registry-server.jar --port="$port" --core=0 --jvm=
  ;;
esac
case $what in all | memory)
  bench memory --jar=registry-server/target/registry-server.jar --port="$port" --core=0 --jvm=-Xmx1200m
  ;;
esac
case $what in cluster)
  timeout 3000 "$java" -Xmx2g -Xss256k -jar registry-bench/target/registry-bench.jar cluster \
    --jar=registry-server/target/registry-server.jar --port="$port" ${CLUSTER_OPTIONS:-}
  ;;
esac
case $what in nacos)
  bench nacos --jar=registry-server/target/registry-server.jar --port="$port" --core=0 "--jvm=$server_jvm" \
    --only=rates,push,memory ${NACOS_OPTIONS:-}
  timeout 300 "$java" -Xmx768m -jar registry-bench/target/registry-bench.jar nacos \
    --jar=registry-server/target/registry-server.jar --port="$port" "--jvm=$server_jvm" --only=cluster
  ;;
esac
case $what in all | jmh)
  timeout 1200 "$java" -jar registry-bench/target/registry-bench.jar jmh -prof gc -f 2
  ;;
esac
echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg)"
