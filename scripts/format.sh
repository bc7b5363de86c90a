#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formats the C++ sources with the pinned clang-format of .venv, and mends in the Python sources what the ruff there finds
# and can mend (it lints, it lays out nothing); --check changes nothing and says what is not so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1:-} in
  --check|"") ;;
  *) echo "usage: scripts/format.sh [--check]"; [ "${1:-}" = --help ]; exit ;;
esac
format=.venv/bin/clang-format
[ -x "$format" ] || { echo "format.sh: $format is missing; run scripts/setup.sh test" >&2; exit 1; }
mapfile -t sources < <(git ls-files '*.cc' '*.h')
if [ "${1:-}" = --check ]; then
  "$format" --dry-run --Werror "${sources[@]}"
  .venv/bin/ruff check --quiet --config pytests/pyproject.toml pytests scripts
  echo "format: ${#sources[@]} C++ files as clang-format $("$format" --version | grep -o '[0-9.]*' | head -1) would have them"
else
  "$format" -i "${sources[@]}"
  .venv/bin/ruff check --quiet --fix --config pytests/pyproject.toml pytests scripts
fi
