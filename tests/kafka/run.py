#!/usr/bin/env python3
"""The kafka sink against a real Kafka. Prints `ok NAME`, `FAIL NAME: reason`, `SKIP NAME: reason`.

    tests/kafka/run.py --drive PATH [--build DIR] [--long] [WORD …]

`PATH` is drive_kafka, built from tests/kafka/drive.c; in DIR are mosquitto_sluice.so and sluice. Without --long
what takes long is left out. WORDs: only tests whose name has all of them.
"""

import argparse
import os
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import drive
import kafka
import test_access
import test_faults
import test_messages
import test_refused


def suites():
    import test_all_sinks  # they look for the build when they are read
    import test_lake
    import test_plugin
    import test_plugin_faults
    import test_typed
    return [test_messages, test_refused, test_faults, test_access, test_plugin, test_plugin_faults,
            test_typed, test_all_sinks, test_lake]


def tests(long, words):
    for suite in suites():
        for name, function in vars(suite).items():
            title = name[5:].replace("_", " ")
            if name.startswith("test_") and callable(function) and \
                    all(word in title for word in words) and \
                    (long or words or not getattr(function, "long", False)):
                yield title, function


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--drive", required=True)
    parser.add_argument("--build")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    drive.PATH = Path(options.drive).resolve()
    if options.build:
        os.environ["SLUICE_BUILD"] = options.build
    chosen = list(tests(options.long, options.words))
    if not chosen:  # no such words, or a module of the same name came from another folder
        print("FAIL kafka: no test has these words")
        return 1
    try:
        kafka.fetch()
    except kafka.Missing as reason:
        for name, _ in chosen:
            print(f"SKIP {name}: {reason}")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sluice-kafka-") as folder:
        brokers = Brokers(Path(folder))
        try:
            for i, (name, function) in enumerate(chosen):
                place = Path(folder) / f"test{i}"
                place.mkdir()
                try:
                    said = function(brokers, place)
                    print(f"ok {name}" + (f" ({said})" if said else ""), flush=True)
                except Exception as problem:  # a test may fail in any way
                    failed += 1
                    print(f"FAIL {name}: {problem}\n    " +
                          traceback.format_exc().replace("\n", "\n    "), flush=True)
                    brokers.stop()
        finally:
            brokers.stop()
    return 1 if failed else 0


class Brokers:
    """Kafkas that tests share; started when first asked for, made anew after a failed test."""

    def __init__(self, folder):
        self.folder, self.running, self.made = folder, {}, 0

    def get(self, secure=False):
        if secure not in self.running:
            self.made += 1
            self.running[secure] = kafka.Kafka(self.folder / f"kafka{self.made}", secure).start()
        return self.running[secure]

    def stop(self):
        for broker in self.running.values():
            broker.stop()
        self.running = {}


sys.exit(main())
