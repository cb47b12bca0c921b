#!/usr/bin/env python3
"""The PostgreSQL sink against a bare COPY BINARY of the very same rows into the same real PostgreSQL.

    tests/bench/postgresql/run.py [--build DIR] [--records N] [--rounds N] [--layout WORD] [--counts]

Each round brings the same records into an emptied table in two ways, one after the other: bare (a plain loop
of libpq: BEGIN, COPY … (FORMAT binary), COMMIT for 5,000 records each, whose rows lie ready in memory) and spool
(the whole way: read from the spool on disk, made into rows, committed together with their place). Three
layouts; narrow takes four values of each record, so four rows.

Prints lines of the table in RESULTS.md for each layout, by the clock on the wall and by processor time
(measure.py). What fails is only a table that does not hold the same rows both times, whatever the
machine does meanwhile; --counts looks at that alone, with few records, and prints `ok`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "postgresql"))
sys.path.insert(0, str(HERE.parent))
import cluster
import measure

GOAL = 0.90
WAYS = ["bare", "spool"]
POLICIES = [{"id": "ovens", "topics": ["plant/{site}/oven/{oven}"], "timestamp": {"field": "/ts"}}]
COLUMNS = {
    "ts": {"from": "/ts", "type": "timestamptz"}, "seq": {"from": "/seq", "type": "integer"},
    "machine": {"from": "/machine", "type": "text"}, "oven": {"from": "{oven}", "type": "text"},
    "state": {"from": "/state", "type": "text"}, "temperature": {"from": "/temperature", "type": "float8"},
    "pressure": {"from": "/pressure", "type": "float8"}, "vibration": {"from": "/vibration", "type": "real"},
    "speed": {"from": "/speed", "type": "integer"}, "good": {"from": "/good", "type": "boolean"},
}
# What a layout's section says; how many rows a record makes; its table and the columns that are no id.
LAYOUTS = {
    "messages": ({}, 1, "sluice.messages",
                 "received_at, event_at, instance, kind, topic, client_id, qos, retain, policy, quality, payload"),
    "columns": ({"table": "reading", "columns": COLUMNS}, 1, "reading", ", ".join(COLUMNS)),
    "narrow": ({"values": ["/temperature", "/pressure", "/vibration", "/speed"]}, 4, "sluice.samples",
               "ts, tag, value, text, quality"),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release", help="a release build")
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--layout", default="", help="only layouts whose name has this word")
    parser.add_argument("--counts", action="store_true", help="only see that both ways give the same rows")
    return parser.parse_args()


class Bench:
    def __init__(self, options):
        self.program = Path(options.build).resolve() / "tests" / "bench_postgresql"
        self.records = options.records
        # A checkpoint or a vacuum would hit whoever is there just then.
        self.server = cluster.Cluster("max_wal_size = '8GB'\ncheckpoint_timeout = '1h'\nautovacuum = off\n"
                                      "log_statement = 'mod'\n")
        with open(Path(self.server.data) / "postmaster.pid", encoding="ascii") as file:
            self.postmaster = int(file.readline())

    def drive(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(f"{arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def open(self, layout, folder):
        """A database with the layout's tables; its section in a file."""
        self.layout = LAYOUTS[layout]
        self.database = self.server.database()
        self.section = folder / "section.yaml"
        self.section.write_text(json.dumps({
            "type": "postgresql", "layout": layout, "conninfo": self.server.conninfo(self.database),
            "policies": POLICIES, **self.layout[0]}), encoding="utf-8")
        self.server.sql(self.drive("ddl", self.section), self.database)

    def bring(self, way):
        """One way: seconds by both clocks."""
        self.server.sql(f"TRUNCATE {self.layout[2]}; TRUNCATE sluice.progress; CHECKPOINT", self.database)
        before = measure.cpu_seconds(self.postmaster)
        with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
            wall, cpu = map(float, self.drive(way, self.section, self.records, folder).split())
        server = measure.cpu_seconds(self.postmaster) - before
        rows = int(self.server.one(f"SELECT count(*) FROM {self.layout[2]}", self.database))
        assert rows == self.records * self.layout[1], f"{way}: {rows} rows of {self.records} records"
        return {"wall": wall, "cpu": cpu + server, "core": max(cpu, server), "client": cpu, "server": server}

    def digest(self, way):
        """Of all rows but their ids, in whatever order."""
        self.bring(way)
        return self.server.one(f"SELECT sum(hashtextextended(ROW({self.layout[3]})::text, 0)) "
                               f"FROM {self.layout[2]}", self.database)


def report(layout, results, n):
    each = 1e6 / n
    detail = "; ".join(
        f"{way} {n / measure.median(results, way, 'wall') / 1000:.0f} k/s, "
        f"{measure.median(results, way, 'client') * each:.2f} + {measure.median(results, way, 'server') * each:.2f}"
        " µs" for way in WAYS)
    for what in ("wall", "core", "cpu"):
        measure.row(f"postgresql, {layout}, {what}", measure.ratio(results, "bare", "spool", what), GOAL,
                    detail if what == "wall" else "")


def main():
    options = arguments()
    if cluster.programs() is None:
        print("SKIP postgresql sink by bare COPY: no initdb here (package postgresql)")
        return 0
    if options.counts:
        options.records = 20_000
    bench, failed = Bench(options), False
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        for layout in LAYOUTS:
            if options.layout not in layout:
                continue
            bench.open(layout, Path(folder))
            digests = [bench.digest(way) for way in WAYS]
            if digests[0] != digests[1]:
                failed = True
                print(f"FAIL postgresql {layout}: the rows of the sink are not those of the bare COPY")
            elif options.counts:
                print(f"ok postgresql {layout}: {options.records} records, the same rows as by a bare COPY")
            else:
                report(layout, measure.in_turns(WAYS, options.rounds, bench.bring), options.records)
    bench.server.close()
    return failed


if __name__ == "__main__":
    sys.exit(main())
