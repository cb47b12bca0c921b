"""Avro through the broker: judged by what it means, stored as JSON, shown in alerts, hostile bytes refused."""

import base64
import json
import struct

import checks
from harness import BrokerTest, cases, config, fast, policy

SCHEMA = {"type": "record", "name": "Press", "namespace": "acme", "fields": [
    {"name": "machine", "type": "string"},
    {"name": "force", "type": {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 3}},
    {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["IDLE", "RUN"]}},
    {"name": "temp", "type": ["null", "double"]}]}
CANONICAL = ('{"name":"acme.Press","type":"record","fields":[{"name":"machine","type":"string"},'
             '{"name":"force","type":"bytes"},{"name":"state","type":{"name":"acme.State",'
             '"type":"enum","symbols":["IDLE","RUN"]}},{"name":"temp","type":["null","double"]}]}')


def message(force=12345, temp=21.5):
    """machine p1, force in thousandths, RUN, temp."""
    return (b"\x04p1" + b"\x06" + force.to_bytes(3, "big", signed=True) + b"\x02" + b"\x02"
            + struct.pack("<d", temp))


def fingerprint(text):
    """CRC-64-AVRO, as the specification writes it."""
    empty = 0xC15D213AA4D7A795
    crc = empty
    for byte in text.encode():
        row = (crc ^ byte) & 0xFF
        for _ in range(8):
            row = (row >> 1) ^ (empty if row & 1 else 0)
        crc = (crc >> 8) ^ row
    return crc


SINGLE = b"\xc3\x01" + struct.pack("<Q", fingerprint(CANONICAL))
CONFLUENT = b"\x00" + struct.pack(">I", 9)
MEANS = {"machine": "p1", "force": 12.345, "state": "RUN", "temp": 21.5}


class Avro(BrokerTest):
    def avro_broker(self, sinks=None, **keys):
        keys = dict({"payload": "avro", "schema": "press:3",
                     "limits": [{"field": "/temp", "max": 400}],
                     "on_violation": {"reroute": "q/${payload:/machine}/${code}",
                                      "to": ["lake"]}}, **keys)
        schema = {"id": "press", "version": 3, "type": "avro", "file": "press.avsc",
                  "registry_id": 9}
        broker = self.broker(config([policy(**keys)], sinks, schemas=[schema]), start=False)
        (broker.home / "press.avsc").write_text(json.dumps(SCHEMA))
        (broker.home / "press.avsc").chmod(0o644)
        return broker.start()

    FRAMES = {"raw": b"", "single object": SINGLE, "confluent": CONFLUENT}

    @fast
    @cases(FRAMES)
    def test_what_holds_is_stored_as_what_it_means(self, frame):
        broker = self.avro_broker()
        with broker.client() as publisher:
            publisher.publish("in/a", frame + message(), 1)
        checks.counted(self.finish(broker), accepted=1)
        (record,) = checks.lake(self.lake(broker))
        self.assertEqual((record["payload"], record["schema"]), (MEANS, "press:3"))
        checks.validate("record.schema.json", [record], self.folder / "json")
        text = next(iter((self.lake(broker)).rglob("*.jsonl"))).read_text()
        self.assertIn('"force":12.345', text)

    @fast
    @cases(FRAMES)
    def test_a_broken_limit_reroutes_with_reason_bytes_and_meaning(self, frame):
        broker = self.avro_broker()
        bad = frame + message(temp=500.0)
        with broker.client(version=5) as subscriber:
            subscriber.subscribe("q/#")
            with broker.client() as publisher:
                publisher.publish("in/a", bad, 1)
            got = subscriber.message()
        self.assertEqual(got.topic, "q/p1/limits.max")
        alert = json.loads(got.payload)
        checks.validate("alert.schema.json", [alert], self.folder / "json")
        (violation,) = alert["violations"]
        self.assertEqual((violation["code"], violation["pointer"], violation["actual"]),
                         ("limits.max", "/temp", 500.0))
        original = alert["original"]
        self.assertEqual((original["encoding"], base64.b64decode(original["payload"])),
                         ("base64", bad))
        self.assertEqual(original["decoded"], dict(MEANS, temp=500.0))
        checks.counted(self.finish(broker), rerouted=1)
        (record,) = checks.lake(self.lake(broker))
        self.assertEqual((record["kind"], record["payload"]["id"]), ("violation", alert["id"]))

    # what: (bytes, code, pointer)
    HOSTILE = {
        "a symbol that is not there, which crashes others": (
            b"\x04p1\x02\x01\x12", "avro.enum", "/state"),
        "five bytes that ask for gigabytes": (b"\xfe\xff\xff\xff\x0f", "avro.length", "/machine"),
        "a length of -2^63": (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "avro.length", "/machine"),
        "a number without end": (b"\x80" * 40, "avro.malformed", "/machine"),
        "cut short": (message()[:-1], "avro.truncated", "/temp"),
        "too long": (message() + b"\x00", "avro.trailing", ""),
        "an unknown branch": (b"\x04p1\x02\x01\x02\x04", "avro.union", "/temp"),
        "not UTF-8": (b"\x04p\xff\x02\x01\x02\x00", "avro.utf8", "/machine"),
        "an unknown id": (b"\x00\x00\x00\x00\x08" + message(), "avro.unknown_schema_id", ""),
        "an unknown fingerprint": (b"\xc3\x01" + bytes(8) + message(), "avro.unknown_schema_id", ""),
        "nothing": (b"", "payload.empty", ""),
    }

    @fast
    @cases(HOSTILE)
    def test_hostile_bytes_are_refused_with_code_and_place(self, payload, code, pointer):
        broker = self.avro_broker()
        with broker.client(version=5) as subscriber:
            subscriber.subscribe("q/#")
            with broker.client() as publisher:
                publisher.publish("in/a", payload, 1)
                got = subscriber.message()
                publisher.publish("in/a", message(), 1)
        alert = json.loads(got.payload)
        checks.validate("alert.schema.json", [alert], self.folder / "json")
        self.assertEqual([(v["code"], v["pointer"]) for v in alert["violations"]],
                         [(code, pointer)])
        self.assertNotIn("decoded", alert["original"])
        checks.counted(self.finish(broker), rerouted=1, accepted=1)

    def test_a_spooled_record_needs_no_configuration_to_be_shown(self):
        sinks = {"lake": {"type": "file", "path": "@HOME@/sluice.yaml/never"}}
        broker = self.avro_broker(sinks=sinks)
        with broker.client() as publisher:
            publisher.publish("in/a", CONFLUENT + message(), 1)
        broker.kill()
        (broker.home / "press.avsc").unlink()
        (record,) = checks.spool_dump(broker.data_dir)
        self.assertEqual((record["payload"], record["schema"]), (MEANS, "press:3"))
