#!/usr/bin/env bash
# Avro that Sluice writes, read by what others wrote: container files by Debian's python3-avro, PyPI's fastavro and
# npm's avsc; values of a Kafka topic behind a registry's ids by the registry's clients of npm and PyPI.
#
#   tests/oracles/avro.sh BUILD_DIR
#
# `ok NAME`, `FAIL NAME` and why, `SKIP NAME: reason`; last line `N passed, N failed, N skipped`; exit 1 when
# something failed. What it needs of PyPI and npm is installed once:
#
#   ${XDG_CACHE_HOME:-~/.cache}/sluice/oracles/avro
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(realpath "${1:?usage: tests/oracles/avro.sh BUILD_DIR}")
tools=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sluice/oracles/avro
from_pypi=("fastavro[zstandard]==1.13.1" "confluent-kafka[avro,schemaregistry]==2.16.0")
from_npm=(avsc@5.7.9 fzstd@0.1.1 @confluentinc/schemaregistry@1.10.1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

install_pypi() {
    python3 -m venv "$tools/venv" && "$tools/venv/bin/pip" install -q --disable-pip-version-check "$@"
}
install_npm() { npm install --silent --no-audit --no-fund --prefix "$tools" "$@"; }

# install pypi|npm PACKAGE… : once; the mark's name is that of all versions together.
install() {
    local from=$1 mark
    mark=$tools/.$from-$(printf '%s ' "$@" | cksum | cut -d' ' -f1)
    [ ! -e "$mark" ] || return 0
    mkdir -p "$tools"
    if "install_$from" "${@:2}" >"$work/install.log" 2>&1; then
        touch "$mark"
    else
        echo "SKIP oracles $from: cannot be installed: $(tail -n 1 "$work/install.log")"
    fi
}

# part NAME : its lines; one that breaks without a word is a failure.
part() {
    local said=$work/$1 ended=0
    python3 "$here/$1.py" --build "$build" --tools "$tools" 2>&1 | tee "$said" || ended=$?
    [ "$ended" -eq 0 ] || grep -q '^FAIL ' "$said" || echo "FAIL oracles $1: ended with $ended"
}

{
    install pypi "${from_pypi[@]}"
    install npm "${from_npm[@]}"
    part containers
    part values
} | tee "$work/said"
count() { grep -c "^$1 " "$work/said"; }
failed=$(count FAIL)
echo "$(count ok) passed, $failed failed, $(count SKIP) skipped"
[ "$failed" -eq 0 ]
