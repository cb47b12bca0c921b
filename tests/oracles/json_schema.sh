#!/usr/bin/env bash
# The JSON Schema engine beside what others wrote: the official suite in a newer copy than Debian's (the
# one that travels with PyPI's jsonschema), then random judgements by jsonschema and jsonschema-rs.
#
#   tests/oracles/json_schema.sh BUILD
#
#   SLUICE_SEED=1              of the random schemas
#   SLUICE_JUDGEMENTS=300000   how many
#
# Both packages live in a virtual environment in ~/.cache/sluice/oracles.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice/oracles
jsonschema=4.26.0
jsonschema_rs=0.61.2
venv=$cache/json-schema-$jsonschema-$jsonschema_rs
official=$cache/jsonschema-$jsonschema/json
suite="oracle json_schema:"
. tests/check.sh

fetch() {
    if [ ! -e "$venv/ready" ]; then
        rm -rf "$venv"
        python3 -m venv "$venv" &&
            "$venv/bin/pip" install -q "jsonschema==$jsonschema" "jsonschema-rs==$jsonschema_rs" &&
            touch "$venv/ready" || return 1
    fi
    if [ ! -d "$official" ]; then
        "$venv/bin/pip" download -q --no-deps --no-binary jsonschema -d "$cache" \
            "jsonschema==$jsonschema" && tar -C "$cache" -xf "$cache/jsonschema-$jsonschema.tar.gz"
    fi
}

mkdir -p "$cache"
if ! said=$(fetch 2>&1); then
    echo "FAIL oracle json_schema: jsonschema and jsonschema-rs could not be installed from PyPI"
    printf '%s\n' "$said" | tail -n 5 | sed 's/^/    /'
    exit 1
fi
check "the engine answers the suite of jsonschema $jsonschema" \
    tests/conformance/table.sh "$build" "$official"
check "the naive evaluator answers the same" "$build/tests/naive_suite" "$official"
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
check "the naive evaluator agrees on what the others are asked" "$build/tests/differential" \
    --seed "${SLUICE_SEED:-1}" --count "${SLUICE_JUDGEMENTS:-300000}" --print "$lines"
"$venv/bin/python" tests/oracles/judgements.py <"$lines" || outcome=1
exit "$outcome"
