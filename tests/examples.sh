#!/usr/bin/env bash
# Every configuration of examples/ and docker/ is right, and does what its own tests say; what shows rules by itself
# shows them holding.
#
#   tests/examples.sh SLUICE
set -euo pipefail

sluice=$(realpath "${1:?usage: tests/examples.sh SLUICE}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
outcome=0
for file in examples/*/*.yaml docker/sluice/*.yaml; do
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

if ! command -v openssl >/dev/null || ! command -v mosquitto_pub >/dev/null; then
    echo "SKIP examples tls-acl: needs openssl and mosquitto-clients"
    exit "$outcome"
fi
# Its clients go on talking, for longer than a pipe holds, when all has been said: they are to be heard to their end.
talkative=$(mktemp -d)
trap 'rm -rf "$talkative"' EXIT
cat >"$talkative/mosquitto_pub" <<TALK
#!/bin/sh
"$(command -v mosquitto_pub)" "\$@"
code=\$?
seq 30000 || exit
exit \$code
TALK
chmod 755 "$talkative/mosquitto_pub"
ended=0
said=$(PATH=$talkative:$PATH timeout 120 examples/tls-acl/run.sh --build "$(dirname "$sluice")" 2>&1) || ended=1 outcome=1
sed -n 's/^holds /ok examples tls-acl: /p; s/^BROKEN /FAIL examples tls-acl: /p' <<<"$said"
if [ "$ended" -ne 0 ] && ! grep -q '^BROKEN ' <<<"$said"; then
    echo "FAIL examples tls-acl: it did not come to an end"
    tail -n 20 <<<"$said" | sed 's/^/    /'
fi
exit "$outcome"
