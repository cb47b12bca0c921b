"""From MQTT to Kafka, through a real Mosquitto with the plugin."""

import json
import os
import random
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "broker"))
import checks
import mqtt
import places
from broker import Broker, wait_until
from harness import config, policy
from pouring import Ledger, message

KILLS = int(os.environ.get("SLUICE_KILLS", "10"))
OURS = {"discarded": 0, "corrupt": 0, "dead_lettered": 0, "spooled": 0}


def open_to_the_broker(place):
    """The broker's user can enter it."""
    for folder in (place, *place.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)


class Plant:
    """One Mosquitto, stopped whatever happens."""

    def __init__(self, place, policies, sinks, **sections):
        open_to_the_broker(place)
        self.broker = Broker(place / "broker", config(policies, sinks, **sections))

    def __enter__(self):
        return self.broker.start()

    def __exit__(self, kind, *_):
        self.broker.kill()
        report = self.broker.sanitizer_report()
        if kind is None and report:
            raise AssertionError(f"a sanitizer reported:\n{report}")
        if kind is not None:
            print("    " + self.broker.log()[-3000:].replace("\n", "\n    "))


def kafka_sink(address, topic, **more):
    return {"type": "kafka", "brokers": address, "topic": topic, **more}


def all_delivered(broker, at_least=0, name="lake", timeout=60):
    """Nothing waits, and so many have been delivered by this process."""
    return broker.status_when(
        lambda s: s["pid"] == broker.pid and s["sinks"][name]["spooled"] == 0 and
        s["sinks"][name]["delivered"] >= at_least, "everything delivered", timeout, fresh=True)


def ended_well(broker, name="lake"):
    broker.stop(90)
    status = broker.status()
    checks.identities(status)
    left = {key: status["sinks"][name][key] for key in OURS}
    assert left == OURS, status["sinks"][name]
    return status


def header(record, name):
    return dict(record.headers).get(name.encode())


def test_messages_and_violations_are_records_of_their_topics(brokers, place):
    kafka = brokers.get()
    for topic in ("plant.a", "plant.b_c", "rejected"):
        kafka.create(topic, 3)
    ovens = policy("plant/{site}/oven/{oven}", to=["lake"], on_violation={"to": ["rejected"]})
    sinks = {"lake": kafka_sink(kafka.address, "plant.{site}"),
             "rejected": kafka_sink(kafka.address, "rejected", key="${policy}")}
    with Plant(place, [ovens], sinks) as broker:
        client = broker.client("gateway", version=5)
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        for n in range(1200):
            site = ("a", "b c")[n % 2]
            payload = b'{"value":%d,"n":%d}' % (500 if n % 12 == 5 else n % 400, n)
            client.publish(f"plant/{site}/oven/{n % 7}", payload, 1,
                           props=[(mqtt.USER_PROPERTY, ("traceparent", trace))])
        client.close()
        all_delivered(broker, 1100)
        all_delivered(broker, 100, "rejected")
        numbers = broker.status_when(lambda s: s["sinks"]["lake"]["kafka"]["sent"] > 0,
                                     "librdkafka's numbers")["sinks"]["lake"]["kafka"]
        assert numbers["producers"] == 1, numbers
        status = ended_well(broker)
        assert status["messages"]["rerouted"] == 100, status["messages"]
    got = kafka.consume("plant.a") + kafka.consume("plant.b_c")
    found, order = {}, defaultdict(list)
    for record in sorted(got, key=lambda r: (r.partition, r.offset)):
        n = json.loads(record.value)["n"]
        assert n not in found, f"{n} came twice"
        found[n] = record
        order[record.key].append(n)
    assert sorted(found) == [n for n in range(1200) if n % 12 != 5]
    assert all(ns == sorted(ns) for ns in order.values()), "out of order"
    record = found[13]
    assert record.key == b"plant/b c/oven/6" == header(record, "mqtt.topic"), record.key
    assert header(record, "traceparent") == trace.encode(), record.headers
    assert header(record, "sluice.kind") == b"message" and header(record, "mqtt.qos") == b"1"
    assert abs(record.timestamp / 1000 - time.time()) < 3600, "the timestamp is not the arrival"
    violations = kafka.consume("rejected")
    assert len(violations) == 100, len(violations)
    for record in violations:
        alert = json.loads(record.value)
        assert header(record, "sluice.kind") == b"violation" and record.key == b"p", record.headers
        assert alert["violations"][0]["code"] == "limits.max", alert
        assert json.loads(alert["original"]["payload"])["n"] % 12 == 5, alert
        assert header(record, "mqtt.topic").decode() == alert["source"]["topic"], alert


def account(kafka, topic, ledger):
    """Acknowledged and missing: none; in order; doubled only with equal ids. Returns how many were doubled."""
    ids, order, doubled = {}, defaultdict(list), 0
    for record in sorted(kafka.consume(topic), key=lambda r: (r.partition, r.offset)):
        n = json.loads(record.value)["n"]
        if n in ids:
            doubled += 1
            assert ids[n] == record.id, f"{n} came twice with different ids"
            continue
        ids[n] = record.id
        order[record.key].append(n)
    missing = ledger.missing(ids)
    assert not missing, f"{len(missing)} acknowledged messages are missing: {missing[:10]}"
    for key, ns in order.items():
        at = next((i for i in range(1, len(ns)) if ns[i] < ns[i - 1]), None)
        assert at is None, f"{key}: {ns[at]} came behind {ns[at - 1]}"
    return doubled


def test_kills_of_the_broker_lose_nothing(brokers, place):
    kafka = brokers.get()
    kafka.create("killed", 4)
    dice, ledger = random.Random(places.SEED), Ledger()
    with Plant(place, [policy()], {"lake": kafka_sink(kafka.address, "killed")}) as broker:
        for _ in range(KILLS):
            flood = mqtt.Flood(broker.port, message, ledger.next)
            end = time.monotonic() + dice.uniform(0.1, 0.8)
            flood.run(until=lambda: time.monotonic() > end, pace=12_000)
            broker.kill()
            flood.drain()
            ledger.add(flood)
            broker.start()
        all_delivered(broker)
        ended_well(broker)
    doubled = account(kafka, "killed", ledger)
    assert ledger.rate >= 5000, f"only {ledger.rate:.0f} a second"
    return f"{KILLS} kills, {ledger.acked} acknowledged at {ledger.rate:.0f}/s, {doubled} doubled"


def test_a_frozen_kafka_does_not_hold_the_stop_and_loses_nothing(brokers, place):
    kafka = brokers.get()
    kafka.create("held", 4)
    ledger = Ledger()

    def pour(broker, count):
        flood = mqtt.Flood(broker.port, message, ledger.next)
        flood.run(count=count, pace=8000)
        flood.close()
        ledger.add(flood)

    with Plant(place, [policy()], {"lake": kafka_sink(kafka.address, "held")}) as broker:
        pour(broker, 4000)
        all_delivered(broker, 4000)
        kafka.freeze()
        try:
            pour(broker, 8000)
            begun = time.monotonic()
            broker.stop(60)
            took = time.monotonic() - begun
            assert took < 6, f"the stop took {took:.1f} s"
            assert broker.status()["sinks"]["lake"]["spooled"] > 0, "nothing was under way"
        finally:
            kafka.thaw()
        broker.start()
        pour(broker, 2000)
        all_delivered(broker, 2000)
        ended_well(broker)
    doubled = account(kafka, "held", ledger)
    return f"stop in {took:.1f} s, {doubled} doubled"


def test_a_reload_changes_the_topic_and_a_wrong_one_changes_nothing(brokers, place):
    kafka = brokers.get()
    kafka.create("before", 1)
    kafka.create("after", 1)

    def text(topic):
        return config([policy()], {"lake": kafka_sink(kafka.address, topic)})

    with Plant(place, [policy()], {"lake": kafka_sink(kafka.address, "before")}) as broker:
        client = broker.client("c")
        client.publish("in/a", b'{"value":1,"n":1}', 1)
        all_delivered(broker, 1)
        broker.configure(text("after").replace("topic:", "topik:").replace('"topic"', '"topik"'))
        broker.hup()
        broker.status_when(lambda s: s["config_error"], "the error of the reload")
        client.publish("in/a", b'{"value":1,"n":2}', 1)
        all_delivered(broker, 2)
        broker.configure(text("after"))
        broker.hup()
        broker.status_when(lambda s: s["generation"] == 2 and not s["config_error"], "the reload")
        client.publish("in/a", b'{"value":1,"n":3}', 1)
        all_delivered(broker, 3)
        client.close()
        ended_well(broker)
    assert [json.loads(r.value)["n"] for r in kafka.consume("before")] == [1, 2]
    assert [json.loads(r.value)["n"] for r in kafka.consume("after")] == [3]
