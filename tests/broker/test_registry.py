"""Schemas from a registry: the first start asks it, later ones need it no more, and what it does not know
yet is looked for while messages go on."""

import json
import struct

import checks
from broker import wait_until
from harness import BrokerTest, cases, config, fast, policy
from registry import Registry

FIRST = {"type": "record", "name": "Press", "namespace": "acme", "fields": [
    {"name": "bar", "type": "double"}]}
SECOND = {**FIRST, "fields": FIRST["fields"] + [{"name": "oil", "type": "int", "default": 0}]}
SUBJECT = "press-value"


def framed(schema_id, bar, *oil):
    """Oil below 64 is one byte in Avro's zigzag."""
    return b"\x00" + struct.pack(">I", schema_id) + struct.pack("<d", bar) + \
        bytes(2 * value for value in oil)


class FromRegistry(BrokerTest):
    def setUp(self):
        super().setUp()
        self.registry = Registry()
        self.addCleanup(self.registry.stop)
        self.addCleanup(self.registry.hanging.clear)

    def text(self, version=1, extra=(), **registry):
        schemas = [{"id": "press", "version": 1, "type": "avro",
                    "registry": {"subject": SUBJECT, "version": version}}, *extra]
        return config([policy(payload="avro", framing="confluent", schema="press:1",
                              limits=[{"field": "/bar", "max": 400}],
                              on_violation={"reroute": "q/${code}"})],
                      registry={"url": self.registry.url, **registry}, schemas=schemas)

    def press(self, **options):
        return self.broker(self.text(**options), env={"no_proxy": "127.0.0.1"}, start=False)

    def records(self, broker):
        return [record["payload"] for record in checks.lake(self.lake(broker))]

    @fast
    def test_the_first_start_asks_and_later_ones_need_it_no_more(self):
        id_ = self.registry.register(SUBJECT, FIRST)
        broker = self.press().start()
        with broker.client() as publisher:
            publisher.publish("in/a", framed(id_, 21.5), 1)
        answers = broker.status_when(lambda s: s["registry"]["answers"], "the registry answers")
        self.assertEqual(answers["registry"]["fetched"], 1)
        self.assertIsNone(answers["registry"]["last_error"])
        checks.counted(self.finish(broker), accepted=1)
        self.registry.stop()
        broker.start()
        with broker.client() as publisher:
            publisher.publish("in/a", framed(id_, 22.5), 1)
        status = broker.status_when(lambda s: s["registry"]["failed"] > 0, "a round that failed")
        self.assertFalse(status["registry"]["answers"])
        self.assertIn("127.0.0.1", status["registry"]["last_error"])
        checks.counted(self.finish(broker), accepted=1)
        self.assertEqual(self.records(broker), [{"bar": 21.5}, {"bar": 22.5}])

    @fast
    def test_a_start_with_neither_registry_nor_cache_says_what_to_do(self):
        self.registry.stop()
        log = self.press().refuses_start()
        for words in ("/schemas/0/registry", SUBJECT, "sluice check --connect", self.registry.url):
            self.assertIn(words, log)

    def test_a_subject_that_is_not_there_is_no_start(self):
        log = self.press().refuses_start()
        self.assertIn("no such subject", log)

    def test_a_first_start_waits_for_a_registry_that_hangs_a_few_seconds_only(self):
        self.registry.hanging.set()
        self.assertIn("no answer in time", self.press().refuses_start(timeout=30))

    @fast
    def test_an_id_that_nobody_knew_is_looked_for_and_then_judged(self):
        first = self.registry.register(SUBJECT, FIRST)
        broker = self.press().start()
        broker.status_when(lambda s: s["registry"]["answers"], "the registry answers")
        second = self.registry.register(SUBJECT, SECOND)
        with broker.client(version=5) as subscriber, broker.client() as publisher:
            subscriber.subscribe("#")
            publisher.publish("in/a", framed(second, 21.5, 7), 1)
            self.assertEqual(subscriber.message().topic, "q/avro.unknown_schema_id")
            broker.status_when(lambda s: s["generation"] == 2, "the version is fetched")
            publisher.publish("in/a", framed(second, 22.5, 8), 1)
            self.assertEqual(subscriber.message().topic, "in/a")
            publisher.publish("in/a", framed(first, 23.5), 1)
            self.assertEqual(subscriber.message().topic, "in/a")
            publisher.publish("in/a", framed(second, 500, 8), 1)
            self.assertEqual(subscriber.message().topic, "q/limits.max")
        self.finish(broker)
        self.assertEqual(self.records(broker), [{"bar": 22.5, "oil": 8}, {"bar": 23.5}])
        # And known at once after a restart, without the registry.
        self.registry.stop()
        broker.start()
        with broker.client(version=5) as subscriber, broker.client() as publisher:
            subscriber.subscribe("#")
            publisher.publish("in/a", framed(second, 24.5, 9), 1)
            self.assertEqual(subscriber.message().topic, "in/a")
        self.finish(broker)

    def test_an_id_of_another_subject_stays_unknown(self):
        self.registry.register(SUBJECT, FIRST)
        other = self.registry.register("other-value", SECOND)
        broker = self.press().start()
        rounds = broker.status_when(lambda s: s["registry"]["answers"], "it answers")
        rounds = rounds["registry"]["rounds"]
        with broker.client(version=5) as subscriber, broker.client() as publisher:
            subscriber.subscribe("#")
            for _ in range(2):
                publisher.publish("in/a", framed(other, 21.5, 7), 1)
                self.assertEqual(subscriber.message().topic, "q/avro.unknown_schema_id")
                status = broker.status_when(lambda s: s["registry"]["rounds"] > rounds, "a round")
                rounds = status["registry"]["rounds"]
        self.assertEqual(self.finish(broker)["generation"], 1)

    def test_a_reload_to_what_was_never_seen_waits_for_the_registry_and_nobody_else_does(self):
        id_ = self.registry.register(SUBJECT, FIRST)
        broker = self.press().start()
        broker.status_when(lambda s: s["registry"]["answers"], "the registry answers")
        self.registry.stop()
        broker.configure(self.text(extra=[{"id": "oven", "version": 1, "registry": {
            "subject": "oven-value", "version": "latest"}}]))
        broker.hup()
        status = broker.status_when(lambda s: s["config_error"], "a config_error")
        self.assertIn("oven-value", status["config_error"])
        with broker.client() as publisher:
            publisher.publish("in/a", framed(id_, 21.5), 1)
        self.registry.register("oven-value", '{"type":"object"}', "JSON")
        self.registry.start()
        status = broker.status_when(lambda s: s["generation"] == 2, "the new one is in force", 60)
        self.assertIsNone(status["config_error"])
        checks.counted(self.finish(broker), accepted=1)

    def test_a_stop_does_not_wait_for_a_registry_that_hangs(self):
        self.registry.register(SUBJECT, FIRST)
        broker = self.press().start()
        broker.status_when(lambda s: s["registry"]["answers"], "the registry answers")
        self.registry.hanging.set()
        asked = len(self.registry.asked)
        with broker.client() as publisher:
            publisher.publish("in/a", framed(4000, 1), 1)
        wait_until(lambda: len(self.registry.asked) > asked, "it is asked")
        self.assertLess(broker.stop(), 10)

    def test_what_is_new_does_not_put_an_edited_file_in_force(self):
        self.registry.register(SUBJECT, FIRST)
        broker = self.press().start()
        broker.status_when(lambda s: s["registry"]["answers"], "the registry answers")
        second = self.registry.register(SUBJECT, SECOND)
        broker.configure(self.text() + "# half of a change\n")
        with broker.client() as publisher:
            publisher.publish("in/a", framed(second, 21.5, 7), 1)
        broker.says("takes effect with the next reload")
        self.assertEqual(broker.status()["generation"], 1)
        broker.hup()
        broker.status_when(lambda s: s["generation"] == 2, "the reload that was asked for")
        with broker.client() as publisher:
            publisher.publish("in/a", framed(second, 22.5, 7), 1)
        checks.counted(self.finish(broker), rerouted=1, accepted=1)

    def test_latest_is_the_newest_when_it_is_loaded(self):
        self.registry.register(SUBJECT, FIRST)
        second = self.registry.register(SUBJECT, SECOND)
        broker = self.press(version="latest").start()
        with broker.client() as publisher:
            publisher.publish("in/a", framed(second, 21.5, 7), 1)
        self.finish(broker)
        self.assertEqual(self.records(broker), [{"bar": 21.5, "oil": 7}])

    def test_references_come_along(self):
        self.registry.register("unit", {"type": "enum", "name": "Unit", "namespace": "acme",
                                        "symbols": ["BAR", "PSI"]})
        outer = {**FIRST, "fields": FIRST["fields"] + [{"name": "unit", "type": "Unit"}]}
        id_ = self.registry.register(SUBJECT, outer, references=[
            {"name": "acme.Unit", "subject": "unit", "version": 1}])
        broker = self.press().start()
        with broker.client() as publisher:
            publisher.publish("in/a", framed(id_, 21.5, 1), 1)
        self.finish(broker)
        self.assertEqual(self.records(broker), [{"bar": 21.5, "unit": "PSI"}])

    @cases({"a name": ("units.json", None), "seen from $id": ("units.json", "https://acme/oven"),
            "a whole URI": ("https://acme/units.json", None)})
    def test_json_schemas_come_with_what_they_refer_to(self, name, own):
        self.registry.register("units", '{"$defs":{"unit":{"enum":["BAR","PSI"]}}}', "JSON")
        oven = {"type": "object", "properties": {"unit": {"$ref": name + "#/$defs/unit"}}}
        if own:
            oven["$id"] = own
        self.registry.register("oven-value", json.dumps(oven), "JSON", references=[
            {"name": name, "subject": "units", "version": 1}])
        text = config([policy(schema="oven:1", limits=None, on_violation={"reroute": "q/${code}"})],
                      registry={"url": self.registry.url},
                      schemas=[{"id": "oven", "version": 1, "registry": {
                          "subject": "oven-value", "version": 1}}])
        broker = self.broker(text, env={"no_proxy": "127.0.0.1"})
        with broker.client(version=5) as subscriber, broker.client() as publisher:
            subscriber.subscribe("#")
            for value, topic in (("PSI", "in/a"), ("MPa", "q/schema.enum")):
                publisher.publish("in/a", json.dumps({"unit": value}).encode(), 1)
                self.assertEqual(subscriber.message().topic, topic)
        self.finish(broker)

    def check(self, broker, *words):
        done = checks.run(["check", *words, broker.config_path],
                          env={"PATH": "/usr/bin:/bin", "no_proxy": "127.0.0.1",
                               "TMPDIR": str(self.folder)})
        return done.returncode, done.stdout + done.stderr

    @fast
    def test_check_connect_asks_and_keeps_so_that_the_first_start_needs_nobody(self):
        id_ = self.registry.register(SUBJECT, FIRST)
        broker = self.press()
        code, said = self.check(broker)
        self.assertEqual(code, 1, said)
        self.assertIn("sluice check --connect", said)
        broker.data_dir.mkdir(mode=0o700)
        broker.give(broker.data_dir)
        code, said = self.check(broker, "--connect")
        self.assertEqual(code, 0, said)
        self.assertIn(f"press-value version 1: id {id_}, AVRO", said)
        self.registry.stop()
        self.assertEqual(self.check(broker)[0], 0)
        broker.start()
        with broker.client() as publisher:
            publisher.publish("in/a", framed(id_, 21.5), 1)
        checks.counted(self.finish(broker), accepted=1)

    def test_check_connect_without_a_data_dir_judges_and_leaves_nothing(self):
        self.registry.register(SUBJECT, FIRST)
        broker = self.press()
        code, said = self.check(broker, "--connect", "--json")
        report = json.loads(said[:said.rindex("}") + 1][said.index("{"):])
        self.assertEqual((code, report["ok"], report["registry"]["ok"]), (0, True, True), said)
        self.assertIn("nothing is kept", said)
        self.assertFalse(broker.data_dir.exists())
        self.assertEqual(list(self.folder.glob("sluice-check-*")), [])

    def test_check_connect_says_what_is_wrong_with_the_registry(self):
        broker = self.press()
        code, said = self.check(broker, "--connect")
        self.assertEqual(code, 1, said)
        self.assertIn("no such subject", said)
        self.registry.stop()
        code, said = self.check(broker, "--connect", "--json")
        self.assertEqual(code, 1, said)
        self.assertIn('"registry":{"url":"' + self.registry.url, said)

    def test_a_password_is_nowhere_to_be_read(self):
        self.registry.register(SUBJECT, FIRST)
        secret = self.folder / "password"
        secret.write_text("sesame-7")
        secret.chmod(0o644)
        broker = self.press(username="me", password="${file:%s}" % secret).start()
        broker.status_when(lambda s: s["registry"]["answers"], "the registry answers")
        self.finish(broker)
        for path in broker.data_dir.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"sesame", path.read_bytes(), path)
        self.assertNotIn("sesame", broker.log())
