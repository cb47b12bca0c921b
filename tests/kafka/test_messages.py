"""Keys, values, headers and timestamps, read back byte for byte by Kafka's console consumer."""

import json
import struct
import uuid

from drive import Drive

SPOOL = bytes(range(0xD1, 0xE1))
MESSAGE, VIOLATION = 1, 2
JSON, NUMBER, BYTES = 1, 2, 5
USER, CONTENT_TYPE = 1, 2


def record_id(seq):
    """UUIDv8, its first half from the spool's id, its low 62 bits seq."""
    first = bytearray(SPOOL[:8])
    first[6] = first[6] & 0x0F | 0x80
    return str(uuid.UUID(bytes=bytes(first) + struct.pack(">Q", 2 << 62 | seq))).encode()


def pack(kind, name, value):
    return struct.pack("<BH", kind, len(name)) + name + struct.pack("<H", len(value)) + value


def record(topic, payload, kind=MESSAGE, format=BYTES, quality=192, qos=1, retain=0, policy=1,
           schema=0, event_ns=1700000000123456789, client=b"press-4", user=b"", properties=b""):
    return (kind, format, quality, qos, retain, policy, schema, event_ns, topic.hex(), client.hex(),
            user.hex(), properties.hex(), payload.hex())


RECORDS = [
    record(b"plant/a/oven/7", b'{"v":1.50,"t":"\xc3\xbc"}', format=JSON, schema=1,
           properties=pack(CONTENT_TYPE, b"", b"application/json") + pack(USER, b"line", b"L1") +
           pack(USER, b"line", b"L2") +
           pack(USER, b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") +
           pack(USER, b"tracestate", b"v=1") + pack(USER, "größe".encode(), b"")),
    record(b"plant/a/raw", bytes(range(256)), quality=64, qos=0, retain=1, client=b""),
    record(b"plant/a/empty", b"", policy=2, user=b"operator", event_ns=-5),
    record(b"plant/a/alert", b'{"v":1}', kind=VIOLATION, format=JSON, quality=0, qos=2),
    record("plant/ä b/über".encode(), b" +21.50 ", format=NUMBER, event_ns=999999),
]


def drive(brokers, place, topic, options):
    broker = brokers.get()
    broker.create(topic, 3)
    (place / "records").write_text("".join("\t".join(map(str, r)) + "\n" for r in RECORDS))
    sink = Drive(place, broker.address, topic, options,
                 ("--file", place / "records", "--seconds", 30))
    assert sink.end() == 0, sink.lines
    assert not sink.rejects, sink.rejects
    by_key = {}
    for r in broker.consume(topic):
        by_key[r.key if r.key is not None else r.value] = r
    return by_key


def same(actual, expected, what):
    assert actual == expected, f"{what}: {actual!r} instead of {expected!r}"


def test_all_headers_are_as_documented(brokers, place):
    got = drive(brokers, place, "headers", "")
    same(len(got), len(RECORDS), "records")
    oven = got[b"plant/a/oven/7"]
    same(oven.value, b'{"v":1.50,"t":"\xc3\xbc"}', "payload")
    same(oven.timestamp, 1700000000123, "timestamp")
    same(oven.headers, [
        (b"sluice.id", record_id(1)), (b"sluice.policy", b"ovens"), (b"sluice.schema", b"oven:1"),
        (b"sluice.quality", b"192"), (b"sluice.kind", b"message"),
        (b"mqtt.topic", b"plant/a/oven/7"), (b"mqtt.client_id", b"press-4"), (b"mqtt.qos", b"1"),
        (b"mqtt.retain", b"false"), (b"mqtt.content_type", b"application/json"),
        (b"mqtt.user.line", b"L1"), (b"mqtt.user.line", b"L2"),
        (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        (b"tracestate", b"v=1"), ("mqtt.user.größe".encode(), b"")], "headers")
    raw = got[b"plant/a/raw"]
    same(raw.value, bytes(range(256)), "bytes")
    same(raw.headers, [
        (b"sluice.id", record_id(2)), (b"sluice.policy", b"ovens"), (b"sluice.quality", b"64"),
        (b"sluice.kind", b"message"), (b"mqtt.topic", b"plant/a/raw"), (b"mqtt.qos", b"0"),
        (b"mqtt.retain", b"true")], "headers")
    empty = got[b"plant/a/empty"]
    same(empty.value, b"", "an empty payload (no tombstone)")
    same(empty.timestamp, 1, "a timestamp before 1970")
    same(dict(got[b"plant/a/alert"].headers)[b"sluice.kind"], b"violation", "kind")
    same(dict(got[b"plant/a/alert"].headers)[b"mqtt.qos"], b"2", "qos")
    same(got["plant/ä b/über".encode()].value, b" +21.50 ", "a number as it came")


def test_headers_ids_and_none(brokers, place):
    (place / "a").mkdir()
    ids = drive(brokers, place / "a", "ids", "headers: ids")
    same(ids[b"plant/a/oven/7"].headers, [
        (b"sluice.id", record_id(1)), (b"sluice.policy", b"ovens"), (b"sluice.schema", b"oven:1")],
         "ids")
    (place / "b").mkdir()
    none = drive(brokers, place / "b", "none", 'headers: none\nkey: ""')
    same(sorted(none), sorted(bytes.fromhex(r[-1]) for r in RECORDS), "values without a key")
    assert all(r.headers == [] for r in none.values()), "headers"


def test_envelopes_and_keys_from_templates(brokers, place):
    got = drive(brokers, place, "envelope",
                'value: envelope\nkey: "${client_id}|${payload:/v}|${instance}|${topic}"')
    oven = got[b"press-4|1.50|plant1|plant/a/oven/7"]
    line = json.loads(oven.value)
    same(line["id"].encode(), record_id(1), "id")
    same(line["seq"], "1", "seq")
    same(line["instance"], "plant1", "instance")
    same(line["event_time"], "2023-11-14T22:13:20.123456Z", "event_time")
    assert oven.value.endswith(b'"payload":{"v":1.50,"t":"\xc3\xbc"}}'), oven.value
    same(line["user_properties"][:2], [["line", "L1"], ["line", "L2"]], "user properties")
    raw = json.loads(got[b"||plant1|plant/a/raw"].value)
    assert "payload" not in raw and raw["payload_base64"].startswith("AAECAwQF"), raw
    assert b"press-4||plant1|plant/a/empty" in got, list(got)


def test_a_topic_from_a_template_has_only_what_kafka_takes(brokers, place):
    broker = brokers.get()
    broker.create("lake.plant_k1.drive", 1)
    sink = Drive(place, broker.address, "lake.${topic}.${client_id}",
                 arguments=("--records", 50, "--keys", 1, "--seconds", 20, "--pace", 50))
    # With one key all records are of plant/k0: make that topic too.
    broker.create("lake.plant_k0.drive", 1)
    assert sink.end() == 0, sink.lines
    same([r.seq for r in broker.consume("lake.plant_k0.drive")], list(range(1, 51)), "records")
