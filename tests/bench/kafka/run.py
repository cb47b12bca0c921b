#!/usr/bin/env python3
"""The Kafka sink against a bare produce loop into the same real Kafka.

    tests/bench/kafka/run.py [--build DIR] [--records N] [--rounds N]

Each round sends the same records three ways, one after the other: bare (librdkafka alone), sink (through
sink.h), spool (delivery.c from a spool on disk). The ways change places from round to round, so that a slow
minute of the machine hits each; each way has a new topic of four partitions. A ratio is bare's time by the
other's, round by round; shown are the medians. Twice: without headers, and with all of them (the bare loop
sends the same ones).

Prints `ok NAME: ratio …` when the goal is reached, else `FAIL NAME: …`; SKIP when there is no Kafka.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "kafka"))
import kafka

GOAL = 0.85
WAYS = ["bare", "sink", "spool"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release", help="a release build")
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def send(program, broker, place, way, headers, records, n):
    topic = f"bench-{n}"
    broker.create(topic, 4)
    place.mkdir()
    section = place / "section.yaml"
    section.write_text(f'type: kafka\nbrokers: "{broker.address}"\ntopic: {topic}\nheaders: {headers}\n'
                       "properties: {linger.ms: 20, batch.num.messages: 10000}\n")
    spool = place / "data"
    spool.mkdir(mode=0o700)
    done = subprocess.run([program, way, section, str(records), spool], capture_output=True, text=True,
                          timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"{way}: {done.stderr.strip()}")
    broker.delete(topic)
    subprocess.run(["rm", "-rf", place], check=True)
    return float(done.stdout)


def measure(options, broker, folder, headers):
    seconds = {way: [] for way in WAYS}
    for turn in range(options.rounds + 1):
        order = WAYS[turn % 3:] + WAYS[:turn % 3]
        for way in order:
            measure.n += 1
            took = send(Path(options.build) / "tests" / "bench_kafka", broker, folder / "way", way, headers,
                        options.records, measure.n)
            if turn > 0:  # the first warms Kafka up
                seconds[way].append(took)
    return seconds


measure.n = 0


def main():
    options = arguments()
    try:
        kafka.fetch()
    except kafka.Missing as reason:
        print(f"SKIP kafka sink by bare produce loop: {reason}")
        return 0
    failed = False
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        broker = kafka.Kafka(Path(folder) / "kafka").start()
        try:
            for headers in ("none", "all"):
                seconds = measure(options, broker, Path(folder), headers)
                rates = {way: options.records / statistics.median(seconds[way]) for way in WAYS}
                ratios = {way: statistics.median(b / s for b, s in zip(seconds["bare"], seconds[way]))
                          for way in WAYS}
                print(f"    headers: {headers}: " + ", ".join(f"{w} {rates[w] / 1000:.0f} k/s" for w in WAYS))
                for way in ("sink", "spool"):
                    good = ratios[way] >= GOAL
                    failed = failed or not good
                    print(f"{'ok' if good else 'FAIL'} kafka {way} by bare produce loop, headers {headers}: "
                          f"{ratios[way]:.2f} (goal {GOAL})", flush=True)
        finally:
            broker.stop()
    return failed


sys.exit(main())
