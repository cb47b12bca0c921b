#!/usr/bin/env bash
# Every C file is as clang-format makes it. The releases of clang-format differ in small things, so the
# check is made with the one the tree was formatted with, and skipped with others.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
wanted=14
tool=$(command -v clang-format-$wanted || command -v clang-format || true)
if [ -z "$tool" ]; then
    echo "SKIP format: clang-format is not installed"
    exit 0
fi
version=$("$tool" --version | sed 's/.*version \([0-9]*\).*/\1/')
if [ "$version" != "$wanted" ]; then
    echo "SKIP format: clang-format $version here, the tree is formatted with $wanted"
    exit 0
fi
outcome=0
said=$(find base validation sinks plugin examples tests \( -name '*.c' -o -name '*.h' \) -print0 |
    xargs -0 "$tool" --dry-run -Werror 2>&1) || outcome=1
if [ "$outcome" -eq 0 ]; then
    echo "ok format: every C file is as clang-format makes it"
else
    echo "FAIL format: run clang-format -i on these"
    printf '%s\n' "$said" | sed -n 's/^\([^: ]*\.[ch]\):.*/    \1/p' | sort -u
fi
exit "$outcome"
