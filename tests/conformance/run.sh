#!/usr/bin/env bash
# The engine and the naive evaluator against the official suite, then the one against the other; then
# the reader of Avro against Avro C.
#
#   tests/conformance/run.sh BUILD
#
#   SLUICE_AVRO_BODIES=600000   bodies that both judge
#   SLUICE_SEED=1               of them
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
suite=conformance
. tests/check.sh
cannot=77

check "the engine answers the official suite" "$1/tests/schema_suite"
check "the README shows the table of it" tests/conformance/table.sh "$1" --check
check "the naive evaluator answers the official suite" "$1/tests/naive_suite"
check "disagreements that were found stay settled" "$1/tests/differential" --replay tests/cases/schema
check "a million random judgements agree" "$1/tests/differential"
check "messages in Avro that were looked into stay settled" "$1/tests/avro_differential" \
    --replay tests/cases/avro
check "Avro C reads what is accepted, and the same values" "$1/tests/avro_differential" \
    --seed "${SLUICE_SEED:-1}" --count "${SLUICE_AVRO_BODIES:-600000}"
exit "$outcome"
