#!/usr/bin/env bash
# Sets up what the tests need, builds, and runs all of them.
#
#   tests/run.sh            everything: plain, under ASan+UBSan and TSan, fuzzers, real broker, gate
#   tests/run.sh --fast     for the edit loop: one build, unit tests, a few broker tests
#   tests/run.sh --setup    installs and builds, runs no test
#   tests/run.sh --oracles  only these: what others wrote, from PyPI and npm, beside our judge and our files
#
# Each suite prints one line, each failed or skipped test its own. Last line:
#
#   N passed, N failed, N skipped
#
# Exit 0 when nothing failed, else 1. Full logs are in build/test-logs/. Runs as root and as an ordinary
# user (then sudo installs what is missing, and what needs root is skipped, visibly).
#
#   SLUICE_NO_SETUP=1        do not look for packages
#   SLUICE_FUZZ_SECONDS=30   of each fuzz target
#   SLUICE_KILLS=50          kill -9 in the crash tests
#   SLUICE_ROUNDS=5 SLUICE_DOWN=60   both databases away so often, so many seconds (3, 3)
#   SLUICE_AVRO_BODIES=600000   messages of Avro that Avro C judges too
#   SLUICE_SEED=1            of everything random
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
logs=build/test-logs
passed=0 failed=0 skipped=0

usage() {
    sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
}

# suite NAME COMMAND… : its lines `ok …`, `FAIL …` and `SKIP name: reason` are counted and the last two
# shown, what is indented below a FAIL with it. A suite that breaks without a word is one failure.
suite() {
    local name=$1 log started=$SECONDS outcome=0 good bad left
    shift
    log=$logs/${name// /-}.log
    timeout -k 30 1500 "$@" >"$log" 2>&1 || outcome=$?
    good=$(grep -c '^ok ' "$log") bad=$(grep -c '^FAIL ' "$log") left=$(grep -c '^SKIP ' "$log")
    awk '/^(ok|SKIP) / {shown = 0} /^FAIL / {shown = 1} shown || /^SKIP /' "$log"
    if { [ "$outcome" -ne 0 ] && [ "$bad" -eq 0 ]; } || [ $((good + bad + left)) -eq 0 ]; then
        echo "FAIL $name: ended with $outcome; the end of $log:"
        tail -n 30 "$log" | sed 's/^/    /'
        bad=$((bad + 1))
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
    printf '%-22s %5d passed, %d failed, %d skipped (%d s)\n' "$name" "$good" "$bad" "$left" \
        $((SECONDS - started))
}

# tests/cases/run.py in the words that suite() counts.
cases='
    set -o pipefail
    tests/cases/run.py "$1" | sed "
        s/^\([a-z]*\/[^:]*\): ok\$/ok cases \1/; t
        s/^\([a-z]*\/[^:]*\): FAILED\$/FAIL cases \1/; t
        s/^/    /"'

# Configures and builds presets; gives up when one does not build.
build() {
    local preset log started
    for preset in "$@"; do
        log=$logs/build-$preset.log started=$SECONDS
        if ! { cmake --preset "$preset" && cmake --build --preset "$preset"; } >"$log" 2>&1; then
            grep -E 'error|Error|FAILED' "$log" | head -n 20
            tail -n 20 "$log"
            echo "FAIL build $preset: see $log"
            end $((failed + 1))
        fi
        printf '%-22s (%d s)\n' "build $preset" $((SECONDS - started))
    done
}

end() {
    echo "$passed passed, ${1:-$failed} failed, $skipped skipped"
    [ "${1:-$failed}" -eq 0 ]
    exit
}

set_up() {
    [ "${SLUICE_NO_SETUP:-}" = 1 ] || tests/setup.sh "$1" || {
        echo "FAIL setup: the machine could not be set up"
        end $((failed + 1))
    }
    mkdir -p "$logs"
}

run_fast() {
    build dev
    suite static tests/static.sh build/dev
    suite units tests/units.py build/dev
    suite cases bash -c "$cases" cases build/dev/sluice
    suite broker tests/broker/run.py --build build/dev --fast
}

run_everything() {
    build release dev asan tsan fuzz
    suite static tests/static.sh build/release
    suite examples tests/examples.sh build/release/sluice
    # Conformance has a suite of its own; its hostile side is the fuzz targets'.
    suite units tests/units.py build/dev --without conformance
    suite "units asan" tests/units.py build/asan --label asan --patience 2 --without conformance
    suite "units tsan" tests/units.py build/tsan --label tsan --setarch --patience 4 --without conformance
    suite conformance tests/conformance/run.sh build/dev
    suite cases bash -c "$cases" cases build/release/sluice
    suite "cases asan" bash -c "$cases" cases build/asan/sluice
    suite broker tests/broker/run.py --build build/release
    suite kafka tests/kafka/run.py --drive build/dev/tests/drive_kafka --build build/release
    suite registry tests/registry/run.py --build build/dev
    suite postgresql tests/postgresql/run.py --drive build/dev/tests/drive_postgresql
    suite "broker asan" tests/broker/run.py --build build/asan --asan
    suite versions tests/versions/run.sh --build build/release
    suite hostile tests/cases/hostile/run.py --build build/release
    suite callback tests/bench/callback/run.py --build build/release
    suite validate tests/bench/validate/run.py --build build/release
    suite avro tests/bench/avro/run.py --gate --build build/release
    for bench in postgresql kafka flow; do
        suite "bench $bench" "tests/bench/$bench/run.py" --build build/release --counts
    done
    suite factory tests/factory/run.py --build build/release
    suite demo tests/demo.sh
    suite docker tests/docker/run.sh
    suite fuzz tests/fuzz/run.py build/fuzz "$logs/fuzz"
}

# Every program in tests/oracles that ends in .sh is a suite. None is part of a plain run: they need PyPI and
# npm, and peers of pinned versions.
run_oracles() {
    local oracle name
    build release dev
    for oracle in tests/oracles/*.sh; do
        name=$(basename "$oracle" .sh)
        suite "oracle $name" "$oracle" build/dev
    done
}

case "${1:-}" in
'') mode=everything ;;
--fast) mode=fast ;;
--setup) mode=setup ;;
--oracles) mode=oracles ;;
*) usage ;;
esac
[ $# -le 1 ] || usage

if [ "$mode" = oracles ]; then set_up oracles; else set_up test; fi
case "$mode" in
setup)
    build release dev asan tsan fuzz
    echo "ready: everything is installed and built"
    exit 0
    ;;
fast) run_fast ;;
oracles) run_oracles ;;
everything) run_everything ;;
esac
end
