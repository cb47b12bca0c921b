"""Alert records and envelopes as their schemas say, where alerts go, and how many."""

import json
import time

import checks
import mqtt
from broker import wait_until
from harness import BAD, GOOD, BrokerTest, cases, config, policy


class Alerts(BrokerTest):
    def one_alert(self, payload, topic="in/oven", client=None, version=5, qos=1, **keys):
        """The message that a violation of this payload becomes."""
        keys = dict({"on_violation": {"reroute": "q/x"}}, **keys)
        broker = self.broker(config([policy(**keys)]))
        with broker.client(version=5) as subscriber:
            subscriber.subscribe("#", qos=2)
            with broker.client(version=version, **(client or {"client_id": "m"})) as publisher:
                publisher.publish(topic, payload, qos)
            return broker, subscriber.message()

    def test_an_alert_says_everything_the_schema_promises(self):
        broker, message = self.one_alert(
            BAD, client={"client_id": "machine-7", "username": "line4"}, qos=2,
            limits=[{"field": "/value", "max": 400}, {"field": "/missing", "required": True}])
        alert = json.loads(message.payload)
        checks.validate("alert.schema.json", [alert], self.folder / "json")
        self.assertEqual(alert["source"], {"topic": "in/oven", "client_id": "machine-7",
                                           "username": "line4", "address": "127.0.0.1", "qos": 2,
                                           "retain": False})
        self.assertEqual([(v["code"], v["pointer"]) for v in alert["violations"]],
                         [("limits.max", "/value"), ("limits.required", "/missing")])
        self.assertEqual((alert["violations"][0]["expected"], alert["violations"][0]["actual"]),
                         (400, 500))
        self.assertEqual((alert["violations_total"], alert["generation"], alert["instance"]),
                         (2, 1, "test"))
        self.assertEqual(alert["original"], {"encoding": "utf-8", "payload": BAD.decode(),
                                             "bytes": len(BAD), "truncated": False})
        checks.counted(self.finish(broker), rerouted=1)

    def test_the_first_eight_violations_are_told_and_all_counted(self):
        limits = [{"field": f"/f{i}", "required": True} for i in range(20)]
        _, message = self.one_alert(b"{}", limits=limits)
        alert = json.loads(message.payload)
        self.assertEqual((len(alert["violations"]), alert["violations_total"]), (8, 20))
        checks.validate("alert.schema.json", [alert], self.folder / "json")

    def test_a_payload_that_is_no_text_travels_as_base64(self):
        _, message = self.one_alert(b"\xff\xfe\x00{")
        alert = json.loads(message.payload)
        self.assertEqual((alert["original"]["encoding"], alert["original"]["payload"]),
                         ("base64", "//4Aew=="))
        checks.validate("alert.schema.json", [alert], self.folder / "json")

    # name: (template, topic filter, topic, client, topic it becomes)
    ROUTES = {
        "shorter": ("q", "in/#", "in/aaaaaaaaaaaaaaaa", {}, "q"),
        "of equal length": ("on/oven", "in/#", "in/oven", {}, "on/oven"),
        "longer": ("q/" + "long/" * 40 + "${topic}", "in/#", "in/oven", {},
                   "q/" + "long/" * 40 + "in/oven"),
        "by named level": ("q/{site}/{rest#}", "in/{site}/{rest#}", "in/a b/c/d", {}, "q/a b/c/d"),
        "by default": (None, "in/#", "in/oven", {}, "sluice/violations/p/in/oven"),
        "a client id full of MQTT": ("q/${client_id}", "in/#", "in/x",
                                     {"client_id": "evil/+/#/$SYS/100%"},
                                     "q/evil%2F%2B%2F%23%2F%24SYS%2F100%25"),
        "a username full of MQTT": ("q/${username}", "in/#", "in/x",
                                    {"client_id": "m", "username": "../#"}, "q/..%2F%23"),
        "no username": ("q/${username}", "in/#", "in/x", {"client_id": "m"}, "q/_"),
        "a level that looks like a system topic": ("q/${topic}", "in/#", "in/$SYS/x", {},
                                                   "q/in/%24SYS/x"),
        "a client id of letters beyond ASCII": ("q/${client_id}", "in/#", "in/x",
                                                {"client_id": "Öfen-7"}, "q/Öfen-7"),
        "a value of the payload": ("q/${payload:/unit}", "in/#", "in/x", {}, "q/a%2Fb%23"),
        "a value that is not there": ("q/${payload:/nowhere}", "in/#", "in/x", {}, "q/_"),
        "a topic that would be too long": ("q/${topic}", "in/#", "in/" + "%" * 30000, {},
                                           "sluice/violations/p"),
        "a topic of too many levels": ("q/q/q/${topic}", "in/#", "in" + "/x" * 198, {},
                                       "sluice/violations/p"),
    }

    @cases(ROUTES)
    def test_a_violation_is_moved_to_a_topic(self, template, topic_filter, topic, client, expected):
        action = {"reroute": template} if template else None
        client = dict({"client_id": "m"}, **client)
        broker, message = self.one_alert(b'{"value":500,"unit":"a/b#"}', topic, client,
                                         topics=[topic_filter], on_violation=action)
        self.assertEqual(message.topic, expected)
        alert = json.loads(message.payload)
        self.assertEqual(alert["source"]["topic"], topic)
        self.assertEqual(alert["source"]["client_id"], client["client_id"])
        checks.validate("alert.schema.json", [alert], self.folder / "json")
        checks.counted(self.finish(broker), rerouted=1)

    def test_envelopes_are_as_their_schema_says(self):
        policies = [policy(id="json", topics=["in/json/#"], limits=None),
                    policy(id="number", topics=["in/number"], payload="number", limits=None),
                    policy(id="boolean", topics=["in/boolean"], payload="boolean", limits=None),
                    policy(id="string", topics=["in/string"], payload="string", limits=None),
                    policy(id="bytes", topics=["in/bytes"], payload="bytes", limits=None),
                    policy(id="list", topics=["in/list"], payload=["number", "json", "bytes"],
                           limits=None)]
        broker = self.broker(config(policies))
        props = [(mqtt.USER_PROPERTY, ("line", "4")), (mqtt.USER_PROPERTY, ("line", "\"5\"")),
                 (mqtt.CONTENT_TYPE, "application/json")]
        with broker.client("öfen \"7\"", 5, username="line\\4") as publisher:
            publisher.publish("in/json/a", b'{"a":[1.10,12345678901234567890,1e-7,"\\u00e4"]}', 1,
                              props=props)
            publisher.publish("in/number", b" +21.50 ", 1)
            publisher.publish("in/boolean", b"ON", 2)
            publisher.publish("in/string", "Öfen\n".encode(), 0)
            publisher.publish("in/bytes", b"\0\xff", 1)
            publisher.publish("in/list", b"\xfe", 1)
            publisher.ping()
        checks.counted(self.finish(broker), accepted=6)
        records = checks.lake(self.lake(broker), exact=True)
        checks.validate("record.schema.json", [
            line for file in checks.lake_files(self.lake(broker))
            for line in file.path.read_text().splitlines()], self.folder / "json")
        self.assertEqual([record["policy"] for record in records],
                         ["json", "number", "boolean", "string", "bytes", "list"])
        self.assertEqual(records[0]["payload"]["a"], ["1.10", "12345678901234567890", "1e-7", "ä"])
        self.assertEqual(records[0]["user_properties"], [["line", "4"], ["line", '"5"']])
        self.assertEqual((records[0]["client_id"], records[0]["username"]), ("öfen \"7\"", "line\\4"))
        self.assertEqual(records[1]["payload"], "21.50")
        self.assertIs(records[2]["payload"], True)
        self.assertEqual(records[3]["payload"], "Öfen\n")
        self.assertEqual((records[4]["payload_base64"], records[5]["payload_base64"]),
                         ("AP8=", "/g=="))

    def test_published_alerts_are_limited_and_the_rest_is_summed_up(self):
        total = 1500
        broker = self.broker(config([policy(
            on_violation={"pass": True, "publish": "watch/oven"})]))
        with broker.client() as publisher, broker.client(version=5) as subscriber:
            subscriber.subscribe("watch/#")
            start = time.monotonic()
            publisher.send(mqtt.publish("in/oven", BAD) * total)
            publisher.ping()
            took = time.monotonic() - start
            alerts = []

            def everything_is_told():
                alerts.append(json.loads(subscriber.message().payload))
                told = sum(alert["kind"] == "violation" for alert in alerts)
                return told + sum(alert.get("suppressed", 0) for alert in alerts) >= total

            wait_until(everything_is_told, "alerts and summaries add up", 60, every=0)
        told = [alert for alert in alerts if alert["kind"] == "violation"]
        summaries = [alert for alert in alerts if alert["kind"] == "summary"]
        self.assertEqual(len(told) + sum(alert["suppressed"] for alert in summaries), total)
        self.assertGreaterEqual(len(told), 200)
        self.assertLessEqual(len(told), 200 + 100 * (took + 1))
        checks.validate("alert.schema.json", summaries + told[:3], self.folder / "json")
        status = self.finish(broker)
        checks.counted(status, passed=total)
        self.assertEqual(status["policies"]["p"]["violations"], {"limits.max": total})

    def test_a_reroute_is_never_held_back(self):
        total = 1500
        broker = self.broker(config([policy(on_violation={"reroute": "q/oven"})]))
        with broker.client() as publisher, broker.client(version=5) as subscriber:
            subscriber.subscribe("#")
            publisher.send(mqtt.publish("in/oven", BAD) * total + mqtt.publish("in/oven", GOOD))
            topics = [message.topic for message in subscriber.messages(total + 1)]
        self.assertEqual(topics, ["q/oven"] * total + ["in/oven"])
        checks.counted(self.finish(broker), rerouted=total, accepted=1)
