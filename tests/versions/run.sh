#!/usr/bin/env bash
# The plugin as it was built here, in the Mosquitto of other releases: it loads, accepts, answers,
# reroutes (to shorter, equal and longer topics), reloads, survives kills and stops.
#
#   tests/versions/run.sh [--build DIR] [--all] [--fresh] [RELEASE…]      releases: trixie (2.0.21), sid (2.1)
#
#   --all     every broker test, not only the choice below (2.1 counts system calls differently and
#             refuses packets beyond 2 MB by itself: two of them fail there, and should)
#   --fresh   make the chroots anew
#
# The broker runs in a chroot with that release's own libraries, the tests of tests/broker and their
# clients outside, as ever: a wrapper stands in for `mosquitto`. /tmp, users and /dev are shared
# through a mount namespace of the broker's own, so nothing is left mounted behind.
#
#   ${XDG_CACHE_HOME:-~/.cache}/sluice/chroot-<release>/     made once by debootstrap, kept between runs
#     .sluice-packages                                       what was installed in it for which libraries
#
# The mirror is the one that this machine's apt uses for Debian; another may be named by SLUICE_DEBIAN_MIRROR.
# A suite that cannot run says `SKIP versions RELEASE: why`.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sluice
build=$root/build/release everything=no fresh=no releases=()
# What depends on the host; payloads, spool and sinks are the same everywhere.
choice='^(answers|reload|life: (the plugin|what was|fifty|a clean|two brokers|below|a plugin line)|alerts: a violation is moved|bridge|crash: what was|telemetry)'

usage() {
    sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
}

while [ $# -gt 0 ]; do
    case "$1" in
    --build)
        [ $# -ge 2 ] || usage
        build=$2
        shift
        ;;
    --all) everything=yes ;;
    --fresh) fresh=yes ;;
    trixie | sid) releases+=("$1") ;;
    *) usage ;;
    esac
    shift
done
[ ${#releases[@]} -gt 0 ] || releases=(trixie sid)

# Why no chroot can be made or entered here; nothing when it can.
obstacle() {
    if [ "$(id -u)" -ne 0 ]; then
        echo "needs root: debootstrap and chroot"
    elif ! command -v debootstrap >/dev/null; then
        echo "debootstrap is not installed (tests/setup.sh test)"
    elif [ -z "$mirror" ]; then
        echo "no Debian mirror in this machine's apt sources; SLUICE_DEBIAN_MIRROR=URL names one"
    elif ! unshare -m true 2>/dev/null; then
        echo "this machine gives no mount namespaces"
    fi
}

mirror_of_this_machine() {
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(COMPONENT)' 2>/dev/null |
        awk '$1 == "Debian" && $3 == "main" && $2 !~ /security/ {print $2; exit}'
}

# The packages of the libraries that the plugin asks for, under this machine's names; apt translates
# those that were renamed since (…t64 provides the old name).
libraries_of_the_plugin() {
    local soname path
    objdump -p "$build/mosquitto_sluice.so" | awk '$1 == "NEEDED" {print $2}' | while read -r soname; do
        path=$(ldconfig -p | awk -v name="$soname" '$1 == name {print $NF; exit}')
        dpkg -S "$(readlink -f "$path")" "$path" 2>/dev/null | head -n 1 | cut -d: -f1
    done | grep -v '^libc6$' | LC_ALL=C sort -u
}

# inside CHROOT COMMAND… : with /proc and /dev, in a mount namespace that ends with it.
inside() {
    local folder=$1
    shift
    unshare -m --propagation private sh -c '
        mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && folder=$1 && shift &&
            exec chroot "$folder" "$@"' inside "$folder" "$@"
}

# What apt here is told about proxies and certificates holds in the chroot too.
lend_apt_settings() {
    local folder=$1
    cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
    apt-config dump | grep -E '^Acquire::(http|https)::' >"$folder/etc/apt/apt.conf.d/90host" || true
    # A mirror that is a picture of a day keeps that day's expiry date.
    echo 'Acquire::Check-Valid-Until "false";' >>"$folder/etc/apt/apt.conf.d/90host"
    printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
    chmod 755 "$folder/usr/sbin/policy-rc.d"
}

make_chroot() {
    local release=$1 folder=$2 packages=$3
    if [ "$fresh" = yes ] || [ ! -e "$folder/.sluice-packages" ]; then
        rm -rf --one-file-system "$folder"
        mkdir -p "$folder"
        debootstrap --variant=minbase "$release" "$folder" "$mirror" || return 1
    fi
    if [ "$(cat "$folder/.sluice-packages" 2>/dev/null)" != "$packages" ]; then
        lend_apt_settings "$folder"
        # shellcheck disable=SC2086
        inside "$folder" env DEBIAN_FRONTEND=noninteractive sh -c '
            apt-get -q update && apt-get -q -y --no-install-recommends install "$@" && apt-get clean' \
            install $packages || return 1
        printf '%s\n' "$packages" >"$folder/.sluice-packages"
    fi
}

# A program that is `mosquitto` to whoever calls it. It keeps its process id, so signals arrive.
write_wrapper() {
    local folder=$1 wrapper=$2
    cat >"$wrapper" <<'SH'
#!/bin/sh
exec unshare -m --propagation slave sh -c '
    folder=$1 place=$PWD && shift &&
    mount -t proc proc "$folder/proc" && mount --rbind /dev "$folder/dev" &&
    mount --rbind /tmp "$folder/tmp" && mount --bind /etc/passwd "$folder/etc/passwd" &&
    mount --bind /etc/group "$folder/etc/group" &&
    exec chroot "$folder" sh -c "cd \"\$1\" && shift && exec /usr/sbin/mosquitto \"\$@\"" sh "$place" "$@"
' sh "@FOLDER@" "$@"
SH
    sed -i "s|@FOLDER@|$folder|" "$wrapper"
    chmod 755 "$wrapper"
}

run_release() {
    local release=$1 folder=$cache/chroot-$1 packages log=$work/$1.log outcome=0 version
    packages="mosquitto $(libraries_of_the_plugin | tr '\n' ' ')"
    mkdir -p "$cache"
    if ! make_chroot "$release" "$folder" "$packages" >"$log" 2>&1; then
        if grep -qE 'Invalid Release|Failed getting release|404|Unable to locate|no installation candidate' "$log"; then
            echo "SKIP versions $release: the mirror does not have it: $(grep -E '^E:' "$log" | tail -n 1)"
            return 0
        fi
        echo "FAIL versions $release: no chroot"
        tail -n 15 "$log" | sed 's/^/    /'
        return 1
    fi
    version=$(dpkg-query --admindir="$folder/var/lib/dpkg" -W -f '${Version}' mosquitto)
    echo "$release: mosquitto $version"
    write_wrapper "$folder" "$work/mosquitto-$release"
    local arguments=(--build "$build" --label "$release ${version%%-*}")
    [ "$everything" = yes ] || arguments+=(--match "$choice")
    # The homes of the brokers must lie where the chroot sees them.
    TMPDIR=/tmp SLUICE_KILLS=${SLUICE_KILLS:-8} SLUICE_MOSQUITTO=$work/mosquitto-$release \
        python3 "$root/tests/broker/run.py" "${arguments[@]}" || outcome=1
    return "$outcome"
}

mirror=${SLUICE_DEBIAN_MIRROR:-$(mirror_of_this_machine || true)}
why=$(obstacle)
if [ -n "$why" ]; then
    for release in "${releases[@]}"; do
        echo "SKIP versions $release: $why"
    done
    exit 0
fi
if [ ! -e "$build/mosquitto_sluice.so" ]; then
    echo "FAIL versions: $build/mosquitto_sluice.so is not there; build it first"
    exit 1
fi
build=$(realpath "$build")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
outcome=0
for release in "${releases[@]}"; do
    run_release "$release" || outcome=1
done
exit "$outcome"
