#!/usr/bin/env bash
# Installs what Sluice needs on Debian 12, Debian 13 or Ubuntu 24.04, and says what it installs.
#
#   tests/setup.sh run     what building and running the plugin needs
#   tests/setup.sh test    that, and what the test suite needs
#   tests/setup.sh oracles that, and what fetches the peers of tests/oracles
#
# Works as root or through sudo. Does nothing when everything is there already. Exit 0: ready.
set -euo pipefail

run_packages=(
    build-essential cmake ninja-build pkg-config
    mosquitto mosquitto-clients mosquitto-dev libmosquitto-dev
    libyyjson-dev libpcre2-dev libyaml-dev libjansson-dev libidn2-dev libavro-dev zlib1g-dev libzstd-dev
    libpq-dev librdkafka-dev libcurl4-openssl-dev
)
test_packages=(
    libcmocka-dev libgmp-dev libtest-json-schema-acceptance-perl
    clang libclang-rt-dev clang-format clang-tidy llvm valgrind strace
    python3 python3-pip procps iproute2 jq openssl debootstrap python3-avro python3-zstandard
    postgresql default-jre-headless maven docker.io docker-compose
)
oracle_packages=(python3-venv)
command -v npm >/dev/null || oracle_packages+=(npm) # Node's own package brings it along, and conflicts with Debian's

say() { printf 'setup: %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        say "this needs root: run it as root, or install sudo"
        exit 2
    fi
}

installed() { [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" = 'install ok installed' ]; }

# Debian 12 has no yyjson. Its two packages come from Debian 13 on the mirror this machine uses
# already; the pin keeps everything else on the release that is installed.
borrow_yyjson_from_trixie() {
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' |
        awk '$2 == "bookworm" && $3 == "main" {print $1; exit}')
    if [ -z "$mirror" ]; then
        say "no Debian 12 mirror in this machine's apt sources: cannot find libyyjson-dev"
        exit 2
    fi
    say "adding Debian 13 of the same mirror for libyyjson0 and libyyjson-dev alone"
    as_root tee /etc/apt/preferences.d/sluice-yyjson >/dev/null <<'PIN'
Package: *
Pin: release n=trixie
Pin-Priority: -10

Package: libyyjson0 libyyjson-dev
Pin: release n=trixie
Pin-Priority: 500
PIN
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$mirror" |
        as_root tee /etc/apt/sources.list.d/sluice-yyjson.list >/dev/null
    as_root apt-get -q update >&2
}

main() {
    local wanted=("${run_packages[@]}") missing=() package
    case "${1:-}" in
    run) ;;
    test) wanted+=("${test_packages[@]}") ;;
    oracles) wanted+=("${test_packages[@]}" "${oracle_packages[@]}") ;;
    *)
        say "usage: tests/setup.sh run|test|oracles"
        exit 2
        ;;
    esac
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here. Sluice's set-up knows Debian 12, Debian 13 and Ubuntu 24.04; elsewhere install:"
        say "  ${wanted[*]}"
        exit 2
    fi
    for package in "${wanted[@]}"; do
        installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        say "everything is installed already"
        return
    fi
    say "installing: ${missing[*]}"
    as_root apt-get -q update >&2
    case " ${missing[*]} " in
    *" libyyjson-dev "*)
        # shellcheck disable=SC1091
        . /etc/os-release
        if [ "${VERSION_CODENAME:-}" = bookworm ]; then
            borrow_yyjson_from_trixie
        elif ! apt-cache show libyyjson-dev >/dev/null 2>&1; then
            say "libyyjson-dev is not in this machine's apt sources (Ubuntu: enable the universe component)"
            exit 2
        fi
        ;;
    esac
    # The broker's package starts a broker on port 1883, PostgreSQL's a server on 5432, Docker's an engine.
    # Nobody asked for those: they are not started where they were not installed before.
    local policy=/usr/sbin/policy-rc.d made_policy=no
    if ! { installed mosquitto && installed postgresql && installed docker.io; } && [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        made_policy=yes
    fi
    local outcome=0
    as_root apt-get -q -y --no-install-recommends install "${missing[@]}" >&2 || outcome=$?
    if [ "$made_policy" = yes ]; then
        as_root rm -f "$policy"
    fi
    return "$outcome"
}

main "$@"
