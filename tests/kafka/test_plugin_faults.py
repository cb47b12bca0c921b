"""What may befall a Kafka behind a real Mosquitto with the plugin while messages pour in: every acknowledged
message is a record, in the order of its key, doubled only with an equal id; each cause is told in one line.
"""

import json
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "broker"))
import checks
import mqtt
from broker import wait_until
from harness import policy
from pouring import Ledger, Pouring, message
from test_plugin import Plant, account, all_delivered, ended_well, kafka_sink

TOLD = re.compile(r"sluice: sink lake: (.*); \d+ records wait, next try in ")


def goes_on(broker, by=1000):
    """Wait until so many more are delivered."""
    target = (broker.status() or {"sinks": {"lake": {"delivered": 0}}})["sinks"]["lake"]["delivered"] + by
    broker.status_when(lambda s: s["sinks"]["lake"]["delivered"] >= target, f"{target} delivered", 120)


def stands_still(broker, *words):
    """It says why, in one line that has the words, and keeps everything. Returns its status.json."""
    status = broker.status_when(
        lambda s: s["sinks"]["lake"]["state"] == "paused" and
        all(word in (s["sinks"]["lake"]["last_error"] or "") for word in words), f"paused: {words}", 60)
    cause = status["sinks"]["lake"]["last_error"]
    wait_until(lambda: any(cause in line for line in broker.sluice_lines()), "it is told", 60)
    lines = [line for line in broker.sluice_lines() if cause in line]
    assert len(lines) == 1, lines
    return status


def stop(kafka):
    """As an administrator would: Kafka closes its files and its connections."""
    kafka.process.terminate()
    kafka.process.wait(60)


def kill(kafka):
    kafka.kill()


def freeze(kafka):
    kafka.freeze()
    time.sleep(3)  # how long it is away, not how long something takes
    kafka.thaw()


def test_a_kafka_that_is_stopped_killed_and_frozen_under_load_loses_nothing(brokers, place):
    kafka, ledger = brokers.get(), Ledger()
    kafka.create("faults", 4)
    with Plant(place, [policy()], {"lake": kafka_sink(kafka.address, "faults")}) as broker:
        with Pouring(broker, ledger, pace=1500):
            for fault in (stop, kill, freeze) * 2:
                goes_on(broker)
                fault(kafka)
                if kafka.process.poll() is not None:
                    kafka.start()
            goes_on(broker)
        all_delivered(broker, timeout=180)
        ended_well(broker)
    doubled = account(kafka, "faults", ledger)
    return f"stopped, killed and frozen twice each: {ledger.acked} acknowledged, {doubled} doubled"


def test_messages_that_a_topic_is_too_small_for_are_set_aside_and_no_other(brokers, place):
    kafka = brokers.get()
    kafka.create("small", 4, max_message_bytes=2000)
    large = {n: 3000 + n for n in (100, 101, 1500, 2999)}

    def message_with(n):
        return f"in/line{n % 4}", b'{"value":1,"n":%d,"pad":"%s"}' % (n, b"x" * large.get(n, 20))

    with Plant(place, [policy()], {"lake": kafka_sink(kafka.address, "small")}) as broker:
        flood = mqtt.Flood(broker.port, message_with)
        flood.run(count=3000)
        flood.close()
        all_delivered(broker, timeout=120)
        broker.stop(90)
        status = broker.status()
        checks.identities(status)
        letters = [json.loads(line) for path in
                   sorted((broker.data_dir / "dead" / "lake").glob("*.jsonl"))
                   for line in path.read_text().splitlines()]
    assert status["sinks"]["lake"]["dead_lettered"] == len(large), status["sinks"]["lake"]
    dead = {letter["payload"]["n"]: letter["dead"]["code"] for letter in letters}
    assert dead == dict.fromkeys(large, "record.too_large"), dead
    ledger = Ledger()
    ledger.ranges = [(n, n + 1) for n in range(3000) if n not in large]
    doubled = account(kafka, "small", ledger)
    found = {json.loads(record.value)["n"] for record in kafka.consume("small")}
    assert not found & set(large), "set aside and stored"
    return f"{len(large)} set aside, {doubled} doubled"


def test_a_topic_that_is_deleted_and_made_again_gets_all_that_was_not_in_it(brokers, place):
    kafka, ledger = brokers.get(), Ledger()
    kafka.create("again", 4)
    with Plant(place, [policy()], {"lake": kafka_sink(kafka.address, "again")}) as broker:
        with Pouring(broker, ledger, pace=1500):
            goes_on(broker)
            kafka.delete("again")
            delivered = stands_still(broker, "topic", "create the topic")["sinks"]["lake"]["delivered"]
            kafka.create("again", 2)
            goes_on(broker)
        all_delivered(broker, timeout=120)
        ended_well(broker)
    assert ledger.ranges == [(0, ledger.acked)], ledger.ranges
    ledger.ranges = [(delivered, ledger.acked)]  # the first so many went down with the old topic
    doubled = account(kafka, "again", ledger)
    return f"{delivered} were in the old topic, {ledger.acked - delivered} are in the new, {doubled} doubled"


def test_a_user_who_may_not_write_is_told_and_goes_on_when_it_is_granted(brokers, place):
    kafka, ledger = brokers.get(secure=True), Ledger()
    kafka.create("granted", 4)
    login = {"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": "alice",
             "sasl.password": "alice-secret"}
    sink = kafka_sink(kafka.sasl, "granted", properties=login)
    with Plant(place, [policy()], {"lake": sink}) as broker:
        with Pouring(broker, ledger, pace=1500):
            status = stands_still(broker, "uthorization failed", "allow this user the operation Write")
            assert status["sinks"]["lake"]["delivered"] == 0, status["sinks"]["lake"]
            kafka.allow("granted")
            goes_on(broker)
        all_delivered(broker, timeout=120)
        ended_well(broker)
        told = [match[1] for match in map(TOLD.match, broker.sluice_lines()) if match]
        assert len(set(told)) == 1, told
        assert "alice-secret" not in broker.log(), "the password was told"
    return f"{ledger.acked} acknowledged, {account(kafka, 'granted', ledger)} doubled"
