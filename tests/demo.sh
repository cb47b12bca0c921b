#!/usr/bin/env bash
# The demo does what its first page says: it ends well, its last two lines are as promised, what it
# counts adds up, and the files hold as many records as it says.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

check() {
    if [ "$2" = "$3" ]; then
        echo "ok demo: $1"
    else
        echo "FAIL demo: $1: $2, not $3"
        outcome=1
    fi
}

outcome=0
if ! SLUICE_DEMO_MESSAGES=3000 "$root/examples/demo.sh" --keep "$folder/out" >"$folder/said" 2>&1; then
    echo "FAIL demo: it ended badly"
    tail -n 40 "$folder/said" | sed 's/^/    /'
    exit 1
fi
echo "ok demo: it ends well"
summary=$(tail -n 2 "$folder/said" | head -n 1)
form='^summary received=[0-9]* accepted=[0-9]* rerouted=[0-9]* dropped=[0-9]* passed=[0-9]*$'
check "the line before the last is the summary" "$(grep -c "$form" <<<"$summary")" 1
check "the last line names the files" "$(tail -n 1 "$folder/said")" "files $folder/out"
field() { sed "s/.* $1=\([0-9]*\).*/\1/" <<<" $summary "; }
check "it received every message" "$(field received)" 3000
check "what it counts adds up" \
    "$(($(field accepted) + $(field rerouted) + $(field dropped) + $(field passed)))" "$(field received)"
lake=$(find "$folder/out/lake" -name '*.jsonl' -exec cat {} + | wc -l)
check "the lake holds what was accepted" "$lake" "$(field accepted)"
moved=$(find "$folder/out/quarantine" -name '*.jsonl' -exec cat {} + | grep '"enforced":true' | wc -l)
check "the quarantine holds what was not" "$moved" "$(($(field rerouted) + $(field dropped)))"
for word in rerouted dropped passed; do
    check "something was $word" "$([ "$(field $word)" -gt 0 ] && echo yes)" yes
done
exit "$outcome"
