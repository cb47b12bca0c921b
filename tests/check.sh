# check.sh -- how suites that are written in bash say what became of one check. Sourced.
#
#   suite=conformance    said before each name; "" for none
#   cannot=77            the exit status that says "cannot be run here"; "" (the default): none does
#   outcome=0            1 once a check has failed
#
#   check NAME COMMAND…  exit 0 passed, $cannot skipped, else failed; with the end of what it said
cannot=
outcome=0

check() {
    local name="${suite:+$suite }$1" said status=0
    shift
    said=$("$@" 2>&1) || status=$?
    case $status in
    0) echo "ok $name" ;;
    "$cannot") echo "SKIP $name: $(tail -n 1 <<<"$said")" ;;
    *)
        echo "FAIL $name"
        outcome=1
        ;;
    esac
    printf '%s\n' "$said" | tail -n 100 | sed '/^$/d; s/^/    /'
}
