#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what mixlab needs and what is missing, and nothing else. Called by the other scripts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'EOF'
usage: scripts/setup.sh [run|test|all] [--check]

  run     (default) what it takes to build and run the four programs and the devnet
  test    the same, and what ./scripts/test.sh needs: test libraries and a Python environment in .venv/
  all     the same, and what ./scripts/test.sh --all needs: clang 19 for the fuzz targets, gdb, a browser

  --check say what is missing and exit 1 if anything is; install nothing

Knows Debian 12, Debian 13 and Ubuntu 24.04. Installs distribution packages as root or through sudo, after
saying which. None of these packages has a service to start.
EOF
}

list=run check=no
for argument in "$@"; do
  case $argument in
    run|test|all) list=$argument ;;
    --check) check=yes ;;
    -h|--help) usage; exit 0 ;;
    *) echo "setup.sh: unknown argument '$argument'" >&2; usage >&2; exit 2 ;;
  esac
done

system=unknown
if [ -r /etc/os-release ]; then
  system=$(. /etc/os-release; echo "${ID:-unknown}-${VERSION_ID:-}")
fi
case $system in
  debian-12*)   boost=1.81 ;;
  debian-13*)   boost=1.83 ;;
  ubuntu-24.04) boost=1.83 ;;
  *)
    boost=1.83
    echo "setup.sh: '$system' is not one of debian-12, debian-13, ubuntu-24.04;" \
         "trying Ubuntu 24.04's package names" >&2 ;;
esac

# One list for each purpose, so that somebody who wants a devnet gets a devnet and no more.
running=(g++ cmake ninja-build pkg-config ccache python3 python3-venv
         "libboost$boost-dev" "libboost-json$boost-dev" "libboost-url$boost-dev" "libboost-test$boost-dev"
         libsodium-dev libssl-dev libsqlite3-dev librapidcheck-dev libtomlplusplus-dev libcli11-dev)
testing=(sqlite3 git libbenchmark-dev)
everything=(clang-19 libclang-rt-19-dev gdb valgrind chromium)
[ "$system" = ubuntu-24.04 ] && everything=("${everything[@]/chromium/}")  # there it is a snap: the test says so and is skipped

packages=("${running[@]}")
[ "$list" != run ] && packages+=("${testing[@]}")
[ "$list" = all ] && packages+=("${everything[@]}")

missing=()
for package in "${packages[@]}"; do
  [ -n "$package" ] || continue
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# libboost1.81-dev conflicts with other versions' headers, and apt would take those away: say so first.
warn_of_replaced_boost() {
  local installed
  installed=$({ dpkg-query -W -f '${Package} ${db:Status-Status}\n' 'libboost*-dev' 2>/dev/null || true; } |
    awk -v keep="$boost" '$2 == "installed" && $1 ~ /^libboost[0-9.]+-dev$/ && $1 != "libboost" keep "-dev" {print $1}')
  if [ -n "$installed" ]; then
    echo "setup.sh: libboost$boost-dev cannot stand beside ${installed//$'\n'/, }; apt will remove that one." >&2
  fi
}

install_packages() {
  if [ "${#missing[@]}" -eq 0 ]; then return; fi
  if [ "$check" = yes ]; then
    echo "missing: ${missing[*]}"
    exit 1
  fi
  if ! command -v apt-get >/dev/null; then
    echo "setup.sh: this system has no apt-get; install these yourself: ${missing[*]}" >&2
    exit 1
  fi
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    echo "setup.sh: neither root nor sudo; ask for these packages: ${missing[*]}" >&2
    exit 1
  fi
  warn_of_replaced_boost
  echo "installing ${#missing[@]} packages: ${missing[*]}"
  as_root apt-get update -qq
  local status=0 output
  output=$(mktemp)
  trap 'rm -f "$output"' RETURN
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    >"$output" 2>&1 || status=$?
  if [ "$status" != 0 ]; then
    cat "$output" >&2
    echo "setup.sh: apt-get failed (above); nothing else was changed" >&2
    exit 1
  fi
}

# One virtual environment, of the distribution's python3: `python3` on PATH may be another.
make_venv() {
  local stamp=.venv/requirements
  if [ -f "$stamp" ] && cmp -s "$stamp" pytests/requirements-dev.txt; then return; fi
  if [ "$check" = yes ]; then
    echo "missing: the Python environment .venv"
    exit 1
  fi
  echo "making the Python environment .venv: $(grep -v '^#' pytests/requirements-dev.txt | tr '\n' ' ')"
  [ -x .venv/bin/python ] || /usr/bin/python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r pytests/requirements-dev.txt
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable ./pytests
  cp pytests/requirements-dev.txt "$stamp"
}

install_packages
[ "$list" = run ] || make_venv
