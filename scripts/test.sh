#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what testing needs, builds, and runs every test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'EOF'
usage: scripts/test.sh [--all] [--unit] [--no-setup]

  (nothing)   format and type checks; build of the default preset; unit and property tests; the pure floors again
              under AddressSanitizer and UndefinedBehaviorSanitizer; pytest (lab, plugin, mixnet, devnet,
              hostile, scenarios)
  --unit      the same without pytest
  --all       adds the presets dev, asan, tsan and fuzz as wholes, devnet and hostile input under asan and tsan, and
              whatever needs a browser or gdb
  --no-setup  install nothing: what is missing is an error
EOF
}

all=no unit=no setup=yes
for argument in "$@"; do
  case $argument in
    --all) all=yes ;;
    --unit) unit=yes ;;
    --no-setup) setup=no ;;
    -h|--help) usage; exit 0 ;;
    *) echo "test.sh: unknown argument '$argument'" >&2; usage >&2; exit 2 ;;
  esac
done

step() { printf '\n== %s\n' "$*"; }

step "setup"
list=test
[ "$all" = yes ] && list=all
if [ "$setup" = yes ]; then scripts/setup.sh "$list"; else scripts/setup.sh "$list" --check; fi

step "format and types"
scripts/format.sh --check
(cd pytests && ../.venv/bin/mypy)

step "build (release)"
scripts/build.sh release
scripts/build.sh release --target all_verify_interface_header_sets

step "unit and property tests (release)"
ctest --test-dir build --output-on-failure

step "unit and property tests of the pure floors (asan)"
scripts/build.sh asan --target pure_tests
ctest --test-dir build-asan --output-on-failure -L pure

if [ "$all" = yes ]; then
  for preset in dev asan tsan fuzz; do
    step "unit and property tests ($preset)"
    scripts/build.sh "$preset"
    ctest --test-dir "build-$preset" --output-on-failure
  done
fi

if [ "$unit" = no ]; then
  step "pytest"
  options=()
  [ "$all" = yes ] && options+=(--run-all)
  # The lab's honesty comes first: what it says about the mixnet is worth nothing without.
  .venv/bin/python -m pytest pytests/lab pytests/plugin pytests/mixnet pytests/devnet pytests/hostile scenarios "${options[@]}"
  if [ "$all" = yes ]; then
    for preset in asan tsan; do
      step "pytest: devnet and hostile input ($preset)"
      MIXLAB_BIN="$PWD/build-$preset/bin" .venv/bin/python -m pytest pytests/devnet pytests/hostile
    done
  fi
fi
