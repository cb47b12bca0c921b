"""examples/lake without Kafka: files.yaml into Avro container files, read by python3-avro, beside what a subscriber heard
and what was sent. (With Kafka: tests/kafka/test_lake.py.)"""

import json
import re
import sys
from collections import defaultdict

import biscuits
import checks
import container
import places
from biscuits import masked
from harness import BrokerTest

sys.path.insert(0, str(places.TESTS / "factory"))
import weighings  # noqa: E402

EXAMPLE = places.ROOT / "examples" / "lake"
SINKS = ("records", "weighings", "rejected")
MESSAGES, SEED = 3000, "33"
JSON = r"factory/[^/]+/(mixer/[^/]+/state|oven/[^/]+/(temperature|humidity)|cooler/[^/]+/temperature|packer/[^/]+/pack)$"
AVRO = r"factory/[^/]+/checkweigher/[^/]+/weighing$"


def by_topic(pairs):
    found = defaultdict(list)
    for topic, value in pairs:
        found[topic].append(value)
    return found


class LakeExample(BrokerTest):
    def setUp(self):
        super().setUp()
        if not container.is_there():
            self.skipTest("no reader of Avro containers (Debian: python3-avro, python3-zstandard)")

    def text(self):
        text = (EXAMPLE / "files.yaml").read_text()
        self.assertEqual(text.count("../../build/lake-files/"), 1 + len(SINKS))
        return text.replace("../../build/lake-files/", "@HOME@/")

    def objects(self, broker, sink):
        """The rows of all its files, in order; each file whole, and none of them open."""
        folder = broker.home / sink
        checks.nothing_open(folder)
        files = [container.Container(path) for path in sorted(folder.rglob("*.avro"), key=lambda path: path.name)]
        self.assertEqual({file.codec for file in files}, {"zstandard"})
        rows = [row for file in files for row in file.objects]
        seqs = [row["seq"] for row in rows]
        self.assertEqual(seqs, sorted(set(seqs)), "a record is there twice, or out of order")
        return rows

    def compare(self, broker, told, heard_json, heard_avro):
        records = self.objects(broker, "records")
        found = by_topic((row["topic"], json.loads(row["payload_json"])) for row in records)
        self.assertEqual(found, by_topic((topic, json.loads(payload)) for topic, payload in heard_json))
        at = {(row["topic"], row["event_time"].timestamp()) for row in records}
        for topic, payload in heard_json:
            value = json.loads(payload)
            if isinstance(value, dict):
                self.assertIn((topic, value["ts"] / 1000), at)

        rows = self.objects(broker, "weighings")
        self.assertEqual({row["payload_json"] for row in rows}, {None})
        read = weighings.read([payload.hex() for _, payload in heard_avro])
        wanted = by_topic((topic, (fields["lot"], fields["grams"], fields["verdict"], fields["belt_mm_s"]))
                          for (topic, _), (_, fields) in zip(heard_avro, read, strict=True))
        self.assertEqual(by_topic((row["topic"], (row["payload"]["lot"], str(row["payload"]["grams"]),
                                                  row["payload"]["verdict"], row["payload"]["belt_mm_s"]))
                                  for row in rows), wanted)

        alerts = [(row["topic"], json.loads(row["payload_json"])) for row in self.objects(broker, "rejected")]
        bad = by_topic(masked(topic, payload) for right, topic, payload in told if not right and re.match(JSON, topic))
        self.assertEqual(by_topic(masked(topic, alert["original"]["payload"].encode()) for topic, alert in alerts
                                  if re.match(JSON, topic)), bad)
        n_bad = sum(not right for right, _, _ in told)
        self.assertEqual((len(alerts), {alert["kind"] for _, alert in alerts}), (n_bad, {"violation"}))
        codes = {alert["violations"][0]["code"] for topic, alert in alerts if re.match(AVRO, topic)}
        self.assertEqual(codes, {"limits.min", "avro.enum", "avro.unknown_schema_id"})  # of that seed

    def test_it_is_all_in_files_without_kafka(self):
        biscuits.copy_schemas(self.folder)
        broker = self.broker(self.text(), name="lake")
        listener = biscuits.Listener(broker, self.folder / "heard")
        self.addCleanup(listener.close)
        biscuits.publish(broker, MESSAGES, "--rate", "0", "--seed", SEED)
        told = [row for row in biscuits.said(MESSAGES, "--seed", SEED) if re.match(f"{JSON}|{AVRO}", row[1])]
        n_good = sum(right for right, _, _ in told)
        listener.heard_all(f"{JSON}|{AVRO}", n_good)
        heard_json, heard_avro = listener.heard(JSON), listener.heard(AVRO)
        self.assertEqual(by_topic(masked(*row) for row in heard_json),
                         by_topic(masked(topic, payload) for right, topic, payload in told
                                  if right and re.match(JSON, topic)), "what subscribers heard")
        status = self.finish(broker)
        checks.identities(status)
        self.assertEqual((status["messages"]["accepted"], status["messages"]["rerouted"]), (n_good, len(told) - n_good))
        self.compare(broker, told, heard_json, heard_avro)
