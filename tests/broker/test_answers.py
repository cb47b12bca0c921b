"""What the publisher is told and what the subscribers get: every action, both protocol versions, every
QoS, byte by byte.

A subscriber of `#` listens throughout, so an accepted v5 publish is answered with reason 0x00, which
Mosquitto leaves out of the packet: both versions see the same bytes.
"""

import json

import checks
import mqtt
from harness import BAD, GOOD, BrokerTest, cases, config, fast, policy

WAYS = {f"{'5' if version == 5 else '3.1.1'}, QoS {qos}": (version, qos)
        for version in (4, 5) for qos in (0, 1, 2)}

TAKEN = {1: bytes.fromhex("40020001"), 2: bytes.fromhex("50020001")}
DENIED = {1: bytes.fromhex("4003000187"), 2: bytes.fromhex("5003000187")}
COMPLETE = bytes.fromhex("70020001")


class AnswerTest(BrokerTest):
    def open(self, version, **keys):
        """A broker with one policy, a publisher, and a subscriber of everything."""
        broker = self.broker(config([policy(**keys)]))
        publisher = broker.client("machine-7", version)
        subscriber = broker.client("listener", 5).subscribe("#", qos=2)
        self.addCleanup(publisher.close)
        self.addCleanup(subscriber.close)
        return broker, publisher, subscriber

    def send(self, publisher, qos, payload, topic="in/oven", answer=None, retain=False, props=()):
        """Publish and compare each byte of the answers with a normal acknowledgement, or `answer`."""
        answer = answer or TAKEN
        publisher.send(mqtt.publish(topic, payload, qos, 1, retain, False, publisher.version, props))
        if qos == 0:
            publisher.ping()
            return
        got = publisher.read()
        self.assertEqual(got.raw.hex(" "), answer[qos].hex(" "))
        if qos == 2 and got.reason < 0x80:
            publisher.send(mqtt.acknowledge(mqtt.PUBREL, 1))
            self.assertEqual(publisher.read().raw.hex(" "), COMPLETE.hex(" "))
        publisher.ping()

    def assert_alert(self, message, **expected):
        alert = json.loads(message.payload)
        for key, value in expected.items():
            self.assertEqual(alert.get(key), value, key)
        return alert


class Answers(AnswerTest):
    @fast
    @cases(WAYS)
    def test_an_accepted_publish_reaches_subscriber_and_file(self, version, qos):
        broker, publisher, subscriber = self.open(version)
        self.send(publisher, qos, GOOD)
        message = subscriber.message()
        self.assertEqual((message.topic, message.payload, message.qos, message.retain),
                         ("in/oven", GOOD, qos, False))
        checks.counted(self.finish(broker), accepted=1)
        (record,) = checks.lake(self.lake(broker))
        self.assertEqual((record["topic"], record["qos"], record["client_id"], record["kind"]),
                         ("in/oven", qos, "machine-7", "message"))
        self.assertEqual((record["payload"], record["quality"]), ({"value": 21.5}, 192))

    @fast
    @cases(WAYS)
    def test_a_violation_is_moved_with_the_reason(self, version, qos):
        broker, publisher, subscriber = self.open(version, on_violation={"reroute": "q/oven"})
        self.send(publisher, qos, BAD)
        message = subscriber.message()
        self.assertEqual((message.topic, message.qos, message.retain), ("q/oven", qos, False))
        alert = self.assert_alert(message, kind="violation", action="reroute", enforced=True,
                                  policy="p", violations_total=1)
        self.assertEqual(alert["violations"][0]["code"], "limits.max")
        self.assertTrue(subscriber.quiet(), subscriber.waiting)
        checks.counted(self.finish(broker), rerouted=1)
        self.assertEqual(checks.lake(self.lake(broker)), [])

    @cases(WAYS)
    def test_a_violation_is_moved_as_it_was(self, version, qos):
        broker, publisher, subscriber = self.open(
            version, on_violation={"reroute": "q/oven", "payload": "original"})
        props = [(mqtt.USER_PROPERTY, ("line", "4"))] if version == 5 else ()
        self.send(publisher, qos, BAD, props=props)
        message = subscriber.message()
        self.assertEqual((message.topic, message.payload, message.qos), ("q/oven", BAD, qos))
        said = dict(message.user_properties)
        self.assertEqual((said["sluice-code"], said["sluice-pointer"], said["sluice-policy"]),
                         ("limits.max", "/value", "p"))
        self.assertTrue(said["sluice-message"])
        if version == 5:
            self.assertEqual(message.user_properties[0], ("line", "4"))
        checks.counted(self.finish(broker), rerouted=1)

    @cases(WAYS)
    def test_a_dropped_publish_reaches_nobody(self, version, qos):
        broker, publisher, subscriber = self.open(version, on_violation={"drop": True})
        self.send(publisher, qos, BAD, answer=DENIED if version == 5 else TAKEN)
        self.assertTrue(subscriber.quiet(), subscriber.waiting)
        self.send(publisher, qos, GOOD)
        self.assertEqual(subscriber.message().payload, GOOD)
        checks.counted(self.finish(broker), dropped=1, accepted=1)

    @cases(WAYS)
    def test_disconnect_closes_the_connection_without_an_acknowledgement(self, version, qos):
        broker, publisher, subscriber = self.open(version, on_violation={"disconnect": True})
        publisher.send(mqtt.publish("in/oven", BAD, qos, 1, version=version))
        last_words = publisher.until_closed()
        if version == 5:
            self.assertEqual([packet.raw.hex() for packet in last_words], ["e00181"])
        else:
            self.assertEqual(last_words, [])
        self.assertTrue(subscriber.quiet(), subscriber.waiting)
        with broker.client("machine-7", version) as again:
            self.send(again, qos, GOOD)
        self.assertEqual(subscriber.message().payload, GOOD)
        checks.counted(self.finish(broker), disconnected=1, accepted=1)

    @cases(WAYS)
    def test_pass_tells_nobody_but_the_counters(self, version, qos):
        broker, publisher, subscriber = self.open(version, on_violation={"pass": True})
        self.send(publisher, qos, BAD)
        message = subscriber.message()
        self.assertEqual((message.topic, message.payload, message.qos), ("in/oven", BAD, qos))
        status = self.finish(broker)
        checks.counted(status, passed=1)
        self.assertEqual(status["policies"]["p"]["violations"], {"limits.max": 1})
        self.assertEqual(checks.lake(self.lake(broker)), [])

    @cases(WAYS)
    def test_monitor_lets_the_message_go_on_with_quality_64(self, version, qos):
        broker, publisher, subscriber = self.open(
            version, mode="monitor", on_violation={"reroute": "q/oven", "publish": "watch/oven"})
        self.send(publisher, qos, BAD)
        messages = {message.topic: message for message in subscriber.messages(2)}
        self.assertEqual(messages["in/oven"].payload, BAD)
        self.assert_alert(messages["watch/oven"], enforced=False, action="reroute", policy="p")
        status = self.finish(broker)
        checks.counted(status, accepted=1)
        self.assertEqual(status["policies"]["p"]["would_reroute"], 1)
        (record,) = checks.lake(self.lake(broker))
        self.assertEqual((record["quality"], record["payload"]), (64, {"value": 500}))

    @cases(WAYS)
    def test_a_topic_without_a_policy_is_none_of_our_business(self, version, qos):
        broker, publisher, subscriber = self.open(version)
        self.send(publisher, qos, b"\xff\0not json", topic="elsewhere/oven")
        message = subscriber.message()
        self.assertEqual((message.topic, message.payload), ("elsewhere/oven", b"\xff\0not json"))
        checks.counted(self.finish(broker), passed=1)
        self.assertEqual(checks.lake(self.lake(broker)), [])

    def test_a_topic_alias_is_judged_as_the_topic_it_stands_for(self):
        broker, publisher, subscriber = self.open(5, on_violation={"reroute": "q/oven"})
        alias = [(mqtt.TOPIC_ALIAS, 1)]
        self.send(publisher, 1, GOOD, props=alias)
        self.send(publisher, 1, BAD, topic="", props=alias)
        self.assertEqual([message.topic for message in subscriber.messages(2)], ["in/oven", "q/oven"])
        checks.counted(self.finish(broker), accepted=1, rerouted=1)

    def test_wildcards_do_not_own_topics_that_begin_with_a_dollar(self):
        broker, publisher, _ = self.open(4, topics=["+/oven"], on_violation={"drop": True})
        self.send(publisher, 1, BAD, topic="$foo/oven")
        self.send(publisher, 1, BAD, topic="bar/oven")
        checks.counted(self.finish(broker), passed=1, dropped=1)

    def test_an_excluded_topic_is_not_owned(self):
        broker, publisher, _ = self.open(4, exclude=["in/+/status"], on_violation={"drop": True})
        self.send(publisher, 1, BAD, topic="in/oven/status")
        self.send(publisher, 1, BAD, topic="in/oven/value")
        checks.counted(self.finish(broker), passed=1, dropped=1)


class Besides(AnswerTest):
    """`publish:` and `to:` together with each action."""

    ACTIONS = {"reroute": ({"reroute": "q/oven"}, "rerouted"), "drop": ({"drop": True}, "dropped"),
               "pass": ({"pass": True}, "passed"),
               "disconnect": ({"disconnect": True}, "disconnected")}

    @cases(ACTIONS)
    def test_an_alert_is_published_besides(self, action, counter):
        broker, publisher, subscriber = self.open(4, on_violation=dict(action, publish="watch/oven"))
        publisher.send(mqtt.publish("in/oven", BAD, 0))
        seen = {}
        while "watch/oven" not in seen:
            message = subscriber.message()
            seen[message.topic] = message
        watch = seen["watch/oven"]
        self.assertEqual((watch.qos, watch.retain), (1, False))
        self.assert_alert(watch, kind="violation", action=next(iter(action)), enforced=True)
        checks.counted(self.finish(broker), **{counter: 1})

    @cases(ACTIONS)
    def test_the_alert_is_kept_with_the_whole_original(self, action, counter):
        broker, publisher, _ = self.open(4, on_violation=dict(action, to=["lake"]))
        payload = b'{"value":500,"pad":"' + b"x" * 200_000 + b'"}'
        publisher.send(mqtt.publish("in/oven", payload, 0))
        broker.status_when(lambda status: status["messages"]["received"] == 1, "one message")
        checks.counted(self.finish(broker), **{counter: 1})
        (record,) = checks.lake(self.lake(broker))
        self.assertEqual((record["kind"], record["topic"], record["client_id"], record["policy"]),
                         ("violation", "in/oven", "machine-7", "p"))
        original = record["payload"]["original"]
        self.assertEqual((original["payload"].encode(), original["bytes"]), (payload, len(payload)))
        self.assertFalse(original.get("truncated", False))
        checks.validate("record.schema.json", [record], self.folder / "json")
        checks.validate("alert.schema.json", [record["payload"]], self.folder / "json")

    def test_a_published_alert_cuts_a_large_original(self):
        broker, publisher, subscriber = self.open(4, on_violation={"reroute": "q/oven"})
        payload = b'{"value":500,"pad":"' + b"x" * 200_000 + b'"}'
        publisher.publish("in/oven", payload, 1)
        original = json.loads(subscriber.message().payload)["original"]
        self.assertEqual((original["bytes"], original["truncated"]), (len(payload), True))
        self.assertLessEqual(len(original["payload"]), 64 << 10)
        self.assertTrue(payload.decode().startswith(original["payload"]))
        checks.counted(self.finish(broker), rerouted=1)

    def test_the_first_enforcing_violation_acts_and_ends_the_matter(self):
        policies = [
            policy(id="watching", mode="monitor", on_violation={"reroute": "q/watching"}),
            policy(id="first", on_violation={"reroute": "q/first"}),
            policy(id="second", on_violation={"reroute": "q/second"}),
        ]
        broker = self.broker(config(policies))
        with broker.client() as publisher, broker.client(version=5) as subscriber:
            subscriber.subscribe("#")
            publisher.publish("in/oven", BAD, 1)
            self.assertEqual(subscriber.message().topic, "q/first")
        status = self.finish(broker)
        checks.counted(status, rerouted=1)
        self.assertEqual(status["policies"]["watching"]["would_reroute"], 1)
        self.assertEqual(status["policies"]["second"]["violations"], {})

    def test_a_message_goes_to_the_union_of_its_policies_sinks_once(self):
        sinks = {name: {"type": "file", "path": f"@HOME@/{name}"} for name in ("lake", "pond", "sea")}
        policies = [policy(id="a", to=["lake", "pond"]), policy(id="b", to=["pond", "sea"])]
        broker = self.broker(config(policies, sinks))
        with broker.client() as publisher:
            publisher.publish("in/oven", GOOD, 1)
        checks.counted(self.finish(broker), accepted=1)
        for name in sinks:
            self.assertEqual(len(checks.lake(self.lake(broker, name))), 1, name)


class Retain(AnswerTest):
    def retained(self, broker, topic_filter="#"):
        """What a new subscriber is given."""
        with broker.client(version=5) as late:
            late.subscribe(topic_filter, qos=2)
            late.ping()
            late.ping()
            return {message.topic: message.payload for message in late.waiting}

    @cases({"3.1.1": 4, "5": 5})
    def test_a_retained_message_that_holds_stays(self, version):
        broker, publisher, _ = self.open(version)
        self.send(publisher, 1, GOOD, retain=True)
        self.assertEqual(self.retained(broker), {"in/oven": GOOD})
        checks.counted(self.finish(broker), accepted=1)
        (record,) = checks.lake(self.lake(broker))
        self.assertTrue(record["retain"])

    ACTIONS = {"reroute": ({"reroute": "q/oven"}, TAKEN),
               "reroute the original": ({"reroute": "q/oven", "payload": "original"}, TAKEN),
               "drop": ({"drop": True}, DENIED)}

    @cases(ACTIONS)
    def test_a_retained_violation_is_retained_nowhere(self, action, answer):
        broker, publisher, _ = self.open(5, on_violation=action)
        self.send(publisher, 1, GOOD, retain=True)
        self.send(publisher, 1, BAD, retain=True, answer=answer)
        self.assertEqual(self.retained(broker), {"in/oven": GOOD})

    @cases({"3.1.1": 4, "5": 5})
    def test_an_empty_retained_message_always_deletes(self, version):
        broker, publisher, _ = self.open(version, on_violation={"drop": True})
        self.send(publisher, 1, GOOD, retain=True)
        self.send(publisher, 1, b"", retain=True)
        self.assertEqual(self.retained(broker), {})
        checks.counted(self.finish(broker), accepted=1, passed=1)
        self.assertEqual(len(checks.lake(self.lake(broker))), 1)

    def test_an_empty_message_that_is_not_retained_is_a_violation(self):
        broker, publisher, subscriber = self.open(5, on_violation={"reroute": "q/${code}"})
        self.send(publisher, 1, b"")
        self.assertEqual(subscriber.message().topic, "q/payload.empty")
        checks.counted(self.finish(broker), rerouted=1)
