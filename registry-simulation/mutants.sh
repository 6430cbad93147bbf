#!/usr/bin/env bash
# Plants each bug of mutants/ by itself and expects the patch's first line to come true: the simulation finds it within
# a number of seeds, or the named test does. What nobody notices is a hole in the checks.
#
#   registry-simulation/mutants.sh [SEEDS] [NAME…]     300 seeds and all mutants by default
#
# Needs a built tree (mvn -DskipTests package). Works on a copy of its own and leaves nothing behind.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
seeds=${1:-300}
shift || true
repository=${M2_REPO:-$HOME/.m2/repository}
simulation=$root/registry-simulation/target/simulation.jar
[ -f "$simulation" ] || { echo "$simulation is missing; run mvn -DskipTests package first"; exit 2; }
jspecify=$(find "$repository/org/jspecify" -name '*.jar' | sort | tail -1)
work=$(mktemp -d)
trap 'git -C "$root" worktree remove --force "$work/tree" 2>/dev/null; rm -rf "$work"' EXIT
git -C "$root" worktree add -q --detach "$work/tree" HEAD || exit 2
unnoticed=0
printf '%-44s %-34s %s\n' mutant 'found by' when

sim() { # classes, seeds → result: property and seed, empty when nothing was found
  result=
  timeout 1800 java -XX:+UseSerialGC -Xmx700m -cp "$1:$simulation" io.mooring.simulation.Simulation --no-shortening --seeds="$2" \
    > "$work/out" 2>&1 && return
  [ $? -eq 124 ] && wanted="not all of $wanted in time," # a slow machine says nothing of the bug
  found=$(grep -a '^seed [0-9]*, step' "$work/out" | tail -1)
  if [ -n "$found" ]; then
    seed=${found%%,*}
    what=$(sed -E 's/.*after P[^:]*: ([^:]{1,40}):.*/\1/; t; s/.*/an exception/' <<< "$found")
    result="$what|within ${seed#seed } + 1 seeds"
  elif grep -aq 'Exception\|Error' "$work/out"; then
    result="an error|at once"
  fi
}

for patch in "$root"/registry-simulation/mutants/*.patch; do
  name=$(basename "$patch" .patch)
  if [ $# -gt 0 ] && ! grep -qw -- "$name" <<< "$*"; then continue; fi
  by=$(sed -n '1s/# found by: //p' "$patch")
  git -C "$work/tree" checkout -q -- . && git -C "$work/tree" clean -qfdx
  if ! git -C "$work/tree" apply "$patch"; then
    printf '%-44s %-34s %s\n' "$name" 'the patch does not apply' ''
    unnoticed=$((unnoticed + 1))
    continue
  fi
  file=$(git -C "$work/tree" diff --name-only | head -1)
  module=${file%%/*}
  rm -rf "$work/classes" && mkdir -p "$work/classes"
  if ! javac -nowarn -proc:none -parameters --release 17 -cp "$simulation:$jspecify" -d "$work/classes" \
      "$work/tree/$file" 2> "$work/javac"; then
    printf '%-44s %-34s %s\n' "$name" 'does not compile' "$(grep -m1 error "$work/javac")"
    unnoticed=$((unnoticed + 1))
    continue
  fi
  wanted=$seeds
  if [[ $by == "sim "* ]]; then # a rare one
    wanted=${by#sim }
    by=sim
  fi
  if [ "$by" = sim ]; then
    sim "$work/classes" "$wanted"
    if [ -n "$result" ]; then
      printf '%-44s %-34s %s\n' "$name" "simulation, ${result%%|*}" "${result##*|}"
      continue
    fi
  else
    for built in registry-protocol registry-client registry-server; do
      cp -r "$root/$built/target" "$work/tree/$built/target"
    done
    cp -r "$work/classes/." "$work/tree/$module/target/classes/"
    (cd "$work/tree" && timeout 600 mvn -B ${MVN_ARGS:--o} -pl "$module" -am test -Dtest="${by/./#}" -Dmaven.main.skip=true \
      -Dsurefire.failIfNoSpecifiedTests=false > "$work/out" 2>&1)
    failures=$(grep -aE '^\[ERROR\] +[A-Z][A-Za-z]+\.[a-zA-Z]+' "$work/out" | head -1 | sed -E 's/\[ERROR\] +([A-Za-z.]+).*/\1/')
    if [ -n "$failures" ]; then
      printf '%-44s %-34s %s\n' "$name" "$by" "$failures"
      continue
    fi
    if ! grep -aqE '^\[INFO\] Tests run: [1-9]' "$work/out"; then
      printf '%-44s %-34s %s\n' "$name" 'the test did not run' "$(grep -am1 ERROR "$work/out" || echo "is the tree built?")"
      unnoticed=$((unnoticed + 1))
      continue
    fi
  fi
  printf '%-44s %-34s %s\n' "$name" NOBODY "${by/#sim/$wanted seeds}"
  unnoticed=$((unnoticed + 1))
done
echo "unnoticed: $unnoticed"
exit "$((unnoticed > 0))"
