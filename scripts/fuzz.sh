#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets with clang 19 and runs them with libFuzzer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'EOF'
usage: scripts/fuzz.sh [TARGET...] [--seconds N] [--jobs N] [--list]

  TARGET       for example `peel` or `fuzz_peel`; without one, all of them
  --seconds N  how long each target runs (60)
  --jobs N     how many targets run at a time (1)
  --list       names them, and runs nothing

Starts from the seeds in the tree (FOLDER/corpus/TARGET) and from what earlier runs found
(build-fuzz/found/TARGET). An input that crashes, leaks, takes more than 10 s or 2 GiB is kept in
build-fuzz/crashes/TARGET and named; put it into the tree's corpus together with the fix.
Needs clang 19: scripts/setup.sh all. Exit status: 0, or 1 after such an input, or 2 for wrong usage.
EOF
}

seconds=60 jobs=1 list=no wanted=()
while [ $# -gt 0 ]; do
  case $1 in
    -h|--help) usage; exit 0 ;;
    --list) list=yes ;;
    --seconds|--jobs)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { echo "fuzz.sh: $1 needs a number" >&2; exit 2; }
      printf -v "${1#--}" %s "$2"; shift ;;
    -*) echo "fuzz.sh: unknown option '$1'" >&2; usage >&2; exit 2 ;;
    *) wanted+=("fuzz_${1#fuzz_}") ;;
  esac
  shift
done

command -v clang++-19 >/dev/null || { echo "fuzz.sh: no clang++-19; scripts/setup.sh all installs it" >&2; exit 1; }
cmake --preset fuzz >/dev/null
declare -A seeds
names=()
while read -r name folders; do
  seeds[$name]=$folders
  names+=("$name")
done <build-fuzz/fuzz_targets.txt
if [ "$list" = yes ]; then printf '%s\n' "${names[@]}"; exit 0; fi
[ ${#wanted[@]} -gt 0 ] || wanted=("${names[@]}")
for name in "${wanted[@]}"; do
  [ -n "${seeds[$name]:-}" ] || { echo "fuzz.sh: no target '$name'; --list names them" >&2; exit 2; }
done
cmake --build build-fuzz --target "${wanted[@]}"

# run_one NAME: prints one line; its log is build-fuzz/logs/NAME.log.
run_one() {
  local name=$1 status=0
  local found=build-fuzz/found/$name crashes=build-fuzz/crashes/$name log=build-fuzz/logs/$name.log
  mkdir -p "$found" "$crashes" build-fuzz/logs
  local options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1)
  local -a folders
  read -ra folders <<<"${seeds[$name]}"
  [ -f "${folders[0]}.dict" ] && options+=(-dict="${folders[0]}.dict")
  build-fuzz/bin/"$name" "${options[@]}" -artifact_prefix="$crashes/" "$found" "${folders[@]}" >"$log" 2>&1 || status=$?
  local runs
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [ "$status" = 0 ]; then
    printf '%-22s %12s executions  %6s inputs found\n' "$name" "${runs:-0}" "$(find "$found" -type f | wc -l)"
  else
    printf '%-22s %12s executions  STOPPED: %s (log: %s)\n' "$name" "${runs:-?}" \
      "$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)" "$log"
    return 1
  fi
}

status=0
running=0
for name in "${wanted[@]}"; do
  if [ "$running" -ge "$jobs" ]; then
    wait -n || status=1
    running=$((running - 1))
  fi
  run_one "$name" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || status=1
  running=$((running - 1))
done
exit $status
