#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configures when needed and builds one preset; what the other scripts call.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  echo "usage: scripts/build.sh [PRESET=release] [cmake --build arguments, such as --target NAME]"
  echo "Presets: release (build/bin, the default), dev, debug, asan, tsan, fuzz. Installs nothing."
  exit 0
fi
preset=${1:-release}
shift || true
directory=build
[ "$preset" = release ] || directory=build-$preset

# In CI warnings are errors in every preset; elsewhere an unknown compiler's new warning stops nobody.
options=()
[ "${CI:-}" = true ] && options+=(-DMIXLAB_WERROR=ON)
if ! output=$(cmake --preset "$preset" "${options[@]}" 2>&1); then
  printf '%s\n' "$output" >&2
  exit 1
fi
exec cmake --build "$directory" "$@"
