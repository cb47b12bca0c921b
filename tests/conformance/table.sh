#!/usr/bin/env bash
# What the official JSON Schema test suite says of the engine, as the table that the README shows.
#
#   tests/conformance/table.sh BUILD [SUITE]      prints it; exit 1 when a case is judged wrongly
#   tests/conformance/table.sh BUILD --check      exit 1 when the README's table is another one
#
# SUITE: a copy of the suite, with tests/ and remotes/ in it; without: Debian's
# libtest-json-schema-acceptance-perl. Cases that are judged wrongly are named first.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ $# -ge 1 ] || {
    sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
}
if [ "${2:-}" != --check ]; then
    exec "$1/tests/schema_suite" ${2:+"$2"}
fi
outcome=0
said=$("$1/tests/schema_suite") || outcome=$?
[ "$outcome" -ne 77 ] || {
    echo "$said"
    exit 77
}
if diff <(grep '^|' <<<"$said") <(sed -n '/^| draft | required/,/^$/p' README.md | grep '^|'); then
    echo "the README has the table"
else
    echo "the README's table (>) is not what the suite says (<)"
    exit 1
fi
