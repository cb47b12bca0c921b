#!/usr/bin/env python3
"""Runs the tests that CMake registered in one build, and counts each test in those labelled `unit`
(cmocka); any other is one test, good when it exits with 0. `cases` is left to tests/run.sh.

    tests/units.py BUILD [--label asan] [--setarch] [--patience N] [--without LABEL] [-j N]

One line a test: `ok NAME`, `FAIL NAME` and what it said, `SKIP NAME: reason`. --setarch: without address
space randomisation, which ThreadSanitizer needs on some kernels. --patience: N times the usual time limit.
"""

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys

TAP = re.compile(r"^(?P<word>ok|not ok) \d+ (?P<mark>-|# SKIP) (?P<name>.+)$")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--label", default="")
    parser.add_argument("--setarch", action="store_true")
    parser.add_argument("--patience", type=float, default=1)
    parser.add_argument("--without", default="", help="leave out tests with this label of CMake's")
    parser.add_argument("-j", type=int, default=os.cpu_count() or 2)
    return parser.parse_args()


def find_tests(build, without):
    """(name, command, time limit, is it cmocka's) of every test but `cases`, the costly ones first."""
    out = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True,
                         text=True, check=True).stdout
    found = [(test, {p["name"]: p["value"] for p in test.get("properties", [])})
             for test in json.loads(out)["tests"]]
    for test, properties in sorted(found, key=lambda pair: -pair[1].get("COST", 0)):
        if test["name"] != "cases" and without not in properties.get("LABELS", []):
            yield (test["name"], test.get("command"), properties.get("TIMEOUT", 300),
                   "unit" in properties.get("LABELS", []))


def run_program(name, command, limit, counts, label):
    """Lines to print, and whether all is well."""
    if command is None:
        return [f"FAIL {label}{name}: it was not built"], False
    try:
        done = subprocess.run(command, capture_output=True, timeout=limit, check=False,
                              env=dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP"))
    except subprocess.TimeoutExpired:
        return [f"FAIL {label}{name}: not done after {limit:.0f} s"], False
    said = (done.stdout + done.stderr).decode(errors="replace")
    lines, failed = [], False
    for line in done.stdout.decode(errors="replace").splitlines():
        match = TAP.match(line)
        if not match:
            continue
        test = f"{label}{name}: {match['name']}"
        if match["mark"] == "# SKIP":
            lines.append(f"SKIP {test}: the test says this machine cannot run it")
        elif match["word"] == "ok":
            lines.append(f"ok {test}")
        else:
            failed = True
            lines.append(f"FAIL {test}")
    if not counts and done.returncode == 0:
        return [f"ok {label}{name}"], True
    if failed or (done.returncode == 0 and lines):
        return lines + (indent(said) if failed else []), not failed
    why = "it ran no test" if done.returncode == 0 else f"it ended with {done.returncode}"
    return lines + [f"FAIL {label}{name}: {why}"] + indent(said), False


def indent(text):
    return ["    " + line for line in text.strip().splitlines()[-80:]]


def main():
    options = arguments()
    label = options.label + " " if options.label else ""
    prefix = ["setarch", "-R"] if options.setarch else []
    good = True
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        futures = [pool.submit(run_program, name, command and prefix + command,
                               limit * options.patience, counts, label)
                   for name, command, limit, counts in find_tests(options.build, options.without)]
        for future in concurrent.futures.as_completed(futures):
            lines, fine = future.result()
            good = good and fine
            print("\n".join(lines), flush=True)
    return 0 if good and futures else 1


if __name__ == "__main__":
    sys.exit(main())
