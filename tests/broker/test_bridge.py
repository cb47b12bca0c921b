"""A second, real broker bridged in. Its messages are judged like any other, but a bridge that got an
error would reconnect and send the same message for ever: it never gets one, and nothing loops."""

import json

import checks
from broker import wait_until
from harness import BAD, GOOD, BrokerTest, cases, config, policy

ACTIONS = {"reroute": ({"reroute": "q/x"}, "rerouted"),
           "reroute the original": ({"reroute": "q/x", "payload": "original"}, "rerouted"),
           "drop": ({"drop": True}, "dropped"),
           "disconnect": ({"disconnect": True}, "dropped disconnected"),
           "pass": ({"pass": True}, "passed")}
VERSIONS = {"3.1.1": "mqttv311", "5": "mqttv50"}
BOTH = {f"{action}, {version}": (*ACTIONS[action], VERSIONS[version])
        for action in ACTIONS for version in VERSIONS}


class Bridge(BrokerTest):
    def plant_and_office(self, version, topics, action=None):
        """The plant's broker has the plugin; the office's broker is bridged to it: it reaches out, so
        at the plant it is an ordinary client, and it subscribes to and publishes what `topics` say."""
        plant = self.broker(config([policy(on_violation=action)]), "plant")
        office = self.broker(None, "office", lines=[
            "connection office", f"address 127.0.0.1:{plant.port}",
            f"bridge_protocol_version {version}", "remote_clientid office-bridge",
            "cleansession false", "restart_timeout 1", "notifications false", *topics])
        plant.says("office-bridge")
        return plant, office

    def office_and_plant(self, version, topics, action=None):
        """The other way round: the broker with the plugin reaches out, and what the far broker sends
        comes in through its own bridge connection, which has no address."""
        office = self.broker(None, "office")
        plant = self.broker(config([policy(on_violation=action)]), "plant", lines=[
            "connection plant", f"address 127.0.0.1:{office.port}",
            f"bridge_protocol_version {version}", "remote_clientid plant-bridge",
            "cleansession false", "restart_timeout 1", "notifications false", *topics])
        office.says("plant-bridge")
        return plant, office

    def send_until_seen(self, client, watcher):
        """The bridge has subscribed when a message gets across; then nothing of it is left behind."""
        self.probes = 0

        def probe():
            client.publish("probe/x", b"?", 1)
            client.ping()
            watcher.ping()
            return watcher.waiting
        wait_until(probe, "the bridge carries messages", 30, every=0.1)

    @cases(BOTH)
    def test_a_bridged_violation_gets_no_error_and_holds_up_nothing(self, action, counters, version):
        plant, office = self.office_and_plant(
            version, ["topic in/# in 1", "topic probe/# in 1"], action)
        with plant.client("seer") as watcher, office.client("sender") as sender:
            watcher.subscribe("probe/#", "in/last", qos=1)
            self.send_until_seen(sender, watcher)
            sender.publish("in/oven", GOOD, 1)
            for _ in range(3):
                sender.publish("in/oven", BAD, 1)
            sender.publish("in/last", GOOD, 1)
            last = wait_until(lambda: self.next_in(watcher, "in/last"), "the message behind")
            self.assertEqual(last.payload, GOOD)
            status = plant.status_when(
                lambda status: status["messages"]["accepted"] == 2, "two accepted")
        messages = status["messages"]
        judged = sum(messages[name] for name in counters.split())
        self.assertEqual(judged, 3 + (self.probes if counters == "passed" else 0), messages)
        self.assertEqual(messages["received"], 5 + self.probes, messages)
        self.assertEqual(office.log().count("as plant-bridge"), 1, "the bridge had to reconnect")
        plant.stop()
        self.assertEqual(len(checks.lake(self.lake(plant))), 2)

    def next_in(self, watcher, topic):
        message = watcher.message()
        self.probes += message.topic == "probe/x"
        return message if message.topic == topic else None

    @cases(VERSIONS)
    def test_a_violation_that_was_moved_does_not_come_round_again(self, version):
        plant, office = self.office_and_plant(
            version, ["topic in/# both 1", "topic q/# both 1", "topic probe/# in 1"],
            {"reroute": "q/x"})
        with plant.client("seer") as watcher, office.client("sender") as sender, \
                office.client("listener", 5) as listener:
            watcher.subscribe("probe/#", "in/last", qos=1)
            listener.subscribe("in/#", "q/#", qos=1)
            self.send_until_seen(sender, watcher)
            passed = plant.status_when(lambda s: s["messages"]["passed"] >= 1, "a probe")
            for payload in (GOOD, BAD):
                sender.publish("in/oven", payload, 1)
            sender.publish("in/last", GOOD, 1)
            wait_until(lambda: self.next_in(watcher, "in/last"), "the message behind")
            heard = [(m.topic, m.payload[:10]) for m in listener.messages(3)]
            self.assertTrue(listener.quiet(), listener.waiting)
        self.assertEqual(heard, [("in/oven", GOOD[:10]), ("in/oven", BAD[:10]), ("in/last", GOOD[:10])])
        status = plant.status_when(lambda s: s["messages"]["accepted"] == 2, "two accepted")
        self.assertEqual(status["messages"]["rerouted"], 1)
        self.assertGreaterEqual(status["messages"]["passed"], passed["messages"]["passed"])

    @cases(VERSIONS)
    def test_alerts_travel_across_a_bridge_to_another_gate_once(self, version):
        """Two brokers, both with the plugin and the same configuration, bridged in both directions."""
        text = config([policy(on_violation={"reroute": "q/x"})])
        office = self.broker(text, "office")
        plant = self.broker(text, "plant", lines=[
            "connection plant", f"address 127.0.0.1:{office.port}",
            f"bridge_protocol_version {version}", "remote_clientid plant-bridge",
            "cleansession false", "restart_timeout 1", "notifications false",
            "topic in/# both 1", "topic q/# both 1", "topic probe/# in 1"])
        office.says("plant-bridge")
        with plant.client("machine", 5) as machine, office.client("listener", 5) as listener, \
                plant.client("seer") as watcher:
            watcher.subscribe("probe/#")
            self.send_until_seen(listener, watcher)
            listener.subscribe("q/#", "in/#", qos=1)
            machine.publish("in/oven", BAD, 1)
            machine.publish("in/oven", GOOD, 1)
            moved, good = listener.messages(2)
            self.assertEqual((moved.topic, good.topic), ("q/x", "in/oven"))
            self.assertEqual(json.loads(moved.payload)["source"]["client_id"], "machine")
            self.assertTrue(listener.quiet(), listener.waiting)
        for broker, rerouted in ((plant, 1), (office, 0)):
            status = broker.status_when(lambda s: s["messages"]["accepted"] == 1, "one accepted")
            self.assertEqual(status["messages"]["rerouted"], rerouted, broker.home)

    def test_a_bridge_that_reaches_in_is_a_client_like_any_other(self):
        plant, office = self.plant_and_office("mqttv311", ["topic in/# out 1"], {"reroute": "q/x"})
        with plant.client("listener", 5) as listener, office.client("sender") as sender:
            listener.subscribe("q/#", "in/#", qos=1)
            sender.publish("in/oven", BAD, 1)
            sender.publish("in/oven", GOOD, 1)
            moved, good = listener.messages(2)
        self.assertEqual(json.loads(moved.payload)["source"]["client_id"], "office-bridge")
        self.assertEqual((good.topic, good.payload), ("in/oven", GOOD))
        checks.counted(self.finish(plant), rerouted=1, accepted=1)
