#!/usr/bin/env python3
"""The Kafka sink against a bare produce loop into the same real Kafka.

    tests/bench/kafka/run.py [--build DIR] [--records N] [--rounds N] [--headers none|all] [--counts]

Each round sends the same records three ways, one after the other: bare (librdkafka alone), sink (through
sink.h), spool (delivery.c from a spool on disk). The ways change places from round to round, so that a slow
minute of the machine hits each; each round has a new topic of four partitions. Twice: without headers, and
with all of them (the bare loop sends the same ones).

Prints lines of the table in RESULTS.md, by the clock on the wall and by processor time (measure.py). What
fails is only a topic that does not hold as many records as were sent, whatever the machine does meanwhile;
--counts looks at that alone, with few records, and prints `ok`. SKIP when there is no Kafka.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parents[1] / "kafka"))
import kafka
import measure

GOAL = 0.85
WAYS = ["bare", "sink", "spool"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release", help="a release build")
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--headers", choices=("none", "all"), help="only these")
    parser.add_argument("--counts", action="store_true", help="only see that all records arrive once")
    return parser.parse_args()


class Bench:
    def __init__(self, options, broker, folder):
        self.program = Path(options.build).resolve() / "tests" / "bench_kafka"
        self.records, self.broker, self.folder = options.records, broker, folder
        self.n_topics = self.n_ways = 0

    def topic(self):
        """A new one for each round: they grow, and a way shall not find a larger one than the next."""
        if self.n_ways == 0:
            self.n_topics += 1
            self.broker.create(f"bench-{self.n_topics}", 4)
        return f"bench-{self.n_topics}"

    def send(self, way, headers):
        topic, place = self.topic(), self.folder / "way"
        place.mkdir()
        section = place / "section.yaml"
        section.write_text(f'type: kafka\nbrokers: "{self.broker.address}"\ntopic: {topic}\nheaders: {headers}\n'
                           "properties: {linger.ms: 20, batch.num.messages: 10000}\n")
        spool = place / "data"
        spool.mkdir(mode=0o700)
        before = measure.cpu_seconds(self.broker.process.pid)
        done = subprocess.run([self.program, way, section, str(self.records), spool], capture_output=True,
                              text=True, timeout=300)
        server = measure.cpu_seconds(self.broker.process.pid) - before
        if done.returncode != 0:
            raise RuntimeError(f"{way}: {done.stderr.strip()}")
        wall, cpu = map(float, done.stdout.split())
        subprocess.run(["rm", "-rf", place], check=True)
        self.n_ways += 1
        if self.n_ways == len(WAYS):
            self.end_of_round(topic)
        return {"wall": wall, "cpu": cpu + server, "client": cpu, "server": server}

    def end_of_round(self, topic):
        self.n_ways = 0
        stored = sum(self.broker.lengths(topic).values())
        assert stored == len(WAYS) * self.records, f"{stored} records, {len(WAYS)} × {self.records} were sent"
        self.broker.delete(topic)


def report(headers, results, n):
    each = 1e6 / n
    detail = "; ".join(
        f"{way} {n / measure.median(results, way, 'wall') / 1000:.0f} k/s, "
        f"{measure.median(results, way, 'client') * each:.2f} + {measure.median(results, way, 'server') * each:.2f}"
        " µs" for way in WAYS)
    for way in ("sink", "spool"):
        for what in ("wall", "cpu"):
            measure.row(f"kafka, {way}, headers {headers}, {what}", measure.ratio(results, "bare", way, what),
                        GOAL, detail if what == "wall" and way == "sink" else "")


def main():
    options = arguments()
    try:
        kafka.fetch()
    except kafka.Missing as reason:
        print(f"SKIP kafka sink by bare produce loop: {reason}")
        return 0
    if options.counts:
        options.records, options.rounds = 20_000, 0
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        broker = kafka.Kafka(Path(folder) / "kafka").start()
        try:
            bench = Bench(options, broker, Path(folder))
            for headers in ("none", "all") if options.headers is None else (options.headers,):
                results = measure.in_turns(WAYS, options.rounds, lambda way: bench.send(way, headers))
                if options.counts:
                    print(f"ok kafka headers {headers}: {options.records} records three ways, all stored once")
                else:
                    report(headers, results, options.records)
        finally:
            broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
