#!/usr/bin/env bash
# A small biscuit factory against a private Mosquitto with Sluice: what comes in, what is judged good,
# what is rerouted and why, and the files that hold it all in the end.
#
#   examples/demo.sh [--keep DIR]
#
# Needs nothing but Debian 12, Debian 13 or Ubuntu 24.04, and root or sudo for the packages: sets the
# machine up (and says what it installs), builds, plays, stops. The files stay for a look: in DIR, or
# in a new folder under ${TMPDIR:-/tmp}. Last two lines:
#
#   summary received=N accepted=N rerouted=N dropped=N passed=N
#   files DIR
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
messages=${SLUICE_DEMO_MESSAGES:-6000}
rate=${SLUICE_DEMO_RATE:-1500}

if [ -t 1 ]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' dim='' green='' plain=''
fi

indented() { "$@" 2>&1 | sed 's/^/  /'; }
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
fail() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

usage() {
    sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit "$1"
}

# ---- options and places ----------------------------------------------------------------------------

keep=''
while [ $# -gt 0 ]; do
    case "$1" in
    --keep)
        [ $# -ge 2 ] || usage 2
        keep=$2
        shift 2
        ;;
    --keep=*)
        keep=${1#--keep=}
        shift
        ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
done

# What an earlier demo left in DIR is replaced; somebody else's files are not touched.
ours=(lake quarantine data schemas sluice.yaml mosquitto.conf broker.log first-alert.json)
if [ -n "$keep" ]; then
    mkdir -p "$keep"
    keep=$(cd "$keep" && pwd)
    for name in "${ours[@]}"; do
        if [ -e "$keep/$name" ] && [ ! -e "$keep/.sluice-demo" ]; then
            fail "$keep/$name exists, and is not from an earlier demo"
        fi
    done
fi

# ---- the machine and the build ---------------------------------------------------------------------

build() {
    local log=$1
    (cd "$root" && cmake --preset release && cmake --build --preset release) >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        fail "the build failed; its log is $log"
    }
    # Through sudo: the checkout's owner keeps what was built in it.
    if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_UID:-}" ]; then
        chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$root/build"
        chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$root/build/release"
    fi
}

# ---- a private broker ------------------------------------------------------------------------------

# As root Mosquitto becomes this user before it loads plugins; otherwise it stays who we are.
broker_user() {
    if [ "$(id -u)" -eq 0 ]; then
        id -u mosquitto >/dev/null 2>&1 && echo mosquitto || echo root
    else
        id -un
    fi
}

# A folder the broker's user can enter; the checkout, or TMPDIR, may be closed to it.
new_stage() {
    local parent stage
    for parent in "${TMPDIR:-/tmp}" /tmp /var/tmp; do
        stage=$(mktemp -d "$parent/sluice-demo.XXXXXX") || continue
        chmod 755 "$stage"
        if [ "$(id -u)" -eq 0 ]; then
            chown "$user" "$stage"
            if ! runuser -u "$user" -- test -x "$stage"; then
                rmdir "$stage"
                continue
            fi
        fi
        printf '%s\n' "$stage"
        return
    done
    fail "found no folder that the user $user can enter"
}

fill_stage() {
    cp "$root/build/release/mosquitto_sluice.so" "$stage/"
    cp -r "$here/factory/sluice.yaml" "$here/factory/schemas" "$stage/"
    chmod -R u=rwX,go=rX "$stage/mosquitto_sluice.so" "$stage/sluice.yaml" "$stage/schemas"
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

write_broker_conf() {
    cat >"$stage/mosquitto.conf" <<CONF
user $user
listener $port 127.0.0.1
allow_anonymous true
persistence false
log_dest stderr
log_type error
log_type warning
log_type notice
plugin $stage/mosquitto_sluice.so
plugin_opt_config $stage/sluice.yaml
CONF
    chmod 644 "$stage/mosquitto.conf"
}

start_broker() {
    local mosquitto attempt waited
    mosquitto=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mosquitto) || fail "no mosquitto here"
    for attempt in 1 2 3 4 5 6 7 8; do
        port=$((20000 + RANDOM % 30000))
        port_is_free "$port" || continue
        write_broker_conf
        (cd "$stage" && exec "$mosquitto" -c "$stage/mosquitto.conf") >"$stage/broker.log" 2>&1 &
        broker=$!
        for ((waited = 0; waited < 300; waited++)); do
            kill -0 "$broker" 2>/dev/null || break
            port_is_free "$port" || return 0
            sleep 0.05
        done
        grep -q 'Address already in use' "$stage/broker.log" || break
    done
    cat "$stage/broker.log" >&2
    fail "the broker did not start"
}

stop_broker() {
    kill -TERM "$broker"
    wait "$broker" || fail "the broker did not stop cleanly: $(tail -n 5 "$stage/broker.log")"
    broker=''
}

broker='' listener=''
clean_up() {
    local outcome=$?
    [ -z "$listener" ] || kill "$listener" 2>/dev/null || true
    [ -z "$broker" ] || kill -KILL "$broker" 2>/dev/null || true
    exit "$outcome"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# ---- what came out ---------------------------------------------------------------------------------

# A number of status.json: count accepted
count() {
    tr -d ' \n' <"$stage/data/status.json" | sed -n "s/.*\"messages\":{[^}]*\"$1\":\([0-9]*\).*/\1/p"
}

lines_below() { find "$1" -name '*.jsonl' -type f -exec cat {} + 2>/dev/null; }

show_reasons() {
    lines_below "$stage/quarantine" | grep '"enforced":true' | grep "\"action\":\"$1\"" |
        sed 's/.*"violations":\[{"code":"\([^"]*\)".*/\1/' | LC_ALL=C sort | uniq -c | sort -rn |
        awk '{printf "    %-28s %6d\n", $2, $1}'
}

show_files() {
    local file
    find "$1" -name '*.jsonl' -type f | LC_ALL=C sort | while read -r file; do
        printf '  %s%s%s  %s lines\n' "$green" "${file#"$stage/"}" "$plain" "$(wc -l <"$file")"
        # The first line whole; of two more what was said, and where.
        awk -v width=170 'NR == 1 {print "    " $0}
            NR > 1 && NR <= 3 {
                topic = substr($0, index($0, "\"topic\":"))
                sub(/,"client_id".*/, "", topic)
                line = topic " … " substr($0, index($0, "\"payload\":"))
                print "    … " (length(line) > width ? substr(line, 1, width) " …" : line)
            }' "$file"
    done
}

main() {
    title 'Setting up'
    indented "$root/tests/setup.sh" run || fail "the machine could not be set up"

    user=$(broker_user)
    stage=$(new_stage)
    : >"$stage/.sluice-demo"
    title 'Building'
    build "$stage/build.log"
    rm -f "$stage/build.log"
    fill_stage
    printf '  %s\n' "$root/build/release/mosquitto_sluice.so" "$root/build/release/sluice"

    title 'The configuration, checked and tested without a broker'
    local sluice="$root/build/release/sluice"
    indented "$sluice" check "$stage/sluice.yaml" || fail "the factory's configuration is not right"
    indented "$sluice" test "$stage/sluice.yaml" ||
        fail "the factory's configuration does not do what its tests say"

    start_broker
    title "A factory of two lines, $messages messages to a private broker on port $port"
    mosquitto_sub -h 127.0.0.1 -p "$port" -q 1 -C 1 -t 'quality/+/oven/+/limits.max' -F '%J' --pretty \
        >"$stage/first-alert.json" &
    listener=$!
    sleep 0.3 # the listener only shows an alert; were it late, it would show the next one
    "$root/build/release/examples/factory/factory" --port "$port" --messages "$messages" --rate "$rate" \
        --seed "${SLUICE_DEMO_SEED:-1}" || fail "the factory could not publish"
    stop_broker
    kill "$listener" 2>/dev/null || true
    wait "$listener" 2>/dev/null || true
    listener=''

    title 'What became of it'
    local name
    for name in received accepted rerouted dropped passed; do
        printf '  %-30s %6d\n' "$name" "$(count "$name")"
        case "$name" in
        rerouted) show_reasons reroute ;;
        dropped) show_reasons drop ;;
        esac
    done

    title 'One alert, as a subscriber of quality/# got it'
    sed 's/^/  /' "$stage/first-alert.json"

    title 'One weighing, Avro when it came, as the lake keeps it'
    lines_below "$stage/lake" | awk '/\/weighing"/ && !n++ {print "  " $0}'

    title 'The files'
    show_files "$stage/lake"
    show_files "$stage/quarantine"
    printf '  %sthe broker stopped cleanly; its log: broker.log, all counters: data/status.json%s\n\n' \
        "$dim" "$plain"

    finish_files
    printf 'summary received=%s accepted=%s rerouted=%s dropped=%s passed=%s\n' "$(count received)" \
        "$(count accepted)" "$(count rerouted)" "$(count dropped)" "$(count passed)"
    printf 'files %s\n' "${keep:-$stage}"
}

# Hands the files over: to --keep's folder, and to whoever called sudo.
finish_files() {
    local name
    rm -f "$stage/mosquitto_sluice.so"
    if [ "$(id -u)" -eq 0 ]; then
        chown -R "${SUDO_UID:-0}:${SUDO_GID:-0}" "$stage"
    fi
    [ -n "$keep" ] || return 0
    for name in "${ours[@]}"; do
        rm -rf "${keep:?}/$name"
    done
    cp -a "$stage/." "$keep/"
    rm -rf "$stage"
    stage=$keep
}

main
