#!/usr/bin/env bash
# Makes an authority and certificates, starts a private broker with TLS, access control and Sluice, and
# shows each rule hold: one line `holds RULE` or `BROKEN RULE`.
#
#   examples/tls-acl/run.sh [--build DIR] [--keep DIR]
#
# Exit 0 when all hold. Needs mosquitto, mosquitto-clients and openssl; touches no broker that runs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$here/../../build/release keep=''
while [ $# -gt 0 ]; do
    case "$1" in
    --build | --keep)
        [ $# -ge 2 ] || exit 2
        [ "$1" = --build ] && build=$2 || keep=$2
        shift 2
        ;;
    *)
        sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 2
        ;;
    esac
done
place=${keep:-$(mktemp -d)}
mkdir -p "$place"
place=$(cd "$place" && pwd)
chmod 755 "$place"
user=$(id -un)
[ "$(id -u)" -ne 0 ] || ! id -u mosquitto >/dev/null 2>&1 || user=mosquitto
broker='' outcome=0

clean_up() {
    local code=$?
    [ -z "$broker" ] || { kill -TERM "$broker" && wait "$broker"; } 2>/dev/null || true
    [ -n "$keep" ] || rm -rf "$place"
    exit "$code"
}
trap clean_up EXIT

# ---- certificates: an authority, the broker's, and one a machine -----------------------------------------

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1" 2>/dev/null; }

new_certificate() {
    local name=$1 extra=$2
    new_key "$place/tls/$name.key"
    openssl req -new -key "$place/tls/$name.key" -subj "/CN=$name" -out "$place/tls/$name.csr"
    openssl x509 -req -in "$place/tls/$name.csr" -CA "$place/tls/$3.crt" -CAkey "$place/tls/$3.key" \
        -CAcreateserial -days 7 -extfile <(printf '%s\n' "$extra") -out "$place/tls/$name.crt" 2>/dev/null
}

new_authority() {
    new_key "$place/tls/$1.key"
    openssl req -x509 -new -key "$place/tls/$1.key" -subj "/CN=$1" -days 7 -out "$place/tls/$1.crt"
}

make_certificates() {
    mkdir -p "$place/tls"
    new_authority ca
    new_authority stranger
    new_certificate broker 'subjectAltName=DNS:localhost,IP:127.0.0.1' ca
    new_certificate press-1 'extendedKeyUsage=clientAuth' ca
    new_certificate press-2 'extendedKeyUsage=clientAuth' ca
    new_certificate press-9 'extendedKeyUsage=clientAuth' stranger
}

make_users() {
    local name
    install -m 600 /dev/null "$place/users"
    for name in historian quality shift; do
        mosquitto_passwd -b "$place/users" "$name" "$name-secret"
    done
}

# ---- the broker ------------------------------------------------------------------------------------------

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 30000))
        if is_free "$port"; then
            echo "$port"
            return
        fi
    done
    return 1
}

start_broker() {
    local _
    machines=$(free_port) people=$(free_port)
    cp "$build/mosquitto_sluice.so" "$here/sluice.yaml" "$here/acl" "$place/"
    sed "s|@PLACE@|$place|; s|@MACHINES@|$machines|; s|@PEOPLE@|$people|" "$here/mosquitto.conf" >"$place/mosquitto.conf"
    printf 'user %s\nlog_dest stderr\n' "$user" >>"$place/mosquitto.conf"
    chmod 600 "$place/acl" "$place/users" # 2.1 asks for that
    [ "$(id -u)" -ne 0 ] || chown -R "$user" "$place"
    (cd "$place" && exec "$(PATH=$PATH:/usr/sbin command -v mosquitto)" -c mosquitto.conf) >"$place/broker.log" 2>&1 &
    broker=$!
    for _ in $(seq 200); do
        if ! is_free "$machines" && ! is_free "$people"; then
            return 0
        fi
        kill -0 "$broker" 2>/dev/null || break
        sleep 0.05
    done
    cat "$place/broker.log" >&2
    return 1
}

# ---- who does what ---------------------------------------------------------------------------------------

# machine NAME TOPIC PAYLOAD: publishes with the machine's certificate; QoS 1, MQTT 5: a denial is heard.
machine() {
    timeout 20 mosquitto_pub -h localhost -p "$machines" -V 5 -q 1 --cafile "$place/tls/ca.crt" \
        --cert "$place/tls/$1.crt" --key "$place/tls/$1.key" -t "$2" -m "$3" -d 2>&1
}

# person NAME PASSWORD TOPIC PAYLOAD
person() {
    timeout 20 mosquitto_pub -h localhost -p "$people" -V 5 -q 1 --cafile "$place/tls/ca.crt" \
        -u "$1" -P "$2" -t "$3" -m "$4" -d 2>&1
}

# listen NAME FILTER FILE: reads with a password, into FILE; returns once it is subscribed.
listen() {
    local _
    timeout 60 stdbuf -oL mosquitto_sub -h localhost -p "$people" -V 5 -q 1 --cafile "$place/tls/ca.crt" -u "$1" \
        -P "$1-secret" -t "$2" -F '%t %p' -d >"$3" 2>&1 &
    listeners+=($!)
    for _ in $(seq 200); do
        ! grep -qs 'Subscribed' "$3" || return 0
        sleep 0.05
    done
    return 1
}

rule() {
    local title=$1
    shift
    if "$@"; then
        echo "holds $title"
    else
        echo "BROKEN $title"
        outcome=1
    fi
}

# A client is heard to its end before it is judged: a `grep -q` that has found its word leaves, and a client that
# then goes on talking dies of it, which is no answer of the broker.
accepted() {
    local said
    said=$("$@") && ! grep -qE 'RC:(135|128)|[Nn]ot authori|rror' <<<"$said"
}
denied() {
    local said
    said=$("$@") || true
    grep -qE 'RC:135|[Nn]ot authori' <<<"$said"
}
no_connection() { ! "$@" >/dev/null 2>&1; }
heard() { grep -q "$2" "$1"; }
never_heard() { ! grep -q "$2" "$1"; }
# Until a word that was said last of all has come: what has not come by then does not come.
await() {
    local _
    for _ in $(seq 200); do
        ! heard "$@" || return 0
        sleep 0.05
    done
    return 1
}

main() {
    local listeners=()
    make_certificates
    make_users
    start_broker

    listen quality '#' "$place/quality"
    listen shift '#' "$place/shift"
    listen historian '#' "$place/historian"

    rule 'a machine publishes below its own name' accepted machine press-1 plant/press-1/pressure '{"bar":6.2}'
    rule 'a machine does not publish below the name of another' denied machine press-1 plant/press-2/pressure '{"bar":6.3}'
    rule 'a machine does not publish an alert' denied machine press-1 alerts/press-1/limits.max forged
    rule 'quality does not publish an alert either' denied person quality quality-secret alerts/press-1/x forged
    rule 'the historian publishes nothing' denied person historian historian-secret plant/press-1/pressure '{"bar":1}'
    rule 'not even below its own name' denied person historian historian-secret plant/historian/pressure '{"bar":1}'
    rule 'a certificate of another authority is no certificate' no_connection machine press-9 plant/press-9/pressure '{"bar":6.4}'
    rule 'a wrong password is none' no_connection person quality wrong alerts/x y
    rule 'nobody comes without a name' no_connection timeout 20 mosquitto_pub -h localhost -p "$people" -V 5 -q 1 \
        --cafile "$place/tls/ca.crt" -t plant/x/pressure -m '{"bar":1}'
    rule 'nobody comes without TLS' no_connection timeout 5 mosquitto_pub -h localhost -p "$people" -V 5 -q 1 \
        -u quality -P quality-secret -t plant/x/pressure -m '{"bar":1}'
    rule 'a broken reading is acknowledged to the machine and moved' accepted machine press-1 plant/press-1/pressure '{"bar":61}'
    rule 'the same of another machine' accepted machine press-2 plant/press-2/pressure '{"bar":-3}'
    rule 'a good reading comes last' accepted machine press-2 plant/press-2/pressure '{"bar":7.7}'

    await "$place/historian" '"bar":7.7' && await "$place/quality" 'press-2/limits.min' && await "$place/shift" 'press-2/limits.min' || outcome=1
    rule 'quality reads alerts' heard "$place/quality" '^alerts/press-1/limits.max {.*"actual":61'
    rule 'quality does not read the plant' never_heard "$place/quality" '^plant/'
    rule 'the shift reads the alerts of its press' heard "$place/shift" '^alerts/press-2/limits.min {'
    rule 'the shift reads no others' never_heard "$place/shift" '^alerts/press-1/'
    rule 'the historian reads the plant' heard "$place/historian" '^plant/press-1/pressure {"bar":6.2}'
    rule 'the historian reads no alerts' never_heard "$place/historian" '^alerts/'
    rule 'no broken reading reached a reader of the plant' never_heard "$place/historian" '"bar":61'
    rule 'no forged alert reached anybody' never_heard "$place/quality" forged
    kill "${listeners[@]}" 2>/dev/null || true

    kill -TERM "$broker"
    wait "$broker" || outcome=1
    broker=''
    rule 'the lake has two good readings and two violations, and nothing that was denied' \
        test "$(find "$place/lake" -name '*.jsonl' -exec cat {} + | wc -l)" -eq 4
    exit "$outcome"
}

main
