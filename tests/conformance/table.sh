#!/usr/bin/env bash
# What the official JSON Schema test suite says of the engine, as the table that the README shows.
#
#   tests/conformance/table.sh BUILD [SUITE]      prints it; exit 1 when a case is judged wrongly
#   tests/conformance/table.sh BUILD --check      exit 1 when the README's table is another one
#
# The README's counts are of one version of Debian's package, which it names. Where another version is
# installed, its counts differ and only the rest is compared: the columns, and that all cases hold.
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
package=libtest-json-schema-acceptance-perl
here=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null)
named=$(sed -n "s/^\`$package\` \([0-9.]*[0-9]\).*/\1/p" README.md)
[ -n "$named" ] || {
    echo "the README does not name the version of $package that its table is of"
    exit 1
}
# "N of N" without the count; "N of M" stays what it is.
without_counts() { sed -E 's/\b([0-9]+) of \1\b/all/g'; }
shown() { sed -n '/^| draft | required/,/^$/p' README.md | grep '^|'; }
said() { grep '^|' <<<"$said"; }
if [ "${here%%-*}" = "$named" ]; then
    table="the table of $named"
    diff <(said) <(shown)
else
    table="all of it, as of $named; here is ${here:-another copy}"
    diff <(said | without_counts) <(shown | without_counts)
fi || {
    echo "the README's table (>) is not what the suite says (<)"
    exit 1
}
echo "the README has $table"
