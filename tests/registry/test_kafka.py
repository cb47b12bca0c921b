"""Values of a Kafka topic framed by the registry's ids: registered or looked up, read by Confluent's own
client, and waiting in the spool while there is no registry."""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "broker"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kafka"))
import confluent
import kafka
from broker import Broker
from harness import config, policy
from test_client import PRESS


def no_kafka():
    try:
        kafka.fetch()
    except kafka.Missing as reason:
        return str(reason)
    return None


SKIP = (no_kafka, confluent.fetch)  # why these cannot run; None: they can


class Plant:
    """Broker, registry and Kafka; messages are JSON, values are Avro."""

    def __init__(self, place, registry, cluster, topic, register=True):
        for folder in (place.folder, *place.folder.parents):
            if folder.stat().st_uid == os.getuid() and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        sink = {"type": "kafka", "brokers": cluster.address, "topic": topic, "value": "avro",
                "schema": "press:1", "framing": "confluent"}
        text = config([policy("in/{site}/press", limits=None, to=["lake"],
                              on_violation={"reroute": "q/${code}"})],
                      sinks={"lake": sink}, registry={"url": registry.url, "register": register},
                      schemas=[{"id": "press", "version": 1, "type": "avro", "file": "press.avsc"}])
        self.place = place
        self.broker = Broker(place.folder / "broker", text, env={"no_proxy": "127.0.0.1"})
        schema = self.broker.home / "press.avsc"
        schema.write_text(json.dumps(PRESS))
        schema.chmod(0o644)

    def __enter__(self):
        return self.broker.start()

    def check(self):
        """`sluice check --connect`: exit status and the point about the schema."""
        done = subprocess.run([self.place.build / "sluice", "check", "--connect", "--json",
                               self.broker.config_path], capture_output=True, text=True, timeout=60,
                              check=False, env=dict(os.environ, no_proxy="127.0.0.1"))
        (sink,) = json.loads(done.stdout)["sinks"]
        return done.returncode, *(point["text"] for point in sink["points"]
                                  if point["what"] == "schema")

    def __exit__(self, kind, *_):
        self.broker.kill()
        if kind is not None:
            print("    " + self.broker.log()[-3000:].replace("\n", "\n    "))


def pour(broker, site, numbers):
    with broker.client() as publisher:
        for n in numbers:
            publisher.publish(f"in/{site}/press", b'{"bar":%d.5}' % n, 1)


def delivered(broker, n):
    return broker.status_when(lambda s: s["sinks"]["lake"]["delivered"] >= n, f"{n} delivered", 60)


def expect_values(registry, cluster, topic, numbers):
    """As Confluent's client reads them; all framed with the id of the topic's own subject."""
    values = [record.value for record in cluster.consume(topic)]
    id_ = registry.ask("GET", f"/subjects/{topic}-value/versions/latest")["id"]
    assert {value[:5] for value in values} == {b"\x00" + id_.to_bytes(4, "big")}, values[:3]
    read = confluent.read(registry.url, topic, values)
    assert sorted(value["bar"] for value in read) == [n + 0.5 for n in numbers], read[:10]


def test_values_are_registered_under_their_topics_and_read_by_confluents_client(place):
    registry, cluster = place.registry(), place.kafka()
    for topic in ("press.a", "press.b"):
        cluster.create(topic, 2)
    with Plant(place, registry, cluster, "press.{site}") as broker:
        pour(broker, "a", range(100))
        pour(broker, "b", range(50))
        delivered(broker, 150)
        broker.stop(60)
    expect_values(registry, cluster, "press.a", range(100))
    expect_values(registry, cluster, "press.b", range(50))


def test_without_register_the_sink_waits_until_somebody_does(place):
    registry, cluster = place.registry(), place.kafka()
    cluster.create("careful", 1)
    with Plant(place, registry, cluster, "careful", register=False) as broker:
        pour(broker, "a", range(10))
        status = broker.status_when(lambda s: s["sinks"]["lake"]["state"] == "paused", "paused", 60)
        assert "careful-value" in status["sinks"]["lake"]["last_error"], status["sinks"]["lake"]
        registry.register("careful-value", PRESS)
        delivered(broker, 10)
        broker.stop(60)
    expect_values(registry, cluster, "careful", range(10))


def test_without_a_registry_everything_waits_and_nothing_is_lost(place):
    registry, cluster = place.registry("late"), place.kafka()
    registry.stop()
    cluster.create("late", 1)
    with Plant(place, registry, cluster, "late") as broker:
        pour(broker, "a", range(200))
        broker.status_when(lambda s: s["sinks"]["lake"]["state"] == "disconnected", "away", 60)
        broker.kill()
        broker.start()
        pour(broker, "a", range(200, 300))
        registry.start()
        delivered(broker, 300)
        status = broker.status()["sinks"]["lake"]
        assert (status["dead_lettered"], status["discarded"]) == (0, 0), status
        broker.stop(60)
    expect_values(registry, cluster, "late", range(300))
    # And from then on the registry is not needed for this topic.
    registry.stop()
    try:
        with Plant(place, registry, cluster, "late") as broker:
            pour(broker, "a", range(300, 310))
            delivered(broker, 10)
            broker.stop(60)
    finally:
        registry.start()
    assert len(cluster.consume("late")) == 310
    place.running.pop("late").stop()


def test_a_schema_that_may_not_follow_pauses_the_sink_with_the_registrys_words(place):
    registry, cluster = place.registry(), place.kafka()
    cluster.create("strict", 1)
    registry.register("strict-value", {**PRESS, "fields": [{"name": "bar", "type": "string"}]})
    with Plant(place, registry, cluster, "strict") as broker:
        pour(broker, "a", range(5))
        status = broker.status_when(lambda s: s["sinks"]["lake"]["state"] == "paused", "paused", 60)
        assert "refuses it" in status["sinks"]["lake"]["last_error"], status["sinks"]["lake"]
        assert status["sinks"]["lake"]["spooled"] == 5, status["sinks"]["lake"]


def test_check_connect_says_what_will_become_of_the_schema(place):
    registry, cluster = place.registry(), place.kafka()
    cluster.create("asked", 1)

    def expect(code, words, register):
        said = Plant(place, registry, cluster, "asked", register).check()
        assert said[0] == code and words in said[1], said
    expect(1, "asked-value does not have it: register it", False)
    expect(0, "is registered with the first value", True)
    id_ = registry.register("asked-value", PRESS)
    expect(0, f"asked-value has it with id {id_}", False)
    registry.register("asked-value", {**PRESS, "fields": PRESS["fields"] + [
        {"name": "oil", "type": "double", "default": 0}]})
    expect(0, f"asked-value has it with id {id_}", True)
    cluster.create("clash", 1)
    registry.register("clash-value", {**PRESS, "fields": [{"name": "bar", "type": "string"}]})
    code, text = Plant(place, registry, cluster, "clash").check()
    assert code == 1 and "not compatible" in text, (code, text)
    assert len(registry.ask("GET", "/subjects/clash-value/versions")) == 1
