#!/usr/bin/env bash
# What can be said without running anything: floors, exports, format.
#
#   tests/static.sh BUILD
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
suite=
. tests/check.sh

check "floors: includes only point down" tests/floors.py
check "exports: three entry points and no more" tests/exports.sh "$1/mosquitto_sluice.so"
check "install: all that is promised and no more" tests/install.sh "$1"
check "man: the options are those of the schema" plugin/man/options.py --check
tests/format.sh || outcome=1
exit "$outcome"
