#!/usr/bin/env python3
"""From a publish to committed everywhere, with everything on one machine: broker, plugin, judging, spool, sinks.

    tests/bench/flow/run.py [--build DIR] [--messages N] [--rounds N] [--qos 0|1] [--counts]

A publisher of our own (publish.c, four connections) pours the reference case (253 bytes of JSON, 12 properties, a
JSON Schema, two limits) into a real Mosquitto in three ways, one after the other, which change places from
round to round:

    bare        without the plugin: what this broker can do at most on this machine
    historian   into PostgreSQL (layout columns)
    all         into PostgreSQL, Kafka and files

PostgreSQL, Kafka and the publisher run on the same cores. `accepted` is what the publisher sees: until
the broker has answered for everything. `committed` is until every sink has committed everything, as
status.json says, which is written once a second: up to one second too long. Processor time of each thread and
each server is taken as well: its sum says what the cores could do if they did nothing else.

Prints lines of the table in RESULTS.md. What fails is only a count: every message is in every sink, once.
--counts looks at that alone, with few messages, and prints `ok`.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parents[1]
for folder in ("broker", "kafka", "postgresql", "bench"):
    sys.path.insert(1, str(TESTS / folder))
import cluster
import kafka
import measure

GOALS = {0: 200, 1: 90}  # thousand a second, committed everywhere
WAYS = {"bare": [], "historian": ["historian"], "all": ["historian", "stream", "files"]}
CONNECTIONS = 4
TOPIC = "flow"
COLUMNS = {
    "ts": {"from": "/ts", "type": "timestamptz"}, "seq": {"from": "/seq", "type": "integer"},
    "machine": {"from": "/machine", "type": "text"}, "oven": {"from": "{oven}", "type": "text"},
    "state": {"from": "/state", "type": "text"}, "temperature": {"from": "/temperature", "type": "float8"},
    "pressure": {"from": "/pressure", "type": "float8"}, "vibration": {"from": "/vibration", "type": "real"},
    "speed": {"from": "/speed", "type": "integer"}, "good": {"from": "/good", "type": "boolean"},
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release", help="a release build")
    parser.add_argument("--messages", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--qos", type=int, choices=(0, 1), help="only this one")
    parser.add_argument("--counts", action="store_true", help="only see that everything is everywhere once")
    return parser.parse_args()


class Shores:
    """PostgreSQL, Kafka, and what the sinks' sections say of them."""

    def __init__(self, folder):
        self.cluster = cluster.Cluster("max_wal_size = '8GB'\ncheckpoint_timeout = '1h'\nautovacuum = off\n"
                                       "log_statement = none\n")
        with open(Path(self.cluster.data) / "postmaster.pid", encoding="ascii") as file:
            self.postmaster = int(file.readline())
        self.database = self.cluster.database()
        self.kafka = kafka.Kafka(folder / "kafka").start()
        self.kafka.create(TOPIC, 4)
        self.sinks = {
            "historian": {"type": "postgresql", "conninfo": self.cluster.conninfo(self.database), "create": True,
                          "layout": "columns", "table": "reading", "columns": COLUMNS},
            "stream": {"type": "kafka", "brokers": self.kafka.address, "topic": TOPIC,
                       "properties": {"linger.ms": 20, "batch.num.messages": 10000}},
            "files": {"type": "file", "path": "@HOME@/lake"},
        }

    def forget(self):
        self.cluster.sql("DROP TABLE IF EXISTS reading", self.database)
        self.stored = sum(self.kafka.lengths(TOPIC).values())

    def check(self, home, n):
        """Each message is in each sink, once."""
        rows = int(self.cluster.one("SELECT count(DISTINCT sluice_id) FROM reading", self.database))
        counts = {"PostgreSQL": (rows, int(self.cluster.one("SELECT count(*) FROM reading", self.database)))}
        if (home / "lake").exists():
            lines = sum(path.read_bytes().count(b"\n") for path in (home / "lake").rglob("*.jsonl*"))
            counts["files"] = (lines,)
            counts["Kafka"] = (sum(self.kafka.lengths(TOPIC).values()) - self.stored,)
        for name, found in counts.items():
            assert set(found) == {n}, f"{name} holds {found} of {n} messages"

    def close(self):
        self.kafka.stop()
        self.cluster.close()


def config(names, sinks):
    from harness import config as sluice_yaml
    policy = {"id": "ovens", "topics": ["plant/{site}/oven/{oven}"], "payload": "json", "schema": "reading:1",
              "limits": [{"field": "/temperature", "min": -20, "max": 350}, {"field": "/pressure", "max": 12}],
              "to": names}
    return sluice_yaml([policy], {name: sinks[name] for name in names},
                       schemas=[{"id": "reading", "version": 1, "file": "reading.v1.json"}],
                       spool={"min_free": "1MiB"})


class Bench:
    def __init__(self, options, shores, folder):
        self.options, self.shores, self.folder, self.runs = options, shores, folder, 0

    def broker(self, names):
        from broker import Broker
        self.runs += 1
        home = self.folder / f"broker{self.runs}"
        broker = Broker(home, config(names, self.shores.sinks) if names else None)
        shutil.copy(TESTS / "bench" / "callback" / "reading.v1.json", home)
        (home / "reading.v1.json").chmod(0o644)
        return broker

    def pour(self, broker, qos):
        program = Path(self.options.build).resolve() / "tests" / "bench_flow"
        done = subprocess.run([program, str(broker.port), str(qos), str(self.options.messages), str(CONNECTIONS)],
                              capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return map(float, done.stdout.split())

    def committed_at(self, broker, names):
        """The moment of the first status that says so."""
        n = self.options.messages

        def is_done(status):
            books = [status["sinks"][name] for name in names]
            return all(b["delivered"] + b["discarded"] == n and b["spooled"] == 0 for b in books)
        try:
            status = broker.status_when(is_done, "everything committed", 300)
        except TimeoutError:
            print(f"    {broker.status()}\n    {broker.log()[-2000:]}", file=sys.stderr)
            raise
        lost = {name: status["sinks"][name]["discarded"] for name in names if status["sinks"][name]["discarded"]}
        assert not lost, f"the machine is too slow for its ring: discarded at QoS 0: {lost} of {n}"
        return datetime.fromisoformat(status["time"].replace("Z", "+00:00")).timestamp()

    def run(self, way, qos):
        names = WAYS[way]
        self.shores.forget()
        broker = self.broker(names).start()
        try:
            if names:
                broker.status_when(lambda s: all(s["sinks"][name]["state"] == "connected" for name in names),
                                   "every sink has met its shore", 60)
            servers = {"PostgreSQL": self.shores.postmaster, "Kafka": self.shores.kafka.process.pid}
            before = {name: measure.cpu_seconds(pid) for name, pid in servers.items()}
            own = measure.threads(broker.pid)
            begun = time.time()
            accepted, publisher = self.pour(broker, qos)
            committed = self.committed_at(broker, names) - begun if names else accepted
            cpu = {name: spent - own.get(name, 0) for name, spent in measure.threads(broker.pid).items()}
            cpu.update({name: measure.cpu_seconds(pid) - before[name] for name, pid in servers.items()})
            cpu["publisher"] = publisher
            broker.stop(60)
            if names:
                self.shores.check(broker.home, self.options.messages)
        finally:
            broker.kill()
            shutil.rmtree(broker.home, ignore_errors=True)
        return {"accepted": accepted, "committed": committed, "cpu": cpu}


def spent(results, way, n):
    """Microseconds a message of whoever spent any, medians."""
    names = {name for result in results for name in result[way]["cpu"]}
    each = {name: statistics.median(result[way]["cpu"].get(name, 0) for result in results) * 1e6 / n
            for name in names}
    return {name: us for name, us in sorted(each.items(), key=lambda item: -item[1]) if us >= 0.05}


def report(results, qos, n):
    rate = {way: {what: n / measure.median(results, way, what) / 1000 for what in ("accepted", "committed")}
            for way in WAYS}
    us = {way: spent(results, way, n) for way in WAYS}
    for way in ("all", "historian"):
        cpu = sum(us[way].values())
        detail = f"{cpu:.1f} µs of processor a message: " + ", ".join(f"{k} {v:.1f}" for k, v in us[way].items())
        measure.row(f"flow, QoS {qos}, {way}: thousand a second committed", rate[way]["committed"],
                    GOALS[qos] if way == "all" else None, detail, "{:.0f}")
        measure.row(f"flow, QoS {qos}, {way}: as many if {os.cpu_count()} cores did nothing else",
                    os.cpu_count() * 1e3 / cpu, None, "", "{:.0f}")
        measure.row(f"flow, QoS {qos}, {way}: accepted ÷ bare broker",
                    measure.ratio(results, "bare", way, "accepted"), None,
                    f"bare {rate['bare']['accepted']:.0f} k/s, {way} {rate[way]['accepted']:.0f} k/s; broker's thread "
                    f"{us['bare'].get('mosquitto', 0):.2f} and {us[way].get('mosquitto', 0):.2f} µs")


def main():
    options = arguments()
    os.environ["SLUICE_BUILD"] = str(Path(options.build).resolve())
    try:
        kafka.fetch()
    except kafka.Missing as reason:
        print(f"SKIP flow: {reason}")
        return 0
    if cluster.programs() is None:
        print("SKIP flow: no initdb here (package postgresql)")
        return 0
    if options.counts:
        options.messages, options.rounds = 20_000, 0
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        shores = Shores(folder)
        try:
            bench = Bench(options, shores, folder)
            for qos in (0, 1) if options.qos is None else (options.qos,):
                if options.counts:
                    bench.run("all", qos)
                    print(f"ok flow QoS {qos}: {options.messages} messages, each once in each of three sinks")
                    continue
                results = measure.in_turns(WAYS, options.rounds, lambda way: bench.run(way, qos))
                report(results, qos, options.messages)
        finally:
            shores.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
