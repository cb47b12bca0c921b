#!/usr/bin/env python3
"""No accepted schema and no payload of up to 256 KiB may cost more than 30 million instructions.

    tests/cases/hostile/run.py [--build DIR] [--keep DIR] [NAME…]

Makes the cases of generate.py, has the program `hostile` of a release build judge them under callgrind,
and holds what callgrind counted for each against the bound. Counting starts when the broker would get the
message and ends when it would have the answer, reading included. Schemas that are refused at load are fine:
they cost a message nothing. One line a case, with its instructions, the dearest last.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import generate

ROOT = Path(__file__).resolve().parents[3]
BOUND = 30_000_000
COUNTED = "hostile_judge"
# Within twice the bound (the last one seven times), and not below it yet. Told as SKIP; one that comes below fails
# until it is taken out.
OPEN = {
    "const_object_in_another_order", "pattern_properties_times_keys",
    "unevaluated_properties_of_many", "unique_of_doubles_with_one_nearest", "enum_of_large_values",
    "redos_look_behind", "bounds_met_by_every_double", "property_names_by_branches",
    "dependent_schemas_of_all", "contains_in_contains", "one_of_with_annotations_everywhere",
    "branches_that_fail_at_the_end", "any_of_of_many_objects", "multiple_of_many_digits",
    "unique_under_all_of", "dynamic_ref_of_many_anchors", "unevaluated_over_many_branches",
}
SHARES = 2  # processes at a time, each with its share of the cases


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--keep", help="make the cases here, and leave them")
    parser.add_argument("names", nargs="*")
    return parser.parse_args()


def count(program, folder, number, names):
    """(name, what became of it, instructions) of each case; None: refused at load."""
    out = folder / f"callgrind.{number}"
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--toggle-collect={COUNTED}", f"--dump-after={COUNTED}",
         f"--callgrind-out-file={out}", str(program), str(folder), *names],
        capture_output=True, text=True, timeout=1200, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"hostile ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    dump = 0
    for line in done.stdout.splitlines():
        word, name, what = re.fullmatch(r"(\w+) (\w+): (.*)", line).groups()
        if word == "refused":
            yield name, what, None
            continue
        dump += 1
        text = Path(f"{out}.{dump}").read_text()
        yield name, what, int(re.search(r"^(?:totals|summary): (\d+)", text, re.M)[1])


def main():
    options = arguments()
    program = Path(options.build).resolve() / "tests/hostile"
    if shutil.which("valgrind") is None:
        print("SKIP hostile: valgrind is not installed")
        return 0
    folder = Path(options.keep or tempfile.mkdtemp(prefix="sluice-hostile-"))
    folder.mkdir(exist_ok=True)
    try:
        generate.write(folder)
        names = options.names or list(generate.CASES)
        with ThreadPoolExecutor(SHARES) as pool:
            found = [one for share in pool.map(
                lambda i: list(count(program, folder, i, names[i::SHARES])), range(SHARES)) for one in share]
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    bad = 0
    for name, what, cost in sorted(found, key=lambda one: one[2] or 0):
        if cost is None:
            print(f"ok hostile {name}: refused at load: {what}")
        elif cost <= BOUND and name in OPEN:
            print(f"FAIL hostile {name}: {cost:,} instructions, within the bound: take it out of OPEN")
            bad += 1
        elif name in OPEN:
            print(f"SKIP hostile {name}: {cost:,} instructions, allowed {BOUND:,}: known and open; {what}")
        elif cost <= BOUND:
            print(f"ok hostile {name}: {cost:,} instructions, {what}")
        else:
            print(f"FAIL hostile {name}: {cost:,} instructions, allowed {BOUND:,}; {what}")
            bad += 1
    if len(found) != len(names):
        print(f"FAIL hostile: {len(found)} of {len(names)} cases were judged")
        bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
