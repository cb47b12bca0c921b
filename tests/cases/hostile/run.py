#!/usr/bin/env python3
"""No accepted schema and no payload of up to 256 KiB may cost more than 30 million instructions.

    tests/cases/hostile/run.py [--build DIR] [--keep DIR] [NAME…]

Makes the cases of generate.py, has the program `hostile` of a release build judge them under callgrind,
and holds what callgrind counted for each against the bound. Counting starts when the broker would get the
message and ends when it would have the answer, reading included. Schemas that are refused at load are fine:
they cost a message nothing. One line a case, with its instructions, the dearest last.

The other way round: of large messages that somebody may well send (honest_… and a few more) each must be
found good. A bound that is kept by giving up on those is none.
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
        elif name in generate.HONEST and what != "holds":
            print(f"FAIL hostile {name}: {what}: a message that somebody may well send, and good")
            bad += 1
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
