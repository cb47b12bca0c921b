"""A publisher that keeps a ledger: which messages were acknowledged, whatever happened to the broker,
and whether each of them is in the files: once, in order.

Message n says n. After a kill or a lost connection the publisher goes on with a fresh n, so an n may be
missing only when it was never acknowledged, and none may be there twice.
"""

import threading
import time

import checks
import mqtt
from broker import wait_until
from harness import BrokerTest

MIN_RATE = 5_000  # acknowledged messages a second that count as load
PACE = 20_000     # sent a second: more would only make the files longer


def message(n):
    return f"in/line{n % 4}", b'{"value":%d,"n":%d,"pad":"%s"}' % (n % 400, n, b"x" * 120)


class Ledger:
    """Which messages were acknowledged: ranges [first, acked) of every connection."""

    def __init__(self):
        self.ranges, self.next, self.seconds, self.acked = [], 0, 0.0, 0

    def add(self, flood):
        self.ranges.append((flood.first, flood.acked))
        self.next = flood.sent
        self.acked += flood.acked - flood.first
        if flood.first_ack_at:
            self.seconds += flood.last_ack_at - flood.first_ack_at

    @property
    def rate(self):
        return self.acked / self.seconds if self.seconds else 0

    def missing(self, numbers):
        return [n for first, end in self.ranges for n in range(first, end) if n not in numbers]


class Pouring:
    """A publisher beside the test: `with` it, messages come at this pace until the block ends."""

    def __init__(self, broker, ledger, pace=3000):
        self.flood = mqtt.Flood(broker.port, message, ledger.next)
        self.ledger, self.enough, self.error = ledger, threading.Event(), None
        self.thread = threading.Thread(target=self._pour, args=(pace,))

    def _pour(self, pace):
        try:
            self.flood.run(until=self.enough.is_set, pace=pace, timeout=300)
            self.flood.run(count=self.flood.made - self.flood.acked)
        except Exception as error:  # told by the thread that waits
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.enough.set()
        self.thread.join()
        self.flood.close()
        self.ledger.add(self.flood)
        if kind is None and (self.error or self.flood.lost):
            raise AssertionError(f"publishing ended: {self.error or 'the connection was lost'}")


class PouringTest(BrokerTest):
    def pour(self, broker, ledger, count, **options):
        """`count` messages, over as many connections as it takes."""
        end = ledger.acked + count
        deadline = time.monotonic() + 120
        while ledger.acked < end:
            flood = mqtt.Flood(broker.port, message, ledger.next)
            flood.run(count=end - ledger.acked, **options)
            flood.close()
            ledger.add(flood)
            self.assertLess(time.monotonic(), deadline, "too slow, or refused for ever")

    def pour_and_kill(self, broker, ledger, seconds, window=1024):
        flood = mqtt.Flood(broker.port, message, ledger.next, window=window)
        end = time.monotonic() + seconds
        flood.run(until=lambda: time.monotonic() > end, pace=PACE)
        broker.kill()
        flood.drain()
        ledger.add(flood)

    def check_output(self, broker, ledger):
        """Clean stop, then the whole account."""
        broker.stop(90)
        status = broker.status()
        checks.identities(status)
        sink = status["sinks"]["lake"]
        self.assertEqual((sink["discarded"], sink["corrupt"], sink["dead_lettered"], sink["spooled"]),
                         (0, 0, 0, 0))
        checks.nothing_open(self.lake(broker))
        records = checks.lake(self.lake(broker))
        numbers = [record["payload"]["n"] for record in records]
        checks.ascending_by_topic(records, lambda record: record["payload"]["n"])
        present = set(numbers)
        self.assertEqual(len(present), len(numbers), "a message is there twice")
        missing = ledger.missing(present)
        self.assertEqual(missing, [], f"{len(missing)} acknowledged messages are missing")
        self.assertLessEqual(len(numbers), ledger.next)
        checks.spool_verify(broker.data_dir)
        return records

    def delivered(self, broker):
        return wait_until(lambda: (broker.status() or {}).get("pid") == broker.pid
                          and broker.status()["sinks"]["lake"]["spooled"] == 0,
                          "everything delivered", 90)
