"""A sink that stays away until its share of the disk is used up: `when_full` decides, MQTT goes on, and
every record is accounted for.

The sink's folder cannot be made (a file has its name), so the spool fills up to max_size: 128 MiB.
Message n carries n and 200 KB.
"""

import checks
import mqtt
from broker import wait_until
from harness import BrokerTest, alone, config, policy

PAD = b"x" * 200_000
FILLS = 1000  # messages of that size are more than 128 MiB


def message(n):
    return "in/oven", b'{"value":1,"n":%d,"pad":"%s"}' % (n, PAD)


class FullSpool(BrokerTest):
    def open(self, when_full):
        broker = self.broker(config(
            [policy()], {"lake": {"type": "file", "path": "@HOME@/lake", "when_full": when_full}},
            spool={"sync_interval": "20ms", "max_size": "128MiB", "min_free": "1MiB"}), start=False)
        self.lake(broker).write_text("in the way")
        return broker.start()

    def make_way(self, broker):
        """The sink can work again; it has delivered everything when this returns."""
        self.lake(broker).unlink()
        return broker.status_when(lambda s: s["sinks"]["lake"]["spooled"] == 0
                                  and s["sinks"]["lake"]["delivered"] > 0, "everything delivered", 90)

    def numbers(self, broker):
        return [record["payload"]["n"] for record in checks.lake(self.lake(broker))]

    def fill(self, broker):
        flood = mqtt.Flood(broker.port, message, window=32)
        flood.run(count=FILLS)
        flood.close()
        return flood.acked

    @alone
    def test_drop_oldest_keeps_the_newest(self):
        broker = self.open("drop_oldest")
        sent = self.fill(broker)
        self.make_way(broker)
        status = self.finish(broker)
        checks.counted(status, accepted=sent)
        discarded = status["sinks"]["lake"]["discarded"]
        self.assertGreater(discarded, 0)
        self.assertEqual(self.numbers(broker), list(range(discarded, sent)))

    @alone
    def test_drop_newest_keeps_the_oldest(self):
        broker = self.open("drop_newest")
        sent = self.fill(broker)
        status = broker.status_when(lambda s: s["sinks"]["lake"]["discarded"] > 0, "discards")
        self.assertLessEqual(status["spool"]["bytes"], 128 << 20)
        self.make_way(broker)
        status = self.finish(broker)
        checks.counted(status, accepted=sent)
        numbers = self.numbers(broker)
        self.assertEqual(len(numbers), sent - status["sinks"]["lake"]["discarded"])
        self.assertEqual(numbers[:100], list(range(100)))
        self.assertEqual(numbers, sorted(set(numbers)))

    @alone
    def test_refuse_says_so_to_the_publisher_and_loses_nothing(self):
        broker = self.open("refuse")
        flood = mqtt.Flood(broker.port, message, window=32)
        flood.run(count=FILLS)
        self.assertTrue(flood.lost, "nothing was refused")
        flood.drain()
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
        self.assertEqual(numbers[:flood.acked], list(range(flood.acked)))
        self.assertNotIn(5000, numbers)
        self.assertEqual(numbers.count(5003), 1)
