#!/usr/bin/env python3
"""Runs every fuzz target for a while, from its corpus. `ok NAME: inputs`, or `FAIL NAME` with the end of
what libFuzzer said and where it left the input.

    tests/fuzz/run.py BUILD OUTPUT [-j N] [--only WORD] [--hours H]

    SLUICE_FUZZ_SECONDS   of each target (30)

What the run finds is added to a copy of the corpus below OUTPUT, not to the checkout. With --hours (of the
whole campaign: the targets share the processors evenly) that copy is where the next campaign goes on.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def targets(build, word):
    return sorted(path for path in Path(build).resolve().rglob("fuzz_*")
                  if path.is_file() and os.access(path, os.X_OK) and path.suffix == "" and word in path.name)


def run_target(target, output, seconds, keep):
    work = output / target.name
    if not keep:
        shutil.rmtree(work, ignore_errors=True)
    (work / "new").mkdir(parents=True, exist_ok=True)
    seeds = HERE / "corpus" / target.name
    command = [str(target), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
               "-malloc_limit_mb=512", "-print_final_stats=1", f"-artifact_prefix={work}/",
               str(work / "new")] + ([str(seeds)] if seeds.is_dir() else [])
    dictionary = HERE / "corpus" / f"{target.name}.dict"
    if dictionary.exists():
        command.insert(1, f"-dict={dictionary}")
    log = work / "log"
    with open(log, "wb") as out:
        code = subprocess.run(command, stdout=out, stderr=out, check=False, cwd=work,
                              timeout=seconds * 4 + 120).returncode
    said = log.read_text(errors="replace")
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    if code == 0 and runs:
        return f"ok fuzz {target.name}: {int(runs[1]):,} inputs in {seconds} s", True
    end = "\n    ".join(said.strip().splitlines()[-60:])
    return f"FAIL fuzz {target.name}: ended with {code}, see {log}\n    {end}", False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("-j", dest="jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--only", default="", help="targets whose name has this word")
    parser.add_argument("--hours", type=float, help="of the whole campaign")
    options = parser.parse_args()
    found = targets(options.build, options.only)
    if not found:
        print(f"FAIL fuzz: no target in {options.build}")
        return 1
    seconds = int(os.environ.get("SLUICE_FUZZ_SECONDS", "30"))
    if options.hours:
        seconds = max(1, int(options.hours * 3600 * min(options.jobs, len(found)) / len(found)))
    output, good = options.output.resolve(), True
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = pool.map(lambda target: run_target(target, output, seconds, bool(options.hours)), found)
        for line, fine in runs:
            good = good and fine
            print(line, flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
