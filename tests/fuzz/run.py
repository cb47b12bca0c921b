#!/usr/bin/env python3
"""Runs every fuzz target for a while, from its corpus. `ok NAME`, or `FAIL NAME` with the end of what
libFuzzer said and where it left the input.

    tests/fuzz/run.py BUILD OUTPUT [-j N]

    SLUICE_FUZZ_SECONDS   of each target (30)

What the run finds is added to a copy of the corpus, not to the checkout.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = int(os.environ.get("SLUICE_FUZZ_SECONDS", "30"))


def targets(build):
    return sorted(path for path in Path(build).resolve().rglob("fuzz_*")
                  if path.is_file() and os.access(path, os.X_OK) and path.suffix == "")


def run_target(target, output):
    work = output / target.name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "new").mkdir()
    seeds = HERE / "corpus" / target.name
    command = [str(target), f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=2048",
               "-malloc_limit_mb=512", "-print_final_stats=1", f"-artifact_prefix={work}/",
               str(work / "new")] + ([str(seeds)] if seeds.is_dir() else [])
    dictionary = HERE / "corpus" / f"{target.name}.dict"
    if dictionary.exists():
        command.insert(1, f"-dict={dictionary}")
    log = work / "log"
    with open(log, "wb") as out:
        code = subprocess.run(command, stdout=out, stderr=out, check=False, cwd=work,
                              timeout=SECONDS * 4 + 120).returncode
    said = log.read_text(errors="replace")
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    if code == 0 and runs:
        return f"ok fuzz {target.name}: {int(runs[1]):,} inputs in {SECONDS} s", True
    end = "\n    ".join(said.strip().splitlines()[-60:])
    return f"FAIL fuzz {target.name}: ended with {code}, see {log}\n    {end}", False


def main():
    build, output = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    jobs = int(sys.argv[4]) if len(sys.argv) > 4 else os.cpu_count() or 2
    found = targets(build)
    good = bool(found)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for line, fine in pool.map(lambda target: run_target(target, output), found):
            good = good and fine
            print(line, flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
