"""Topics with a schema: what came in as JSON or Avro is read back by Debian's python3-avro."""

import io
import json
import struct
import sys
from decimal import Decimal
from pathlib import Path

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, whichever python3 runs this
import avro.io
import avro.schema
from harness import policy
from test_plugin import OURS, Plant, all_delivered, checks, kafka_sink

PRESS = {"type": "record", "name": "Press", "namespace": "acme", "fields": [
    {"name": "machine", "type": "string"},
    {"name": "n", "type": "long"},
    {"name": "force", "type": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 3}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["IDLE", "RUN"]}},
    {"name": "temp", "type": ["null", "double"], "default": None},
    {"name": "tags", "type": {"type": "map", "values": ["long", "string"]}, "default": {}},
    {"name": "unit", "type": "string", "default": "kN"}]}
RAW = {"type": "record", "name": "Raw", "fields": [{"name": "v", "type": "int"}]}
# The same numbers, wider and with another name: what came in as Raw is written anew.
WIDE = {"type": "record", "name": "Wide", "fields": [{"name": "v", "type": "double"}]}


def typed_plant(place, kafka, policies, sinks):
    schemas = []
    for i, (name, schema) in enumerate((("press", PRESS), ("raw", RAW), ("wide", WIDE))):
        (place / f"{name}.avsc").write_text(json.dumps(schema))
        (place / f"{name}.avsc").chmod(0o644)
        schemas.append({"id": name, "version": 1, "type": "avro", "registry_id": 256 + i,
                        "file": str(place / f"{name}.avsc")})
    del schemas[2]["registry_id"]
    return Plant(place, policies, {name: kafka_sink(kafka.address, **sink)
                                   for name, sink in sinks.items()}, schemas=schemas)


def read(schema, body):
    parsed = avro.schema.parse(json.dumps(schema))
    stream = io.BytesIO(body)
    value = avro.io.DatumReader(parsed).read(avro.io.BinaryDecoder(stream))
    assert stream.read() == b"", "bytes behind the value"
    return value


def fingerprint(schema):
    """CRC-64-AVRO of a schema without anything that the canonical form leaves out."""
    empty = crc = 0xC15D213AA4D7A795
    canonical = '{"name":"%s","type":"record","fields":[%s]}' % (schema["name"], ",".join(
        '{"name":"%s","type":"%s"}' % (f["name"], f["type"]) for f in schema["fields"]))
    for byte in canonical.encode():
        row = (crc ^ byte) & 0xFF
        for _ in range(8):
            row = (row >> 1) ^ (empty if row & 1 else 0)
        crc = (crc >> 8) ^ row
    return struct.pack("<Q", crc)


def message(n):
    """JSON for press:1; every third leaves out what has a default, times are numbers or text."""
    value = {"machine": f"p{n % 7}", "n": n, "force": 0, "state": ("IDLE", "RUN")[n % 2],
             "at": f"2026-11-28T12:00:{n % 60:02d}.5Z" if n % 2 else 1764331200500 + n % 60 * 1000}
    if n % 3:
        value.update(temp=n / 4, tags={"a": n, "b": f"ä{n}"}, unit="N")
    # More digits than a double has: exact all the same.
    return json.dumps(value).replace('"force": 0', f'"force": 12345678901234567.{n % 1000:03d}')


def test_json_becomes_values_that_others_read(brokers, place):
    kafka = brokers.get()
    kafka.create("typed", 3)
    sinks = {"lake": {"topic": "typed", "value": "avro", "schema": "press:1", "key": "${payload:/machine}"}}
    rule = policy("in/#", limits=None, to=["lake"], on_violation={"pass": True})
    with typed_plant(place, kafka, [rule], sinks) as broker:
        client = broker.client("gateway")
        for n in range(600):
            client.publish("in/a", message(n).encode(), 1)
        client.close()
        all_delivered(broker, 600)
        broker.stop(90)
        status = broker.status()
        checks.identities(status)
        assert {key: status["sinks"]["lake"][key] for key in OURS} == OURS, status["sinks"]["lake"]
    seen = {}
    for record in kafka.consume("typed"):
        assert record.value[:5] == b"\x00" + struct.pack(">I", 256), record.value[:5]
        value = read(PRESS, record.value[5:])
        assert record.key.decode() == value["machine"], record.key
        seen[value["n"]] = value
    assert sorted(seen) == list(range(600))
    for n, value in seen.items():
        sent = json.loads(message(n), parse_float=Decimal)
        assert value["force"] == sent["force"] and isinstance(value["force"], Decimal), (n, value)
        assert (value["at"].second, value["at"].microsecond) == (n % 60, 500000), (n, value)
        assert value["temp"] == (n / 4 if n % 3 else None), (n, value)
        assert value["tags"] == ({"a": n, "b": f"ä{n}"} if n % 3 else {}), (n, value)
        assert (value["unit"], value["state"]) == ("N" if n % 3 else "kN", ("IDLE", "RUN")[n % 2])
    return "600 values"


def test_what_is_no_value_is_a_dead_letter_with_code_and_place(brokers, place):
    kafka = brokers.get()
    kafka.create("strict", 1)
    sinks = {"lake": {"topic": "strict", "value": "avro", "schema": "press:1", "framing": "raw"}}
    rule = policy("in/#", limits=None, to=["lake"], on_violation={"pass": True})
    wrong = {"avro.enum /state: ": '"state": "OFF"', "avro.malformed /more: ": '"more": 1',
             "avro.int_range /n: ": '"n": 9223372036854775808'}
    with typed_plant(place, kafka, [rule], sinks) as broker:
        client = broker.client("gateway")
        for n, change in enumerate(wrong.values()):
            payload = {**json.loads(message(n)), "force": 1, **json.loads("{%s}" % change)}
            client.publish("in/a", json.dumps(payload).encode(), 1)
        client.publish("in/a", b"[1]", 1)
        client.publish("in/a", message(99).encode(), 1)
        client.close()
        status = broker.status_when(
            lambda s: s["sinks"]["lake"]["delivered"] == 1 and s["sinks"]["lake"]["spooled"] == 0,
            "everything settled")
        assert status["sinks"]["lake"]["dead_lettered"] == 4, status["sinks"]["lake"]
        letters = [json.loads(line)
                   for file in sorted((broker.data_dir / "dead" / "lake").glob("*.jsonl"))
                   for line in file.read_text().splitlines()]
    told = [f"{letter['dead']['code']} {letter['dead']['message']}" for letter in letters]
    for text, start in zip(told, [*wrong, "avro.malformed expected an object"], strict=True):
        assert text.startswith(start), told
    (record,) = kafka.consume("strict")
    assert read(PRESS, record.value)["n"] == 99


def test_avro_passes_as_it_came_or_is_written_anew(brokers, place):
    kafka = brokers.get()
    for topic in ("same.3", "wide.3"):
        kafka.create(topic, 1)
    sinks = {"same": {"topic": "same.${payload:/v}", "value": "avro", "schema": "raw:1"},
             "wide": {"topic": "wide.${payload:/v}", "value": "avro", "schema": "wide:1"}}
    rule = policy("in/#", payload="avro", schema="raw:1", limits=None, to=["same", "wide"],
                  on_violation={"pass": True})
    with typed_plant(place, kafka, [rule], sinks) as broker:
        client = broker.client("gateway")
        client.publish("in/a", b"\xc3\x01" + fingerprint(RAW) + b"\x06", 1)
        client.close()
        all_delivered(broker, 1, "same")
        all_delivered(broker, 1, "wide")
    (same,), (wide,) = kafka.consume("same.3"), kafka.consume("wide.3")
    assert same.value == b"\x00\x00\x00\x01\x01\x06", same.value
    assert wide.value[:10] == b"\xc3\x01" + fingerprint(WIDE), wide.value
    assert read(WIDE, wide.value[10:]) == {"v": 3.0}
