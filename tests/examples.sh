#!/usr/bin/env bash
# Every configuration of examples/ is right, and does what its own tests say.
#
#   tests/examples.sh SLUICE
set -euo pipefail

sluice=$(realpath "${1:?usage: tests/examples.sh SLUICE}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
outcome=0
for file in examples/*/*.yaml; do
    for verb in check test; do
        if said=$("$sluice" "$verb" "$file" 2>&1); then
            echo "ok examples: sluice $verb $file"
        else
            echo "FAIL examples: sluice $verb $file"
            printf '%s\n' "$said" | sed 's/^/    /'
            outcome=1
        fi
    done
done
exit "$outcome"
