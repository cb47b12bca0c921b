#!/usr/bin/env python3
"""The postgresql sink against a real PostgreSQL.

    tests/postgresql/run.py --drive build/dev/drive_postgresql [--only WORD] [--kills N]

Prints `ok NAME`, `FAIL NAME` with the reason indented, or `SKIP NAME: reason`. Exit 1 when any failed.
"""

import argparse
import os
import signal
import sys
import traceback

import cluster
import test_convert
import test_once
import test_pause
import test_poison
import test_tls

SUITES = [test_convert, test_poison, test_pause, test_tls, test_once]


def tests(word):
    for suite in SUITES:
        for name, function in list(vars(suite).items()):
            if name.startswith("test_") and callable(function) and word in name:
                yield name.removeprefix("test_"), function


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--drive", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--kills", type=int, default=20, help="of backends, in the test that kills them")
    options = parser.parse_args()
    if cluster.programs() is None:
        print("SKIP postgresql: no initdb here (package postgresql)")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the cluster is stopped
    cluster.Drive.program = os.path.abspath(options.drive)
    server = cluster.Cluster()
    test_once.KILLS = options.kills
    failed = 0
    for name, function in tests(options.only):
        try:
            function(server)
            print(f"ok {name}", flush=True)
        except Exception:  # whatever it is, the next test shall run
            failed += 1
            print(f"FAIL {name}")
            print("    " + traceback.format_exc().rstrip().replace("\n", "\n    "), flush=True)
    server.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
