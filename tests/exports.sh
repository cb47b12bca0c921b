#!/usr/bin/env bash
# The plugin shows the broker its three entry points and nothing else: a second plugin with a function
# of the same name would otherwise be bound to ours. It must also stay loaded (a worker thread that
# hangs in the kernel is left behind at stop) and be bound at once.
#
#   tests/exports.sh build/release/mosquitto_sluice.so
set -euo pipefail

plugin=${1:?usage: tests/exports.sh PLUGIN.so}
wanted='mosquitto_plugin_cleanup
mosquitto_plugin_init
mosquitto_plugin_version'

shown=$(nm -D --defined-only "$plugin" | awk '$2 != "A" {print $3}' | sed 's/@.*//' | LC_ALL=C sort)
failed=0
if [ "$shown" != "$wanted" ]; then
    printf '%s: exports are not the three entry points:\n%s\n' "$plugin" "$(diff <(echo "$wanted") <(echo "$shown"))"
    failed=1
fi
dynamic=$(readelf -dW "$plugin")
for flag in NODELETE NOW; do
    if ! grep -q "Flags:.*\b$flag\b" <<<"$dynamic"; then
        printf '%s: linked without -z %s\n' "$plugin" "${flag,,}"
        failed=1
    fi
done
exit "$failed"
