"""examples/lake as its page has it, but for addresses: the page's own commands make the topics and read them, the
simulator publishes, and keys, headers, values, order and counts are compared with what was sent."""

import json
import re
import shlex
import sys
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "broker"))
import biscuits
import checks
from biscuits import masked
from broker import Broker
from kafka import ADMIN_TOOLS
from test_plugin import open_to_the_broker

EXAMPLE = ROOT / "examples" / "lake"
MESSAGES, SEED, CLIENTS = 3000, "21", "2"
SINKS = ("stream", "packs", "records", "rejected")
OWNED = r"factory/[^/]+/(mixer/[^/]+/state|oven/[^/]+/(temperature|humidity)|cooler/[^/]+/temperature|packer/[^/]+/pack)$"
POLICIES = {("mixer", "state"): ("mixers", "mixer:1"), ("oven", "temperature"): ("ovens", "oven:1"),
            ("oven", "humidity"): ("oven-humidity", None), ("cooler", "temperature"): ("coolers", None),
            ("packer", "pack"): ("packs", "pack:1")}
SCRIPTS = {"kafka-topics.sh": "TopicCommand", "kafka-get-offsets.sh": "GetOffsetShell",
           "kafka-console-consumer.sh": "consumer.ConsoleConsumer"}


def page_commands():
    """[(script, its arguments)] of README.md, without the broker's address."""
    text = (EXAMPLE / "README.md").read_text().replace("\\\n", " ")
    found = [shlex.split(line.removeprefix("$kafka/")) for line in text.splitlines() if line.startswith("$kafka/")]
    for script, *arguments in found:
        assert arguments[:2] == ["--bootstrap-server", "localhost:9092"], arguments
        yield script, arguments[2:]


def run_page(kafka, wanted):
    """Runs those of the page's commands; what each printed."""
    return [(arguments, kafka.tool(ADMIN_TOOLS + SCRIPTS[script], *arguments).stdout)
            for script, arguments in page_commands() if script == wanted]


def header(record, name):
    return dict(record.headers).get(name.encode(), b"").decode() or None


def by_topic(messages):
    found = defaultdict(list)
    for topic, payload in messages:
        found[topic].append(payload)
    return found


def in_order(kafka, topic):
    """Its records, each there once, all of a key in one partition."""
    records = sorted(kafka.consume(topic), key=lambda record: (record.partition, record.offset))
    ids = [header(record, "sluice.id") for record in records]
    assert None not in ids and len(set(ids)) == len(ids), f"{topic}: a record is there twice"
    places = defaultdict(set)
    for record in records:
        places[record.key].add(record.partition)
    assert all(len(partitions) == 1 for partitions in places.values()), places
    return records


def expect_headers(record, topic):
    _, _, what, _, name = topic.split("/")
    policy, schema = POLICIES[what, name]
    got = {key.decode(): value.decode() for key, value in record.headers}
    client = got.pop("mqtt.client_id")
    assert re.fullmatch(r"biscuit-factory-[12]", client), client
    del got["sluice.id"]
    wanted = {"sluice.policy": policy, "sluice.quality": "192", "sluice.kind": "message", "mqtt.topic": topic,
              "mqtt.qos": "1", "mqtt.retain": "false", **({"sluice.schema": schema} if schema else {})}
    assert got == wanted, (got, wanted)


def expect_time(record, payload, began, ended):
    value = json.loads(payload)
    if isinstance(value, dict):
        assert record.timestamp == value["ts"], record.timestamp
    else:
        assert began - 1 <= record.timestamp <= ended + 1, (began, record.timestamp, ended)


def expect_payloads(kafka, heard, began, ended):
    """The lines' topics: every message under its own topic as key, byte by byte and in order. {id: topic}"""
    found, topics = defaultdict(list), {}
    for line in ("line1", "line2"):
        for record in in_order(kafka, f"factory.{line}"):
            topic = record.key.decode()
            assert topic.startswith(f"factory/{line}/"), topic
            expect_headers(record, topic)
            expect_time(record, record.value, began, ended)
            found[topic].append(record.value)
            topics[header(record, "sluice.id")] = topic
    assert found == heard, {topic: (len(found[topic]), len(heard[topic])) for topic in set(found) | set(heard)}
    return topics


def expect_packs(kafka, heard, ids):
    found = defaultdict(list)
    for record in in_order(kafka, "factory.packs"):
        topic = header(record, "mqtt.topic")
        _, line, _, machine, _ = topic.split("/")
        assert record.key == f"{line}/{machine}".encode(), record.key
        assert ids[header(record, "sluice.id")] == topic
        found[topic].append(record.value)
    assert found == {topic: payloads for topic, payloads in heard.items() if topic.endswith("/pack")}


def expect_records(kafka, heard, ids, folder):
    found, envelopes = defaultdict(list), []
    for record in in_order(kafka, "factory.records"):
        envelope = json.loads(record.value)
        assert envelope["topic"] == record.key.decode() == ids.pop(envelope["id"]), envelope
        assert {name for name, _ in record.headers} == {b"sluice.id", b"sluice.policy", b"sluice.schema"} - (
            set() if "schema" in envelope else {b"sluice.schema"}), record.headers
        assert header(record, "sluice.id") == envelope["id"]
        found[envelope["topic"]].append(envelope["payload"])
        envelopes.append(record.value.decode())
    assert not ids, f"{len(ids)} records of the lines are no envelopes"
    assert found == {topic: [json.loads(payload) for payload in payloads] for topic, payloads in heard.items()}
    checks.validate("record.schema.json", envelopes[:200], folder / "envelopes")


def expect_rejected(kafka, bad, folder):
    found, envelopes = defaultdict(list), []
    for record in in_order(kafka, "factory.rejected"):
        envelope = json.loads(record.value)
        alert = envelope["payload"]
        assert envelope["kind"] == header(record, "sluice.kind") == "violation", envelope
        assert record.key.decode() == envelope["policy"] == alert["policy"], record.key
        assert alert["source"]["topic"] == envelope["topic"] == header(record, "mqtt.topic"), envelope
        assert alert["violations"][0]["code"].split(".")[0] in ("payload", "schema", "limits"), alert
        found[envelope["topic"]].append(masked("", alert["original"]["payload"].encode())[1])
        envelopes.append(record.value.decode())
    wanted = by_topic(masked(*row) for row in bad)
    assert found == wanted, {topic: (len(found[topic]), len(wanted[topic])) for topic in set(found) | set(wanted)}
    checks.validate("record.schema.json", envelopes[:200], folder / "rejected")


def expect_the_page(kafka, topics, counts):
    """What the page looks at is there, and its connectors read topics that there are."""
    (_, offsets), = run_page(kafka, "kafka-get-offsets.sh")
    found = defaultdict(int)
    for line in offsets.decode().split():
        topic, _, n = line.split(":")
        found[topic] += int(n)
    assert {topic: found[topic] for topic in topics} == counts, (found, counts)
    for arguments, printed in run_page(kafka, "kafka-console-consumer.sh"):
        lines = printed.decode().splitlines()
        assert len(lines) == int(arguments[arguments.index("--max-messages") + 1]), (arguments, lines)
        assert all("{" in line or "factory/" in line for line in lines), lines
    for name in ("connect-s3.json", "connect-iceberg.json"):
        connector = json.loads((EXAMPLE / name).read_text())
        assert set(connector["config"]["topics"].split(",")) <= set(topics), connector


def example(kafka, place):
    text = (EXAMPLE / "sluice.yaml").read_text()
    assert text.count("localhost:9092") == len(SINKS) and text.count("data_dir: ../../build/lake-example") == 1
    open_to_the_broker(place)
    biscuits.copy_schemas(place)
    return Broker(place / "lake", text.replace("localhost:9092", kafka.address)
                  .replace("data_dir: ../../build/lake-example", "data_dir: @HOME@/data"))


def play(broker, place):
    """What subscribers heard, by topic, and what was sent that must not go on."""
    listener = biscuits.Listener(broker, place / "heard")
    try:
        biscuits.publish(broker, MESSAGES, "--rate", "1000", "--seed", SEED, "--clients", CLIENTS)
        told = [row for row in biscuits.said(MESSAGES, "--seed", SEED, "--clients", CLIENTS) if re.match(OWNED, row[1])]
        good = by_topic(masked(topic, payload) for right, topic, payload in told if right)
        heard = by_topic(listener.heard_all(OWNED, sum(map(len, good.values()))))
        assert {topic: [masked("", payload)[1] for payload in payloads] for topic, payloads in heard.items()} == good
        return heard, [(topic, payload) for right, topic, payload in told if not right]
    finally:
        listener.close()


def test_the_lake_example_is_what_its_page_says(brokers, place):
    kafka = brokers.get()
    broker = example(kafka, place)
    run_page(kafka, "kafka-topics.sh")
    met = checks.run(["check", "--connect", broker.config_path])
    assert met.returncode == 0, met.stdout + met.stderr
    broker.start()
    try:
        began = milliseconds()
        heard, bad = play(broker, place)
        broker.status_when(lambda s: all(s["sinks"][name]["spooled"] == 0 for name in SINKS) and
                           s["messages"]["rerouted"] == len(bad), "all is delivered", 60)
        ended = milliseconds()
        broker.stop(60)
        status = broker.status()
    finally:
        broker.kill()
    checks.identities(status)
    n_good = sum(map(len, heard.values()))
    n_packs = sum(len(payloads) for topic, payloads in heard.items() if topic.endswith("/pack"))
    assert status["messages"]["accepted"] == n_good and n_packs > 100 and len(bad) > 50, (n_good, n_packs, len(bad))
    ids = expect_payloads(kafka, heard, began, ended)
    expect_packs(kafka, heard, ids)
    expect_records(kafka, heard, ids, place)
    expect_rejected(kafka, bad, place)
    lines = {f"factory.{line}": sum(len(payloads) for topic, payloads in heard.items() if f"/{line}/" in topic)
             for line in ("line1", "line2")}
    counts = {**lines, "factory.packs": n_packs, "factory.records": n_good, "factory.rejected": len(bad)}
    expect_the_page(kafka, sorted(counts), counts)
    return f"{n_good} good, {len(bad)} rejected, {n_packs} packs"


def milliseconds():
    return int(time.time() * 1000)
