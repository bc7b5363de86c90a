#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A whole mixnet on this machine in one command. The front: installs and builds, then gives way to the
# supervisor, which is this very process from then on, so that a signal to the script reaches it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

python=/usr/bin/python3 # The distribution's: it is the one whose standard library setup.sh installs.
[ -x "$python" ] || python=python3

build=yes
for argument in "$@"; do
  case $argument in
    --no-build | -h | --help) build=no ;;
  esac
done

supervisor() {
  PYTHONPATH="$root/pytests" PYTHONDONTWRITEBYTECODE=1 MIXLAB_CHECKOUT="$root" "$@"
}

if [ "$build" = yes ]; then
  "$root/scripts/setup.sh" run
  # A wrong word on the command line should not cost a build.
  supervisor "$python" -m mixlab.localnet --only-check "$@"
  "$root/scripts/build.sh" release --target nym-directory nym-mixnode nym-sfw-provider nym-client
fi
supervisor exec "$python" -m mixlab.localnet "$@"
