"""Container files: what the file sink writes with `format: avro`, read back by python3-avro; and that kills
under load lose and double nothing of it (as test_crash.py does with lines).
"""

import json
import random
import unittest

import checks
import container
import places
from harness import BAD, GOOD, alone, cases, config, fast, policy
from pouring import MIN_RATE, Ledger, PouringTest
from test_avro import CONFLUENT, MEANS, SCHEMA, SINGLE, message

USER = [(0x26, ("k", "v")), (0x26, ("k", "w"))]
CODECS = {"null": "null", "deflate": "deflate", "zstandard": "zstandard"}

# As an author writes it: what our reader or theirs would print differently must stay.
SCHEMA_TEXT = json.dumps(dict(SCHEMA, doc="a press", aliases=["Stamp"]), indent=3)


def sink(**options):
    return {"lake": dict({"type": "file", "path": "@HOME@/lake", "format": "avro"}, **options)}


@unittest.skipUnless(container.is_there(), "python3-avro or python3-zstandard is not installed")
class Containers(PouringTest):
    def files(self, broker):
        return sorted(self.lake(broker).rglob("*.avro"))

    @fast
    @cases(CODECS)
    def test_records_are_what_lines_would_be(self, codec):
        broker = self.broker(config([policy(on_violation={"reroute": "q", "to": ["lake", "lines"]},
                                            to=["lake", "lines"])],
                                    dict(sink(codec=codec),
                                         lines={"type": "file", "path": "@HOME@/lines"})))
        with broker.client(version=5) as publisher:
            for payload in (GOOD, BAD, b'{"value": 1.50,\n"s":"\xc3\xa9"}'):
                publisher.publish("in/a", payload, 1, props=USER)
        checks.counted(self.finish(broker), accepted=2, rerouted=1)
        records = checks.lake(self.lake(broker))
        self.assertEqual(records, [dict(record) for record in checks.lake(broker.home / "lines")])
        self.assertEqual([r["kind"] for r in records], ["message", "violation", "message"])
        checks.validate("record.schema.json", records, self.folder / "json")
        (path,) = self.files(broker)
        self.assertEqual(container.Container(path).codec, codec)

    def test_payloads_of_the_sinks_schema_are_typed(self):
        schema = {"id": "press", "version": 3, "type": "avro", "file": "press.avsc",
                  "registry_id": 9}
        broker = self.broker(config(
            [policy(payload="avro", schema="press:3", limits=[{"field": "/temp", "max": 400}],
                    on_violation={"reroute": "q", "to": ["lake"]}), policy("json/#", id="j")],
            sink(schema="press:3"), schemas=[schema]), start=False)
        (broker.home / "press.avsc").write_text(SCHEMA_TEXT)
        (broker.home / "press.avsc").chmod(0o644)
        broker.start()
        with broker.client() as publisher:
            for frame in (b"", SINGLE, CONFLUENT):
                publisher.publish("in/a", frame + message(), 1)
            publisher.publish("in/a", message(temp=500.0), 1)
            publisher.publish("json/a", GOOD, 1)
        checks.counted(self.finish(broker), accepted=4, rerouted=1)
        (path,) = self.files(broker)
        file = container.Container(path)
        self.assertIn(SCHEMA_TEXT, file.schema)
        self.assertEqual(file.meta["sluice.schema"], "press:3")
        typed, rest = file.objects[:3], file.objects[3:]
        for thing in typed:
            self.assertEqual((thing["payload"]["machine"], float(thing["payload"]["force"]),
                              thing["payload"]["state"], thing["payload"]["temp"]),
                             tuple(MEANS.values()))
            self.assertEqual((thing["payload_json"], thing["schema"]), (None, "press:3"))
        self.assertEqual([thing["payload"] for thing in rest], [None, None])
        self.assertEqual([thing["kind"] for thing in rest], ["violation", "message"])
        self.assertEqual(json.loads(rest[1]["payload_json"]), json.loads(GOOD))

    def test_the_schema_of_records_is_the_document(self):
        broker = self.broker(config([policy()], sink()))
        with broker.client() as publisher:
            publisher.publish("in/a", GOOD, 1)
        self.finish(broker)
        (path,) = self.files(broker)
        document = (places.ROOT / "schemas" / "record.avsc").read_text()
        self.assertEqual(container.Container(path).schema, document)

    @alone
    @cases(CODECS)
    def test_what_was_acknowledged_survives_every_kill(self, codec):
        dice, ledger = random.Random(places.SEED), Ledger()
        broker = self.broker(config([policy()], sink(
            codec=codec, rotate={"size": "256KiB"}, batch={"rows": 500, "time": "5ms"})))
        for _ in range(max(3, places.KILLS // 10)):
            self.pour_and_kill(broker, ledger, dice.uniform(0.02, 0.25))
            broker.start()
        records = self.check_output(broker, ledger)
        print(f"    {codec}: {ledger.acked} acknowledged at {ledger.rate:.0f}/s, "
              f"{len(records)} in {len(self.files(broker))} files", flush=True)
        self.assertGreaterEqual(ledger.rate, MIN_RATE)

    def test_a_reload_to_another_format_keeps_every_record(self):
        broker = self.broker(config([policy()], sink()))
        with broker.client() as publisher:
            publisher.publish("in/a", GOOD, 1)
            for n, options in enumerate(({"format": "jsonl"}, {"codec": "zstandard"}), 2):
                broker.configure(config([policy()], sink(**options)))
                broker.hup()
                broker.status_when(lambda s, n=n: s["generation"] == n, f"generation {n}")
                publisher.publish("in/a", GOOD, 1)
        checks.counted(self.finish(broker), accepted=3)
        self.assertEqual(len(checks.lake(self.lake(broker))), 3)
        self.assertEqual(len(self.files(broker)), 2)
