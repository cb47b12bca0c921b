#!/usr/bin/env python3
"""What the factory of the compose demo said against what Kafka and PostgreSQL hold, message by message.

    compare.py COMPOSE…       COMPOSE…: the command that speaks with the demo, factory stopped, all delivered

The factory's report tells how many messages were acknowledged; its stream is the same each time but for time
stamps, so `factory --print` tells which they were, and their kinds what had to become of them. Time stamps are
left out of every comparison, nothing else is. Exit 1, and what differs, when anything does.
"""

import base64
import json
import re
import struct
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in ("kafka", "factory"):
    sys.path.insert(0, str(ROOT / "tests" / folder))
import kafka  # pylint: disable=wrong-import-position
import weighings  # pylint: disable=wrong-import-position

GATEWAYS = ("--clients", "4")  # as docker/compose.yaml starts it
# What run.sh sends besides.
RUBBISH = ("factory/line9/oven/9/temperature", "timestamp.missing", '{"hot":true}')
PASSES, AGAIN = "free text, judged by nobody", "sent again by a gateway"
HOLDS = {"right", "high, but within limits"}
DROPPED = "heartbeat garbled"
BROKEN = {"out of limits": {"limits.min", "limits.max"}, "property missing": {"schema.required"},
          "text instead of a number": {"schema.type"}, "JSON cut off": {"payload.malformed"},
          "same key twice": {"payload.duplicate_key"}, '"n/a" instead of a number': {"payload.malformed"},
          DROPPED: {"payload.malformed"}, "lot number typed by hand": {"schema.pattern"},
          "time stamp of 1970": {"schema.minimum"}, "Avro cut off": {"avro.truncated"},
          "Avro with an unknown symbol": {"avro.enum"},
          "Avro of an unknown schema": {"avro.unknown_schema_id"}}


class Differs(Exception):
    """What is there is not what was sent."""


def equal(what, found, wanted):
    if found == wanted:
        return
    if isinstance(found, Counter):
        found, wanted = sorted((found - wanted).items())[:3], sorted((wanted - found).items())[:3]
    raise Differs(f"{what}: there is {str(found)[:600]}, wanted is {str(wanted)[:600]}")


class Demo:
    """The demo's containers."""

    def __init__(self, compose):
        self.compose = compose

    def run(self, *arguments):
        return subprocess.run([*self.compose, *arguments], capture_output=True, check=True, timeout=180).stdout

    def rows(self, query):
        """Rows of PostgreSQL, each one JSON."""
        out = self.run("exec", "-T", "postgres", "psql", "-U", "sluice", "-d", "plant", "-qtAc", query)
        return [json.loads(line) for line in out.decode().splitlines()]

    def tool(self, name, *arguments):
        return self.run("exec", "-T", "kafka", f"/opt/kafka/bin/kafka-{name}.sh", "--bootstrap-server", "kafka:9092",
                        *arguments)

    def topic(self, name):
        """Every record of a topic once, in the order of its partitions."""
        ends = [line.split(b":") for line in self.tool("get-offsets", "--topic", name).split() if b":" in line]
        n = sum(int(end[2]) for end in ends)
        out = self.tool("console-consumer", "--topic", name, "--from-beginning", "--max-messages", str(n),
                        "--timeout-ms", "60000", *kafka.SHOW)
        records = [kafka.Record(line) for line in out.split(kafka.LINE.encode())[:-1]]
        equal(f"records read from {name}", len(records), n)
        once = {}
        for record in sorted(records, key=lambda record: (record.partition, record.offset)):
            first = once.setdefault(record.id, record)  # a producer that was replaced may say it again
            equal(f"{name}, the same id twice", (record.key, record.value), (first.key, first.value))
        return list(once.values())

    def status(self):
        return json.loads(self.run("exec", "-T", "sluice", "cat", "/var/lib/sluice/status.json"))


# ---- what was sent -------------------------------------------------------------------------------------------


def without_time(payload):
    """Bytes of a payload without their time stamp: of JSON the digits of ts, of a weighing the first varint."""
    if payload[:2] != b"\xc3\x01":
        return re.sub(rb'"ts":\d+', b'"ts":', payload)
    end = 10
    while payload[end] & 0x80:
        end += 1
    return payload[:10] + payload[end + 1:]


def reported(demo):
    """{kind: acknowledged or denied} of the factory's own report."""
    report = re.sub(r"^\S+ +\| ?", "", demo.run("logs", "--no-color", "factory").decode(), flags=re.M)
    if report.count("factory sent=") != 1:
        raise Differs(f"not one run of the factory, of which it told the end: {report[-600:]}")
    rows = re.findall(r"^  (\S.*?) +(\d+) +(\d+) +(\d+)$", report, re.M)
    for name, sent, acknowledged, denied in rows:
        equal(f"{name}: what was settled", int(acknowledged) + int(denied), int(sent))
    return {name: int(sent) for name, sent, *_ in rows}


def said(demo, told):
    """[(kind, topic, payload)] as it was sent; what is sent again has the kind that it had the first time."""
    out = demo.run("run", "--rm", "-T", "--no-deps", "factory", "--print", *GATEWAYS, "--messages", str(told["all"]))
    lines = [line.split(b"\t", 3) for line in out.split(b"\n") if line]
    kinds, first, messages = Counter(line[0].decode() for line in lines), {}, []
    equal("kinds", Counter(kinds), Counter({kind: n for kind, n in told.items() if kind != "all"}))
    for kind, gateway, topic, payload in lines:
        kind, topic = kind.decode(), topic.decode()
        payload = bytes.fromhex(payload.decode()) if "/checkweigher/" in topic else payload
        kind = first[gateway, topic, payload] if kind == AGAIN else kind
        first[gateway, topic, payload] = kind
        messages.append((kind, topic, without_time(payload)))
    return messages


def samples_of(topic, payload):
    """Rows of layout `narrow`."""
    value = json.loads(payload.replace(b'"ts":', b'"ts":0'))
    fields = {topic + "/" + name: field for name, field in value.items() if name != "ts"} if isinstance(
        value, dict) else {topic: value}
    for tag, field in fields.items():
        yield (tag, None, field) if isinstance(field, str) else (tag, float(field), None)


def weighing_of(fields):
    return (fields["lot"], fields["grams"], fields["verdict"], fields["belt_mm_s"], as_float(fields["metal"]))


def as_float(value):
    return None if value is None else struct.unpack("<f", struct.pack("<f", value))[0]


# ---- what is there -------------------------------------------------------------------------------------------


def compare_status(demo, messages):
    status = demo.status()
    wanted = Counter(received=len(messages) + 1, rerouted=1)
    for kind, *_ in messages:
        wanted["passed" if kind == PASSES else "accepted" if kind in HOLDS else
               "dropped" if kind == DROPPED else "rerouted"] += 1
    equal("messages counted", Counter(status["messages"]), wanted)
    for name, sink in status["sinks"].items():
        lost = {key: sink[key] for key in ("dead_lettered", "discarded", "corrupt", "spooled")}
        equal(f"sink {name}", lost, dict.fromkeys(lost, 0))


def compare_streams(demo, kept):
    """Each machine's messages in the order in which it sent them, to the byte."""
    found, wanted = defaultdict(list), defaultdict(list)
    for line in ("line1", "line2"):
        for record in demo.topic(f"factory.{line}"):
            topic = record.key.decode()
            equal("the topic's line", topic.split("/")[1], line)
            found[topic].append(without_time(record.value))
    for topic, payload in kept:
        if "/checkweigher/" not in topic and not topic.endswith("/heartbeat"):
            wanted[topic].append(payload)
    equal("machines in Kafka", sorted(found), sorted(wanted))
    for topic, payloads in wanted.items():
        equal(f"{topic} in Kafka", len(found[topic]), len(payloads))
        for n, (there, sent) in enumerate(zip(found[topic], payloads)):
            equal(f"{topic} in Kafka, record {n}", there, sent)


def compare_weighings(demo, kept):
    """The Avro line: in Kafka to the byte, in the columns as another reader of Avro has them."""
    wanted, found = defaultdict(list), defaultdict(list)
    for topic, payload in kept:
        if "/checkweigher/" in topic:
            wanted[topic].append(payload)
    for record in demo.topic("factory.weighings"):
        found[record.key.decode()].append(without_time(record.value))
    if not wanted:
        raise Differs("no weighing was sent")
    equal("weighings in Kafka", dict(found), dict(wanted))
    now = b"\0"  # any time stamp
    sent = [(topic.split("/")[1], (payload[:10] + now + payload[10:]).hex()) for topic, payload in kept
            if "/checkweigher/" in topic]
    read = weighings.read([message for _, message in sent])
    columns = Counter((line, *weighing_of(fields)) for (line, _), (_, fields) in zip(sent, read, strict=True))
    rows = demo.rows("SELECT json_build_array(line, lot, grams::text, verdict, belt_mm_s, metal) FROM weighings")
    equal("rows of weighings", Counter((*row[:-1], as_float(row[-1])) for row in map(tuple, rows)), columns)


def compare_packs(demo, kept):
    wanted = Counter()
    for topic, payload in kept:
        if topic.endswith("/pack"):
            pack = json.loads(payload.replace(b'"ts":', b'"ts":0'), parse_float=str)
            wanted[topic.split("/")[1], topic.split("/")[3], pack["lot"], pack["gtin"], pack["grams"]] += 1
    rows = demo.rows("SELECT json_build_array(line, packer, lot, gtin, grams::text) FROM packs")
    equal("rows of packs", Counter(map(tuple, rows)), wanted)


def compare_samples(demo, kept):
    wanted = Counter()
    for topic, payload in kept:
        if not topic.endswith(("/pack", "/weighing", "/heartbeat")):
            wanted.update(samples_of(topic, payload))
    rows = demo.rows("SELECT json_build_array(tag, value, text) FROM sluice.samples")
    equal("rows of samples", Counter((tag, None if value is None else float(value), text)
                                     for tag, value, text in rows), wanted)


def original(alert):
    payload = alert["original"]["payload"]
    payload = base64.b64decode(payload) if alert["original"]["encoding"] == "base64" else payload.encode()
    return alert["source"]["topic"], without_time(payload), alert["violations"][0]["code"]


def compare_violations(demo, messages):
    """All that is broken is in both stores, with the reason."""
    topic, code, payload = RUBBISH
    wanted, reasons = Counter([(topic, payload.encode())]), {(topic, payload.encode()): {code}}
    for kind, topic, payload in messages:
        if kind in BROKEN:
            wanted[topic, payload] += 1
            reasons[topic, payload] = BROKEN[kind]
    stores = {"Kafka": [json.loads(record.value) for record in demo.topic("factory.violations")],
              "PostgreSQL": demo.rows("SELECT payload FROM sluice.messages WHERE kind = 'violation'")}
    for store, alerts in stores.items():
        found = [original(alert) for alert in alerts]
        equal(f"violations in {store}", Counter((topic, payload) for topic, payload, _ in found), wanted)
        for topic, payload, code in found:
            if code not in reasons[topic, payload]:
                raise Differs(f"{store}: {code} of {topic} {payload}, not {reasons[topic, payload]}")


def main(compose):
    demo = Demo(compose)
    messages = said(demo, reported(demo))
    strange = {kind for kind, *_ in messages} - HOLDS - {PASSES} - set(BROKEN)
    equal("kinds that have no policy here", strange, set())
    kept = [(topic, payload) for kind, topic, payload in messages if kind in HOLDS]
    compare_status(demo, messages)
    compare_streams(demo, kept)
    compare_weighings(demo, kept)
    compare_packs(demo, kept)
    compare_samples(demo, kept)
    compare_violations(demo, messages)
    print(f"{len(messages)} messages, {len(kept)} of them good, each where it belongs")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Differs as problem:
        sys.exit(str(problem))
    except subprocess.CalledProcessError as problem:
        sys.exit(f"{problem}: {problem.stderr.decode(errors='replace')[-800:]}")
