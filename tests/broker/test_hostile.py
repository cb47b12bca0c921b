"""Payloads that somebody made on purpose. Each gets its code, the broker goes on, nothing is lost."""

import time

import checks
import mqtt
from broker import wait_until
from harness import GOOD, BrokerTest, alone, cases, config, policy

MIB = 1 << 20

PAYLOADS = {
    "no payload": (b"", "payload.empty"),
    "blanks": (b" \t\r\n", "payload.empty payload.malformed"),
    "half an object": (b'{"value":', "payload.malformed"),
    "a word": (b"nope", "payload.malformed"),
    "two documents": (b'{"value":1}{"value":1}', "payload.malformed"),
    "a NUL behind": (b'{"value":1}\0', "payload.malformed"),
    "NaN": (b'{"value":NaN}', "payload.malformed"),
    "a leading zero": (b'{"value":01}', "payload.malformed"),
    "a comment": (b'{"value":1/**/}', "payload.malformed"),
    "a trailing comma": (b'{"value":1,}', "payload.malformed"),
    "a control byte in a string": (b'{"a":"\x01"}', "payload.malformed"),
    "a byte that is no UTF-8": (b'{"a":"\xff"}', "payload.utf8"),
    "overlong UTF-8": (b'{"a":"\xc0\xaf"}', "payload.utf8"),
    "a surrogate in UTF-8": (b'{"a":"\xed\xa0\x80"}', "payload.utf8"),
    "a cut UTF-8 sequence": (b'{"a":"\xe2\x82"}', "payload.utf8"),
    "a lone high surrogate": (rb'{"a":"\ud800"}', "payload.surrogate"),
    "a lone low surrogate": (rb'{"a":"\udc00x"}', "payload.surrogate"),
    "surrogates the wrong way round": (rb'{"a":"\udc00\ud800"}', "payload.surrogate"),
    "a key twice": (b'{"value":1,"value":500}', "payload.duplicate_key"),
    "a key twice, once in disguise": (rb'{"value":1,"v\u0061lue":500}', "payload.duplicate_key"),
    "a key twice, deep inside": (b'{"a":[{"b":{"c":1,"c":2}}]}', "payload.duplicate_key"),
    "65 levels": (b"[" * 65 + b"]" * 65, "payload.depth"),
    "half a million levels": (b"[" * 500_000, "payload.depth payload.malformed"),
    "half a million objects": (b'{"a":' * 100_000, "payload.depth payload.malformed"),
    "more than a MiB": (b'{"a":"' + b"x" * MIB + b'"}', "payload.too_large"),
    "eight MiB": (b" " * 8 * MIB, "payload.too_large"),
    "a number beyond every double": (b'{"value":1e999999999}', "limits.max"),
    "a number of 100,000 digits": (b'{"value":' + b"9" * 100_000 + b"}", "limits.max"),
    "a number just over the limit, by its 40th digit":
        (b'{"value":400.0000000000000000000000000000000000000001}', "limits.max"),
    "a number of the wrong kind": (b'{"value":"21"}', "limits.type"),
}

HOLDS = {
    "64 levels": b"[" * 64 + b"]" * 64,
    "the limit itself": b'{"value":400}',
    "the limit in other clothes": b'{"value":4000000000e-7}',
    "the limit with forty zeros": b'{"value":400.' + b"0" * 40 + b"}",
    "a large negative exponent": b'{"value":1e-999999999}',
    "an empty object": b"{}",
    "escaped text": rb'{"a":"\ud83d\ude00\u0000\"\\"}',
    "a key of NUL": rb'{"\u0000":1,"\u0000\u0000":2}',
    "10,000 keys": b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(10_000)) + b"}",
    "just a MiB": b'{"a":"' + b"x" * (MIB - 8) + b'"}',
}


class Hostile(BrokerTest):
    def open(self, **keys):
        broker = self.broker(config([policy(on_violation={"reroute": "q/${code}"}, **keys)]))
        self.subscriber = broker.client(version=5).subscribe("q/#", qos=2)
        self.addCleanup(self.subscriber.close)
        return broker

    @cases(PAYLOADS)
    def test_a_hostile_payload_gets_its_code(self, payload, codes):
        broker = self.open()
        with broker.client("m") as publisher:
            publisher.publish("in/oven", payload, 1)
            message = self.subscriber.message()
            publisher.publish("in/oven", GOOD, 1)
        self.assertIn(message.topic.removeprefix("q/"), codes.split())
        checks.validate("alert.schema.json", [message.payload.decode()], self.folder / "json")
        checks.counted(self.finish(broker), rerouted=1, accepted=1)

    @cases(HOLDS)
    def test_an_odd_but_right_payload_holds(self, payload):
        broker = self.open()
        with broker.client("m") as publisher:
            publisher.publish("in/oven", payload, 1)
        checks.counted(self.finish(broker), accepted=1)
        (file,) = checks.lake_files(self.lake(broker))
        line = file.path.read_bytes()
        self.assertEqual(line.count(b"\n"), 1)
        if len(payload) < 200_000 and payload.count(b"[") < 64:  # the envelope is one level more
            checks.validate("record.schema.json", [line.decode()], self.folder / "json")

    @alone
    @cases({"reroute": {"reroute": "q/x"}, "drop": {"drop": True}})
    def test_a_storm_of_violations_leaves_the_broker_answering(self, action):
        broker = self.broker(config([policy(on_violation=dict(action, publish="watch/x"))]))
        payloads = [payload for payload, _ in PAYLOADS.values() if 0 < len(payload) < 100_000]
        n = 20_000
        flood = mqtt.Flood(broker.port, lambda i: ("in/oven", payloads[i % len(payloads)]))
        before = memory_kib(broker.pid)
        with broker.client("bystander") as bystander:
            bystander.subscribe("elsewhere")
            slowest = 0.0
            for _ in range(10):
                flood.run(count=n // 10)
                start = time.monotonic()
                bystander.publish("elsewhere", b"still here?", 1)
                bystander.message()
                slowest = max(slowest, time.monotonic() - start)
        flood.close()
        self.assertLess(slowest, 5)
        self.assertLess(memory_kib(broker.pid) - before, 64 << 10)
        status = self.finish(broker)
        counter = "rerouted" if "reroute" in action else "dropped"
        checks.counted(status, **{counter: n, "passed": 10})

    def test_names_from_the_network_cannot_forge_a_log_line(self):
        broker = self.open()
        forged = 'x"}\\n1795233266: sluice: forged'
        with broker.client(forged, username="u\\r") as publisher:
            publisher.publish("in/%0a1795233266: sluice: forged", b"{", 1)
        self.subscriber.message()
        wait_until(lambda: broker.status()["messages"]["received"] == 1, "one message")
        self.finish(broker)
        for line in broker.sluice_lines():
            self.assertFalse(line.startswith("sluice: forged"), line)


def memory_kib(pid):
    """Resident, without what is only mapped from files (the spool's ring)."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["RssAnon"].split()[0])
