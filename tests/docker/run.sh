#!/usr/bin/env bash
# The compose demo for real: an engine of our own brings docker/compose.yaml up, the factory publishes,
# PostgreSQL goes and comes back, and in the end every message that the factory says it sent is where it belongs
# (compare.py).
#
#   tests/docker/run.sh [--keep]       --keep: leave it running, and say how to look into it
#
# The engine is Debian's docker.io with socket and folders of its own; no rule of the machine's firewall is
# changed. Images that cannot be pulled are made here under the same name: Debian from its mirror by
# debootstrap, PostgreSQL from Debian's package, Kafka from the jars of tests/kafka. They are kept; one that cannot be
# made is a failure:
#
#   ${XDG_CACHE_HOME:-~/.cache}/sluice/docker/     the engine's images
#   ${XDG_CACHE_HOME:-~/.cache}/sluice/chroot-trixie-base.tar
#
# Where no engine can run: SKIP, and why.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sluice
work=$(mktemp -d /tmp/sluice-docker.XXXXXX)
keep=no engine=''
[ "${1:-}" != --keep ] || keep=yes
export DOCKER_HOST=unix://$work/socket
suite=docker:
. "$root/tests/check.sh"

skip() {
    echo "SKIP docker: $*"
    exit 0
}

clean_up() {
    local outcome=$?
    if [ "$keep" = yes ]; then
        echo "it runs on: export DOCKER_HOST=$DOCKER_HOST; stop: kill $engine"
        exit "$outcome"
    fi
    if [ -n "$engine" ] && kill -0 "$engine" 2>/dev/null; then
        compose down --volumes --timeout 5 >"$work/down.log" 2>&1 || true
        kill "$engine" 2>/dev/null || true
        wait "$engine" 2>/dev/null || true
    fi
    umount -l "$work"/exec/netns/* 2>/dev/null || true
    rm -rf "$work"
    exit "$outcome"
}
trap clean_up EXIT

# await WHAT SECONDS COMMAND… : until the command succeeds.
await() {
    local what=$1 until=$((SECONDS + $2))
    shift 2
    until "$@" >"$work/await.log" 2>&1; do
        if [ $SECONDS -ge $until ]; then
            echo "waited for $what in vain:"
            tail -n 5 "$work/await.log"
            return 1
        fi
        sleep 0.3
    done
}

# ---- the engine ----------------------------------------------------------------------------------------

obstacle() {
    if [ "$(id -u)" -ne 0 ]; then
        echo "needs root, to start an engine of its own"
    elif ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
        echo "no dockerd here (Debian: docker.io)"
    elif ! command -v docker-compose >/dev/null && ! docker compose version >/dev/null 2>&1; then
        echo "no docker-compose here (Debian: docker-compose)"
    fi
}

# The storage that copies least and works here.
start_engine() {
    local storage
    mkdir -p "$cache/docker"
    for storage in overlay2 vfs; do
        dockerd --host "$DOCKER_HOST" --data-root "$cache/docker" --exec-root "$work/exec" \
            --pidfile "$work/pid" --storage-driver $storage --bridge none --iptables=false \
            --ip-forward=false --ip-masq=false >"$work/dockerd.log" 2>&1 &
        engine=$!
        while kill -0 $engine 2>/dev/null; do
            ! docker info >/dev/null 2>&1 || return 0
            sleep 0.2
        done
        engine=''
    done
    skip "no engine runs here: $(tail -n 1 "$work/dockerd.log")"
}

compose_command=(docker compose)
! command -v docker-compose >/dev/null || compose_command=(docker-compose)
compose_command+=(--project-directory "$root/docker" -p sluice-test -f "$work/compose.yaml"
    -f "$root/tests/docker/override.yaml")
compose() { "${compose_command[@]}" "$@"; }

# ---- images --------------------------------------------------------------------------------------------

have() { docker image inspect "$1" >/dev/null 2>&1; }

# want IMAGE COMMAND… : pull it, or make it.
want() {
    local image=$1
    shift
    have "$image" && return
    timeout 60 docker pull -q "$image" >"$work/pull.log" 2>&1 && return
    echo "    $image cannot be pulled here: a stand-in is made"
    "$@" "$image" >"$work/make.log" 2>&1 && return
    echo "FAIL docker: no stand-in for $image"
    tail -n 12 "$work/make.log" | sed 's/^/    /'
    exit 1
}

debian_from_mirror() {
    local mirror tree=$work/debian
    mirror=${SLUICE_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(COMPONENT)' |
        awk '$1 == "Debian" && $3 == "main" && $2 !~ /security/ {print $2; exit}')}
    debootstrap --variant=minbase trixie "$tree" "$mirror" || return
    tar -C "$tree" -c . | docker import - "$1" || return
    rm -rf "$tree"
}

postgres_from_debian() { docker build --network host -t "$1" "$root/tests/docker/postgres"; }

kafka_from_jars() {
    local context=$work/kafka name
    python3 -c "import sys; sys.path.insert(0, '$root/tests/kafka'); import kafka; print(kafka.fetch())" \
        >"$work/jars" || return 1
    mkdir -p "$context/bin"
    cp "$root/tests/docker/kafka/Dockerfile" "$context/"
    cp -r "$(cat "$work/jars")" "$context/jars"
    cp "$root/tests/docker/kafka/entrypoint" "$context/bin/"
    for name in get-offsets console-consumer topics; do
        cp "$root/tests/docker/kafka/tool" "$context/bin/kafka-$name.sh"
    done
    docker build --network host -t "$1" "$context"
}

image_of() { sed -n "s#^    image: \($1:.*\)#\1#p" "$root/docker/compose.yaml"; }

# ---- what is where ---------------------------------------------------------------------------------------

sql() { compose exec -T postgres psql -U sluice -d plant -qtAc "$1"; }
status() { compose exec -T sluice cat /var/lib/sluice/status.json; }
sink() { status | jq -r ".sinks.$1.$2"; } # sink NAME FIELD

records() { # records TOPIC : in all its partitions
    compose exec -T kafka /opt/kafka/bin/kafka-get-offsets.sh --bootstrap-server kafka:9092 \
        --topic "$1" | awk -F: '{n += $3} END {print n + 0}'
}

says_more_than() { # says_more_than N COMMAND… : it prints a number above N
    local than=$1 says
    shift
    says=$("$@") && [ "${says:-0}" -gt "$than" ]
}

all_delivered() {
    status | jq -e '[.sinks[] | select(.spooled > 0 or .routed > .delivered + .dead_lettered + .discarded)]
        | length == 0'
}

# ---- the demo --------------------------------------------------------------------------------------------

it_comes_up() {
    compose down --volumes --timeout 5 >"$work/down.log" 2>&1 || true # a run that was killed may have left some
    compose up -d --build >"$work/up.log" 2>&1 || {
        tail -n 30 "$work/up.log"
        return 1
    }
    await "rows" 120 says_more_than 500 sql "SELECT count(*) FROM sluice.samples" &&
        await "packs" 60 says_more_than 50 sql "SELECT count(*) FROM packs" &&
        await "weighings" 60 says_more_than 50 sql "SELECT count(*) FROM weighings" &&
        await "violations" 60 says_more_than 20 sql "SELECT count(*) FROM sluice.messages" &&
        await "records in Kafka" 60 says_more_than 500 records factory.line1
}

alerts_are_printed() {
    await "alerts" 30 says_more_than 10 alerts_printed
}
alerts_printed() { compose logs alerts 2>/dev/null | grep -c 'quality/line'; }

the_broker_is_healthy() {
    [ "$(docker inspect -f '{{.State.Health.Status}}' "$(compose ps -q sluice)")" = healthy ]
}

rubbish_is_told() {
    compose exec -T sluice mosquitto_pub -t factory/line9/oven/9/temperature -m '{"hot":true}' -q 1
    await "the row" 30 says_more_than 0 sql "SELECT count(*) FROM sluice.messages
        WHERE topic = 'factory/line9/oven/9/temperature'
          AND payload -> 'violations' @> '[{\"code\": \"schema.required\"}]'"
}

postgres_goes_and_comes() {
    local before
    compose stop -t 5 postgres >/dev/null 2>&1
    before=$(records factory.line1)
    await "Kafka going on" 30 says_more_than $((before + 300)) records factory.line1 &&
        await "a backlog" 30 says_more_than 300 sink historian spooled &&
        the_broker_is_healthy &&
        compose start postgres >/dev/null 2>&1 &&
        await "PostgreSQL" 60 sql "SELECT 1" &&
        await "the backlog's end" 90 backlog_is_gone
}
backlog_is_gone() { [ "$(sink historian spooled)" -lt 200 ]; }

everything_is_where_it_belongs() {
    compose stop -t 30 factory >/dev/null 2>&1
    await "everything delivered" 60 all_delivered &&
        python3 "$root/tests/docker/compare.py" "${compose_command[@]}"
}

reason=$(obstacle)
[ -z "$reason" ] || skip "$reason"
start_engine
want debian:trixie-slim debian_from_mirror
want "$(image_of postgres)" postgres_from_debian
want "$(image_of apache/kafka)" kafka_from_jars
sed '/^name:/d' "$root/docker/compose.yaml" >"$work/compose.yaml" # an older docker-compose refuses it

check "docker compose up, and data is in PostgreSQL and Kafka" it_comes_up
[ "$outcome" = 0 ] || exit 1
check "alerts are printed" alerts_are_printed
check "the broker is healthy" the_broker_is_healthy
check "rubbish is told, with its reason" rubbish_is_told
check "PostgreSQL goes and comes back, Kafka does not wait for it" postgres_goes_and_comes
check "every message that was sent is where it belongs, once and as it was" everything_is_where_it_belongs
exit "$outcome"
