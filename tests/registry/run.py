#!/usr/bin/env python3
"""The registry's client against a real schema registry. Prints `ok NAME`, `FAIL NAME: reason`,
`SKIP NAME: reason`.

    tests/registry/run.py --build BUILD [FILTER]
"""

import argparse
import os
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import apicurio
import test_client


def suites():
    import test_broker  # they look for the build when they are read
    import test_example
    import test_kafka
    return [test_client, test_broker, test_kafka, test_example]


def tests(wanted):
    for suite in suites():
        for name, function in vars(suite).items():
            title = name[5:].replace("_", " ")
            if name.startswith("test_") and callable(function) and (wanted or "") in title:
                yield title, function, getattr(suite, "SKIP", ())


class Place:
    """What a test gets: the build, a folder of its own, servers that tests share."""

    def __init__(self, build, folder):
        self.build, self.root, self.folder, self.running = build, folder, folder, {}

    def registry(self, kind="plain", **options):
        if kind not in self.running:
            self.running[kind] = apicurio.Registry(self.root / kind, **options).start()
        return self.running[kind]

    def kafka(self):
        """A real Kafka that tests share."""
        if "kafka" not in self.running:
            import kafka
            self.running["kafka"] = kafka.Kafka(self.root / "kafka").start()
        return self.running["kafka"]

    def stop(self):
        for server in self.running.values():
            server.stop()
        self.running = {}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("filter", nargs="?")
    options = parser.parse_args()
    os.environ["SLUICE_BUILD"] = options.build
    chosen = list(tests(options.filter))
    try:
        apicurio.fetch()
    except apicurio.Missing as reason:
        for name, *_ in chosen:
            print(f"SKIP {name}: {reason}")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sluice-registry-") as folder:
        place = Place(Path(options.build).resolve(), Path(folder))
        try:
            for i, (name, function, needs) in enumerate(chosen):
                missing = next(filter(None, (need() for need in needs)), None)
                if missing:
                    print(f"SKIP {name}: {missing}", flush=True)
                    continue
                place.folder = Path(folder) / f"test{i}"
                place.folder.mkdir()
                try:
                    function(place)
                    print(f"ok {name}", flush=True)
                except Exception as problem:  # a test may fail in any way
                    failed += 1
                    print(f"FAIL {name}: {problem}\n    " +
                          traceback.format_exc().replace("\n", "\n    "), flush=True)
        finally:
            place.stop()
    return 1 if failed else 0


sys.exit(main())
