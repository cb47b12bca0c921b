"""A sink that stays away until its share of the disk is used up: `when_full` decides, MQTT goes on, and
every record is accounted for.

The sink's folder cannot be made (a file has its name), so the spool fills up to max_size: 128 MiB.
Message n carries n and 200 KB. A publisher that was refused, for whatever reason, comes back and goes on
with a fresh n.
"""

import time

import checks
import mqtt
from broker import wait_until
from harness import BrokerTest, alone, config, policy

PAD = b"x" * 200_000
FILLS = 1000  # messages of that size are more than 128 MiB
PACE = 250    # a second: what the slowest disk takes, so that the ring does not fill before the spool


def message(n):
    return "in/oven", b'{"value":1,"n":%d,"pad":"%s"}' % (n, PAD)


class FullSpool(BrokerTest):
    def config(self, when_full, **sink):
        return config(
            [policy()],
            {"lake": dict({"type": "file", "path": "@HOME@/lake", "when_full": when_full}, **sink)},
            spool={"sync_interval": "20ms", "max_size": "128MiB", "min_free": "1MiB"})

    def open(self, when_full):
        self.when_full = when_full
        broker = self.broker(self.config(when_full), start=False)
        self.lake(broker).write_text("in the way")
        return broker.start()

    def make_way(self, broker):
        """The sink can work again, and a reload that changes it spares us the rest of its backoff. It
        has delivered everything when this returns."""
        self.lake(broker).unlink()
        broker.configure(self.config(self.when_full, rotate={"size": "64MiB"}))
        broker.hup()
        return broker.status_when(lambda s: s["sinks"]["lake"]["spooled"] == 0
                                  and s["sinks"]["lake"]["delivered"] > 0, "everything delivered", 90)

    def numbers(self, broker):
        return [record["payload"]["n"] for record in checks.lake(self.lake(broker))]

    def fill(self, broker, at_once=FILLS, between=lambda: None):
        """Returns the numbers that were acknowledged. `between`: called after each `at_once` messages."""
        acked, first, deadline = [], 0, time.monotonic() + 120
        while len(acked) < FILLS:
            flood = mqtt.Flood(broker.port, message, first, window=16)
            flood.run(count=min(at_once, FILLS - len(acked)), pace=PACE)
            flood.close()
            acked += range(first, flood.acked)
            first = flood.sent
            between()
            self.assertLess(time.monotonic(), deadline, "refused for ever")
        return acked

    def fill_until_refused(self, broker):
        """Until the spool is full; a disk that is slow for a moment gets another chance. Returns the
        numbers that were acknowledged."""
        acked, first = [], 0
        while first < FILLS:
            flood = mqtt.Flood(broker.port, message, first, window=16)
            flood.run(count=FILLS - first, pace=PACE)
            if flood.lost:
                flood.drain()
            acked += range(first, flood.acked)
            first = flood.sent
            if flood.lost and broker.status()["spool"]["bytes"] > 96 << 20:
                return acked
        self.fail("nothing was refused")

    def account(self, broker):
        """The last status and the numbers in the files, which it explains."""
        status = self.finish(broker)
        checks.identities(status)
        numbers = self.numbers(broker)
        self.assertEqual(numbers, sorted(set(numbers)))
        discarded = status["sinks"]["lake"]["discarded"]
        self.assertGreater(discarded, 0)
        self.assertEqual(len(numbers), status["messages"]["accepted"] - discarded)
        return status, numbers

    @alone
    def test_drop_oldest_keeps_the_newest(self):
        broker = self.open("drop_oldest")
        acked = self.fill(broker)
        self.make_way(broker)
        _, numbers = self.account(broker)
        self.assertGreater(numbers[0], 0)
        self.assertEqual([n for n in acked if n >= numbers[0] and n not in set(numbers)], [])

    @alone
    def test_drop_newest_keeps_the_oldest(self):
        broker = self.open("drop_newest")
        acked = self.fill(broker)
        status = broker.status_when(lambda s: s["sinks"]["lake"]["discarded"] > 0, "discards")
        self.assertLessEqual(status["spool"]["bytes"], 128 << 20)
        self.make_way(broker)
        _, numbers = self.account(broker)
        self.assertEqual([n for n in acked[:100] if n not in set(numbers)], [])

    @alone
    def test_a_neighbour_that_keeps_up_loses_nothing(self):
        """The lake is away and drops its newest; the other sink of the same messages gets every one. It keeps
        up on the slowest disk: the publisher waits for it now and then."""
        both = [policy(to=["lake", "well"])]
        sinks = {"lake": {"type": "file", "path": "@HOME@/lake", "when_full": "drop_newest"},
                 "well": {"type": "file", "path": "@HOME@/well", "when_full": "drop_newest"}}
        broker = self.broker(config(both, sinks, spool={"sync_interval": "20ms", "max_size": "128MiB",
                                                        "min_free": "1MiB"}), start=False)
        self.lake(broker).write_text("in the way")
        broker.start()
        acked = self.fill(broker, 100, lambda: broker.status_when(
            lambda s: s["sinks"]["well"]["spooled"] == 0, "the well keeps up", 90, fresh=True))
        status = self.finish(broker)
        checks.identities(status)
        self.assertGreater(status["sinks"]["lake"]["discarded"], 0)
        self.assertEqual(status["sinks"]["well"]["discarded"], 0)
        numbers = [record["payload"]["n"] for record in checks.lake(self.lake(broker, "well"))]
        self.assertEqual(set(acked) - set(numbers), set())

    @alone
    def test_refuse_says_so_to_the_publisher_and_loses_nothing(self):
        broker = self.open("refuse")
        acked = self.fill_until_refused(broker)
        with broker.client("v5", 5) as five:
            five.send(mqtt.publish(*message(5000), 1, 1, version=5))
            self.assertEqual([packet.raw.hex() for packet in five.until_closed()], ["e00180"])
        with broker.client("v3") as three:
            three.send(mqtt.publish(*message(5001), 2, 1))
            self.assertEqual(three.until_closed(), [])
        with broker.client("qos0") as zero, broker.client() as subscriber:
            subscriber.subscribe("in/#")
            zero.publish("in/oven", b'{"value":1,"n":5002}', 0)
            self.assertEqual(subscriber.message().payload, b'{"value":1,"n":5002}')
            zero.publish("elsewhere", b"no policy", 1)
        status = broker.status_when(lambda s: s["messages"]["refused"] >= 3, "refusals")
        checks.identities(status)
        self.make_way(broker)

        def takes_again():
            with broker.client("again") as again:
                again.send(mqtt.publish("in/oven", b'{"value":1,"n":5003}', 1, 1))
                return [p.kind for p in [again.read()] if p] == [mqtt.PUBACK]

        wait_until(takes_again, "the publisher is taken again")
        checks.identities(self.finish(broker))
        numbers = self.numbers(broker)
        self.assertEqual([n for n in acked if n not in set(numbers)], [])
        self.assertNotIn(5000, numbers)
        self.assertEqual(numbers.count(5003), 1)
