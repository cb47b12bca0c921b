#!/usr/bin/env python3
"""What one accepted message costs in the broker's own thread.

    tests/bench/callback/run.py [--build DIR] [--update]

The case: 253 bytes of JSON, 12 properties, a schema, two limits, one file sink behind the spool, QoS 0.
And the same 12 fields as Avro, read with their Avro schema, with the same limits.

Instructions. The real broker runs under callgrind, once with FEW and once with MANY messages; what the
difference costs a message, less the same of a broker without the plugin, is the figure. Callgrind counts
each thread by itself (--separate-threads), and only the first, the broker's, is looked at: what the
spool's writer and the sink do is not in the figure, and neither is starting and stopping, which is in
both runs. Valgrind runs one thread at a time, so nothing of it depends on the machine's load but a few
idle turns of the broker's loop.

    gate.txt, gate_avro.txt   the figures that were reached; more than 5 % above one fails
                              (--update writes new ones)

Allocations and locks. The broker runs natively with count_calls.c preloaded, which counts malloc and
pthread_mutex_lock of the main thread; again against a broker without the plugin.
"""

import argparse
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "broker"))

FEW, MANY = 2_000, 12_000
BYTES = 253
GOAL = 5_000    # instructions a message
ALLOWED = 1.05  # of the gate
RARE = 20       # allocations or locks in MANY messages that are nobody's: a tick, a log line


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", help="folder with mosquitto_sluice.so")
    parser.add_argument("--update", action="store_true", help="write gate.txt")
    return parser.parse_args()


def payload(n):
    """253 bytes; the values differ from message to message, the length does not."""
    head = (b'{"ts":%d,"seq":%06d,"machine":"press-%03d","state":"%s","temperature":%d.%02d,'
            b'"pressure":%d.%02d,"vibration":0.%03d,"speed":%d,"good":true,"unit":"C","operator":"%s",'
            b'"comment":"' % (1767225600000 + n * 37, 100000 + n % 900000, n % 8,
                              b"running", 180 + n % 60, n % 100, 3 + n % 6,
                              n * 7 % 100, n * 13 % 1000, 1200 + n % 800, b"shift b"))
    return head + b"x" * (BYTES - len(head) - 2) + b'"}'


def varint(number):
    number = number << 1 ^ number >> 63
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def avro_payload(n):
    """The same fields in Avro's binary encoding, framed as by a schema registry."""
    text = lambda value: varint(len(value)) + value
    return (b"\x00\x00\x00\x00\x07" + varint(1767225600000 + n * 37) + varint(100000 + n % 900000)
            + text(b"press-%03d" % (n % 8)) + varint(1)
            + struct.pack("<ddf", 180 + n % 60 + n % 100 / 100, 3 + n % 6, n * 13 % 1000 / 1000)
            + varint(1200 + n % 800) + b"\x01" + text(b"C") + varint(1) + text(b"shift b")
            + text(b"x" * 40))


# What is measured: payloads, what differs in the configuration, the file of the gate, what it is called.
CASES = {
    "json": {"payload": payload, "gate": "gate.txt", "called": "an accepted message",
             "schema": {"id": "reading", "version": 1, "file": "reading.v1.json"}},
    "avro": {"payload": avro_payload, "gate": "gate_avro.txt", "called": "an accepted Avro message",
             "schema": {"id": "reading", "version": 1, "type": "avro", "file": "reading.v1.avsc",
                        "registry_id": 7}},
}


def config(kind):
    from broker import yaml
    return yaml(
        instance="bench", data_dir="@HOME@/data",
        spool={"min_free": "1MiB"},
        schemas=[CASES[kind]["schema"]],
        sinks={"lake": {"type": "file", "path": "@HOME@/lake"}},
        policies=[{"id": "press", "topics": ["plant/{site}/{machine}/state"], "payload": kind,
                   "schema": "reading:1", "to": ["lake"],
                   "limits": [{"field": "/temperature", "min": -20, "max": 350},
                              {"field": "/pressure", "max": 12}]}])


class Bench:
    def __init__(self, folder, kind):
        self.folder, self.kind, self.runs = folder, kind, 0
        self.payload = CASES[kind]["payload"]

    def broker(self, judged, **options):
        """A broker in a folder of its own; the schema lies beside its configuration."""
        from broker import Broker
        self.runs += 1
        home = self.folder / f"{self.kind}{self.runs}"
        broker = Broker(home, config(self.kind) if judged else None, **options)
        schema = CASES[self.kind]["schema"]["file"]
        shutil.copy(HERE / schema, home)
        (home / schema).chmod(0o644)
        return broker

    def pour(self, broker, first, n, done):
        """n messages at QoS 0; returns what done() says right after the last was handled."""
        import mqtt
        with broker.client("press", timeout=300) as client:
            packets = [mqtt.publish(f"plant/a/press-{i % 8:03d}/state", self.payload(i))
                       for i in range(first, first + n)]
            for at in range(0, n, 100):
                client.send(b"".join(packets[at:at + 100]))
                client.ping()
            return done()

    def check(self, broker, judged, n):
        """Everything was judged, held, and is in the files."""
        if not judged:
            return
        import checks
        checks.counted(broker.status(), accepted=n)
        if len(checks.lake(broker.home / "lake")) != n:
            raise AssertionError("not every message is in the files")

    def instructions(self, judged, n):
        broker = self.broker(judged, wrap=[])
        out = broker.home / "callgrind.out"
        broker.wrap = ["valgrind", "--tool=callgrind", "--separate-threads=yes", "--fair-sched=yes",
                       f"--callgrind-out-file={out}"]
        broker.start(timeout=120)
        self.pour(broker, 0, n, lambda: None)
        broker.stop(300)
        self.check(broker, judged, n)
        (main,) = broker.home.glob("callgrind.out*-01")
        return int(re.search(r"^(?:totals|summary): (\d+)", main.read_text(), re.M)[1])

    def instructions_a_message(self, judged):
        return (self.instructions(judged, MANY) - self.instructions(judged, FEW)) / (MANY - FEW)

    def calls(self, judged, library):
        """(allocations, locks) of the main thread for MANY messages, after a warm-up."""
        counts = self.folder / f"counts-{self.kind}{self.runs}"
        counts.write_bytes(bytes(16))
        broker = self.broker(judged, preload=[library], env={"COUNT_FILE": str(counts)})
        read = lambda: struct.unpack("=QQ", counts.read_bytes())
        broker.start()
        before = self.pour(broker, 0, FEW, read)
        after = self.pour(broker, FEW, MANY, read)
        broker.stop()
        self.check(broker, judged, FEW + MANY)
        return [b - a for a, b in zip(before, after)]


def instructions(bench, update):
    """One line of outcome, and whether it is good."""
    bare, judged = (bench.instructions_a_message(way) for way in (False, True))
    figure = round(judged - bare)
    called = CASES[bench.kind]["called"]
    print(f"    {figure} instructions {called} ({judged:.0f} with the plugin, {bare:.0f} "
          f"without); goal {GOAL}")
    gate_file = HERE / CASES[bench.kind]["gate"]
    if update:
        gate_file.write_text(f"{figure}\n")
    gate = int(gate_file.read_text().split()[0])
    name = f"callback: instructions of {called}"
    if figure > gate * ALLOWED:
        return f"FAIL {name}: {figure}, more than 5 % above the gate of {gate}", False
    return f"ok {name}: {figure}, gate {gate} + 5 %", True


def calls(bench):
    library = bench.folder / "count_calls.so"
    subprocess.run(["gcc", "-O1", "-fPIC", "-shared", "-D_GNU_SOURCE", "-o", str(library),
                    str(HERE / "count_calls.c")], check=True)
    library.chmod(0o755)
    bare, judged = (bench.calls(way, library) for way in (False, True))
    for what, without, with_plugin in zip(("allocation", "lock"), bare, judged):
        extra = with_plugin - without
        name = f"callback: no {what} for {CASES[bench.kind]['called']}"
        if extra > RARE:
            yield f"FAIL {name}: {extra} for {MANY} messages", False
        else:
            yield f"ok {name}: {extra} for {MANY} messages beyond the broker's own {without}", True


def measure(bench, update):
    good = True
    for line, fine in calls(bench):
        print(line, flush=True)
        good = good and fine
    if not shutil.which("valgrind"):
        print(f"SKIP callback: instructions of {CASES[bench.kind]['called']}: valgrind is not installed")
        return good
    line, fine = instructions(bench, update)
    print(line, flush=True)
    return good and fine


def main():
    options = arguments()
    if options.build:
        os.environ["SLUICE_BUILD"] = str(Path(options.build).resolve())
    assert {len(payload(n)) for n in (0, 99, 12345)} == {BYTES}
    folder = Path(tempfile.mkdtemp(prefix="sluice-bench-"))
    folder.chmod(0o755)
    good = True
    try:
        for kind in CASES:
            good = measure(Bench(folder, kind), options.update) and good
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
