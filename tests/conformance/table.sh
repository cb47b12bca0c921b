#!/usr/bin/env bash
# What the official JSON Schema test suite says of the engine, as the table that the README shows.
#
#   tests/conformance/table.sh BUILD [SUITE]      prints it; exit 1 when a case is judged wrongly
#   tests/conformance/table.sh BUILD --check      exit 1 when the README's table is not true
#
# SUITE: a copy of the suite, with tests/ and remotes/ in it; without: Debian's
# libtest-json-schema-acceptance-perl. Cases that are judged wrongly are named first. The README names the
# version of the package whose cases it counts; with another one --check wants the same rows, and all of each.
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
table() { sed -n '/^| draft | required/,/^$/p' "$@" | grep '^|'; }
# N of N → all, N of M → not all.
words() { sed -E 's/\b([0-9]+) of \1\b/all/g; s/\b[0-9]+ of [0-9]+\b/not all/g'; }
package=libtest-json-schema-acceptance-perl
version=$(dpkg-query -W -f '${Version}' $package 2>/dev/null)
if grep -q "^$package $version:\$" README.md; then
    diff <(table <<<"$said") <(table README.md) && echo "the README has the table of $package $version"
else
    diff <(table <<<"$said" | words) <(table README.md | words) &&
        echo "$package $version has other cases than the README counts; all of them hold as well"
fi && exit
echo "the README's table (>) is not what the suite says (<)"
exit 1
