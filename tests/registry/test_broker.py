"""Broker, plugin and the real registry together, with https and a name and password; what faults do is in
tests/broker."""

import json
import shutil
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "broker"))
import checks
from broker import Broker
from harness import config, policy
from test_client import PRESS, WIDER, certificate


def framed(schema_id, *doubles):
    return b"\x00" + struct.pack(">I", schema_id) + struct.pack(f"<{len(doubles)}d", *doubles)


def test_the_plugin_reads_what_the_registry_describes(place):
    pem, key = certificate(place.folder, "right", "127.0.0.1")
    registry = place.registry("both", user="sluice:sesame", tls=(pem, key))
    first = registry.register("press-value", PRESS)
    # The first start's own mkdtemp folder is root's: the broker's user must be able to get there.
    home = Path("/tmp") / (place.root.name + "-broker")
    try:
        run_with(registry, first, pem, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
        place.running.pop("both").stop()


def run_with(registry, first, pem, home):
    text = config(
        [policy(payload="avro", framing="confluent", schema="press:1",
                limits=[{"field": "/bar", "max": 400}], on_violation={"reroute": "q/${code}"})],
        registry={"url": registry.url, "username": "sluice", "password": "sesame",
                  "ca_file": "ca.pem"},
        schemas=[{"id": "press", "version": 1, "type": "avro",
                  "registry": {"subject": "press-value", "version": "latest"}}])
    broker = Broker(home, text, env={"no_proxy": "127.0.0.1"})
    shutil.copy(pem, home / "ca.pem")
    (home / "ca.pem").chmod(0o644)
    try:
        broker.start()
        with broker.client(version=5) as subscriber, broker.client() as publisher:
            subscriber.subscribe("#")

            def fate(payload):
                publisher.publish("in/a", payload, 1)
                return subscriber.message().topic
            assert fate(framed(first, 21.5)) == "in/a"
            broker.status_when(lambda s: s["registry"]["answers"], "the registry answers")
            second = registry.register("press-value", WIDER)
            assert fate(framed(second, 22.5, 1.5)) == "q/avro.unknown_schema_id"
            broker.status_when(lambda s: s["generation"] == 2, "the version is fetched")
            assert fate(framed(second, 23.5, 2.5)) == "in/a"
            assert fate(framed(first, 24.5)) == "in/a"
        broker.stop()
        found = [record["payload"] for record in checks.lake(home / "lake")]
        assert found == [{"bar": 21.5}, {"bar": 23.5, "oil": 2.5}, {"bar": 24.5}], json.dumps(found)
    finally:
        broker.kill()
