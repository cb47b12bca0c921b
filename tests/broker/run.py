#!/usr/bin/env python3
"""Runs the broker tests. One line a test: `ok NAME`, `FAIL NAME` and why, `SKIP NAME: reason`.

    run.py [--build DIR] [--asan] [--fast] [-j N] [--match REGEX] [WORD …]

With words or an expression only the tests whose name has all of them.

Each test is independent, so N of them run at once; those that measure a rate run alone, at the end.
Exit 1 if any failed.
"""

import argparse
import concurrent.futures
import importlib
import os
import re
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", help="folder with mosquitto_sluice.so and sluice")
    parser.add_argument("--asan", action="store_true", help="preload AddressSanitizer's runtime")
    parser.add_argument("--fast", action="store_true", help="only the quick ones")
    parser.add_argument("--match", default="", metavar="REGEX", help="only names it finds")
    parser.add_argument("--label", default="", help="said behind `broker`, e.g. the broker's version")
    parser.add_argument("--list", action="store_true", help="names only")
    parser.add_argument("-j", type=int, default=2 * (os.cpu_count() or 1), help="at once (two a core)")
    parser.add_argument("words", nargs="*")
    return parser.parse_args()


def title(case):
    """answers: an accepted publish is acknowledged: 3.1.1, QoS 1"""
    module = type(case).__module__.removeprefix("test_")
    return f"{module}: " + case._testMethodName.removeprefix("test_").replace("_", " ")


def find_tests(words, match, only_fast):
    loader, found = unittest.TestLoader(), []
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for suite in loader.loadTestsFromModule(module):
            found += list(suite)
    if only_fast:
        found = [case for case in found if hasattr(method(case), "fast")]
    return [case for case in found
            if all(word in title(case) for word in words) and re.search(match, title(case))]


def method(case):
    return getattr(case, case._testMethodName)


class Outcome(unittest.TestResult):
    """Keeps one line and the explanation of one test."""

    def __init__(self):
        super().__init__()
        self.word, self.why = "ok", ""

    def _fail(self, case, err):
        self.word = "FAIL"
        self.why += self._exc_info_to_string(err, case)
        if hasattr(case, "logs"):
            try:
                self.why += case.logs()
            except OSError as error:
                self.why += f"(no log: {error})"

    def addFailure(self, test, err):
        self._fail(test, err)

    def addError(self, test, err):
        self._fail(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.why += f"{subtest}\n"
            self._fail(test, err)

    def addSkip(self, test, reason):
        self.word, self.why = "SKIP", reason


def run_one(module, class_name, name):
    sys.path.insert(0, str(HERE))
    case = getattr(importlib.import_module(module), class_name)(name)
    outcome, start = Outcome(), time.monotonic()
    case.run(outcome)
    return outcome.word, outcome.why, time.monotonic() - start


def show(case, word, why, seconds, label):
    name = f"broker{label} {title(case)}"
    if word == "SKIP":
        print(f"SKIP {name}: {why}", flush=True)
    elif word == "FAIL":
        print(f"FAIL {name} ({seconds:.1f} s)\n    " + why.strip().replace("\n", "\n    "), flush=True)
    else:
        print(f"ok {name} ({seconds:.1f} s)", flush=True)


def run_all(tests, jobs, label):
    counts = {"ok": 0, "FAIL": 0, "SKIP": 0}
    together = [case for case in tests if not hasattr(method(case), "alone")]
    one_by_one = [case for case in tests if hasattr(method(case), "alone")]
    for group, workers in ((together, jobs), (one_by_one, 1)):
        with concurrent.futures.ProcessPoolExecutor(workers) as pool:
            futures = {pool.submit(run_one, type(case).__module__, type(case).__name__,
                                   case._testMethodName): case for case in group}
            for future in concurrent.futures.as_completed(futures):
                word, why, seconds = future.result()
                counts[word] += 1
                show(futures[future], word, why, seconds, label)
    return counts


def main():
    options = arguments()
    if options.build:
        os.environ["SLUICE_BUILD"] = str(Path(options.build).resolve())
    if options.asan:
        os.environ["SLUICE_ASAN"] = "1"
    sys.path.insert(0, str(HERE))
    import places  # pylint: disable=import-outside-toplevel  # reads the environment
    tests = find_tests(options.words, options.match, options.fast)
    if options.list:
        print("\n".join(sorted(title(case) for case in tests)))
        return 0
    if not places.PLUGIN.exists():
        print(f"FAIL broker: {places.PLUGIN} is not there; build it first")
        return 1
    label = f" ({options.label or 'asan'})" if options.label or options.asan else ""
    print(f"broker tests{label}: {len(tests)}, plugin {places.PLUGIN}, seed {places.SEED}", flush=True)
    counts = run_all(tests, options.j, label)
    print(f"broker{label}: {counts['ok']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
