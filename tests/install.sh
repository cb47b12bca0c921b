#!/usr/bin/env bash
# What `cmake --install BUILD` puts where: nothing less, nothing more. Where groff is, the man pages must please it.
#
#   tests/install.sh BUILD
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

cmake --install "$1" --prefix "$prefix" >"$prefix.log" 2>&1 || { cat "$prefix.log"; exit 1; }
rm -f "$prefix.log"
expected='bin/sluice
LIB/mosquitto_sluice.so
share/man/man1/sluice.1
share/man/man5/sluice.yaml.5
share/sluice/schemas/alert.schema.json
share/sluice/schemas/config.schema.json
share/sluice/schemas/record.avsc
share/sluice/schemas/record.schema.json'
found=$(cd "$prefix" && find . -type f | sed 's,^\./,,; s,^lib[^m]*/\(.*\.so\)$,LIB/\1,' | LC_ALL=C sort)
if [ "$found" != "$(LC_ALL=C sort <<<"$expected")" ]; then
    printf 'installed is\n%s\n' "$found"
    exit 1
fi
"$prefix/bin/sluice" --version >/dev/null

if command -v groff >/dev/null; then
    complaints=$(cat "$prefix"/share/man/man*/* | groff -Kutf8 -man -ww -W break -z -Tutf8 2>&1)
    if [ -n "$complaints" ]; then
        printf 'groff says\n%s\n' "$complaints"
        exit 1
    fi
fi
