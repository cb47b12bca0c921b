"""status.json under load: every snapshot adds up, none is torn, numbers only grow."""

import json
import threading
import time

import checks
import mqtt
from harness import BrokerTest, alone, config, fast, policy

SHAPES = [
    ("in/good", b'{"value":1}', "accepted"),
    ("in/good", b'{"value":2}', "accepted"),
    ("in/bad", b'{"value":500}', "rerouted"),
    ("drop/x", b'{"value":500}', "dropped"),
    ("pass/x", b'{"value":500}', "passed"),
    ("monitor/x", b'{"value":500}', "accepted"),
    ("elsewhere/x", b"anything", "passed"),
    ("in/broken", b'{"value":', "rerouted"),
]

POLICIES = [
    policy(id="in", on_violation={"reroute": "q/x", "to": ["bad"]}),
    policy(id="drop", topics=["drop/#"], on_violation={"drop": True}),
    policy(id="pass", topics=["pass/#"], on_violation={"pass": True}),
    policy(id="monitor", topics=["monitor/#"], mode="monitor", on_violation={"reroute": "q/y"}),
    policy(id="off", topics=["elsewhere/#"], mode="off", on_violation={"drop": True}),
]
SINKS = {name: {"type": "file", "path": f"@HOME@/{name}"} for name in ("lake", "bad")}


class Watcher(threading.Thread):
    """Reads status.json again and again, and keeps every different one."""

    def __init__(self, broker):
        super().__init__(daemon=True)
        self.broker, self.seen, self.enough, self.error = broker, [], False, None

    def run(self):
        try:
            last = None
            while not self.enough:
                path = self.broker.data_dir / "status.json"
                text = path.read_text() if path.exists() else ""
                if text and text != last:
                    self.seen.append(json.loads(text))
                    last = text
                time.sleep(0.005)
        except ValueError as error:
            self.error = f"torn: {error}"

    def finish(self):
        self.enough = True
        self.join()
        return self.seen


class Status(BrokerTest):
    @alone
    @fast
    def test_every_snapshot_under_load_adds_up(self):
        broker = self.broker(config(POLICIES, SINKS))
        watcher = Watcher(broker)
        watcher.start()
        flood = mqtt.Flood(broker.port, lambda n: SHAPES[n % len(SHAPES)][:2])
        flood.run(until=lambda: len(watcher.seen) >= 6)
        flood.run(count=flood.made - flood.acked)
        flood.run(count=-flood.acked % len(SHAPES))
        flood.close()
        broker.stop()
        snapshots = watcher.finish() + [broker.status()]
        self.assertIsNone(watcher.error)
        for snapshot in snapshots:
            checks.identities(snapshot)
        for before, after in zip(snapshots, snapshots[1:]):
            for name, count in before["messages"].items():
                self.assertLessEqual(count, after["messages"][name], name)
        rounds = flood.acked // len(SHAPES)
        checks.counted(snapshots[-1], accepted=3 * rounds, rerouted=2 * rounds, dropped=rounds,
                       passed=2 * rounds)
        self.assertEqual(len(checks.lake(self.lake(broker))), 3 * rounds)
        self.assertEqual(len(checks.lake(self.lake(broker, "bad"))), 2 * rounds)

    def test_the_document_holds_what_the_contract_lists(self):
        broker = self.broker(config(POLICIES, SINKS))
        with broker.client() as publisher:
            for topic, payload, _ in SHAPES:
                publisher.publish(topic, payload, 1)
            status = broker.status_when(
                lambda s: s["messages"]["received"] == len(SHAPES)
                and s["sinks"]["lake"]["delivered"] == 3, "everything delivered")
        pid = broker.pid
        self.assertEqual(set(status), {"v", "time", "pid", "version", "instance", "generation",
                                       "config_error", "messages", "policies", "sinks", "spool"})
        self.assertEqual((status["v"], status["pid"], status["instance"]), (1, pid, "test"))
        self.assertRegex(status["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self.assertEqual(set(status["sinks"]["lake"]), {
            "type", "state", "spooled_at_start", "routed", "delivered", "dead_lettered", "discarded",
            "corrupt", "spooled", "lag_seconds", "last_error"})
        self.assertEqual((status["sinks"]["lake"]["type"], status["sinks"]["lake"]["state"]),
                         ("file", "connected"))
        self.assertEqual(set(status["spool"]), {"bytes", "max", "head_seq", "durable_seq"})
        held = {name: entry["held"] for name, entry in status["policies"].items()}
        self.assertEqual((held["in"], held["drop"], held["pass"], held["monitor"]), (2, 0, 0, 0))
        self.assertEqual(status["policies"]["in"]["violations"],
                         {"limits.max": 1, "payload.malformed": 1})
        self.assertEqual(status["policies"]["monitor"]["would_reroute"], 1)
        broker.stop()
        self.assertEqual(broker.status()["sinks"]["lake"]["state"], "stopped")

    def test_counters_of_records_in_the_spool_carry_on_after_a_start(self):
        broker = self.broker(config(POLICIES, SINKS))
        with broker.client() as publisher:
            for topic, payload, _ in SHAPES:
                publisher.publish(topic, payload, 1)
        checks.identities(self.finish(broker))
        broker.start()
        status = broker.status_when(lambda s: s["pid"] == broker.pid, "the new broker's status")
        checks.identities(status)
        self.assertEqual(status["messages"]["received"], 0)
        broker.stop()
