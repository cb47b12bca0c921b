#!/usr/bin/env bash
# A long fuzzing campaign: all targets, the processors shared among them, for HOURS in all.
#
#   tests/fuzz/run.sh HOURS [WORD]     WORD: only targets whose name has it (schema, pattern, avro, …)
#
# HOURS may have a fraction. One line a target says how many inputs it ran. Corpora are kept in
# build/fuzzing and the next campaign goes on from them; an input that breaks a target is named, lies
# beside its corpus, and the exit status is 1. The short form is a suite of tests/run.sh.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[[ ${1:-} =~ ^[0-9]+(\.[0-9]+)?$ ]] || {
    sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
}
[ "${SLUICE_NO_SETUP:-}" = 1 ] || tests/setup.sh test
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz >/dev/null
exec tests/fuzz/run.py build/fuzz build/fuzzing --hours "$1" --only "${2:-}"
