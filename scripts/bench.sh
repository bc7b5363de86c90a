#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds one benchmark in the preset release, runs it, prints its ratios.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'EOF'
usage: scripts/bench.sh NAME [--out FILE] [-- ARGUMENTS]

Names:
  sphinx    a peel and a build beside the primitives they are made of; allocations and scalar
            multiplications of each
  mixnode   one real nym-mixnode with a core of its own: packets a second over what peeling alone
            reaches, with kept connections, with a connection a packet, with --record; latency
            beyond the asked delay at half load; memory idle, and over 100 times as many packets.
            After --: how many packets a round (5000), of fifteen
  provider  one real nym-sfw-provider with a core of its own: messages a second kept durably and
            handed out, beside what the disk can do. After --: how many messages (20000)

  topology  the largest topology: written by a directory, read by a client and by a mix
  scenarios virtual seconds a wall second, activations and hops of every file in scenarios/, start
            of all programs included; after --: other scenario files
  replay    a replay beside its run; finding one changed event among 100,000
  solo      one program of a 60-node run fed alone from its recording, beside its share of the run
  lab       a 64-byte TCP echo through the lab beside its floor (two bare hand-overs) and native runs;
            start and memory of many nodes; then what the lab costs beside the packets it carries:
            activations a hop, wall time over peels and builds alone, 299 nodes beside 11.
            After --: rounds (50000) and nodes (300) of the echo
  recording size of a recording a hop and a byte sent, by table; CPU of the thread that writes it
            (where a bound is stated, PASS or MISS stands beside it)

  --out FILE   the output goes to FILE too (results/bench-*.txt is kept by git)
  -- ...       the rest is for the benchmark program itself, for example
               scripts/bench.sh sphinx -- --benchmark_filter=peel

Figures are ratios of things measured in one run, so they can be compared between machines; times cannot.
Exit status: 0, or 1 when a stated bound was exceeded, or 2 for wrong usage.
EOF
}

# To add a benchmark: a function bench_NAME that runs it with "$@", and a line above.

# run_program TARGET ARGUMENTS...: builds and runs build/bench/bench_TARGET.
run_program() {
  local target=bench_$1
  shift
  if ! scripts/build.sh release --target "$target" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "bench.sh: $target was not built; if Google Benchmark is missing: scripts/setup.sh test" >&2
    return 1
  fi
  build/bench/"$target" "$@"
}

bench_sphinx() {
  local status=0
  run_program agreement "$@" || status=$?
  echo
  run_program sphinx "$@" || status=$?
  return $status
}

# built TARGETS...: builds them in the preset release, all for none; shows why it could not.
built() {
  local targets=()
  [ $# -eq 0 ] || targets=(--target "$@")
  scripts/build.sh release "${targets[@]}" >"$log" 2>&1 && return
  tail -n 30 "$log" >&2
  return 1
}

# run_script NAME PROGRAMS...: scripts/bench_NAME.py with these and a folder of its own, then "${more[@]}".
more=()
run_script() {
  local name=$1 folder status=0
  shift
  folder=$(mktemp -d)
  /usr/bin/python3 "scripts/bench_$name.py" "$@" "$folder" "${more[@]}" || status=$?
  rm -rf "$folder"
  return $status
}

lab_programs=(mixlab mixlab_shim mixlab-talk nym-directory nym-mixnode nym-sfw-provider nym-client)

bench_mixnode() {
  built nym-mixnode || return
  run_program mixnode build/bin/nym-mixnode "$@"
}

bench_provider() {
  built nym-sfw-provider || return
  local folder status=0
  folder=$(mktemp -d build/bench-store-XXXXXX)  # not /tmp, which may lie in memory
  run_program provider build/bin/nym-sfw-provider "$folder" "$@" || status=$?
  rm -rf "$folder"
  return $status
}

bench_topology() {
  run_program topology "$@"
}

bench_scenarios() {
  built || return
  [ $# -gt 0 ] || set -- scenarios/*.toml
  more=("$@")
  run_script scenarios build/bin/mixlab
}

bench_recording() {
  built "${lab_programs[@]}" && built bench_sphinx || return
  run_script recording build/bin/mixlab build/bench/bench_sphinx
}

bench_lab() {
  local status=0
  run_program echo "$@" || status=$?
  built "${lab_programs[@]}" && built bench_sphinx || return
  echo
  run_script lab build/bin/mixlab build/bench/bench_sphinx || status=1
  return $status
}

bench_replay() {
  built && run_script replay build/bin/mixlab
}

bench_solo() {
  built && run_script solo build/bin/mixlab
}

name= out=
while [ $# -gt 0 ]; do
  case $1 in
    -h|--help) usage; exit 0 ;;
    --out)
      [ $# -ge 2 ] || { echo "bench.sh: --out needs a file" >&2; exit 2; }
      out=$2; shift ;;
    --) shift; break ;;
    -*) echo "bench.sh: unknown option '$1'" >&2; usage >&2; exit 2 ;;
    *)
      [ -z "$name" ] || { echo "bench.sh: one name at a time ('$name', then '$1')" >&2; exit 2; }
      name=$1 ;;
  esac
  shift
done
if [ -z "$name" ]; then usage >&2; exit 2; fi
if ! declare -F "bench_$name" >/dev/null; then
  known=$(declare -F | sed -n 's/^declare -f bench_//p' | tr '\n' ' ')
  echo "bench.sh: no benchmark '$name' (known: ${known% })" >&2
  exit 2
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
heading() {
  echo "mixlab benchmark $name, $(git describe --always --dirty 2>/dev/null || echo 'not a git clone')"
  # How busy the machine is belongs to the figures.
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ), $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
       "load $(cut -d' ' -f1-3 /proc/loadavg), $(uname -srm)"
  echo
}
if [ -n "$out" ]; then
  { heading; "bench_$name" "$@"; } 2>&1 | tee -- "$out"
else
  heading
  "bench_$name" "$@"
fi
